"""The numbers of PCWG3 beside those of RECIST 1.1, and the facts of a timepoint."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.responses import BoneResponse, OverallResponse
from trialimg.criteria import recist11

__all__ = ["Facts", "Rules"]


@dataclass(frozen=True)
class Facts:
    """Facts of one timepoint; None where nothing was said."""

    soft_tissue: OverallResponse | None = None
    """Overall response by RECIST 1.1, where it does not come from lesions."""
    bone: BoneResponse | None = None
    """The reader's own word on bone, where it does not come from counts."""
    bone_lesions: int | None = None
    """Lesions on the bone scan."""
    bone_new: int | None = None
    """Of these, lesions that were not there at baseline."""
    psa_ng_ml: Decimal | None = None
    weeks_on_treatment: Decimal | None = None
    """None: counted from the date of baseline."""


@dataclass(frozen=True)
class Rules(recist11.Rules):
    """The numbers of RECIST 1.1 for soft tissue, and those of PCWG3 for bone and PSA."""

    bone_new_lesions: int = 2
    """New lesions that make progression unconfirmed, and as many again that confirm it in the flare window."""
    flare_window_weeks: Decimal = Decimal(12)
    """A first scan up to this week may show a flare."""
    bone_confirm_days: int = 42
    pcwg2_soft_confirm: bool = False
    """As PCWG2: progression of soft tissue at the first assessment waits for a confirming scan."""
    soft_confirm_days: int = 42
    psa_increase: Decimal = Decimal("0.25")
    psa_min_increase_ng_ml: Decimal = Decimal(2)
    psa_confirm_days: int = 21
    psa_first_weeks: Decimal = Decimal(12)
    """Without a decline before, a rise counts from this week on."""
