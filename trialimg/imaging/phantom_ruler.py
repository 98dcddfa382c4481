"""RECIST diameters of a smooth solid, read by a perfect ruler on the slices of a scan.

References
----------
Eisenhauer EA et al., New response evaluation criteria in solid tumours: revised RECIST guideline (version 1.1),
Eur J Cancer 2009;45:228-247 (longest diameter in the plane of measurement; short axis of a node).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import GeometryError
from trialimg.core.prompts import PointLps
from trialimg.imaging.phantom_lesion import LesionSolid
from trialimg.imaging.phantom_shapes import FloatArray

__all__ = ["Reading", "outline_mm", "read_diameters", "sized"]

Indices = npt.NDArray[np.signedinteger[Any]]

FINE_STEP_MM = 0.25
_DIRECTIONS = 720
_SIZING_STEPS = 5


@dataclass(frozen=True)
class Reading:
    """Long axis, and the longest chord across it inside of the lesion, both in one axial slice; unrounded mm."""

    long_axis_mm: float
    short_axis_mm: float
    slice_index: int
    long_axis_lps_mm: tuple[PointLps, PointLps]


def read_diameters(solid: LesionSolid, slices_z_mm: Sequence[float], *, step_mm: float = FINE_STEP_MM) -> Reading:
    """The RECIST diameters of a solid on given slice planes.

    Parameters
    ----------
    slices_z_mm
        Position (LPS z) of every slice of the scan.
    step_mm
        Sampling of the plane; the surface is found between samples by linear interpolation.

    Raises
    ------
    GeometryError
        If no slice plane meets the solid.
    """
    best: tuple[float, int, FloatArray, FloatArray] | None = None
    for index, z_mm in enumerate(slices_z_mm):
        if abs(z_mm - solid.centre_lps_mm[2]) > solid.reach_mm:
            continue
        points = _surface_points(solid, z_mm, step_mm)
        if len(points) < 3:
            continue
        length, start, end = _longest(points)
        if best is None or length > best[0]:
            best = (length, index, start, end)
    if best is None:
        raise GeometryError(f"no slice meets a lesion at z = {solid.centre_lps_mm[2]:.1f} mm; make it larger")
    length, index, start, end = best
    z = float(slices_z_mm[index])
    short = _longest_across(solid, z, (start, end), step_mm)
    ends = (float(start[0]), float(start[1]), z), (float(end[0]), float(end[1]), z)
    return Reading(length, short, index, ends)


def sized(solid: LesionSolid, diameter_mm: float, slices_z_mm: Sequence[float], *, short: bool) -> LesionSolid:
    """The solid scaled until its long axis (or short axis) on these slices is the wanted one, within 0.02 mm."""
    for _ in range(_SIZING_STEPS):
        reading = read_diameters(solid, slices_z_mm, step_mm=2 * FINE_STEP_MM)
        found = reading.short_axis_mm if short else reading.long_axis_mm
        if abs(found - diameter_mm) < 0.01:
            break
        solid = solid.scaled(solid.scale_mm * diameter_mm / found)
    return solid


def outline_mm(solid: LesionSolid, z_mm: float, *, points: int) -> FloatArray | None:
    """The lesion's outline on a slice plane, shape (points, 2) in LPS x, y mm; None where the plane misses it."""
    surface = _surface_points(solid, z_mm, FINE_STEP_MM)
    if len(surface) < 3:
        return None
    middle = (surface.min(axis=0) + surface.max(axis=0)) / 2
    turn = 2 * np.pi * np.arange(points) / points
    dx, dy = np.cos(turn), np.sin(turn)
    low, high = np.zeros(points), np.full(points, 2 * solid.reach_mm)
    for _ in range(30):
        half = (low + high) / 2
        x, y = middle[0] + half * dx, middle[1] + half * dy
        inside = solid.distance_mm((x, y, np.full(points, z_mm))) < 0
        low, high = np.where(inside, half, low), np.where(inside, high, half)
    return np.stack([middle[0] + low * dx, middle[1] + low * dy], axis=1)


def _surface_points(solid: LesionSolid, z_mm: float, step_mm: float) -> FloatArray:
    """Points of the surface in a plane, shape (n, 2), where rows and columns of the sampling cross it."""
    count = 2 * int(np.ceil(solid.reach_mm / step_mm)) + 3
    offsets = (np.arange(count) - (count - 1) / 2) * step_mm
    x, y = solid.centre_lps_mm[0] + offsets, solid.centre_lps_mm[1] + offsets
    level = solid.distance_mm((x[None, :], y[:, None], np.full((1, 1), z_mm)))
    row, column, share = _crossings(level)
    along_x = np.stack([x[column] + share * step_mm, y[row]], axis=1)
    column, row, share = _crossings(level.T)
    along_y = np.stack([x[column], y[row] + share * step_mm], axis=1)
    return np.concatenate([along_x, along_y])


def _crossings(level: FloatArray) -> tuple[Indices, Indices, FloatArray]:
    """Row, column before it, and share of a step after it, of every change of sign along the rows."""
    before, after = level[:, :-1], level[:, 1:]
    row, column = np.nonzero((before < 0) != (after < 0))
    first, second = before[row, column], after[row, column]
    return row, column, first / (first - second)


def _longest(points: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """The longest distance between two points, by their extent along many directions, and its ends."""
    turn = np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    along = points[:, :1] * np.cos(turn) + points[:, 1:] * np.sin(turn)
    best = int(np.argmax(along.max(axis=0) - along.min(axis=0)))
    start, end = points[int(np.argmin(along[:, best]))], points[int(np.argmax(along[:, best]))]
    return float(np.hypot(*(end - start))), start, end


def _longest_across(solid: LesionSolid, z_mm: float, axis: tuple[FloatArray, FloatArray], step_mm: float) -> float:
    """The longest chord inside of the solid perpendicular to an axis in the same plane."""
    start, end = axis
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    places = np.linspace(0.0, length, max(2, int(np.ceil(length / step_mm)) + 1))
    reach = 2 * solid.reach_mm
    across = np.arange(-reach, reach + step_mm, step_mm)
    x = start[0] + places[:, None] * along[0] - across[None, :] * along[1]
    y = start[1] + places[:, None] * along[1] + across[None, :] * along[0]
    _, column, share = _crossings(solid.distance_mm((x, y, np.full((1, 1), z_mm))))
    position = across[column] + share * step_mm
    # rows are closed curves cut by a line: changes of sign come in pairs, first into the lesion and then out of it
    entering, leaving = position[0::2], position[1::2]
    return float(np.max(leaving - entering, initial=0.0))
