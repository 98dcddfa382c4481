"""A prompt for a region on a small grid, as an unsteady hand or an earlier visit gives it, to learn from."""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.adapters.segmenters.prompt_network.channels import PromptOnGrid, level_of
from trialimg.imaging.synthetic_lesion import smooth_noise

__all__ = ["Drawing", "drawn_prompt"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_LARGEST_SLICES = 4
_LEAST_SINE = 0.985
_OFF_SLICE = 0.2
_MOST_HAND = 0.05
_LEAST_HAND_VOXELS = 0.3
_FEWEST_EARLIER = 8


class Drawing(Enum):
    """How a lesion is pointed out."""

    LINE = "line"
    BOTH_AXES = "both_axes"
    CLICK = "click"
    BOX = "box"
    EARLIER = "earlier"
    """By the region that it filled at an earlier visit, carried over by a registration."""


def drawn_prompt(
    random: np.random.Generator, region: BoolArray, drawing: Drawing, *, voxel_ratio: float, slices_voxels: float
) -> PromptOnGrid:
    """The prompt for a region of at least one voxel.

    Parameters
    ----------
    region
        Shape (slices, rows, columns).
    voxel_ratio
        Height of a voxel over its width.
    slices_voxels
        Distance of the image's own slices in voxels; a line may lie one of them too high or too low.
    """
    if drawing is Drawing.CLICK:
        return PromptOnGrid(click=_click(random, region, voxel_ratio))
    if drawing is Drawing.BOX:
        return PromptOnGrid(box=_box(random, region))
    if drawing is Drawing.EARLIER:
        return PromptOnGrid(earlier=level_of(_earlier(random, region), voxel_ratio))
    long_axis, short_axis = _axes(region)
    sd = max(random.uniform(0, _MOST_HAND) * float(np.linalg.norm(np.ptp(long_axis, axis=0))), _LEAST_HAND_VOXELS)
    shift = np.zeros(3)
    if random.random() < _OFF_SLICE:
        shift[2] = random.choice([-1, 1]) * max(slices_voxels, 1.0)
    wobble = random.normal(0, sd, (4, 3)) * (1, 1, 0) + shift
    if drawing is Drawing.BOTH_AXES:
        return PromptOnGrid(long_axis=long_axis + wobble[:2], short_axis=short_axis + wobble[2:])
    return PromptOnGrid(long_axis=long_axis + wobble[:2])


def _axes(region: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Longest diameter over the largest slices, and the longest one across it there; ends (i, j, k), shape (2, 3)."""
    areas = region.sum(axis=(1, 2))
    best: tuple[float, int, FloatArray] | None = None
    for k in np.argsort(areas, kind="stable")[::-1][:_LARGEST_SLICES].tolist():
        if areas[k] == 0:
            continue
        points = _rim(region[k])
        apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
        if best is None or apart.max() > best[0]:
            best = float(apart.max()), k, points
    if best is None:
        raise ValueError("no voxel belongs to the region")
    length, k, points = best
    apart = points[:, None] - points[None]
    far = np.linalg.norm(apart, axis=-1)
    first, second = np.unravel_index(int(far.argmax()), far.shape)
    way = (points[second] - points[first]) / max(length, 1e-6)
    sine = np.abs(apart @ np.array([-way[1], way[0]])) / np.maximum(far, 1e-6)
    across = np.where(sine >= _LEAST_SINE, far, 0.0)
    third, fourth = np.unravel_index(int(across.argmax()), across.shape)
    long_axis = _at_rim(points[first], points[second], k)
    if across.max() < 1:
        middle = (points[first] + points[second]) / 2
        side = 0.5 * np.array([-way[1], way[0]]) if length > 0 else np.array([0.0, 0.5])
        return long_axis, _at_rim(middle - side, middle + side, k)
    return long_axis, _at_rim(points[third], points[fourth], k)


def _rim(plane: BoolArray) -> FloatArray:
    """Columns and rows of the outermost voxels of a plane, shape (n, 2)."""
    inner = ndimage.binary_erosion(plane, np.ones((3, 3)))
    rows, columns = np.nonzero(plane & ~inner)
    return np.stack([columns, rows], axis=1).astype(np.float64)


def _at_rim(start: FloatArray, end: FloatArray, k: int) -> FloatArray:
    """Ends a quarter voxel further out than the voxels' centres."""
    way = end - start
    out = 0.25 * way / max(float(np.linalg.norm(way)), 1e-6)
    if not way.any():
        out = np.array([0.25, 0.0])
    return np.array([[*(start - out), k], [*(end + out), k]])


def _click(random: np.random.Generator, region: BoolArray, voxel_ratio: float) -> FloatArray:
    depth = ndimage.distance_transform_edt(np.pad(region, 1), sampling=(voxel_ratio, 1, 1))[1:-1, 1:-1, 1:-1]
    deep = np.argwhere(depth >= random.uniform(0.4, 1.0) * depth.max())
    spot: FloatArray = deep[int(random.integers(len(deep)))][::-1] + random.uniform(-0.5, 0.5, 3)
    return spot


def _box(random: np.random.Generator, region: BoolArray) -> FloatArray:
    index = np.argwhere(region)[:, ::-1]
    edges = np.array([index.min(axis=0) - 0.5, index.max(axis=0) + 0.5])
    sd = np.maximum(random.uniform(0, _MOST_HAND) * np.ptp(edges, axis=0), _LEAST_HAND_VOXELS)
    moved: FloatArray = edges + random.normal(0, 1, (2, 3)) * sd
    return np.array([np.minimum(*moved), np.maximum(*moved)])


def _earlier(random: np.random.Generator, region: BoolArray) -> BoolArray:
    """A region as it may have been before: larger or smaller, a little aside, its outline another."""
    grain = random.uniform(3.0, 9.0)
    index = np.argwhere(region)
    extent, centre = np.ptp(index, axis=0) + 1, index.mean(axis=0)
    factor = np.exp(random.uniform(np.log(0.65), np.log(1.6)) + random.normal(0, 0.08, 3))
    shift = random.normal(0, 0.08, 3) * extent
    offset = centre - (centre + shift) / factor
    moved = ndimage.affine_transform(region.astype(np.float32), 1 / factor, offset, order=1)
    earlier: BoolArray = moved > 0.5 + random.uniform(0, 0.2) * smooth_noise(random, region.shape, grain)
    earlier &= moved > 0
    return earlier if np.count_nonzero(earlier) >= _FEWEST_EARLIER else region
