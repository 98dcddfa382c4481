"""The overall response by iRECIST: the table of RECIST 1.1 in its words."""

from __future__ import annotations

from trialimg.core.responses import (
    Firing,
    ImmuneResponse,
    NewLesionResponse,
    NonTargetResponse,
    OverallResponse,
    TargetResponse,
)
from trialimg.criteria import recist11

__all__ = ["combined", "overall", "overall_firing"]

_I = ImmuneResponse


def overall(target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse) -> ImmuneResponse:
    """The overall response of a timepoint without an earlier progression: what RECIST calls PD is iUPD."""
    word = recist11.overall(target, non_target, new)
    return _I.UNCONFIRMED_PD if word is OverallResponse.PD else ImmuneResponse[word.name]


def overall_firing(target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse) -> Firing:
    """The row of the table that was read."""
    word = overall(target, non_target, new)
    sentence = f"target {target.value}, non-target {non_target.value}, new lesion {new.value}: overall {word.value}"
    numbers = {"target": target.value, "non_target": non_target.value, "new_lesion": new.value}
    return Firing("iRECIST/I1", sentence, numbers)


def combined(target: TargetResponse, non_target: NonTargetResponse, *, new_persist: bool) -> tuple[ImmuneResponse, str]:
    """The overall response where nothing progresses, with its rule; new lesions still there bar iCR (I7)."""
    word = ImmuneResponse[recist11.overall(target, non_target, NewLesionResponse.NO).name]
    if not new_persist or word not in (_I.CR, _I.NED):
        return word, "I1"
    return (_I.NON_CR_NON_PD if target is TargetResponse.NOT_APPLICABLE else _I.PR), "I7"
