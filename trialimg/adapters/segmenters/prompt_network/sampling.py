"""An image on the network's grid: which scale its brightness has, and no finer than the grid can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.adapters.segmenters.ellipsoids import Window
from trialimg.adapters.segmenters.prompt_network.channels import Appearance
from trialimg.volume import Geometry, Unit, Volume
from trialimg.volume.resample import Interpolator, resample

__all__ = ["COARSEST", "appearance_of", "bounded", "coarseness", "outside_of", "sampled", "softened"]

Array32 = npt.NDArray[np.float32]

COARSEST = 3
"""The image is blurred for grids up to 2 ** 3 times as coarse as its pixels, and not beyond."""
_AIR_HU = -1000.0
_SURELY_HU = -900.0
_METAL_HU = 2000.0
_LARGEST_SUV = 150.0
_MARGIN_VOXELS = 3


def appearance_of(image: Volume) -> Appearance:
    """What the image's numbers mean: by its unit, else by its modality, else air far below 0 tells HU.

    A PET image without a unit counts as SUV as long as no voxel exceeds what an SUV can be.
    """
    if image.unit is Unit.HU or (image.unit is Unit.ARBITRARY and image.modality == "CT"):
        return Appearance.HU
    if image.unit is Unit.SUV_BW or (image.modality == "PT" and float(image.array.max()) <= _LARGEST_SUV):
        return Appearance.SUV
    return Appearance.HU if float(image.array.min()) <= _SURELY_HU else Appearance.FREE


def outside_of(appearance: Appearance, values: npt.NDArray[Any]) -> float:
    """What there is beyond the image: air, or the least there is."""
    return _AIR_HU if appearance is Appearance.HU else float(values.min())


def bounded(values: npt.NDArray[Any], appearance: Appearance, outside: float) -> Array32:
    """The image between what lies beyond it and, in HU, what metal has: streaks must not outshine everything."""
    high = _METAL_HU if appearance is Appearance.HU else None
    within: Array32 = np.clip(values, outside, high).astype(np.float32)
    return within


def coarseness(voxel_mm: float, pixel_mm: float) -> int:
    """Power of 2 by which a grid is coarser than the image, from 0 to `COARSEST`."""
    return int(np.clip(np.round(np.log2(max(voxel_mm / pixel_mm, 1.0))), 0, COARSEST))


def softened(values: Array32, spacing_mm: Sequence[float], power: int) -> Array32:
    """The image blurred for a grid 2 ** power times as coarse as its pixels; axes with wide steps stay as they are.

    Parameters
    ----------
    values
        Shape (slices, rows, columns).
    spacing_mm
        Of columns, rows and slices.
    """
    wide = spacing_mm[0] * 2**power
    sigma = [0.4 * wide / step if wide > 1.5 * step and power > 0 else 0.0 for step in reversed(spacing_mm)]
    if not any(sigma):
        return values
    soft: Array32 = ndimage.gaussian_filter(values, sigma, truncate=2.5)
    return soft


def sampled(image: Volume, grid: Geometry, appearance: Appearance) -> Array32:
    """The image on a grid with the same axes, shape (slices, rows, columns)."""
    outside = outside_of(appearance, image.array)
    corners = grid.to_lps(np.array([(-_MARGIN_VOXELS,) * 3, [n + _MARGIN_VOXELS for n in grid.size]]))
    part = Window.between(image.geometry.to_index(corners), image.geometry).cut(image)
    values = bounded(part.array, appearance, outside)
    power = coarseness(grid.spacing_mm[0], image.geometry.spacing_mm[0])
    soft = replace(part, array=softened(values, image.geometry.spacing_mm, power))
    return np.asarray(resample(soft, grid, Interpolator.LINEAR, outside=outside).array, dtype=np.float32)
