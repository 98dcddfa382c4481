"""What the network is shown: how bright the image is, and where the reader pointed, on one grid of fixed size."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = [
    "CHANNELS",
    "EDGE",
    "EXPECTED",
    "IMAGE_CHANNELS",
    "Appearance",
    "PromptOnGrid",
    "expected_at",
    "level_of",
    "stacked",
]

FloatArray = npt.NDArray[np.floating]
Array32 = npt.NDArray[np.float32]

EDGE = 48
"""Voxels along each edge of the grid."""
IMAGE_CHANNELS = 3
CHANNELS = 11
"""Three of the image; long axis, its ends, short axis, click, box, expected shape; shape of a voxel, slice spacing."""
EXPECTED = 8
"""Number of the channel of the expected shape."""

_SOFT_HU, _WIDE_HU, _NEAR_HU = (-160.0, 240.0), (-1000.0, 400.0), 150.0
_FULL_SUV = 10.0
_LINE_VOXELS, _END_VOXELS, _CLICK_VOXELS = 1.0, 1.5, 1.5
_THROUGH = 0.9
_ANCHOR_SHARE = 0.6
_FEW_SLICES_VOXELS = 8.0
_DEEP = 0.5


class Appearance(Enum):
    """Which scale of brightness an image has."""

    HU = "hu"
    SUV = "suv"
    FREE = "free"


@dataclass(frozen=True, eq=False)
class PromptOnGrid:
    """A prompt in continuous indices (i, j, k) of the grid; what was not given is None."""

    long_axis: FloatArray | None = None
    """Shape (2, 3)."""
    short_axis: FloatArray | None = None
    click: FloatArray | None = None
    """Shape (3,)."""
    box: FloatArray | None = None
    """Lowest and highest corner, shape (2, 3)."""
    earlier: FloatArray | None = None
    """`level_of` the region that the lesion filled at an earlier visit, shape (k, j, i)."""

    @property
    def centre(self) -> FloatArray:
        if self.click is not None:
            return self.click
        ends = self.box if self.box is not None else self.long_axis
        if ends is None:
            raise ValueError("a prompt needs a long axis, a click, a box or an earlier region")
        middle: FloatArray = ends.mean(axis=0)
        return middle


def stacked(
    values: FloatArray, appearance: Appearance, prompt: PromptOnGrid, *, voxel_ratio: float, slices_voxels: float
) -> Array32:
    """All channels, shape (CHANNELS, k, j, i).

    Parameters
    ----------
    values
        The image on the grid, shape (k, j, i).
    voxel_ratio
        Height of the grid's voxels over their width.
    slices_voxels
        Distance of the image's own slices, in voxels of the grid.
    """
    points = _points(values.shape)
    channels = np.zeros((CHANNELS, *values.shape), np.float32)
    channels[:IMAGE_CHANNELS] = _brightness(values, appearance, _anchor(values, prompt))
    if prompt.long_axis is not None:
        channels[3] = _bump(_away(points, prompt.long_axis), _LINE_VOXELS)
        channels[4] = _ends(points, prompt.long_axis)
    if prompt.short_axis is not None:
        channels[5] = _bump(_away(points, prompt.short_axis), _LINE_VOXELS)
        channels[4] = np.maximum(channels[4], _ends(points, prompt.short_axis))
    if prompt.click is not None:
        channels[6] = _bump(np.linalg.norm(points - prompt.click, axis=-1), _CLICK_VOXELS)
    if prompt.box is not None:
        centre, half = prompt.box.mean(axis=0), np.ptp(prompt.box, axis=0) / 2
        channels[7] = np.clip(0.5 + (half - np.abs(points - centre)).min(axis=-1), 0, 1)
    channels[EXPECTED] = expected_at(_level(points, prompt, voxel_ratio))
    channels[9] = np.log2(voxel_ratio) / 2
    channels[10] = min(slices_voxels / _FEW_SLICES_VOXELS, 1.0)
    return channels


def level_of(region: npt.NDArray[np.bool_], voxel_ratio: float) -> Array32:
    """0 where a region of at least one voxel is deepest, 1 on its surface, growing with the distance."""
    edges = (voxel_ratio, 1.0, 1.0)
    padded = np.pad(region, 1)
    inside = ndimage.distance_transform_edt(padded, sampling=edges)[1:-1, 1:-1, 1:-1]
    outside = ndimage.distance_transform_edt(~region, sampling=edges)
    level: Array32 = (1 + (outside - inside) / inside.max()).astype(np.float32)
    return level


def expected_at(level: FloatArray | float) -> FloatArray:
    """What the channel of the expected shape shows at a level: above one half inside, down to -1 far from it."""
    shown: FloatArray = np.clip(1.5 - np.asarray(level), -1, 1)
    return shown


def _brightness(values: FloatArray, appearance: Appearance, anchor: float) -> Array32:
    """Two windows, and how far each voxel is from the brightness at the prompt; all from -1 to 1."""
    low, middle_low, middle_high, high = np.percentile(values, (1, 5, 95, 99.5))
    match appearance:
        case Appearance.HU:
            first, second, near = _windowed(values, *_SOFT_HU), _windowed(values, *_WIDE_HU), _NEAR_HU
        case Appearance.SUV:
            first, second, near = _windowed(values, 0.0, high), _windowed(values, 0.0, _FULL_SUV), high / 2
        case Appearance.FREE:
            first = _windowed(values, low, high)
            second = 2 * np.sqrt((first + 1) / 2) - 1
            near = middle_high - middle_low
    relative = np.clip((values - anchor) / max(float(near), 1e-6), -1, 1)
    return np.stack([first, second, relative]).astype(np.float32)


def _windowed(values: FloatArray, low: float, high: float) -> FloatArray:
    window: FloatArray = np.clip(2 * (values - low) / max(high - low, 1e-6) - 1, -1, 1)
    return window


def _anchor(values: FloatArray, prompt: PromptOnGrid) -> float:
    """Median brightness where the lesion surely is: middle of the axes, around the click, deep in box or region."""
    if prompt.earlier is not None:
        return float(np.median(values[prompt.earlier <= _DEEP]))
    drawn = [axis for axis in (prompt.long_axis, prompt.short_axis) if axis is not None]
    shares = np.linspace((1 - _ANCHOR_SHARE) / 2, (1 + _ANCHOR_SHARE) / 2, 15)[:, None]
    near: list[FloatArray] = [axis[0] + shares * (axis[1] - axis[0]) for axis in drawn]
    if not near:
        reach = np.ones(3) if prompt.box is None else np.ptp(prompt.box, axis=0) / 8
        near.append(prompt.centre + np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3) * reach)
    index = np.clip(np.rint(np.concatenate(near)).astype(int), 0, np.array(values.shape)[::-1] - 1)
    return float(np.median(values[index[:, 2], index[:, 1], index[:, 0]]))


def _level(points: Array32, prompt: PromptOnGrid, voxel_ratio: float) -> FloatArray:
    """Of the shape that the prompt suggests, 1 on its surface; a click suggests none."""
    if prompt.earlier is not None:
        return prompt.earlier
    if prompt.click is not None:
        return np.full(points.shape[:-1], np.inf, points.dtype)
    if prompt.box is not None:
        half = np.maximum(np.ptp(prompt.box, axis=0) / 2, 0.5)
        out: FloatArray = np.linalg.norm((points - prompt.box.mean(axis=0)) / half, axis=-1)
        return out
    if prompt.long_axis is None:
        raise ValueError("a prompt needs a long axis, a click, a box or an earlier region")
    scale = np.array([1.0, 1.0, voxel_ratio])
    centre, first, length = _axis(prompt.long_axis * scale)
    width = _THROUGH * length
    if prompt.short_axis is not None:
        middle, across, width = _axis(prompt.short_axis * scale)
        centre = centre + ((middle - centre) @ across) * across
    offset = (points * scale - centre).astype(np.float32)
    along = offset @ first.astype(np.float32)
    second = np.cross([0.0, 0.0, 1.0], first) if abs(first[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    second = second / np.linalg.norm(second)
    side, up = offset @ second, offset @ np.cross(first, second)
    mean = _THROUGH * np.sqrt(length * width)
    level: FloatArray = 2 * np.sqrt((along / length) ** 2 + (side / width) ** 2 + (up / mean) ** 2)
    return level


def _axis(ends: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Middle, direction and length, at least a voxel."""
    length = max(float(np.linalg.norm(ends[1] - ends[0])), 1e-6)
    return ends.mean(axis=0), (ends[1] - ends[0]) / length, max(length, 1.0)


def _ends(points: Array32, axis: FloatArray) -> Array32:
    return np.maximum(*(_bump(np.linalg.norm(points - end.astype(np.float32), axis=-1), _END_VOXELS) for end in axis))


def _away(points: Array32, axis: FloatArray) -> FloatArray:
    """Distance from a line between two ends."""
    start, way = axis[0].astype(np.float32), (axis[1] - axis[0]).astype(np.float32)
    share = np.clip((points - start) @ way / max(float(way @ way), 1e-6), 0, 1)
    away: FloatArray = np.linalg.norm(points - start - share[..., None] * way, axis=-1)
    return away


def _bump(away: FloatArray, width: float) -> Array32:
    bump: Array32 = np.exp(-0.5 * (away / width) ** 2).astype(np.float32)
    return bump


def _points(shape: tuple[int, ...]) -> Array32:
    k, j, i = np.indices(shape, dtype=np.float32)
    return np.stack([i, j, k], axis=-1)
