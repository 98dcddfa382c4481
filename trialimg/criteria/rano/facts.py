"""What is known of a timepoint beside its lesions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

__all__ = ["Change", "Clinical", "Facts", "SteroidReason", "Steroids"]


class Steroids(Enum):
    """Corticosteroid dose, against that of baseline."""

    OFF = "off"
    PHYSIOLOGICAL = "physiological"
    """Replacement dose only."""
    DECREASED = "decreased"
    STABLE = "stable"
    INCREASED = "increased"


class SteroidReason(Enum):
    """Why the dose was increased."""

    TUMOUR = "tumour"
    OTHER = "other"


class Clinical(Enum):
    """Clinical state, against that of baseline."""

    BETTER = "better"
    STABLE = "stable"
    WORSE = "worse"
    """Attributed to the tumour, not explained otherwise."""


class Change(Enum):
    """T2/FLAIR or enhancement that is not measured, by the reader's word."""

    IMPROVED = "improved"
    STABLE = "stable"
    INCREASED = "increased"
    """Significantly, and attributed to the tumour."""


@dataclass(frozen=True)
class Facts:
    """Facts of one timepoint; None where nothing was said."""

    steroids: Steroids | None = None
    steroid_reason: SteroidReason | None = None
    clinical: Clinical | None = None
    flair: Change | None = None
    enhancement: Change | None = None
    weeks_since_rt: Decimal | None = None
    """Weeks since the end of radiotherapy; None also where there was none, or the disease has recurred since."""
    outside_field: bool = False
    """The progression lies outside of the high-dose radiation field."""
    histology: bool = False
    """Recurrent tumour has been proven by histology."""
