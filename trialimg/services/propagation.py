"""A lesion's region carried into a later scan by an alignment, and looked for there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trialimg.core.prompts import PointLps
from trialimg.imaging.register import Alignment
from trialimg.imaging.register_warp import LocalWarp
from trialimg.services.ports import Segmenter
from trialimg.volume import Geometry, Mask, Volume
from trialimg.volume.resample import Interpolator, resample, resample_mask

__all__ = ["around", "carried", "carried_around", "centre_of", "find_again", "offset_in", "on_grid", "radius_of"]

Index = tuple[int, int, int]

_RIM_VOXELS = 2


def find_again(
    segmenter: Segmenter,
    image: Volume,
    earlier: tuple[Volume, Mask],
    alignment: Alignment | LocalWarp,
    *,
    margin_mm: float,
) -> Mask:
    """The lesion in a later image, on the part of its grid around the expected place; empty where it is gone.

    Parameters
    ----------
    image
        The whole later image.
    earlier
        The whole earlier image, and the lesion's region on a grid of its own.
    alignment
        From the later image to the earlier one.
    margin_mm
        How far around its expected place the lesion is looked for.

    Raises
    ------
    ModelError
        If the segmenter cannot run.
    """
    low, high = _search_box(earlier[1], alignment, image.geometry, margin_mm)
    part = image.cropped(low, high)
    moved = alignment.to_sitk()
    outside = float(earlier[0].array.min())
    before = resample(earlier[0], part.geometry, Interpolator.LINEAR, outside=outside, transform=moved)
    return segmenter.follow(part, before, carried(earlier[1], alignment, part.geometry))


def carried_around(mask: Mask, alignment: Alignment | LocalWarp, grid: Geometry) -> Mask:
    """An earlier region as it lies in a later scan, on the part of the scan's grid around it."""
    low, high = _search_box(mask, alignment, grid, 2 * max(grid.spacing_mm))
    return carried(mask, alignment, grid.cropped(low, high))


def carried(mask: Mask, alignment: Alignment | LocalWarp, grid: Geometry) -> Mask:
    """An earlier region as it lies on a grid of a later scan; the voxel of its centre where it is smaller than one."""
    moved = resample_mask(mask, grid, transform=alignment.to_sitk())
    return _one_voxel(grid, alignment.inverse_apply(centre_of(mask))) if moved.is_empty else moved


def around(mask: Mask) -> Mask:
    """The part of a mask that holds its region, with a rim; one voxel of background where it is empty."""
    places = np.nonzero(mask.array)
    if not places[0].size:
        middle = [n // 2 for n in mask.geometry.size]
        return _cut(mask, middle, [m + 1 for m in middle])
    low = [max(0, int(axis.min()) - _RIM_VOXELS) for axis in reversed(places)]
    high = [
        min(n, int(axis.max()) + 1 + _RIM_VOXELS) for n, axis in zip(mask.geometry.size, reversed(places), strict=True)
    ]
    return _cut(mask, low, high)


def offset_in(part: Geometry, whole: Geometry) -> Index:
    """Index (i, j, k) in the whole grid of the first voxel of its part."""
    i, j, k = np.rint(whole.to_index(part.origin_lps_mm)).astype(int).tolist()
    return i, j, k


def on_grid(mask: Mask, grid: Geometry) -> Mask:
    """The mask in its whole scan."""
    array: npt.NDArray[np.unsignedinteger] = np.zeros(grid.shape, mask.array.dtype)
    i, j, k = offset_in(mask.geometry, grid)
    slices, rows, columns = mask.array.shape
    array[k : k + slices, j : j + rows, i : i + columns] = mask.array
    return Mask(array, grid)


def centre_of(mask: Mask) -> PointLps:
    """Centre of gravity of a region; of its grid where the region is empty."""
    k, j, i = np.nonzero(mask.array)
    index = [float(axis.mean()) for axis in (i, j, k)] if i.size else [(n - 1) / 2 for n in mask.geometry.size]
    x, y, z = mask.geometry.to_lps(index).tolist()
    return x, y, z


def radius_of(mask: Mask) -> float:
    """Radius (mm) of the ball with the region's volume, at least half a voxel's diagonal."""
    volume_mm3 = float(np.count_nonzero(mask.array)) * mask.geometry.voxel_volume_mm3
    smallest = float(np.linalg.norm(mask.geometry.spacing_mm)) / 2
    return max(smallest, float(np.cbrt(3 * volume_mm3 / (4 * np.pi))))


def _cut(mask: Mask, low: Sequence[int], high: Sequence[int]) -> Mask:
    part = mask.array[low[2] : high[2], low[1] : high[1], low[0] : high[0]]
    corner, end = (low[0], low[1], low[2]), (high[0], high[1], high[2])
    return Mask(np.ascontiguousarray(part), mask.geometry.cropped(corner, end))


def _one_voxel(grid: Geometry, point_lps_mm: PointLps) -> Mask:
    array = np.zeros(grid.shape, np.uint8)
    i, j, k = np.clip(np.rint(grid.to_index(point_lps_mm)).astype(int), 0, np.array(grid.size) - 1).tolist()
    array[k, j, i] = 1
    return Mask(array, grid)


def _search_box(mask: Mask, alignment: Alignment | LocalWarp, grid: Geometry, margin_mm: float) -> tuple[Index, Index]:
    """Corners (i, j, k) of the part of a later scan where the lesion of an earlier one may be."""
    low_mm, high_mm = mask.geometry.bounds_lps_mm()
    ends = list(zip(low_mm, high_mm, strict=True))
    corners = [alignment.inverse_apply((x, y, z)) for x in ends[0] for y in ends[1] for z in ends[2]]
    index = grid.to_index(corners)
    margin = margin_mm / np.asarray(grid.spacing_mm)
    low = np.clip(np.floor(index.min(axis=0) - margin), 0, np.array(grid.size) - 1).astype(int).tolist()
    high = np.clip(np.ceil(index.max(axis=0) + margin) + 1, 1, grid.size).astype(int).tolist()
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])
