"""Where to begin: the pose from which two scans of one body are brought together, looked for among many.

References
----------
Jenkinson M, Smith S, A global optimisation method for robust affine registration of brain images, Med Image Anal 2001
(many starts at low resolution, the best of them refined).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import SimpleITK as sitk

from trialimg.imaging.register_images import plain_transform

__all__ = ["best_start", "mutual_information_method", "shared_share"]

_SEED = 1
_TURNS_RAD = (-0.6, -0.3, 0.3, 0.6)
_REFINED = 4
_APART_MM = 20.0
"""Two starts that put every corner within this distance of one another lead to the same place."""


def mutual_information_method(*, share: float) -> Any:
    """Mattes' mutual information of 32 bins over a regular share of the voxels."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(share, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    return method


def best_start(fixed: Any, moving: Any) -> Any:
    """The rigid pose (`SimpleITK.Euler3DTransform`) from which the two images are most alike.

    Parameters
    ----------
    fixed, moving
        Images at low resolution (10 mm).

    Notes
    -----
    Three places (as the scanners say, grids' centres together, centres of mass together) times 13 turns (none, 17 and
    34 degrees either way about each axis). The four best that differ are refined; the best of those is the answer.
    Mutual information counts only what both images show, so it is weighted by the share of the voxels that they share:
    two corners of air that overlap are no good alignment.
    """
    ranked = sorted(_starts(fixed, moving), key=lambda start: -_alikeness(fixed, moving, start))
    chosen: list[Any] = []
    for start in ranked:
        if len(chosen) < _REFINED and all(_apart_mm(fixed, start, other) > _APART_MM for other in chosen):
            chosen.append(start)
    refined = [_refined(fixed, moving, start) for start in chosen]
    return max(refined, key=lambda start: _alikeness(fixed, moving, start))


def shared_share(fixed: Any, moving: Any, transform: Any) -> float:
    """Share of the smaller image's extent that the other one shows too."""
    ones = sitk.Image(moving.GetSize(), sitk.sitkUInt8) + 1
    ones.CopyInformation(moving)
    seen = sitk.GetArrayViewFromImage(sitk.Resample(ones, fixed, transform, sitk.sitkNearestNeighbor, 0))
    shared_mm3 = float(np.count_nonzero(seen)) * float(np.prod(fixed.GetSpacing()))
    smaller_mm3 = min(float(np.prod(np.multiply(one.GetSize(), one.GetSpacing()))) for one in (fixed, moving))
    return min(1.0, shared_mm3 / smaller_mm3)


def _starts(fixed: Any, moving: Any) -> Iterator[Any]:
    turns = [np.zeros(3), *(turn * axis for axis, turn in product(np.eye(3), _TURNS_RAD))]
    for place in _places(fixed, moving):
        for turn in turns:
            start = sitk.Euler3DTransform(place)
            start.SetRotation(*turn.tolist())
            yield start


def _places(fixed: Any, moving: Any) -> Iterator[Any]:
    as_scanned = sitk.Euler3DTransform()
    as_scanned.SetCenter(fixed.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in fixed.GetSize()]))
    yield as_scanned
    # moments are weighted by density, so air must weigh nothing
    pair = [sitk.Cast(image - _minimum(image), sitk.sitkFloat32) for image in (fixed, moving)]
    for way in (sitk.CenteredTransformInitializerFilter.GEOMETRY, sitk.CenteredTransformInitializerFilter.MOMENTS):
        yield sitk.Euler3DTransform(sitk.CenteredTransformInitializer(*pair, sitk.Euler3DTransform(), way))


def _alikeness(fixed: Any, moving: Any, transform: Any) -> float:
    method = mutual_information_method(share=0.5)
    method.SetInitialTransform(transform, inPlace=False)
    try:
        value = -float(method.MetricEvaluate(fixed, moving))
    except RuntimeError:  # no overlap at all
        return -1.0
    return value * shared_share(fixed, moving, transform)


def _refined(fixed: Any, moving: Any, start: Any) -> Any:
    method = mutual_information_method(share=0.5)
    method.SetOptimizerAsRegularStepGradientDescent(4.0, 0.2, 40, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(sitk.Euler3DTransform(start), inPlace=False)
    try:
        return plain_transform(method.Execute(fixed, moving), sitk.Euler3DTransform)
    except RuntimeError:  # it left the other image
        return start


def _apart_mm(fixed: Any, one: Any, other: Any) -> float:
    """Largest distance between the places of a corner of the fixed image."""
    ends = [(0.0, n - 1.0) for n in fixed.GetSize()]
    corners = [fixed.TransformContinuousIndexToPhysicalPoint(corner) for corner in product(*ends)]
    return max(float(np.linalg.norm(np.subtract(one.TransformPoint(c), other.TransformPoint(c)))) for c in corners)


def _minimum(image: Any) -> float:
    return float(sitk.GetArrayViewFromImage(image).min())
