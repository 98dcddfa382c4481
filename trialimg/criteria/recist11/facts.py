"""What is known of a timepoint as a whole, beside its lesions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Facts", "Markers", "Pet"]


class Pet(Enum):
    """FDG-PET at a timepoint, judged together with the CT of that timepoint."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    """Positive at a site that was not known; nothing said of the CT."""
    POSITIVE_CT_CONFIRMED = "positive_ct_confirmed"
    """The CT shows a new site of disease there."""
    POSITIVE_CT_DOUBTFUL = "positive_ct_doubtful"
    """The CT neither shows nor excludes one."""
    POSITIVE_KNOWN_SITE = "positive_known_site"
    """A lesion known on CT that has not progressed."""


class Markers(Enum):
    """Tumour markers that were elevated or followed."""

    NORMAL = "normal"
    ELEVATED = "elevated"
    NOT_EVALUABLE = "not_evaluable"


@dataclass(frozen=True)
class Facts:
    """Facts of one timepoint; None where nothing was said."""

    pet: Pet | None = None
    markers: Markers | None = None
    cr_doubtful: bool = False
    """The reader no longer believes the CR that was given here."""
