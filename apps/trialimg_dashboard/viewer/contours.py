"""A line that the reader drew around a part of a lesion, checked before anything is made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trialimg.core.prompts import PointLps

__all__ = ["Contour", "require_on_slice", "text_of"]

_FEWEST_POINTS, _MOST_POINTS = 3, 5000
_OFF_PLANE_MM = 0.01
"""The browser computes in doubles and sends four decimals: a point further off its slice was not drawn on it."""
_OUTSIDE_PIXELS = 2.0
_LONGEST_TEXT = 200
_ADDS = {"add": True, "cut": False}


@dataclass(frozen=True)
class Contour:
    """A closed line on one slice (LPS mm); what it encloses is added to a lesion, or cut from it."""

    series: str
    slice: int
    label: str
    adds: bool
    points_lps_mm: tuple[PointLps, ...]

    @classmethod
    def from_browser(cls, item: Mapping[str, Any], geometries: Mapping[str, Mapping[str, Any]]) -> Contour:
        """What the browser sent, once it is possible.

        Parameters
        ----------
        geometries
            Of the series that are shown, by name.

        Raises
        ------
        ValueError
            If it lies on no shown slice, off its plane or outside of the image, or is no such line at all.
        """
        try:
            series, label = (text_of(item[key]) for key in ("series", "label"))
            number, points = int(item["slice"]), np.asarray(item["points"], dtype=np.float64)
            adds = _ADDS[item["operation"]]
        except (KeyError, TypeError) as wrong:
            raise ValueError(f"not a contour: {wrong}") from None
        geometry = geometries.get(series)
        if geometry is None or not 0 <= number < geometry["shape"][0]:
            raise ValueError("a contour on an image that is not shown")
        if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
            raise ValueError("a contour consists of points in space")
        if not _FEWEST_POINTS <= len(points) <= _MOST_POINTS:
            raise ValueError(f"a contour has {_FEWEST_POINTS} to {_MOST_POINTS} points, not {len(points)}")
        require_on_slice(points, geometry, number)
        return cls(series, number, label, adds, tuple((p[0], p[1], p[2]) for p in points.tolist()))


def require_on_slice(points: np.ndarray[Any, Any], geometry: Mapping[str, Any], number: int) -> None:
    """Go on only with points (LPS mm) that lie on a slice, hardly further out than its rim; else ValueError."""
    row, column = np.asarray(geometry["orientation"]).reshape(2, 3)
    from_first = points - np.asarray(geometry["positions"][number])
    off_plane_mm = float(np.abs(from_first @ np.cross(row, column)).max())
    if off_plane_mm > _OFF_PLANE_MM or not math.isfinite(off_plane_mm):
        raise ValueError(f"a drawing {off_plane_mm:.3f} mm off its slice")
    between_rows, between_columns = geometry["pixel_spacing"]
    _, rows, columns = geometry["shape"]
    place = np.column_stack([from_first @ row / between_columns, from_first @ column / between_rows])
    if (place < -_OUTSIDE_PIXELS).any() or (place > np.array([columns, rows]) + _OUTSIDE_PIXELS).any():
        raise ValueError("a drawing outside of its image")


def text_of(value: object) -> str:
    """A name of reasonable length; else ValueError."""
    if not isinstance(value, str) or not value or len(value) > _LONGEST_TEXT:
        raise ValueError("a drawing has a name, a series and a label")
    return value
