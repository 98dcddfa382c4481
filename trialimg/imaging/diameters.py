"""Diameters of one connected region of one slice: long axis, short axis across it, width.

Points of a plane are (x, y) in mm along its columns and rows, from the centre of pixel (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.measure import find_contours

__all__ = ["Chord", "ShortAxis", "corners", "leaves", "longest_diameter", "short_axis"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
PointMm = tuple[float, float]

_SAME_MM = 1e-6
_RIVAL_COSINE = float(np.cos(np.radians(30.0)))


@dataclass(frozen=True)
class Chord:
    """A straight line in the plane."""

    start_mm: PointMm
    end_mm: PointMm

    @property
    def length_mm(self) -> float:
        return float(np.hypot(self.end_mm[0] - self.start_mm[0], self.end_mm[1] - self.start_mm[1]))

    def lengthened(self, by_mm: float) -> Chord:
        """The same line, half of ``by_mm`` longer at each end (shorter if negative, down to its middle)."""
        step = _direction(self) * max(by_mm, -self.length_mm) / 2
        return Chord(_point(np.subtract(self.start_mm, step)), _point(np.add(self.end_mm, step)))


@dataclass(frozen=True)
class ShortAxis:
    """The extent of a region across its long axis, measured on its outline."""

    chord: Chord
    """The longest line across the long axis that stays inside of the region."""
    caliper_width_mm: float
    """The extent of the whole region across the long axis."""


def corners(region: BoolArray) -> IntArray:
    """Pixels at the corners of a region's convex hull, shape (n, 2) as (column, row), by row, then column.

    Parameters
    ----------
    region
        Shape (rows, columns), at least one pixel.
    """
    rows = np.flatnonzero(region.any(axis=1))
    inside = region[rows]
    first = inside.argmax(axis=1)
    last = region.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
    left = _bend(list(zip(rows.tolist(), first.tolist(), strict=True)), side=1)
    right = _bend(list(zip(rows.tolist(), last.tolist(), strict=True)), side=-1)
    found = sorted({*left, *right})
    return np.array([(column, row) for row, column in found], dtype=np.intp)


def longest_diameter(
    corner_pixels: IntArray, spacing_mm: tuple[float, float], *, away_from: Chord | None = None
) -> Chord:
    """The line between the two corners furthest apart; of equally long ones the first in order of row, then column.

    Parameters
    ----------
    corner_pixels
        As `corners` gives them.
    spacing_mm
        Between columns, between rows.
    away_from
        Only lines at least 30 degrees away from this one; of no length where there are none.
    """
    points = corner_pixels * np.asarray(spacing_mm)
    first, second = np.triu_indices(len(points), k=1)
    offsets = points[second] - points[first]
    lengths = np.hypot(offsets[:, 0], offsets[:, 1])
    if away_from is not None:
        lengths = np.where(np.abs(offsets @ _direction(away_from)) <= lengths * _RIVAL_COSINE, lengths, 0.0)
    if not lengths.any():
        return Chord(_point(points[0]), _point(points[0]))
    best = int(np.argmax(lengths >= lengths.max() - _SAME_MM))
    return Chord(_point(points[first[best]]), _point(points[second[best]]))


def short_axis(region: BoolArray, spacing_mm: tuple[float, float], long_axis: Chord) -> ShortAxis:
    """What lies across a region's long axis; of equally long lines the one nearest to the long axis' middle.

    Parameters
    ----------
    region
        Shape (rows, columns): the connected region that the long axis was found in.
    spacing_mm
        Between columns, between rows.
    long_axis
        Between pixel centres; one of no length counts as running along the row.

    Notes
    -----
    The outline runs half-way between the centres of neighbouring pixels in and out of the region (marching squares),
    around its holes too. The longest line in a given direction inside of a polygon passes through one of its corners,
    so only these are looked at.
    """
    along = _direction(long_axis)
    across = np.array([-along[1], along[0]])
    edges = _outline(region, spacing_mm)
    place, height = np.round(edges @ along, 9), edges @ across
    levels, low, high = _crossings(place, height)
    middle = float(np.mean([long_axis.start_mm, long_axis.end_mm], axis=0) @ along)
    lengths = high - low
    longest = np.flatnonzero(lengths >= lengths.max() - _SAME_MM)
    best = longest[np.lexsort((levels[longest], np.round(np.abs(levels[longest] - middle), 6)))[0]]
    foot = levels[best] * along
    chord = Chord(_point(foot + low[best] * across), _point(foot + high[best] * across))
    return ShortAxis(chord, float(height.max() - height.min()))


def leaves(region: BoolArray, spacing_mm: tuple[float, float], chord: Chord) -> bool:
    """Whether a line has a point without one pixel of the region among the four around it."""
    ends = np.array([chord.start_mm, chord.end_mm]) / np.asarray(spacing_mm)
    steps = 4 * int(np.ceil(np.abs(ends[1] - ends[0]).max())) + 1
    points = np.linspace(ends[0], ends[1], steps)
    low, high = np.floor(points + _SAME_MM).astype(int), np.ceil(points - _SAME_MM).astype(int)
    near = [region[y, x] for y in (low[:, 1], high[:, 1]) for x in (low[:, 0], high[:, 0])]
    return not bool(np.logical_or.reduce(near).all())


def _direction(chord: Chord) -> FloatArray:
    """Unit vector along a line; along the row where it has no length."""
    if chord.length_mm == 0.0:
        return np.array([1.0, 0.0])
    direction: FloatArray = np.subtract(chord.end_mm, chord.start_mm) / chord.length_mm
    return direction


def _bend(points: list[tuple[int, int]], *, side: int) -> list[tuple[int, int]]:
    """The points of one side of the hull (Andrew's monotone chain), in whole numbers and so exact."""
    kept: list[tuple[int, int]] = []
    for point in points:
        while len(kept) > 1 and side * _turn(kept[-2], kept[-1], point) <= 0:
            kept.pop()
        kept.append(point)
    return kept


def _turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    return (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])


def _outline(region: BoolArray, spacing_mm: tuple[float, float]) -> FloatArray:
    """Edges of the outline, shape (edges, 2 ends, 2) as (x, y) in mm."""
    contours = find_contours(np.pad(region, 1).astype(np.float64), 0.5, fully_connected="high")
    pieces = [np.stack([line[:-1], line[1:]], axis=1) for line in contours]
    edges: FloatArray = (np.concatenate(pieces)[:, :, ::-1] - 1) * np.asarray(spacing_mm)
    return edges


def _crossings(place: FloatArray, height: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lines inside of a polygon, across the axis at each of its corners: place, low end and high end, in mm.

    Parameters
    ----------
    place, height
        Of both ends of each edge, along and across the axis; shape (edges, 2).

    Notes
    -----
    Each corner is looked at twice, as the line comes to it from either side: an edge counts from its first to its
    last level, the one or the other left out, so that every line crosses the outline an even number of times.
    """
    levels = np.unique(place)
    found: list[tuple[FloatArray, FloatArray, FloatArray]] = []
    for shift in (0, 1):
        first = np.searchsorted(levels, place.min(axis=1)) + shift
        count = np.searchsorted(levels, place.max(axis=1)) + shift - first
        edge = np.repeat(np.arange(len(count)), count)
        level = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - first, count)
        (p0, p1), (h0, h1) = place[edge].T, height[edge].T
        crossing = h0 + (levels[level] - p0) / (p1 - p0) * (h1 - h0)
        order = np.lexsort((crossing, level))
        ends, at = crossing[order], levels[level[order]]
        found.append((at[::2], ends[::2], ends[1::2]))
    at, low, high = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return at, low, high


def _point(xy: FloatArray) -> PointMm:
    return float(xy[0]), float(xy[1])
