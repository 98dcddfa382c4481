"""From log odds of single voxels to one smooth solid region."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.special import expit

__all__ = ["distance_mm", "filled", "largest_part", "settle", "without_branches"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
SpacingZyx = tuple[float, float, float]
"""Distance between slices, rows and columns, in mm."""

_ROUNDS = 12
_REACH = 3.0
"""Of the Gaussian neighbourhood, in its widths."""
_CORNERS = np.ones((3, 3, 3))
Box = tuple[slice, slice, slice]
"""A part of an array, along each axis."""


def settle(odds: FloatArray, smoothness: float, spacing_mm: SpacingZyx) -> BoolArray:
    """The region that agrees both with each voxel's own log odds and with its neighbours.

    Parameters
    ----------
    odds
        Log odds that a voxel belongs to the region, by itself.
    smoothness
        Log odds that neighbours add when all of them agree.

    Notes
    -----
    Mean field of a Potts model with Gaussian neighbourhoods one pixel wide (in mm, so that thick slices hold less
    together than pixels do), a fixed number of rounds. A voxel changes only where something near it did in the round
    before: each round is confined to the box around that, which alters no answer.

    References
    ----------
    Krähenbühl P, Koltun V. Efficient inference in fully connected CRFs with Gaussian edge potentials. NIPS 2011.
    """
    widths = min(spacing_mm[1:]) / np.asarray(spacing_mm)
    reach = [int(_REACH * width + 0.5) for width in widths]
    belief: FloatArray = expit(odds)
    moved: Box | None = _whole(odds.shape)
    for _ in range(_ROUNDS):
        if moved is None:
            break
        inner = _wider(moved, reach, odds.shape)
        outer = _wider(inner, reach, odds.shape)
        around = ndimage.gaussian_filter(belief[outer], widths, mode="nearest", truncate=_REACH)[_within(inner, outer)]
        around *= 2
        around -= 1
        around *= smoothness
        around += odds[inner]
        expit(around, out=around)
        moved = _box_of(around != belief[inner], inner)
        belief[inner] = around
    region: BoolArray = belief > 0.5
    return region


def without_branches(region: BoolArray, thickness_mm: float, spacing_mm: SpacingZyx) -> BoolArray:
    """The region without its parts thinner than a thickness (vessels, bridges to a neighbour).

    A region thinner than that everywhere, or a thickness below two pixels, changes nothing.
    """
    pixel_mm = min(spacing_mm)
    radius_mm = thickness_mm / 2
    box = _box_of(region, _whole(region.shape))
    if radius_mm < pixel_mm or box is None:
        return region
    part = region[_wider(box, (1, 1, 1), region.shape)]
    depth = distance_mm(~part, spacing_mm) - pixel_mm / 2
    thick = depth >= radius_mm
    if not thick.any():
        return region
    found = np.zeros_like(region)
    found[_wider(box, (1, 1, 1), region.shape)] = part & (distance_mm(thick, spacing_mm) <= radius_mm + pixel_mm)
    return found


def largest_part(region: BoolArray, near: BoolArray) -> BoolArray:
    """The connected part with the most voxels near a place; nothing where none is there."""
    parts, count = ndimage.label(region, _CORNERS)
    votes = np.bincount(parts[near & region], minlength=count + 1)
    votes[0] = 0
    if not votes.any():
        return np.zeros_like(region)
    chosen: BoolArray = parts == int(votes.argmax())
    return chosen


def filled(region: BoolArray) -> BoolArray:
    """The region with the holes of each slice closed."""
    found = region.copy()
    box = _box_of(region, _whole(region.shape))
    if box is not None:
        found[box] = np.stack([ndimage.binary_fill_holes(plane) for plane in region[box]])
    return found


def distance_mm(region: BoolArray, spacing_mm: SpacingZyx) -> FloatArray:
    """Distance from each voxel's centre to that of the nearest voxel of a region; beyond the image nothing is known."""
    if not region.any():
        return np.full(region.shape, np.inf)
    distance: FloatArray = ndimage.distance_transform_edt(~region, sampling=spacing_mm)
    return distance


def _whole(shape: tuple[int, ...]) -> Box:
    slices, rows, columns = (slice(0, size) for size in shape)
    return slices, rows, columns


def _box_of(chosen: BoolArray, inside: Box) -> Box | None:
    """The smallest box around some voxels of a box, in the array that it is a part of; None where there are none."""
    found = [np.flatnonzero(chosen.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not found[0].size:
        return None
    ends = zip(found, inside, strict=True)
    slices, rows, columns = (slice(part.start + int(at[0]), part.start + int(at[-1]) + 1) for at, part in ends)
    return slices, rows, columns


def _wider(box: Box, by: Sequence[int], shape: tuple[int, ...]) -> Box:
    """A box with so many more voxels on each side, as far as the array goes."""
    grown = zip(box, by, shape, strict=True)
    slices, rows, columns = (slice(max(one.start - more, 0), min(one.stop + more, size)) for one, more, size in grown)
    return slices, rows, columns


def _within(inner: Box, outer: Box) -> Box:
    """Where a box lies in another one."""
    placed = zip(inner, outer, strict=True)
    slices, rows, columns = (slice(one.start - out.start, one.stop - out.start) for one, out in placed)
    return slices, rows, columns
