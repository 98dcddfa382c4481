"""Spider: the change of every subject over time, one panel per arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from trialimg.adapters.exporters.figures.axes import (
    DAYS_PER_WEEK,
    WEEKS,
    Frame,
    calendar_step,
    draw_x_axis,
    draw_y_axis,
    signed,
    steps,
)
from trialimg.adapters.exporters.figures.drawing import Drawing, Point
from trialimg.adapters.exporters.figures.figure import (
    Figure,
    arm_name,
    arms_of,
    best_word,
    draw_response_key,
    look_of_arm,
    short_name,
)
from trialimg.adapters.exporters.figures.look import AXIS, INK, look_of
from trialimg.adapters.exporters.figures.thresholds import draw_thresholds, thresholds_of
from trialimg.core.responses import NewLesionResponse
from trialimg.services.results import SubjectResult, TimepointResult, TrialResult

__all__ = ["apart", "spider"]

WIDTH = 700
PLOT_HEIGHT = 280
TOP = 48
LABEL_WIDTH = 78
PANELS_A_ROW = 2
LABELLED_UP_TO = 20
LONGEST_NAME = 9
HIGHEST_PCT = 120

_TITLE = "Change of the sum of target diameters over time"
_ORDER = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE")


@dataclass(frozen=True)
class _Point:
    week: float
    change_pct: float | None
    """None where the sum could not be made: the line has a gap."""
    new_lesion: bool


@dataclass(frozen=True)
class _Thread:
    subject: str
    arm: str
    response: str
    points: tuple[_Point, ...]


def spider(result: TrialResult) -> Figure | None:
    """One line per subject with a change after baseline, in its arm's panel; None where there is none."""
    threads = [thread for s in result.subjects if (thread := _thread(s))]
    if not threads:
        return None
    arms = [arm for arm in arms_of(result) or ("",) if any(t.arm == arm for t in threads)]
    rows = -(-len(arms) // PANELS_A_ROW)
    panel_height = TOP + PLOT_HEIGHT + 44
    drawing = Drawing(WIDTH, rows * panel_height + 20)
    for place, arm in enumerate(arms):
        columns = min(len(arms), PANELS_A_ROW)
        width = WIDTH / columns
        corner = (place % PANELS_A_ROW * width, place // PANELS_A_ROW * panel_height)
        frame = _frame(threads, corner, width)
        _draw_panel(drawing, frame, [t for t in threads if t.arm == arm], result=result, arm=arm)
    found = {t.response for t in threads}
    draw_response_key(drawing, (52, rows * panel_height + 12), [word for word in _ORDER if word in found])
    return Figure(_TITLE, drawing.svg(_words(threads, arms)), _caption(result, threads))


def _thread(subject: SubjectResult) -> _Thread | None:
    points = [point for at in subject.timepoints if (point := _point(subject, at))]
    if sum(point.change_pct is not None for point in points) < 2:
        return None
    return _Thread(subject.subject.id, subject.subject.arm, best_word(subject), tuple(points))


def _point(subject: SubjectResult, at: TimepointResult) -> _Point | None:
    start = subject.subject.reference_date or subject.timepoints[0].timepoint.date
    week = (at.timepoint.date - start).days / DAYS_PER_WEEK
    if at.assessment is None:
        return _Point(week, 0.0 if at.baseline_sum_mm else None, new_lesion=False)
    change = at.assessment.sums.change_from_baseline_pct
    new = at.assessment.new_lesion is NewLesionResponse.UNEQUIVOCAL
    return _Point(week, None if change is None else float(change), new_lesion=new)


def _frame(threads: Sequence[_Thread], corner: Point, width: float) -> Frame:
    points = [point for thread in threads for point in thread.points]
    changes = [point.change_pct for point in points if point.change_pct is not None]
    weeks = [point.week for point in points]
    high = min(HIGHEST_PCT, max(40.0, max(changes) + 8))
    low = min(-40.0, max(-100.0, min(changes) - 8))
    size = (width - 52 - LABEL_WIDTH, PLOT_HEIGHT)
    return Frame((corner[0] + 52, corner[1] + TOP), size, (min(*weeks, 0), max(*weeks, 1)), (low, high))


def _draw_panel(drawing: Drawing, frame: Frame, threads: Sequence[_Thread], *, result: TrialResult, arm: str) -> None:
    look = look_of_arm(result, arm)
    x, y = frame.corner[0], frame.corner[1] - 14
    drawing.marker(look.marker, (x + 4, y - 4), 4.5, fill=look.colour)
    drawing.text((x + 15, y), f"{arm_name(arm)} (n = {len(threads)})", font_size=12, font_weight=600)
    low, high = frame.y_range
    draw_y_axis(drawing, frame, steps(low, high, 20), words="Change from baseline (%)", text=signed)
    span = frame.x_range[1] - frame.x_range[0]
    weeks = steps(*frame.x_range, calendar_step(span, 7, WEEKS))
    draw_x_axis(drawing, frame, weeks, words="Weeks since reference date")
    draw_thresholds(drawing, frame, thresholds_of(result), named=False)
    drawing.line((frame.corner[0], frame.y(0)), (frame.right, frame.y(0)), stroke=AXIS, stroke_width=1)
    for thread in threads:
        _draw_thread(drawing, frame, thread)
    _draw_labels(drawing, frame, threads)


def _draw_thread(drawing: Drawing, frame: Frame, thread: _Thread) -> None:
    look = look_of(thread.response)
    known = [point for point in thread.points if point.change_pct is not None]
    for before, after in pairwise(known):
        gap = thread.points.index(after) - thread.points.index(before) > 1
        start, end = _place(frame, before), _place(frame, after)
        dashes = "2 3" if gap else "none"
        drawing.line(start, end, stroke=look.edge, stroke_width=1.8, stroke_dasharray=dashes)
    for point in known:
        tooltip = f"{thread.subject}, week {point.week:.0f}: {point.change_pct:+.1f} %"
        drawing.marker("circle", _place(frame, point), 3.2, tooltip=tooltip, fill=look.fill, stroke=look.edge)
    for point in thread.points:
        if point.new_lesion and point.change_pct is not None:
            x, y = _place(frame, point)
            drawing.marker("circle", (x, y), 6.5, fill="none", stroke=INK, stroke_width=1.2)


def _place(frame: Frame, point: _Point) -> Point:
    change = point.change_pct or 0.0
    return frame.at(point.week, min(change, frame.y_range[1]))


def _draw_labels(drawing: Drawing, frame: Frame, threads: Sequence[_Thread]) -> None:
    """Subject and letters at the right edge, pushed apart where they would overlap, with a leader to the line's end."""
    if len(threads) > LABELLED_UP_TO:
        return
    ends = {t.subject: [p for p in t.points if p.change_pct is not None][-1] for t in threads}
    ordered = sorted(threads, key=lambda t: -(ends[t.subject].change_pct or 0.0))
    wished = [_place(frame, ends[t.subject])[1] for t in ordered]
    for thread, y in zip(ordered, apart(wished, 12.5, frame.corner[1] + 4, frame.bottom), strict=True):
        x_end, y_end = _place(frame, ends[thread.subject])
        drawing.polyline(
            [(x_end + 5, y_end), (frame.right + 3, y), (frame.right + 8, y)], stroke=AXIS, stroke_width=0.6
        )
        letters = look_of(thread.response).letters
        drawing.text((frame.right + 10, y + 3.5), letters, font_size=10, font_weight=600)
        drawing.text((frame.right + 28, y + 3.5), short_name(thread.subject, LONGEST_NAME), font_size=10)


def apart(wished: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places in the same order, at least a gap from one another and inside the limits, close to those wished for."""
    placed: list[float] = []
    for wish in wished:
        placed.append(max(wish, placed[-1] + gap) if placed else max(wish, low))
    overshoot = placed[-1] - high if placed else 0.0
    if overshoot > 0:
        limit = high
        for place in range(len(placed) - 1, -1, -1):
            placed[place] = min(placed[place], limit)
            limit = placed[place] - gap
    return placed


def _words(threads: Sequence[_Thread], arms: Sequence[str]) -> str:
    counts = ", ".join(f"{arm_name(arm)}: {sum(t.arm == arm for t in threads)}" for arm in arms)
    return f"Spider plot of {len(threads)} subjects ({counts}): percent change of the sum of target diameters by week."


def _caption(result: TrialResult, threads: Sequence[_Thread]) -> str:
    absent = len(result.subjects) - len(threads)
    dashed = " and ".join(f"{signed(value)} %" for value in thresholds_of(result).known)
    text = (
        "One line per subject with at least one evaluable sum after baseline, coloured by best overall response "
        "(letters at the right). A ring marks an unequivocal new lesion; a dotted stretch passes over a timepoint that "
        "was not evaluable."
    )
    return text + (f" Dashed: {dashed}." if dashed else "") + (f" Not shown: {absent} subjects." if absent else "")
