"""The lines at which a response begins, as the criterion in force has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trialimg.adapters.exporters.figures.axes import Frame, signed
from trialimg.adapters.exporters.figures.drawing import Drawing
from trialimg.adapters.exporters.figures.look import MUTED
from trialimg.services.results import TrialResult

__all__ = ["Thresholds", "draw_thresholds", "thresholds_of"]


@dataclass(frozen=True)
class Thresholds:
    """Change of the sum of diameters in percent; None where the criterion has no such number."""

    partial_response_pct: float | None
    progression_pct: float | None
    progression_mm: float
    """Growth in mm that a progression needs as well; 0 where the criterion asks for none."""

    @property
    def known(self) -> tuple[float, ...]:
        return tuple(p for p in (self.partial_response_pct, self.progression_pct) if p is not None)


def thresholds_of(result: TrialResult) -> Thresholds:
    """The criterion's own numbers, from the protocol in force."""
    rules = (result.protocol.get("response") or {}).get("rules") or {}
    return Thresholds(
        _percent(rules, "pr_decrease", -100),
        _percent(rules, "pd_increase", 100),
        float(rules.get("pd_min_increase_mm") or 0),
    )


def draw_thresholds(drawing: Drawing, frame: Frame, thresholds: Thresholds, *, named: bool = True) -> None:
    """Dashed lines across a frame of percent change, with their numbers at the right."""
    for value in thresholds.known:
        y = frame.y(value)
        drawing.line((frame.corner[0], y), (frame.right, y), stroke=MUTED, stroke_width=1, stroke_dasharray="5 3")
        if named:
            drawing.text((frame.right + 5, y + 3.5), f"{signed(value)} %", font_size=10.5, fill=MUTED)


def _percent(rules: Mapping[str, object], name: str, factor: float) -> float | None:
    share = rules.get(name)
    return None if share is None else round(float(str(share)) * factor, 6)
