"""Swimmer: every subject's time in the trial, with each response, progression, death and what goes on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from trialimg.services.figures.courses import Course, TrialCourses
from trialimg.services.figures.figure import (
    Align,
    Axis,
    Bar,
    Cell,
    Column,
    Figure,
    LegendItem,
    Line,
    Mark,
    Panel,
    Point,
    Shape,
    Tick,
)
from trialimg.services.figures.responses import arm_name, nothing, response_legend
from trialimg.services.figures.scales import DAYS_PER_WEEK, WEEKS, calendar_step, short_name, steps, ticks
from trialimg.services.figures.tones import Tone, response_word

__all__ = ["swimmer", "swimmers"]

NAME = "swimmer"
TITLE = "Time in the trial, responses and events"
ROW_PX = 22.0
LEAST_ROW_PX = 13.0
ROWS_A_FIGURE = 34
HIGHEST_PX = 860.0
LONGEST_NAME = 15
_RESPONSES = (Tone.COMPLETE, Tone.PARTIAL)
_KEY = (
    LegendItem("first response", Tone.INK, Shape.STAR),
    LegendItem("progression", Tone.PROGRESSION, Shape.TRIANGLE),
    LegendItem("death", Tone.INK, Shape.CROSS),
    LegendItem("new therapy", Tone.INK, Shape.OPEN_DIAMOND),
    LegendItem("no progression, death or new therapy on record", Tone.INK, Shape.ARROW),
)


def swimmers(trial: TrialCourses) -> tuple[Figure, ...]:
    """Lanes by arm, longest first, cut evenly into figures that fit a page; empty where nobody has a reference date."""
    lanes = _lanes(trial)
    count = math.ceil(len(lanes) / ROWS_A_FIGURE)
    pages = [lanes[len(lanes) * n // count : len(lanes) * (n + 1) // count] for n in range(count)]
    several = count > 1
    return tuple(
        _figure(trial, page, lanes, f"{TITLE} ({number} of {len(pages)})" if several else TITLE)
        for number, page in enumerate(pages, start=1)
    )


def swimmer(trial: TrialCourses) -> Figure:
    """All lanes in one figure, lower ones where there are many."""
    lanes = _lanes(trial)
    if not lanes:
        return nothing(NAME, TITLE, trial, "No subject has a reference date: there is nothing to draw.")
    return _figure(trial, lanes, lanes, TITLE)


def _lanes(trial: TrialCourses) -> list[Course]:
    def order(course: Course) -> tuple[int, float, str]:
        place = trial.arms.index(course.arm) if course.arm in trial.arms else len(trial.arms)
        return place, -course.followed_to_day, course.subject

    return sorted((course for course in trial.courses if course.is_timed), key=order)


def _figure(trial: TrialCourses, lanes: Sequence[Course], everyone: Sequence[Course], title: str) -> Figure:
    longest = max(course.followed_to_day for course in everyone) / DAYS_PER_WEEK
    last = max(longest * 1.05, 1.0)
    places = dict(_places(lanes))
    rows = len(places)
    weeks = ticks(steps(0.0, last, calendar_step(last, 10, WEEKS)))
    names = tuple(_tick(y, what) for y, what in places.items())
    row_px = max(LEAST_ROW_PX, min(ROW_PX, HIGHEST_PX / rows))
    subjects = [(y, what) for y, what in places.items() if isinstance(what, Course)]
    panel = Panel(
        Axis("Weeks since reference date", 0.0, last, weeks, has_grid=True),
        Axis("", -float(rows), 0.0, names),
        tuple(mark for y, course in subjects for mark in _lane(y, course, row_px / ROW_PX)),
        columns=(
            Column(
                "Best", tuple(Cell(y, _letters(course), is_bold=True) for y, course in subjects), align=Align.CENTRE
            ),
        ),
    )
    found = {point.response for course in lanes for point in course.points}
    return Figure(
        NAME,
        title,
        (panel,),
        _words(lanes),
        len(lanes),
        (*response_legend(found), *_KEY),
        (_footnote(trial), *trial.imprint.footnotes),
        {"subjects": [_numbers(course) for course in lanes]},
        height_px=rows * row_px,
    )


def _tick(y: float, what: Course | str) -> Tick:
    if isinstance(what, Course):
        return Tick(y, short_name(what.subject, LONGEST_NAME))
    return Tick(y, what, is_bold=True)


def _places(lanes: Sequence[Course]) -> Iterator[tuple[float, Course | str]]:
    """From above to below: the name of an arm, then its subjects."""
    y = -0.5
    arms = [(arm, list(group)) for arm, group in groupby(lanes, key=lambda course: course.arm)]
    for arm, group in arms:
        if len(arms) > 1 or arm:
            yield y, arm_name(arm)
            y -= 1
        for course in group:
            yield y, course
            y -= 1


def _lane(y: float, course: Course, scale: float) -> Iterator[Mark]:
    def week(day: int) -> float:
        return day / DAYS_PER_WEEK

    about = f"{course.subject}, best response {course.best_response or 'not known'}"
    imaged, end = max([0, *(point.day for point in course.points)]), course.followed_to_day
    yield Bar((0.0, week(imaged)), (y - 0.3, y + 0.3), Tone.LANE, about, course.case)
    if end > imaged:
        yield Line(((week(imaged), y), (week(end), y)), Tone.AXIS, width=2.0)
    for point in course.points:
        word = response_word(point.response)
        said = f"{course.subject}, week {week(point.day):.1f}: {point.response}"
        yield Point(week(point.day), y, Shape.CHIP, word.tone, 7.5 * scale, word.letters, said, course.case)
    responded = next((p.day for p in course.points if response_word(p.response).tone in _RESPONSES), None)
    for day, shape, tone, height in (
        (responded, Shape.STAR, Tone.INK, 0.47),
        (course.progression_day, Shape.TRIANGLE, Tone.PROGRESSION, 0.47),
        (course.new_therapy_day, Shape.OPEN_DIAMOND, Tone.INK, 0.0),
        (course.death_day, Shape.CROSS, Tone.INK, 0.0),
    ):
        if day is not None:
            yield Point(week(day), y + height, shape, tone, (3.1 if height else 4.8) * scale)
    if course.is_ongoing:
        yield Point(week(end), y, Shape.ARROW, Tone.INK, 5.0 * scale)


def _letters(course: Course) -> str:
    return response_word(course.best_response).letters if course.is_usable else "none"


def _numbers(course: Course) -> dict[str, object]:
    days = ("progression_day", "death_day", "new_therapy_day", "last_contact_day")
    return {
        "subject": course.subject,
        "arm": course.arm,
        "best_response": course.best_response,
        **{name: getattr(course, name) for name in days},
        "followed_to_day": course.followed_to_day,
        "is_ongoing": course.is_ongoing,
        "responses": [{"day": point.day, "response": point.response} for point in course.points],
    }


def _words(lanes: Sequence[Course]) -> str:
    def count(is_so: Callable[[Course], bool]) -> int:
        return sum(is_so(course) for course in lanes)

    return (
        f"Swimmer plot of {len(lanes)} subjects: {count(lambda c: c.progression_day is not None)} with progression, "
        f"{count(lambda c: c.death_day is not None)} died, {count(lambda c: c.is_ongoing)} without progression, death "
        "or new therapy on record."
    )


def _footnote(trial: TrialCourses) -> str:
    text = (
        "One lane per subject from the reference date, longest first within an arm. Bar: until the last assessment; "
        "line: until last contact. Letters in the bar: overall response at each assessment; at the right: best overall "
        "response."
    )
    undated = [course.subject for course in trial.courses if not course.is_timed]
    return f"{text} Not shown, no reference date: {', '.join(undated)}." if undated else text
