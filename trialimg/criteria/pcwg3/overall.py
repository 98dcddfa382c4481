"""Soft tissue and bone together."""

from __future__ import annotations

from trialimg.core.responses import BoneResponse, OverallResponse, Pcwg3Response

__all__ = ["combined"]

_S, _B, _O = OverallResponse, BoneResponse, Pcwg3Response


def combined(
    soft: OverallResponse, bone: BoneResponse, *, targets: bool = True, disease_at_baseline: bool = True
) -> Pcwg3Response:
    """The overall response of one timepoint: soft tissue wins over PDu.

    Parameters
    ----------
    targets
        There are target lesions: a complete response of soft tissue beside bone disease is then partial.
    disease_at_baseline
        There was any disease at baseline; without it, none now is "no evidence of disease".
    """
    if soft is _S.PD or bone is _B.PD:
        return _O.PD
    if soft is _S.NED:
        return _no_soft_disease(bone, disease_at_baseline=disease_at_baseline)
    if soft is _S.CR:
        if bone is _B.NED:
            return _O.CR
        return _O.PR if targets else _O.NON_CR_NON_PD
    return _O.NE if soft is _S.ND else _O(soft.value)


def _no_soft_disease(bone: BoneResponse, *, disease_at_baseline: bool) -> Pcwg3Response:
    if bone is _B.NON_PD:
        return _O.NON_CR_NON_PD
    if bone is _B.PDU:
        return _O.PDU
    return _O.NED if bone is _B.NED and not disease_at_baseline else _O.NE
