"""What the figures of responses share: legends, names of arms, ticks of a change, lines of a criterion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trialimg.services.figures.courses import Course, Thresholds, TrialCourses
from trialimg.services.figures.figure import Figure, LegendItem, Rule, Shape
from trialimg.services.figures.scales import signed
from trialimg.services.figures.tones import Tone, in_order, response_word, series_tone
from trialimg.services.results import TrialResult

__all__ = [
    "EVERYONE",
    "arm_legend",
    "arm_name",
    "arm_shape",
    "arm_tone",
    "arms_of",
    "dashed_words",
    "not_shown",
    "nothing",
    "response_legend",
    "threshold_rules",
]

EVERYONE = "all"
MOST_NAMED = 12
_SHAPES = (Shape.CIRCLE, Shape.TRIANGLE, Shape.SQUARE, Shape.DIAMOND, Shape.STAR, Shape.OPEN_DIAMOND)


def arm_name(arm: str) -> str:
    """An arm in words."""
    if arm == EVERYONE:
        return "All subjects"
    return f"Arm {arm}" if arm else "Arm not known"


def arms_of(result: TrialResult) -> tuple[str, ...]:
    """The arms compared, in the order of the cohort's estimates."""
    return tuple(arm for arm, _ in result.cohort.objective_response if arm != EVERYONE)


def arm_tone(arms: Sequence[str], arm: str) -> Tone:
    """Colour of an arm, the same in every figure of the trial."""
    return series_tone(arms.index(arm) if arm in arms else 0)


def arm_shape(arms: Sequence[str], arm: str) -> Shape:
    """Marker of an arm, the same in every figure of the trial."""
    return _SHAPES[(arms.index(arm) if arm in arms else 0) % len(_SHAPES)]


def arm_legend(arms: Sequence[str]) -> tuple[LegendItem, ...]:
    """Markers of the arms; none where there is nothing to tell apart."""
    named = [arm for arm in arms if arm]
    return tuple(LegendItem(arm_name(arm), arm_tone(arms, arm), arm_shape(arms, arm)) for arm in named)


def response_legend(words: Iterable[str]) -> tuple[LegendItem, ...]:
    """Swatches with letters for the responses that occur, best first."""
    found = [response_word(word) for word in in_order(set(words))]
    return tuple(LegendItem(word.meaning, word.tone, letters=word.letters) for word in found)


def threshold_rules(thresholds: Thresholds, *, named: bool = True) -> tuple[Rule, ...]:
    """The lines at which a response and a progression begin."""
    return tuple(Rule(pct, text=f"{signed(pct)} %" if named else "") for pct in thresholds.known)


def dashed_words(thresholds: Thresholds) -> str:
    """The lines said in a footnote; blank where the criterion has none."""
    dashed = " and ".join(f"{signed(pct)} %" for pct in thresholds.known)
    return f" Dashed: {dashed}." if dashed else ""


def nothing(name: str, title: str, trial: TrialCourses, why: str) -> Figure:
    """A figure that says why there is nothing to draw."""
    return Figure(name, title, (), why, 0, footnotes=trial.imprint.footnotes, message=why)


def not_shown(absent: Sequence[Course]) -> str:
    """Who is left out of a figure of changes, each with the reason."""
    named = [f"{course.subject} ({_why_absent(course)})" for course in absent]
    others = f" and {len(named) - MOST_NAMED} others" if len(named) > MOST_NAMED else ""
    return f"Not shown, no evaluable sum after baseline (n = {len(named)}): {', '.join(named[:MOST_NAMED])}{others}."


def _why_absent(course: Course) -> str:
    if not course.is_read:
        return "no final read"
    return course.best_response if course.is_usable else "no usable baseline"
