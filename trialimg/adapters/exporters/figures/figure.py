"""A figure with its caption, and what every figure of a trial shares: arms, subjects, legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.adapters.exporters.figures.drawing import Drawing, Point
from trialimg.adapters.exporters.figures.look import INK, MUTED, ArmLook, arm_look, look_of
from trialimg.services.results import SubjectResult, TrialResult

__all__ = [
    "Figure",
    "arm_name",
    "arms_of",
    "best_word",
    "draw_arm_key",
    "draw_response_key",
    "look_of_arm",
    "short_name",
]

EVERYONE = "all"


@dataclass(frozen=True)
class Figure:
    """One drawing ready to print."""

    title: str
    svg: str
    caption: str


def arms_of(result: TrialResult) -> tuple[str, ...]:
    """The arms compared, in the order of the cohort's estimates."""
    return tuple(arm for arm, _ in result.cohort.objective_response if arm != EVERYONE)


def arm_name(arm: str) -> str:
    """An arm in words."""
    if arm == EVERYONE:
        return "All subjects"
    return f"Arm {arm}" if arm else "Arm not known"


def look_of_arm(result: TrialResult, arm: str) -> ArmLook:
    """Marker, colour and dashes of an arm, the same in every figure."""
    arms = arms_of(result)
    return arm_look(arms.index(arm) if arm in arms else 0)


def short_name(subject: str, most: int) -> str:
    """A subject's code where there is little room: its end, after an ellipsis."""
    return subject if len(subject) <= most else f"…{subject[1 - most :]}"


def best_word(subject: SubjectResult) -> str:
    """Best overall response as a word; blank without a usable baseline."""
    return subject.endpoints.best.response.value if subject.endpoints else ""


def draw_response_key(drawing: Drawing, at: Point, responses: Sequence[str]) -> None:
    """Swatches with letters for the responses that occur."""
    x, y = at
    for response in responses:
        look = look_of(response)
        drawing.rect((x, y - 9), (22, 12), fill=look.fill, stroke=look.edge, stroke_width=0.8, rx=2)
        drawing.text((x + 11, y + 0.5), look.letters, font_size=9, font_weight=600, fill=look.ink, text_anchor="middle")
        words = _RESPONSE_WORDS.get(response, response)
        drawing.text((x + 27, y + 0.5), words, font_size=10.5, fill=MUTED)
        x += 40 + 5.1 * len(words)


def draw_arm_key(drawing: Drawing, at: Point, result: TrialResult) -> None:
    """Markers of the arms."""
    x, y = at
    for arm in arms_of(result):
        look = look_of_arm(result, arm)
        drawing.marker(look.marker, (x + 4, y - 3.5), 4, fill=look.colour)
        drawing.text((x + 13, y + 0.5), arm_name(arm), font_size=10.5, fill=INK)
        x += 30 + 5.6 * len(arm_name(arm))


_RESPONSE_WORDS = {
    "CR": "complete",
    "PR": "partial",
    "SD": "stable",
    "NON-CR/NON-PD": "non-CR/non-PD",
    "PD": "progression",
    "NE": "not evaluable",
    "NED": "no evidence of disease",
}
