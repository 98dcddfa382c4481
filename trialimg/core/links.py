"""Which lesion of one visit is which of another: a proposal with its numbers, until somebody confirms it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

__all__ = ["Link", "LinkKind"]


class LinkKind(Enum):
    """What became of lesions from one visit to another."""

    PERSIST = "persist"
    RETURN = "return"
    """Seen again after a visit at which it was gone."""
    BIRTH = "birth"
    DEATH = "death"
    SPLIT = "split"
    """One lesion, then several."""
    MERGE = "merge"
    """Several lesions, then one."""


_COUNTS = {
    LinkKind.PERSIST: ("one", "one"),
    LinkKind.RETURN: ("one", "one"),
    LinkKind.BIRTH: ("none", "one"),
    LinkKind.DEATH: ("one", "none"),
    LinkKind.SPLIT: ("one", "several"),
    LinkKind.MERGE: ("several", "one"),
}


@dataclass(frozen=True)
class Link:
    """What became of lesions from one visit to another, who says so, and why."""

    kind: LinkKind
    earlier: tuple[str, ...]
    """Names of the lesions at the earlier visit."""
    later: tuple[str, ...]
    """Names of the regions at the later visit; the one that carries the lesion's name on comes first."""
    score: float
    """From 0 (as well something else) to 1 (nothing speaks against it)."""
    reasons: Mapping[str, float] = field(default_factory=dict)
    """The numbers that the score rests on."""
    proposed_by: str = ""
    """Name and version of what proposed it, or a person."""
    confirmed_by: str = ""
    """Person; empty while it is a proposal."""

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"a link's score lies between 0 and 1, not at {self.score}")
        if (_count(self.earlier), _count(self.later)) != _COUNTS[self.kind]:
            raise ValueError(
                f"{self.kind.value}: from {len(self.earlier)} to {len(self.later)} lesion(s) is no such event"
            )

    def confirmed(self, person: str) -> Link:
        """The same link with a person's word for it."""
        if not person:
            raise ValueError("a link is confirmed by a person")
        return replace(self, confirmed_by=person)


def _count(names: tuple[str, ...]) -> str:
    return "none" if not names else "one" if len(names) == 1 else "several"
