"""A printed table: a heading row and rows whose first cell names them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Grid"]


@dataclass(frozen=True)
class Grid:
    """Text in rows and columns; every row has as many cells as the heading."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
