"""The overall response at a timepoint: RECIST 1.1 tables 1 and 2 as one table."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from trialimg.core.responses import Firing, NewLesionResponse, NonTargetResponse, OverallResponse, TargetResponse

__all__ = ["overall", "overall_firing"]

_T, _N, _O = TargetResponse, NonTargetResponse, OverallResponse

_PROGRESSION_FREE: Mapping[tuple[TargetResponse, NonTargetResponse], OverallResponse] = {
    (_T.CR, _N.CR): _O.CR,
    (_T.CR, _N.NOT_APPLICABLE): _O.CR,
    (_T.CR, _N.NON_CR_NON_PD): _O.PR,
    (_T.CR, _N.NE): _O.PR,
    (_T.PR, _N.CR): _O.PR,
    (_T.PR, _N.NOT_APPLICABLE): _O.PR,
    (_T.PR, _N.NON_CR_NON_PD): _O.PR,
    (_T.PR, _N.NE): _O.PR,
    (_T.SD, _N.CR): _O.SD,
    (_T.SD, _N.NOT_APPLICABLE): _O.SD,
    (_T.SD, _N.NON_CR_NON_PD): _O.SD,
    (_T.SD, _N.NE): _O.SD,
    (_T.NE, _N.CR): _O.NE,
    (_T.NE, _N.NOT_APPLICABLE): _O.NE,
    (_T.NE, _N.NON_CR_NON_PD): _O.NE,
    (_T.NE, _N.NE): _O.NE,
    (_T.NOT_APPLICABLE, _N.CR): _O.CR,
    (_T.NOT_APPLICABLE, _N.NON_CR_NON_PD): _O.NON_CR_NON_PD,
    (_T.NOT_APPLICABLE, _N.NE): _O.NE,
    (_T.NOT_APPLICABLE, _N.NOT_APPLICABLE): _O.NED,
}
"""Target and non-target response to overall response where nothing progressed and nothing is new."""


def _row(target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse) -> OverallResponse:
    if target is _T.PD or non_target is _N.PD or new is NewLesionResponse.UNEQUIVOCAL:
        return _O.PD
    return _PROGRESSION_FREE[target, non_target]


def _rule(target: TargetResponse, non_target: NonTargetResponse) -> str:
    if target is not _T.NOT_APPLICABLE:
        return "O1"
    return "O3" if non_target is _N.NOT_APPLICABLE else "O2"


def _firing(
    target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse, word: OverallResponse
) -> Firing:
    return Firing(
        f"R-1.1/{_rule(target, non_target)}",
        f"target {target.value}, non-target {non_target.value}, new lesion {new.value}: overall {word.value}",
        {"target": target.value, "non_target": non_target.value, "new_lesion": new.value},
    )


_TABLE = {triple: _row(*triple) for triple in product(_T, _N, NewLesionResponse)}
_FIRINGS = {triple: _firing(*triple, word) for triple, word in _TABLE.items()}


def overall(target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse) -> OverallResponse:
    """The overall response that the three answers of one timepoint make together.

    An equivocal new lesion changes nothing by itself. No target at baseline leads to the rows of non-target-only
    disease; neither target nor non-target at baseline is "no evidence of disease" until something new appears.
    """
    return _TABLE[target, non_target, new]


def overall_firing(target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse) -> Firing:
    """The row of the table that was read: O1 with targets, O2 non-target-only, O3 no disease at baseline."""
    return _FIRINGS[target, non_target, new]
