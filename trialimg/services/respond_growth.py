"""Tumour growth and regression rates, one line per subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialimg.endpoints.burden import tumour_growth
from trialimg.services.respond import Judged

__all__ = ["growth_rows"]


def growth_rows(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Rates per day with their standard errors; blank where no model describes the course."""
    named = any(one.reading.reader for one in judged)
    return [_row(one, named) for one in judged]


def _row(one: Judged, named: bool) -> dict[str, Any]:
    found = tumour_growth(one.assessments, one.reading.timepoints[0])
    return {
        "subject": one.reading.subject,
        **({"reader": one.reading.reader} if named else {}),
        "model": found.model.value if found else None,
        "g_per_day": _figure(found.growth_per_day) if found else None,
        "g_se": _figure(found.growth_se) if found else None,
        "d_per_day": _figure(found.regression_per_day) if found else None,
        "d_se": _figure(found.regression_se) if found else None,
        "responding_share": _figure(found.responding_share) if found else None,
        "doubling_days": _figure(found.doubling_days) if found else None,
        "measurements": found.measurements if found else None,
        "residual_se": _figure(found.residual_se) if found else None,
    }


def _figure(value: float | None) -> float | None:
    """Six significant digits: far more than a course of sums carries."""
    return None if value is None else float(f"{value:.6g}")
