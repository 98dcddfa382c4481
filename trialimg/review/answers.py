"""What a read comes to, in the words that two reads are compared by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

__all__ = ["ChosenLesion", "ReadAnswer", "unmatched"]

PointLpsMm = tuple[Decimal, Decimal, Decimal]


@dataclass(frozen=True)
class ChosenLesion:
    """A target lesion as it lay at baseline."""

    name: str
    """What its reader calls it; another reader may mean something else by the same name."""
    organ: str
    kind: str
    diameter_mm: Decimal | None = None
    centre_lps_mm: PointLpsMm | None = None
    """Middle of the long axis; None where the reader left no points."""

    def __str__(self) -> str:
        return f"{self.name} ({self.organ})" if self.organ else self.name

    def may_be(self, other: ChosenLesion) -> bool:
        """Whether both may be one lesion: the same organ and, where both have a place, one lies within the other."""
        if (self.kind, self.organ.casefold().strip()) != (other.kind, other.organ.casefold().strip()):
            return False
        if self.centre_lps_mm is None or other.centre_lps_mm is None:
            return True
        larger_mm = max(self.diameter_mm or Decimal(0), other.diameter_mm or Decimal(0))
        squared_mm2 = sum((a - b) ** 2 for a, b in zip(self.centre_lps_mm, other.centre_lps_mm, strict=True))
        return 4 * squared_mm2 <= larger_mm**2


def unmatched(
    first: tuple[ChosenLesion, ...], second: tuple[ChosenLesion, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lesions of each read that the other did not choose, when as many as possible are taken for the same.

    References
    ----------
    Kuhn HW. The Hungarian method for the assignment problem. Naval Research Logistics Quarterly 1955;2:83.
    """
    partner: dict[int, int] = {}

    def placed(one: int, seen: set[int]) -> bool:
        for other, lesion in enumerate(second):
            if other in seen or not first[one].may_be(lesion):
                continue
            seen.add(other)
            if other not in partner or placed(partner[other], seen):
                partner[other] = one
                return True
        return False

    alone = tuple(str(lesion) for one, lesion in enumerate(first) if not placed(one, set()))
    return alone, tuple(str(lesion) for other, lesion in enumerate(second) if other not in partner)


@dataclass(frozen=True)
class ReadAnswer:
    """The conclusions of one read of one case."""

    best_response: str
    """Best overall response in the criterion's own words."""
    responses: tuple[tuple[str, str], ...]
    """Timepoint after baseline, overall response."""
    progression_date: date | None
    response_date: date | None
    """First CR or PR."""
    targets: tuple[ChosenLesion, ...]
    evaluable: bool
    """Whether at least one timepoint after baseline could be judged."""
    conclusion: str = ""
    """What an eligibility or a progression case asks for; empty for an efficacy case."""
