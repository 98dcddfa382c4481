"""Soft tissue and bone together."""

from __future__ import annotations

from trialimg.core.responses import BoneResponse, OverallResponse, Pcwg3Response

__all__ = ["combined"]

_B, _O = BoneResponse, Pcwg3Response


def combined(
    soft: OverallResponse | Pcwg3Response, bone: BoneResponse, *, targets: bool = True, disease_at_baseline: bool = True
) -> Pcwg3Response:
    """The overall response of one timepoint: soft tissue wins over PDu of bone.

    Parameters
    ----------
    targets
        There are target lesions: a complete response of soft tissue beside bone disease is then partial.
    disease_at_baseline
        There was any disease at baseline; without it, none now is "no evidence of disease".
    """
    tissue = _O.NE if soft is OverallResponse.ND else _O(soft.value)
    if tissue is _O.PD or bone is _B.PD:
        return _O.PD
    if tissue is _O.NED:
        return _no_soft_disease(bone, disease_at_baseline=disease_at_baseline)
    if tissue is _O.CR and bone is not _B.NED:
        return _O.PR if targets else _O.NON_CR_NON_PD
    return tissue


def _no_soft_disease(bone: BoneResponse, *, disease_at_baseline: bool) -> Pcwg3Response:
    if bone is _B.NON_PD:
        return _O.NON_CR_NON_PD
    if bone is _B.PDU:
        return _O.PDU
    return _O.NED if bone is _B.NED and not disease_at_baseline else _O.NE
