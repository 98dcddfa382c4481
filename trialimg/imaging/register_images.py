"""Scans made ready for registration: clamped, sampled at one voxel edge, cut to a place; on one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import SimpleITK as sitk

from trialimg.core.prompts import PointLps
from trialimg.volume import Unit, Volume

__all__ = ["clamped", "cube", "isotropic", "one_thread", "outside_value", "plain_transform"]

_HU_RANGE = (-1000.0, 300.0)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums over several threads differ in their last digits from run to run; subjects run side by side instead."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def clamped(volume: Volume) -> Any:
    """The image with 32-bit values; CT between -1000 and 300 HU."""
    image = sitk.Cast(volume.to_sitk(), sitk.sitkFloat32)
    return sitk.Clamp(image, sitk.sitkFloat32, *_HU_RANGE) if volume.unit is Unit.HU else image


def outside_value(volume: Volume) -> float:
    """What stands where a scan ends: air in HU, 0 elsewhere."""
    return _HU_RANGE[0] if volume.unit is Unit.HU else 0.0


def isotropic(volume: Volume, edge_mm: float) -> Any:
    """The image smoothed and sampled at about one voxel edge; never finer than it was."""
    image = clamped(volume)
    spacing = np.maximum(volume.geometry.spacing_mm, edge_mm)
    coarser = spacing > np.array(volume.geometry.spacing_mm) * 1.01
    if not coarser.any():
        return image
    sigmas = [0.5 * step if wide else 0.0 for step, wide in zip(spacing, coarser, strict=True)]
    smooth = sitk.DiscreteGaussian(image, [s**2 for s in sigmas], 32, 0.01, True)
    size = [max(1, round(n * s / t)) for n, s, t in zip(image.GetSize(), image.GetSpacing(), spacing, strict=True)]
    return sitk.Resample(
        smooth,
        size,
        sitk.Transform(),
        sitk.sitkLinear,
        image.GetOrigin(),
        spacing.tolist(),
        image.GetDirection(),
        outside_value(volume),
    )


def cube(volume: Volume, centre_lps_mm: PointLps, radius_mm: float) -> Volume | None:
    """The part of a scan within a cube; None where the cube lies outside."""
    centre = volume.geometry.to_index(centre_lps_mm)
    reach = radius_mm / np.asarray(volume.geometry.spacing_mm)
    low = np.maximum(np.floor(centre - reach), 0).astype(int)
    high = np.minimum(np.ceil(centre + reach) + 1, volume.geometry.size).astype(int)
    if np.any(high - low < 4):
        return None
    return volume.cropped((int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2])))


def plain_transform(found: Any, kind: Any) -> Any:
    """The one transform inside of the composite that `Execute` may answer with."""
    if isinstance(found, sitk.CompositeTransform):
        found = found.GetNthTransform(0)
    return kind(found)
