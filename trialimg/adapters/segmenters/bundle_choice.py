"""Which of the regions that a network finds is the lesion that was asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.volume import Geometry, Mask

__all__ = ["Choice", "Extent", "choice_by_earlier", "choice_by_prompt", "extent_of_mask", "extent_of_prompt"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Extent = tuple[FloatArray, FloatArray]
"""Lowest and highest corner, LPS mm."""
Choice = Callable[[BoolArray, Geometry], BoolArray]
"""From all regions on a grid to those that are meant."""

_TOGETHER = np.ones((3, 3, 3))


def extent_of_prompt(prompt: Prompt, point_reach_mm: float) -> Extent:
    """Where the prompt's lesion must lie at least in part."""
    match prompt:
        case PointPrompt():
            centre = np.array(prompt.point_lps_mm)
            return centre - point_reach_mm, centre + point_reach_mm
        case LinePrompt():
            ends = np.array([prompt.start_lps_mm, prompt.end_lps_mm])
        case BidirectionalPrompt():
            ends = np.array([
                prompt.long_axis.start_lps_mm, prompt.long_axis.end_lps_mm,
                prompt.short_axis.start_lps_mm, prompt.short_axis.end_lps_mm,
            ])  # fmt: skip
        case BoxPrompt():
            ends = np.array([prompt.corner_lps_mm, prompt.opposite_lps_mm])
    return ends.min(axis=0), ends.max(axis=0)


def extent_of_mask(mask: Mask) -> Extent:
    """The box around a region of at least one voxel."""
    points = _points(mask)
    return points.min(axis=0), points.max(axis=0)


def choice_by_prompt(prompt: Prompt, point_reach_mm: float) -> Choice:
    """The connected region that the prompt touches most, else the nearest within its reach; none if all are farther.

    Notes
    -----
    A box touches whatever lies in it and reaches no further. A line reaches as far from its middle as it is long, a
    point as far as ``point_reach_mm``.
    """

    def choose(regions: BoolArray, grid: Geometry) -> BoolArray:
        parts, count = ndimage.label(regions, _TOGETHER)
        touched = np.bincount(parts[_touched(prompt, grid)], minlength=count + 1)
        touched[0] = 0
        if touched.any():
            return np.asarray(parts == int(touched.argmax()))
        if isinstance(prompt, BoxPrompt) or count == 0:
            return np.zeros_like(regions)
        centre, reach_mm = _reach(prompt, point_reach_mm)
        k, j, i = np.nonzero(regions)
        away_mm = np.linalg.norm(grid.to_lps(np.stack([i, j, k], axis=1)) - centre, axis=1)
        nearest = int(away_mm.argmin())
        if away_mm[nearest] > reach_mm:
            return np.zeros_like(regions)
        return np.asarray(parts == parts[k[nearest], j[nearest], i[nearest]])

    return choose


def choice_by_earlier(earlier: Mask, reach_mm: float) -> Choice:
    """Every connected region that comes within a distance of where the lesion was."""

    def choose(regions: BoolArray, grid: Geometry) -> BoolArray:
        was = np.zeros(grid.shape, np.bool_)
        was[_voxels(_points(earlier), grid)] = True
        half_voxel_mm = max(earlier.geometry.spacing_mm) / 2
        away_mm = ndimage.distance_transform_edt(~was, sampling=grid.spacing_mm[::-1])
        parts, count = ndimage.label(regions, _TOGETHER)
        met = np.bincount(parts[away_mm <= reach_mm + half_voxel_mm], minlength=count + 1) > 0
        met[0] = False
        return np.asarray(met[parts])

    return choose


def _reach(prompt: LinePrompt | BidirectionalPrompt | PointPrompt, point_reach_mm: float) -> tuple[FloatArray, float]:
    """Centre of the prompt, and how far from it a region that it does not touch may lie."""
    if isinstance(prompt, PointPrompt):
        return np.array(prompt.point_lps_mm), point_reach_mm
    line = prompt.long_axis if isinstance(prompt, BidirectionalPrompt) else prompt
    start, end = np.array(line.start_lps_mm), np.array(line.end_lps_mm)
    return (start + end) / 2, float(np.linalg.norm(end - start))


def _touched(prompt: Prompt, grid: Geometry) -> tuple[npt.NDArray[np.intp], ...]:
    """Index arrays (k, j, i) of the voxels that the prompt goes through."""
    match prompt:
        case PointPrompt():
            return _voxels(np.array([prompt.point_lps_mm]), grid)
        case LinePrompt():
            return _voxels(_along(prompt, grid), grid)
        case BidirectionalPrompt():
            return _voxels(np.concatenate([_along(prompt.long_axis, grid), _along(prompt.short_axis, grid)]), grid)
        case BoxPrompt():
            low, high = extent_of_prompt(prompt, 0.0)
            k, j, i = np.indices(grid.shape)
            points = grid.to_lps(np.stack([i, j, k], axis=-1))
            return np.nonzero(np.all((points >= low) & (points <= high), axis=-1))


def _along(line: LinePrompt, grid: Geometry) -> FloatArray:
    """Points on a line, half a voxel apart or less, shape (n, 3), LPS mm."""
    start, end = np.array(line.start_lps_mm), np.array(line.end_lps_mm)
    steps = int(np.ceil(2 * np.linalg.norm(end - start) / min(grid.spacing_mm))) + 1
    return np.linspace(start, end, steps)


def _points(mask: Mask) -> FloatArray:
    """Centres of a region's voxels, shape (n, 3), LPS mm."""
    k, j, i = np.nonzero(mask.array)
    return mask.geometry.to_lps(np.stack([i, j, k], axis=1))


def _voxels(points_lps_mm: FloatArray, grid: Geometry) -> tuple[npt.NDArray[np.intp], ...]:
    """Index arrays (k, j, i) of the voxels that hold some points; points outside of the grid are left out."""
    index = np.rint(grid.to_index(points_lps_mm)).astype(np.intp)
    inside = np.all((index >= 0) & (index < np.array(grid.size)), axis=1)
    return tuple(index[inside].T[::-1])
