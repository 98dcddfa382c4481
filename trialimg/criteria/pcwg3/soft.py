"""Progression of soft tissue at the first assessment, which PCWG2 has a later scan confirm (B6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.core.responses import Firing, OverallResponse, Pcwg3Response
from trialimg.criteria.pcwg3.rules import Rules

__all__ = ["SoftTissue", "judge_soft"]

_O, _P = OverallResponse, Pcwg3Response
_UNKNOWN = frozenset({_O.NE, _O.ND})


@dataclass(frozen=True)
class SoftTissue:
    """Soft tissue at one assessment, by RECIST 1.1 or as the assessments say."""

    id: str
    day: int
    """Days since baseline."""
    word: OverallResponse
    if_no_progression: OverallResponse
    """What it is where a later scan shows that it had not progressed."""


def judge_soft(course: Sequence[SoftTissue], rules: Rules) -> tuple[tuple[Pcwg3Response, tuple[Firing, ...]], ...]:
    """The word of every assessment once later ones are known, with what changed it.

    Notes
    -----
    Only where ``pcwg2_soft_confirm`` is set anything changes: a progression at the first assessment that can be
    evaluated is PDu until one at least ``soft_confirm_days`` later is PD as well; any other word before that ends it.
    """
    words = [(_P.NE if one.word is _O.ND else _P(one.word.value), ()) for one in course]
    answers: list[tuple[Pcwg3Response, tuple[Firing, ...]]] = [*words]
    waiting = _first_progressions(course) if rules.pcwg2_soft_confirm else ()
    if not waiting:
        return tuple(answers)
    first = course[waiting[0]]
    later = next((one for one in course[waiting[-1] + 1 :] if one.word not in _UNKNOWN), None)
    last = course[waiting[-1]]
    confirmed = last.day - first.day >= rules.soft_confirm_days
    for place in waiting:
        answers[place] = _settled(course[place], first, last if confirmed else later, rules, confirmed=confirmed)
    return tuple(answers)


def _first_progressions(course: Sequence[SoftTissue]) -> tuple[int, ...]:
    """The places of the progressions that the course begins with; those that cannot be evaluated are passed over."""
    found: list[int] = []
    for place, one in enumerate(course):
        if one.word is _O.PD:
            found.append(place)
        elif one.word not in _UNKNOWN:
            break
    return tuple(found)


def _settled(
    one: SoftTissue, first: SoftTissue, by: SoftTissue | None, rules: Rules, *, confirmed: bool
) -> tuple[Pcwg3Response, tuple[Firing, ...]]:
    if confirmed and by is not None:
        apart = by.day - first.day
        told = f"soft tissue PD at {first.id}, still PD at {by.id}, {apart} days later (>= {rules.soft_confirm_days})"
        return _P.PD, (Firing("PCWG3/B6", told, {"days": str(apart)}),)
    if by is None:
        told = f"soft tissue PD at {first.id}, the first assessment, waits {rules.soft_confirm_days} days: PDu"
        return _P.PDU, (Firing("PCWG3/B6", told),)
    word = one.if_no_progression
    told = f"was soft tissue PDu; {by.word.value} at {by.id}, so it had not progressed: {word.value}"
    return _P(word.value), (Firing("PCWG3/B6", told, {"soft_tissue_before": "PDu"}),)
