"""What is known of a timepoint beside its lesions: PET, marrow, spleen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.trial import Timepoint

__all__ = ["Facts", "FivePoint", "Marrow", "Uptake", "five_point_score", "require_references"]


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
    """The reader's score. None: no PET at this timepoint, unless uptake was measured."""
    lesion_suv: Decimal | None = None
    """SUVmax of the hottest lesion; with that of mediastinum and liver it gives the score, where no reader did."""
    mediastinum_suv: Decimal | None = None
    liver_suv: Decimal | None = None
    background_suv: Decimal | None = None
    """Of the tissue around that lesion; None leaves score 1 to the reader."""
    uptake: Uptake | None = None
    new_focus: bool = False
    """New avid focus consistent with lymphoma."""
    marrow: Marrow | None = None
    spleen_mm: Decimal | None = None
    """Vertical length."""


def require_references(timepoints: Sequence[Timepoint], facts: Sequence[Facts]) -> None:
    """Refuse a lesion's uptake that there is nothing to hold against, and no reader's score beside.

    Raises
    ------
    ReadingError
        Naming every timepoint of that kind.
    """
    faults = tuple(
        Fault(timepoint.id, "no_reference_uptake", "lesion_suv needs mediastinum_suv and liver_suv to give a score")
        for timepoint, fact in zip(timepoints, facts, strict=True)
        if fact.deauville is None and fact.lesion_suv is not None and None in (fact.mediastinum_suv, fact.liver_suv)
    )
    if faults:
        raise ReadingError(f"{len(faults)} uptake(s) without mediastinum or liver", faults)


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
