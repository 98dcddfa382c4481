"""Waterfall: the best change of every subject, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialimg.services.figures.courses import Course, TrialCourses
from trialimg.services.figures.figure import (
    Axis,
    Bar,
    Cell,
    Dash,
    Figure,
    Mark,
    Panel,
    Point,
    Row,
    Rule,
    Shape,
    Side,
    Text,
    Tick,
)
from trialimg.services.figures.responses import (
    arm_legend,
    arm_name,
    arm_shape,
    arm_tone,
    dashed_words,
    not_shown,
    nothing,
    response_legend,
    threshold_rules,
)
from trialimg.services.figures.scales import short_name, signed, steps, ticks
from trialimg.services.figures.tones import Tone, response_word

__all__ = ["waterfall"]

NAME = "waterfall"
HIGHEST_PCT = 100.0
NAMED_UP_TO = 60
LONGEST_NAME = 15
NUMBERED_UP_TO = 26
WIDTH_PX = 700.0
PLOT_PX = 590.0
HALF_BAR = 0.39
ROOM_PCT = 18
"""Beyond the outermost bar, for its letters and number."""
WIDEST_BAR_PX = 40.0
LETTER_SHARE = 0.68
"""Width of a bold letter in units of its size."""


def waterfall(trial: TrialCourses) -> Figure:
    """One bar per subject with an evaluable sum after baseline; a change beyond 100 % is cut, with its number."""
    title = f"Best change of the {trial.burden}"
    known = sorted(_changes(trial.courses), key=lambda pair: (-pair[1], pair[0].subject))
    if not known:
        return nothing(NAME, title, trial, "No subject has an evaluable sum after baseline: there is nothing to draw.")
    changes = [change for _, change in known]
    high = min(HIGHEST_PCT, max(40.0, changes[0] + 16))
    low = min(-40.0, max(-100.0, changes[-1] - 16))
    panel = Panel(
        _subjects(known),
        Axis(
            "Best change from baseline (%)",
            low - ROOM_PCT,
            high + ROOM_PCT,
            ticks(steps(low, high, 20), signed),
            has_grid=True,
        ),
        tuple(mark for place, pair in enumerate(known) for mark in _bar(place, pair, high, len(known))),
        (Rule(0.0, dash=Dash.SOLID, tone=Tone.INK), *threshold_rules(trial.thresholds)),
        _arm_row(trial, known),
    )
    return Figure(
        NAME,
        title,
        (panel,),
        _words(known, trial.burden),
        len(known),
        (*response_legend(course.best_response for course, _ in known), *arm_legend(trial.arms)),
        (_footnote(trial, known), *trial.imprint.footnotes),
        {
            "subjects": [
                {"subject": c.subject, "arm": c.arm, "best_change_pct": change, "best_response": c.best_response}
                for c, change in known
            ],
            "thresholds_pct": list(trial.thresholds.known),
        },
        width_px=WIDTH_PX,
    )


def _changes(courses: Sequence[Course]) -> Iterator[tuple[Course, float]]:
    return ((course, course.best_change_pct) for course in courses if course.best_change_pct is not None)


def _subjects(known: Sequence[tuple[Course, float]]) -> Axis:
    named = known if len(known) <= NAMED_UP_TO else ()
    names = tuple(
        Tick(place + 0.5, short_name(course.subject, LONGEST_NAME)) for place, (course, _) in enumerate(named)
    )
    return Axis("" if named else "Subjects", 0.0, float(len(known)), names, is_turned=True)


def _bar(place: int, pair: tuple[Course, float], high: float, count: int) -> Iterator[Mark]:
    course, change = pair
    word = response_word(course.best_response)
    middle, shown = place + 0.5, min(change, high)
    slot_px = PLOT_PX / count
    half = min(HALF_BAR, WIDEST_BAR_PX / slot_px / 2)
    about = f"{course.subject}, {arm_name(course.arm)}: {change:+.1f} %, best response {course.best_response}"
    yield Bar((middle - half, middle + half), (0.0, shown), word.tone, about, course.case)
    if shown < change:
        yield Point(middle, high * 0.86, Shape.BREAK, Tone.INK, size=half * slot_px + 1)
    side = Side.ABOVE if change >= 0 else Side.BELOW
    is_numbered = count <= NUMBERED_UP_TO
    is_turned = not is_numbered and slot_px < LETTER_SHARE * 10 * len(word.letters)
    size = max(4.5, min(10.0, slot_px * 0.82 if is_turned else slot_px / LETTER_SHARE / len(word.letters)))
    lines = 1 if is_numbered else 0
    yield Text(middle, shown, word.letters, side, size=size, is_bold=True, is_turned=is_turned, lines_away=lines)
    if is_numbered:
        yield Text(middle, shown, signed(change), side, Tone.MUTED, 9.5)


def _arm_row(trial: TrialCourses, known: Sequence[tuple[Course, float]]) -> tuple[Row, ...]:
    """A marker below each bar, where there are arms to tell apart."""
    if not any(trial.arms):
        return ()
    arms = trial.arms
    return (
        Row(
            "",
            tuple(
                Cell(place + 0.5, "", tone=arm_tone(arms, course.arm), shape=arm_shape(arms, course.arm))
                for place, (course, _) in enumerate(known)
            ),
        ),
    )


def _words(known: Sequence[tuple[Course, float]], burden: str) -> str:
    (first, highest), (last, lowest) = known[0], known[-1]
    fell = sum(change < 0 for _, change in known)
    return (
        f"Waterfall plot of {len(known)} subjects: best change of the {burden} from {signed(highest)} % "
        f"({first.subject}) to {signed(lowest)} % ({last.subject}); in {fell} subjects it fell."
    )


def _footnote(trial: TrialCourses, known: Sequence[tuple[Course, float]]) -> str:
    shown = {course.subject for course, _ in known}
    absent = [course for course in trial.courses if course.subject not in shown]
    text = (
        f"One bar per subject with an evaluable sum after baseline (n = {len(known)}), ordered by change. Fill and "
        "letters: best overall response; marker below: arm."
    )
    if trial.thresholds.known:
        text += (
            f"{dashed_words(trial.thresholds)} Progression is judged against the smallest sum so far, and by new and "
            "non-target lesions, so PD can stand at any height."
        )
    if known[0][1] > HIGHEST_PCT:
        text += " Two strokes: the bar is cut."
    return f"{text} {not_shown(absent)}" if absent else text
