"""A protocol with every default filled in, as a run hands it to the exporters."""

from __future__ import annotations

from typing import Any

from trialimg.core.digest import digest_of

__all__ = ["DIGEST", "PROTOCOL"]

PROTOCOL: dict[str, Any] = {
    "trial": {"id": "LUMEN-301", "title": "Randomised phase II trial of example therapy", "version": "1.2"},
    "arms": [{"label": "A", "name": "blinded arm A"}, {"label": "B", "name": "blinded arm B"}],
    "sites": ["01", "02", "03"],
    "visits": [
        {"id": "BL", "day": -7, "window_days": [-28, 0]},
        {"id": "W08", "day": 57, "window_days": [-7, 7]},
        {"id": "W16", "day": 113, "window_days": [-7, 7]},
    ],
    "criterion": {
        "name": "recist11",
        "settings": {
            "pr_pct": "-30",
            "pd_pct": "20",
            "pd_absolute_mm": "5",
            "too_small_mm": "5",
            "pr_hold": "recompute",
            "new_node_pd_sa_mm": "15",
            "backdate_equivocal": True,
        },
    },
    "endpoints": {"confirmation": "none", "minimum_sd_days": 49, "censor_at_new_therapy": True, "max_missed_visits": 1},
    "statistics": {"confidence": 0.95, "rate_method": "clopper_pearson", "survival_limits": "log-log"},
    "segmentation": {"segmenter": "classical", "prompt_order": ["contour", "line", "point"], "device": "cpu"},
    "measurement": {"convention": "centre_to_centre_plus_half_pixel", "rounding": "half up to 0.1 mm"},
    "radiomics": {
        "bin_width": 25.0,
        "resampled_spacing_mm": [1.0, 1.0, 1.0],
        "interpolator": "bspline",
        "image_types": ["original"],
        "feature_classes": ["shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"],
        "resegment_range": None,
    },
    "reading": {"readers": 2, "adjudication": ["best_overall_response", "progression_date"]},
    "price_plan": {"currency": "EUR", "case": "1450.00"},
}
DIGEST = digest_of(PROTOCOL)
