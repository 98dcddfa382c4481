"""What is known of a timepoint beside its lesions: PET, marrow, spleen."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

__all__ = ["Facts", "FivePoint", "Marrow", "Uptake", "five_point_score"]


class FivePoint(Enum):
    """The five-point scale (Deauville)."""

    ONE = "1"
    """No uptake above background."""
    TWO = "2"
    """Up to mediastinum."""
    THREE = "3"
    """Above mediastinum, up to liver."""
    FOUR = "4"
    """Moderately above liver."""
    FIVE = "5"
    """Markedly above liver, or new."""
    X = "X"
    """New uptake that is unlikely to be lymphoma."""


class Uptake(Enum):
    """Uptake against baseline."""

    DECREASED = "decreased"
    UNCHANGED = "unchanged"
    INCREASED = "increased"


class Marrow(Enum):
    """Bone marrow."""

    NORMAL = "normal"
    REDUCED = "reduced"
    """More than normal, less than at baseline."""
    PERSISTENT = "persistent"
    NEW = "new"
    """New or recurrent involvement."""


@dataclass(frozen=True)
class Facts:
    """Facts of one timepoint; None where nothing was said."""

    deauville: FivePoint | None = None
    """None: no PET at this timepoint."""
    uptake: Uptake | None = None
    new_focus: bool = False
    """New avid focus consistent with lymphoma."""
    marrow: Marrow | None = None
    spleen_mm: Decimal | None = None
    """Vertical length."""


def five_point_score(
    lesion: Decimal, *, mediastinum: Decimal, liver: Decimal, markedly: Decimal, background: Decimal | None = None
) -> FivePoint:
    """The score of the hottest lesion by SUVmax.

    Parameters
    ----------
    markedly
        So many times the liver is "markedly" above it (score 5).
    background
        Uptake of the tissue around; None leaves score 1 to the reader.
    """
    if background is not None and lesion <= background:
        return FivePoint.ONE
    if lesion <= mediastinum:
        return FivePoint.TWO
    if lesion <= liver:
        return FivePoint.THREE
    return FivePoint.FIVE if lesion >= markedly * liver else FivePoint.FOUR
