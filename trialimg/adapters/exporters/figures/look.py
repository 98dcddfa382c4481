"""How the report looks: the colours of the responses on paper, by word."""

from __future__ import annotations

from dataclasses import dataclass

from trialimg.services.figures.palette import LIGHT
from trialimg.services.figures.tones import response_word

__all__ = ["FONT", "INK", "ResponseLook", "look_of"]

FONT = "'Report Sans', 'Source Sans 3', 'Helvetica Neue', Arial, sans-serif"
INK = "#1b2430"


@dataclass(frozen=True)
class ResponseLook:
    """Colours of one response; its letters always stand beside them."""

    fill: str
    ink: str
    edge: str
    letters: str


def look_of(response: str) -> ResponseLook:
    """Colours and letters of a response in the words of any criterion."""
    word = response_word(response)
    colour = LIGHT[word.tone]
    return ResponseLook(colour.fill, colour.ink, colour.edge, word.letters)
