"""The numbers that iRECIST adds to RECIST 1.1, and what it asks to know of a timepoint."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.criteria import recist11

__all__ = ["Facts", "Growth", "Rules"]


class Growth(Enum):
    """How lesions without a measured sum have changed since the progression that awaits confirmation."""

    UNCHANGED = "unchanged"
    INCREASED = "increased"
    """Larger; need not be unequivocal."""
    UNEQUIVOCAL = "unequivocal"
    """A progression of its own."""


@dataclass(frozen=True)
class Facts(recist11.Facts):
    """Facts of one timepoint; None where nothing was said."""

    non_target_growth: Growth | None = None
    """Of the non-target lesions; without it their recorded diameters are compared, where there are any."""
    new_lesion_growth: Growth | None = None
    """Of the new lesions that are no targets; without it their recorded diameters are compared."""
    new_symptoms: bool = False
    """The scan was done early because of new symptoms."""


@dataclass(frozen=True)
class Rules(recist11.Rules):
    """The numbers of RECIST 1.1, by which every timepoint is judged first, and those of the confirmation."""

    confirm_increase_mm: Decimal = Decimal(5)
    """Further growth of a sum, since the first iUPD of its block, that confirms a progression."""
    irecist_som_strict: bool = False
    """The growth must exceed ``confirm_increase_mm``; the paper's table has both signs."""
    confirm_from_days: int = 28
    """A scan earlier than this after the iUPD does not confirm, unless done for new symptoms with a further lesion."""
    confirm_until_days: int = 56
    """A confirmation later than this counts, and is noted."""
    max_new_targets: int = 5
    max_new_targets_per_organ: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.confirm_until_days < self.confirm_from_days:
            raise ValueError("confirm_until_days lies before confirm_from_days")
