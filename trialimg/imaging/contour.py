"""Outlines and regions of one slice: polygons to pixels and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.measure import find_contours

__all__ = ["filled", "outlines"]

_GRAIN = 6
"""Decimals of a pixel that count: corners meant to lie on a pixel centre do, whatever the arithmetic did to them."""


def filled(polygons: Iterable[npt.ArrayLike], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """The pixels whose centre lies within closed polygons, by the even-odd rule over all of them together.

    Parameters
    ----------
    polygons
        Each of shape (points, 2): (column, row) in pixels, pixel centres at whole numbers; closed by themselves.
    shape
        (rows, columns) of the answer.

    Notes
    -----
    A polygon within another is a hole; so is the inside of a keyhole, whose two bridges cancel. A centre exactly on
    an edge belongs to the region on its right or below, so regions that share an edge share no pixel.
    """
    rows, columns = shape
    toggles = np.zeros((rows, columns + 1), dtype=np.int64)
    for polygon in polygons:
        points = np.round(np.asarray(polygon, dtype=np.float64), _GRAIN)
        for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
            _cross(toggles, start, end)
    inside: npt.NDArray[np.bool_] = np.cumsum(toggles, axis=1)[:, :columns] % 2 == 1
    return inside


def _cross(toggles: npt.NDArray[np.int64], start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]) -> None:
    """Count an edge at the first pixel right of it, in every row whose centre line it crosses."""
    rows, columns = toggles.shape[0], toggles.shape[1] - 1
    (x0, y0), (x1, y1) = (start, end) if start[1] <= end[1] else (end, start)
    crossed = np.arange(max(int(np.ceil(y0)), 0), min(int(np.ceil(y1)), rows))
    if crossed.size:
        x = x0 + (crossed - y0) * (x1 - x0) / (y1 - y0)
        first = np.clip(np.ceil(np.round(x, _GRAIN)), 0, columns).astype(np.int64)
        toggles[crossed, first] += 1


def outlines(mask2d: npt.NDArray[Any]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Closed lines around every region and hole of a slice, half way between the pixels inside and outside.

    Parameters
    ----------
    mask2d
        Shape (rows, columns); other than 0 is inside.

    Returns
    -------
    tuple
        Lines of (column, row) in pixels, pixel centres at whole numbers, the first point repeated at the end;
        in the order in which they are met from the top. `filled` gives the mask back.
    """
    padded = np.pad(np.asarray(mask2d) != 0, 1).astype(np.float64)
    lines = find_contours(padded, 0.5)
    return tuple(tuple((float(column) - 1, float(row) - 1) for row, column in line) for line in lines)
