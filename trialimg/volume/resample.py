"""The only way from one grid to another; the interpolator is always named."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import Any

import numpy as np
import SimpleITK as sitk

from trialimg.volume.geometry import Geometry
from trialimg.volume.volume import Mask, Volume

__all__ = ["Interpolator", "resample", "resample_mask"]


class Interpolator(Enum):
    """How a value between voxels is found."""

    NEAREST = "nearest"
    LINEAR = "linear"
    BSPLINE = "bspline"


_SITK = {
    Interpolator.NEAREST: sitk.sitkNearestNeighbor,
    Interpolator.LINEAR: sitk.sitkLinear,
    Interpolator.BSPLINE: sitk.sitkBSpline,
}


def resample(
    volume: Volume, grid: Geometry, interpolator: Interpolator, *, outside: float, transform: Any = None
) -> Volume:
    """The image on another grid.

    Parameters
    ----------
    volume
        Image to sample.
    grid
        Grid of the answer.
    interpolator
        Named in the answer's history.
    outside
        Value (in the image's unit) where the grid leaves the image.
    transform
        `SimpleITK.Transform` from points of ``grid`` to points of ``volume`` (LPS mm); identity if None.
    """
    image = _resampled(volume.to_sitk(), grid, _SITK[interpolator], outside, transform)
    step = f"resampled to {grid.size} voxels of {grid.spacing_mm} mm, {interpolator.value}"
    return replace(volume, array=image, geometry=grid, history=(*volume.history, step))


def resample_mask(mask: Mask, grid: Geometry, *, transform: Any = None) -> Mask:
    """The mask on another grid: each label interpolated linearly, the strongest one wins; 0 outside.

    Parameters
    ----------
    transform
        `SimpleITK.Transform` from points of ``grid`` to points of ``mask`` (LPS mm); identity if None.
    """
    array = _resampled(mask.to_sitk(), grid, sitk.sitkLabelLinear, 0, transform)
    return Mask(array.astype(mask.array.dtype), grid, mask.names)


def _resampled(image: Any, grid: Geometry, interpolator: int, outside: float, transform: Any) -> Any:
    moved = sitk.Resample(
        image,
        grid.size,
        transform if transform is not None else sitk.Transform(3, sitk.sitkIdentity),
        interpolator,
        grid.origin_lps_mm,
        grid.spacing_mm,
        grid.direction,
        float(outside),
        image.GetPixelID(),
    )
    return np.asarray(sitk.GetArrayFromImage(moved))
