"""Spider: the change of every subject over time, one panel per arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from trialimg.services.figures.courses import Course, CoursePoint, TrialCourses
from trialimg.services.figures.figure import Axis, Cell, Column, Dash, Figure, Line, Mark, Panel, Point, Rule, Shape
from trialimg.services.figures.responses import (
    arm_name,
    dashed_words,
    nothing,
    response_legend,
    threshold_rules,
)
from trialimg.services.figures.scales import (
    DAYS_PER_WEEK,
    WEEKS,
    calendar_step,
    short_name,
    signed,
    steps,
    ticks,
)
from trialimg.services.figures.tones import Tone, response_word

__all__ = ["spider"]

NAME = "spider"
HIGHEST_PCT = 120.0
LABELLED_UP_TO = 20
LONGEST_NAME = 9
LABEL_PX = 12.5
HEIGHT_PX = 280.0
PANELS_A_ROW = 2


def spider(trial: TrialCourses) -> Figure:
    """One line per subject with a change after baseline, in its arm's panel."""
    title = f"Change of the {trial.burden} over time"
    shown = [course for course in trial.courses if _is_drawn(course)]
    if not shown:
        return nothing(NAME, title, trial, "No subject has an evaluable sum after baseline: there is nothing to draw.")
    arms = [arm for arm in trial.arms or ("",) if any(course.arm == arm for course in shown)]
    groups = [(arm, [course for course in shown if course.arm == arm]) for arm in arms]
    strays = [course for course in shown if course.arm not in arms]
    if strays:
        groups.append(("", strays))
    x, y = _axes(shown)
    panels = tuple(_panel(trial, (x, y), arm, members) for arm, members in groups)
    absent = len(trial.courses) - len(shown)
    return Figure(
        NAME,
        title,
        panels,
        f"Spider plot of {len(shown)} subjects ({', '.join(f'{arm_name(a)}: {len(m)}' for a, m in groups)}): percent "
        f"change of the {trial.burden} by week.",
        len(shown),
        response_legend(course.best_response for course in shown),
        (_footnote(trial, absent), *trial.imprint.footnotes),
        {
            "subjects": [
                {
                    "subject": course.subject,
                    "arm": course.arm,
                    "best_response": course.best_response,
                    "points": [{"day": p.day, "change_pct": p.change_pct} for p in _way(course)],
                }
                for course in shown
            ]
        },
        panels_a_row=min(PANELS_A_ROW, len(panels)),
        height_px=HEIGHT_PX,
    )


def _way(course: Course) -> list[CoursePoint]:
    """Baseline at 0 first, where it has a sum."""
    start = [] if course.baseline_day is None else [CoursePoint("baseline", course.baseline_day, 0.0, "")]
    return [*start, *course.points]


def _is_drawn(course: Course) -> bool:
    return any(point.change_pct is not None for point in course.points)


def _week(point: CoursePoint) -> float:
    return point.day / DAYS_PER_WEEK


def _axes(shown: Sequence[Course]) -> tuple[Axis, Axis]:
    points = [point for course in shown for point in _way(course)]
    changes = [point.change_pct for point in points if point.change_pct is not None]
    weeks = [_week(point) for point in points]
    high = min(HIGHEST_PCT, max(40.0, max(changes) + 8))
    low = min(-40.0, max(-104.0, min(changes) - 8))
    first, last = min(*weeks, 0.0), max(*weeks, 1.0)
    marks = ticks(steps(first, last, calendar_step(last - first, 7, WEEKS)))
    x = Axis("Weeks since reference date", first, last * 1.02, marks)
    return x, Axis("Change from baseline (%)", low, high, ticks(steps(low, high, 20), signed), has_grid=True)


def _panel(trial: TrialCourses, axes: tuple[Axis, Axis], arm: str, members: Sequence[Course]) -> Panel:
    x, y = axes
    return Panel(
        x,
        y,
        tuple(mark for course in members for mark in _thread(course, y.high)),
        (Rule(0.0, dash=Dash.SOLID, tone=Tone.AXIS), *threshold_rules(trial.thresholds, named=False)),
        columns=_labels(members, y),
        title=f"{arm_name(arm)} (n = {len(members)})" if trial.arms else "",
    )


def _thread(course: Course, high: float) -> Iterator[Mark]:
    tone = response_word(course.best_response).tone
    way = _way(course)
    known = [(place, one, min(one.change_pct, high)) for place, one in enumerate(way) if one.change_pct is not None]
    for (before, one, start), (after, other, end) in pairwise(known):
        dash = Dash.DOTTED if after - before > 1 else Dash.SOLID
        yield Line(((_week(one), start), (_week(other), end)), tone, dash=dash)
    for _, point, height in known:
        about = f"{course.subject}, week {_week(point):.0f}: {point.change_pct:+.1f} %"
        yield Point(_week(point), height, Shape.CIRCLE, tone, 3.2, about=about, key=course.case)
        if point.has_new_lesion:
            yield Point(_week(point), height, Shape.RING, Tone.INK, 6.5)


def _labels(members: Sequence[Course], y: Axis) -> tuple[Column, ...]:
    """Letters and subject at the right edge at the height of the line's end; who draws them keeps them apart."""
    if len(members) > LABELLED_UP_TO:
        return ()
    cells = []
    for course in members:
        last = next(point for point in reversed(_way(course)) if point.change_pct is not None)
        letters = response_word(course.best_response).letters
        text = f"{letters}\N{NO-BREAK SPACE} {short_name(course.subject, LONGEST_NAME)}"
        cells.append((min(last.change_pct or 0.0, y.high), _week(last), text))
    ordered = sorted(cells, key=lambda cell: (-cell[0], cell[2]))
    return (Column("", tuple(Cell(at, text, leads_from=week) for at, week, text in ordered), are_apart=True),)


def _footnote(trial: TrialCourses, absent: int) -> str:
    text = (
        "One line per subject with at least one evaluable sum after baseline, coloured by best overall response "
        "(letters at the right). A ring marks an unequivocal new lesion; a dotted stretch passes over a timepoint that "
        f"was not evaluable.{dashed_words(trial.thresholds)}"
    )
    return f"{text} Not shown: {absent} subjects." if absent else text
