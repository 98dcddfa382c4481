"""One subject's sum of target diameters over time, against the lines it is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.adapters.exporters.figures.axes import (
    DAYS_PER_WEEK,
    WEEKS,
    Frame,
    calendar_step,
    draw_x_axis,
    draw_y_axis,
    nice_step,
    steps,
)
from trialimg.adapters.exporters.figures.drawing import Drawing
from trialimg.adapters.exporters.figures.look import ACCENT, INK, MUTED, look_of
from trialimg.adapters.exporters.figures.thresholds import Thresholds
from trialimg.services.results import SubjectResult

__all__ = ["sum_course_svg"]

WIDTH = 340
HEIGHT = 200


@dataclass(frozen=True)
class _Mark:
    week: float
    sum_mm: float
    response: str
    """Blank at baseline."""


def sum_course_svg(subject: SubjectResult, thresholds: Thresholds) -> str:
    """Sums in mm by week; blank where there are fewer than two of them."""
    marks = _marks(subject)
    if len(marks) < 2:
        return ""
    drawing = Drawing(WIDTH, HEIGHT)
    first, last = marks[0].week, marks[-1].week
    pad = 0.06 * max(last - first, 1)
    high = 1.2 * max(mark.sum_mm for mark in marks)
    frame = Frame((46, 12), (WIDTH - 46 - 44, HEIGHT - 12 - 40), (first - pad, last + pad), (0, max(high, 5.0)))
    ticks = steps(0, frame.y_range[1], nice_step(frame.y_range[1], 5))
    draw_y_axis(drawing, frame, ticks, words="Sum (mm)", text=lambda v: f"{v:g}")
    draw_x_axis(drawing, frame, steps(*frame.x_range, calendar_step(last - first, 6, WEEKS)), words="Week")
    _draw_lines(drawing, frame, marks, thresholds)
    drawing.polyline([frame.at(m.week, m.sum_mm) for m in marks], stroke=ACCENT, stroke_width=1.8)
    for mark in marks:
        _draw_mark(drawing, frame, mark)
    sums = ", ".join(f"{mark.sum_mm:g}" for mark in marks)
    return drawing.svg(f"Sum of target diameters of {subject.subject.id} over time: {sums} mm.")


def _marks(subject: SubjectResult) -> list[_Mark]:
    start = subject.subject.reference_date or (subject.timepoints[0].timepoint.date if subject.timepoints else None)
    found = []
    for at in subject.timepoints:
        total = at.assessment.sums.sum_mm if at.assessment else at.baseline_sum_mm
        if total is not None and start is not None:
            week = (at.timepoint.date - start).days / DAYS_PER_WEEK
            found.append(_Mark(week, float(total), at.assessment.overall.value if at.assessment else ""))
    return found


def _draw_lines(drawing: Drawing, frame: Frame, marks: Sequence[_Mark], thresholds: Thresholds) -> None:
    base, nadir = marks[0].sum_mm, min(mark.sum_mm for mark in marks)
    lines = []
    if thresholds.partial_response_pct is not None:
        lines.append((base * (1 + thresholds.partial_response_pct / 100), "PR"))
    if thresholds.progression_pct is not None:
        grown = max(nadir * (1 + thresholds.progression_pct / 100), nadir + thresholds.progression_mm)
        lines.append((grown, "PD"))
    for height, name in lines:
        y = frame.y(height)
        drawing.line((frame.corner[0], y), (frame.right, y), stroke=MUTED, stroke_width=1, stroke_dasharray="5 3")
        drawing.text((frame.right + 4, y + 3.5), f"{name} {height:.1f}", font_size=9.5, fill=MUTED)


def _draw_mark(drawing: Drawing, frame: Frame, mark: _Mark) -> None:
    look = look_of(mark.response)
    x, y = frame.at(mark.week, mark.sum_mm)
    fill = look.fill if mark.response else "#ffffff"
    drawing.marker("circle", (x, y), 4, fill=fill, stroke=look.edge if mark.response else INK, stroke_width=1.2)
    name = look.letters if mark.response else "BL"
    drawing.rect((x - 8, y - 17), (16, 10), fill="#ffffff", fill_opacity=0.85)
    drawing.text((x, y - 8.5), name, font_size=9.5, font_weight=600, text_anchor="middle")
