"""Colours by what they mean, and the meaning of every criterion's words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache

from trialimg.core.responses import OverallResponse
from trialimg.endpoints.vocabulary import VOCABULARIES, Vocabulary

__all__ = ["SERIES", "ResponseWord", "Tone", "in_order", "response_word", "series_tone"]


class Tone(Enum):
    """What a colour says; light and dark palettes give it a value."""

    COMPLETE = "complete response"
    PARTIAL = "partial response"
    MINOR = "minor response"
    STABLE = "stable disease"
    NEITHER = "non-CR/non-PD"
    WAITING = "progression not confirmed"
    PROGRESSION = "progression"
    NOT_EVALUABLE = "not evaluable"
    NO_DISEASE = "no evidence of disease"
    UNKNOWN = "a word of no known criterion"
    FIRST = "first series"
    SECOND = "second series"
    THIRD = "third series"
    FOURTH = "fourth series"
    FIFTH = "fifth series"
    SIXTH = "sixth series"
    ACCENT = "accent"
    INK = "ink"
    MUTED = "muted"
    AXIS = "axis"
    LANE = "lane"


SERIES = (Tone.FIRST, Tone.SECOND, Tone.THIRD, Tone.FOURTH, Tone.FIFTH, Tone.SIXTH)


def series_tone(place: int) -> Tone:
    """The colour of the arm at a place in the list; it repeats after the sixth."""
    return SERIES[place % len(SERIES)]


@dataclass(frozen=True)
class ResponseWord:
    """A response as a figure shows it: always letters, whatever the colour."""

    tone: Tone
    letters: str
    meaning: str


_O = OverallResponse
_TONES = {
    _O.CR: Tone.COMPLETE,
    _O.PR: Tone.PARTIAL,
    _O.SD: Tone.STABLE,
    _O.NON_CR_NON_PD: Tone.NEITHER,
    _O.PD: Tone.PROGRESSION,
    _O.NE: Tone.NOT_EVALUABLE,
    _O.ND: Tone.NOT_EVALUABLE,
    _O.NED: Tone.NO_DISEASE,
}
_LETTERS = {
    "NON-CR/NON-PD": "NN",
    "NON-iCR/NON-iUPD": "iNN",
    "NON-PD": "nPD",
    "preliminary PD": "pPD",
    "unconfirmed irPD": "iruPD",
    "unconfirmed imPD": "imuPD",
    "PSA90": "P90",
    "PSA50": "P50",
    "hold": "hold",
}
_MEANINGS = {
    "NE": "not evaluable",
    "ND": "not done",
    "MISSING": "no assessment",
    "NED": "no evidence of disease",
    "hold": "decision held",
    "PSA90": "PSA fell by 90 %",
    "PSA50": "PSA fell by 50 %",
    "NON-PD": "no progression",
    "IR1": "indeterminate (IR1)",
    "IR2": "indeterminate (IR2)",
    "IR3": "indeterminate (IR3)",
    "CMR": "complete metabolic",
    "PMR": "partial metabolic",
    "NMR": "no metabolic response",
    "SMD": "stable metabolic",
    "PMD": "metabolic progression",
}
_PLAIN = {
    Tone.COMPLETE: "complete",
    Tone.PARTIAL: "partial",
    Tone.MINOR: "minor",
    Tone.STABLE: "stable",
    Tone.NEITHER: "non-CR/non-PD",
    Tone.WAITING: "not confirmed",
    Tone.PROGRESSION: "progression",
    Tone.NOT_EVALUABLE: "not evaluable",
    Tone.NO_DISEASE: "no evidence of disease",
}
_ORDER = tuple(_PLAIN)
_BLANK = ("", "MISSING")


@cache
def response_word(word: str) -> ResponseWord:
    """Colour, letters and meaning of a response in the words of any criterion.

    A word of no criterion keeps its own first letters and a colour that says so; a blank one is no assessment.
    """
    if word in _BLANK:
        return ResponseWord(Tone.NOT_EVALUABLE, "none", "no assessment")
    tone = next((found for vocabulary in VOCABULARIES if (found := _tone(vocabulary, word))), None)
    if tone is None:
        return ResponseWord(Tone.UNKNOWN, word[:4], word)
    return ResponseWord(tone, _LETTERS.get(word, word), _MEANINGS.get(word, _PLAIN[tone]))


def in_order(words: set[str]) -> list[str]:
    """Response words from the best to the worst, those that are no answer last; each once."""

    def rank(word: str) -> tuple[int, str]:
        tone = response_word(word).tone
        if word in _BLANK:
            return (len(_ORDER) + 1, word)
        return (_ORDER.index(tone) if tone in _ORDER else len(_ORDER), word)

    return sorted(words, key=rank)


def _tone(vocabulary: Vocabulary, word: str) -> Tone | None:
    for name, member in vocabulary.words.__members__.items():
        if str(member.value) != word:
            continue
        if name in vocabulary.waits:
            return Tone.WAITING
        if name in vocabulary.minor:
            return Tone.MINOR
        counted = vocabulary.counts_as.get(name)
        return None if counted is None else _TONES[counted]
    return None
