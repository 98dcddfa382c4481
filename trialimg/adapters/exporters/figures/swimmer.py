"""Swimmer: every subject's time in the trial, with each response, progression, death and what goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from trialimg.adapters.exporters.figures.axes import DAYS_PER_WEEK, WEEKS, Frame, calendar_step, draw_x_axis, steps
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
from trialimg.adapters.exporters.figures.look import AXIS, GRID, INK, MUTED, look_of
from trialimg.services.results import SubjectResult, TrialResult

__all__ = ["swimmers"]

WIDTH = 700
LEFT = 112
RIGHT = 46
ROW_HEIGHT = 22
BAR_HEIGHT = 13
ROWS_A_FIGURE = 34
LONGEST_NAME = 15

_TITLE = "Time in the trial, responses and events"
_ORDER = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE")


@dataclass(frozen=True)
class _Lane:
    subject: str
    arm: str
    best: str
    responses: tuple[tuple[float, str], ...]
    """Week and word of each assessment after baseline."""
    last_image: float
    last_known: float
    death: float | None
    new_therapy: float | None
    ongoing: bool
    """No progression, death or new therapy on record."""


def swimmers(result: TrialResult) -> tuple[Figure, ...]:
    """Lanes by arm, longest first, cut into figures that fit a page; empty where nobody has a reference date."""
    lanes = sorted((lane for s in result.subjects if (lane := _lane(s))), key=_order(result))
    pages = [lanes[start : start + ROWS_A_FIGURE] for start in range(0, len(lanes), ROWS_A_FIGURE)]
    longest = max((lane.last_known for lane in lanes), default=1.0)
    return tuple(
        _figure(result, page, longest, f"{_TITLE}{f' ({number} of {len(pages)})' if len(pages) > 1 else ''}")
        for number, page in enumerate(pages, start=1)
    )


def _order(result: TrialResult) -> Callable[[_Lane], tuple[int, float, str]]:
    arms = arms_of(result)
    return lambda lane: (arms.index(lane.arm) if lane.arm in arms else len(arms), -lane.last_known, lane.subject)


def _lane(subject: SubjectResult) -> _Lane | None:
    who = subject.subject
    start = who.reference_date
    if start is None:
        return None

    def week(day: date) -> float:
        return (day - start).days / DAYS_PER_WEEK

    assessed = [(week(t.timepoint.date), t.assessment.overall.value) for t in subject.timepoints if t.assessment]
    last_image = max((w for w, _ in assessed), default=0.0)
    known = [week(d) for d in (who.death_date, who.last_contact_date, who.new_therapy_date) if d]
    return _Lane(
        subject=who.id,
        arm=who.arm,
        best=best_word(subject),
        responses=tuple(assessed),
        last_image=last_image,
        last_known=max((last_image, *known)),
        death=week(who.death_date) if who.death_date else None,
        new_therapy=week(who.new_therapy_date) if who.new_therapy_date else None,
        ongoing=bool(assessed)
        and not (who.death_date or who.new_therapy_date or any(word == "PD" for _, word in assessed)),
    )


def _figure(result: TrialResult, lanes: Sequence[_Lane], longest: float, title: str) -> Figure:
    groups = [(arm, list(group)) for arm, group in groupby(lanes, key=lambda lane: lane.arm)]
    top = 26.0
    height = sum(20 + ROW_HEIGHT * len(group) for _, group in groups)
    drawing = Drawing(WIDTH, top + height + 84)
    frame = Frame((LEFT, top), (WIDTH - LEFT - RIGHT, height), (0, max(longest * 1.03, 1)), (0, 1))
    weeks = steps(*frame.x_range, calendar_step(frame.x_range[1], 10, WEEKS))
    for week in weeks:
        drawing.line((frame.x(week), top), (frame.x(week), frame.bottom), stroke=GRID, stroke_width=1)
    draw_x_axis(drawing, frame, weeks, words="Weeks since reference date")
    drawing.text((WIDTH - RIGHT + 22, top - 8), "Best", font_size=10.5, fill=MUTED, text_anchor="middle")
    y = top
    for arm, group in groups:
        look = look_of_arm(result, arm)
        drawing.marker(look.marker, (6, y + 9), 4.5, fill=look.colour)
        drawing.text((16, y + 13), arm_name(arm), font_size=11.5, font_weight=600)
        y += 20
        for lane in group:
            _draw_lane(drawing, frame, y + ROW_HEIGHT / 2, lane)
            y += ROW_HEIGHT
    _draw_key(drawing, (LEFT, frame.bottom + 54), lanes)
    return Figure(title, drawing.svg(_words(lanes)), _caption(result))


def _draw_lane(drawing: Drawing, frame: Frame, y: float, lane: _Lane) -> None:
    drawing.text((LEFT - 8, y + 3.5), short_name(lane.subject, LONGEST_NAME), font_size=10.5, text_anchor="end")
    zero, image_end, end = frame.x(0), frame.x(lane.last_image), frame.x(lane.last_known)
    corner = (zero, y - BAR_HEIGHT / 2)
    drawing.rect(corner, (max(image_end - zero, 1), BAR_HEIGHT), fill="#cdd6e0")
    if end > image_end:
        drawing.line((image_end, y), (end, y), stroke=AXIS, stroke_width=2)
    for week, word in lane.responses:
        _draw_chip(drawing, (frame.x(week), y), lane.subject, week, word)
    if lane.new_therapy is not None:
        drawing.marker("diamond", (frame.x(lane.new_therapy), y), 5, fill="#ffffff", stroke=INK, stroke_width=1.3)
    if lane.death is not None:
        drawing.marker("cross", (frame.x(lane.death), y), 4.5, stroke=INK, stroke_width=2.2)
    if lane.ongoing:
        drawing.marker("arrow", (end + 7, y), 5, fill=INK)
    look = look_of(lane.best)
    drawing.text((WIDTH - RIGHT + 22, y + 3.5), look.letters, font_size=10.5, font_weight=600, text_anchor="middle")


def _draw_chip(drawing: Drawing, at: Point, subject: str, week: float, word: str) -> None:
    look = look_of(word)
    x, y = at
    tooltip = f"{subject}, week {week:.1f}: {word}"
    drawing.rect((x - 10, y - 7.5), (20, 15), tooltip=tooltip, fill=look.fill, stroke=look.edge, stroke_width=1, rx=3)
    drawing.text((x, y + 3.2), look.letters, font_size=9, font_weight=600, fill=look.ink, text_anchor="middle")


def _draw_key(drawing: Drawing, at: Point, lanes: Sequence[_Lane]) -> None:
    x, y = at
    found = {word for lane in lanes for _, word in lane.responses}
    draw_response_key(drawing, (x, y), [word for word in _ORDER if word in found])
    y += 20
    drawing.marker("cross", (x + 8, y - 4), 4.5, stroke=INK, stroke_width=2.2)
    drawing.text((x + 20, y), "death", font_size=10.5, fill=MUTED)
    drawing.marker("diamond", (x + 72, y - 4), 5, fill="#ffffff", stroke=INK, stroke_width=1.3)
    drawing.text((x + 83, y), "new therapy", font_size=10.5, fill=MUTED)
    drawing.marker("arrow", (x + 165, y - 4), 5, fill=INK)
    drawing.text((x + 177, y), "no progression, death or new therapy on record", font_size=10.5, fill=MUTED)


def _words(lanes: Sequence[_Lane]) -> str:
    ongoing = sum(lane.ongoing for lane in lanes)
    dead = sum(lane.death is not None for lane in lanes)
    progressed = sum(any(word == "PD" for _, word in lane.responses) for lane in lanes)
    return (
        f"Swimmer plot of {len(lanes)} subjects: {progressed} with progression, {dead} died, {ongoing} without "
        "progression, death or new therapy on record."
    )


def _caption(result: TrialResult) -> str:
    text = (
        "One lane per subject from the reference date, longest first within an arm. Bar: until the last assessment; "
        "line: until last contact. Letters in the bar: overall response at each assessment; at the right: best overall "
        "response."
    )
    undated = [s.subject.id for s in result.subjects if s.subject.reference_date is None]
    return f"{text} Not shown, no reference date: {', '.join(undated)}." if undated else text
