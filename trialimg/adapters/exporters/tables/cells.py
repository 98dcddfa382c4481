"""Where a cell's number has its decimal mark, so that the numbers of a column stand below one another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Room", "Split", "room_of", "split"]

_WHOLE = re.compile(r"([<>] ?)?[-+\N{MINUS SIGN}]?\d+")


@dataclass(frozen=True)
class Split:
    """A cell before its decimal mark, and from it on; words have no such place."""

    whole: str
    rest: str
    is_number: bool


@dataclass(frozen=True)
class Room:
    """Letters of the longest part before and from the decimal mark, over the numbers of a column."""

    whole: int
    rest: int


def split(cell: str) -> Split:
    """A cell at the decimal mark of its first number; a whole number ends where its digits end."""
    found = _WHOLE.match(cell)
    if found is None:
        return Split("", cell, is_number=False)
    return Split(cell[: found.end()], cell[found.end() :], is_number=True)


def room_of(cells: Iterable[str]) -> Room:
    """How much a column's numbers need on either side of the decimal mark."""
    parts = [part for part in map(split, cells) if part.is_number]
    return Room(max((len(p.whole) for p in parts), default=0), max((len(p.rest) for p in parts), default=0))
