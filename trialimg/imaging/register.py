"""Where a point of one scan lies in another: body first, then the surroundings of one lesion.

References
----------
Mattes D et al., PET-CT image registration in the chest using free-form deformations, IEEE Trans Med Imaging 2003
(mutual information). Yaniv Z et al., SimpleITK image-analysis notebooks, J Digit Imaging 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from trialimg.core.prompts import PointLps
from trialimg.imaging.register_images import (
    clamped,
    cube,
    isotropic,
    one_thread,
    outside_value,
    plain_transform,
)
from trialimg.imaging.register_start import best_start, mutual_information_method, shared_share
from trialimg.volume import Volume

__all__ = ["VERSION", "Alignment", "register_body", "register_locally"]

VERSION = "3"
"""Changes whenever the same two scans may be aligned in another way."""

FloatArray = npt.NDArray[np.float64]

_START_MM = 10.0
_NAMES = ("the first scan", "the second scan")
_FEWEST_VOXELS = 4
"""Along each axis, where the start is looked for."""
_COARSE_MM = 5.0
_LOCAL_MM = 2.0
_AFFINE_STEPS = ((2.0, 60), (0.5, 60))
"""Farthest that a voxel moves in one step (mm), and how many steps."""
_LARGEST_LOCAL_SHIFT_MM = 10.0
_LEAST_SIMILARITY = 0.3
_LEAST_SHARED = 0.3
_VOLUME_RATIOS = (0.7, 1.4)


@dataclass(frozen=True)
class Alignment:
    """``point in the moving scan = matrix @ point in the fixed scan + translation``, both LPS mm."""

    matrix: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    """3 x 3, row by row."""
    translation_mm: PointLps = (0.0, 0.0, 0.0)
    similarity: float | None = None
    """What the last step reached: mutual information (nats) for the body, correlation for a local step."""
    reason: str = ""
    """Why it is not to be trusted; empty where nothing speaks against it."""

    def to_sitk(self) -> Any:
        """The same map as `SimpleITK.AffineTransform`, for resampling the moving scan onto the fixed grid."""
        return sitk.AffineTransform(self.matrix, self.translation_mm)

    def apply(self, point_lps_mm: PointLps) -> PointLps:
        """The point of the moving scan that belongs to a point of the fixed one."""
        x, y, z = self.to_sitk().TransformPoint(point_lps_mm)
        return x, y, z

    def inverse_apply(self, point_lps_mm: PointLps) -> PointLps:
        """The point of the fixed scan that belongs to a point of the moving one."""
        x, y, z = self.to_sitk().GetInverse().TransformPoint(point_lps_mm)
        return x, y, z

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Alignment:
        """An alignment from its stored JSON."""
        x, y, z = facts["translation_mm"]
        return cls(tuple(facts["matrix"]), (x, y, z), facts["similarity"], facts["reason"])

    @classmethod
    def _from_sitk(cls, transform: Any, similarity: float) -> Alignment:
        origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
        columns = [np.array(transform.TransformPoint(axis)) - origin for axis in np.eye(3).tolist()]
        matrix = tuple(float(v) for v in np.stack(columns, axis=1).ravel())
        x, y, z = (float(v) for v in origin)
        return cls(matrix, (x, y, z), float(similarity))


def register_body(fixed: Volume, moving: Volume, *, affine: bool) -> Alignment:
    """The rigid or affine map that brings two scans of one body together.

    Parameters
    ----------
    fixed, moving
        Two scans; any modalities (mutual information), CT values are clamped to [-1000, 300] HU.
    affine
        Whether stretch and shear may follow the rigid step.

    Returns
    -------
    Alignment
        With a ``reason`` where it is not to be trusted; the identity where a scan is too thin or uniform, or
        no pose was found.
    """
    with one_thread():
        coarsest = isotropic(fixed, _START_MM), isotropic(moving, _START_MM)
        because = "; ".join(told for name, one in zip(_NAMES, coarsest, strict=True) if (told := _unfit(name, one)))
        if because:
            return Alignment(reason=because)
        images = isotropic(fixed, _COARSE_MM), isotropic(moving, _COARSE_MM)
        try:
            return _aligned(*images, best_start(*coarsest), affine=affine)
        except RuntimeError:  # the search left the other scan
            return Alignment(reason="no pose was found in which the scans show the same part of the body")


def _aligned(fixed: Any, moving: Any, start: Any, *, affine: bool) -> Alignment:
    found, value = _turned(fixed, moving, start)
    if affine:
        wider = _stretched(fixed, moving, found)
        found, value = min((found, value), wider, key=lambda one: one[1])
    alignment = Alignment._from_sitk(found, -value)
    return replace(alignment, reason=_doubt(alignment, shared_share(fixed, moving, found)))


def _unfit(name: str, image: Any) -> str:
    """Why nothing can be aligned with a scan; empty where something can."""
    if min(image.GetSize()) < _FEWEST_VOXELS:
        return f"{name} is too thin to be aligned ({min(image.GetSize())} of at least {_FEWEST_VOXELS} voxels)"
    values = sitk.GetArrayViewFromImage(image)
    return f"{name} is uniform" if values.min() == values.max() else ""


def _doubt(alignment: Alignment, shared: float) -> str:
    """Why an alignment of the body is not to be trusted; empty where nothing speaks against it."""
    if alignment.similarity is not None and alignment.similarity < _LEAST_SIMILARITY:
        return f"the scans stay unlike: mutual information {alignment.similarity:.2f} (at least {_LEAST_SIMILARITY})"
    if shared < _LEAST_SHARED:
        return f"the scans share {shared:.0%} of the smaller one (at least {_LEAST_SHARED:.0%})"
    volume_ratio = float(np.linalg.det(np.reshape(alignment.matrix, (3, 3))))
    if not _VOLUME_RATIOS[0] <= volume_ratio <= _VOLUME_RATIOS[1]:
        return f"the body would change its volume to {volume_ratio:.2f} of what it was"
    return ""


def register_locally(
    fixed: Volume, moving: Volume, start: Alignment, *, centre_lps_mm: PointLps, radius_mm: float
) -> Alignment:
    """The alignment refined by a shift of the surroundings of one place.

    Parameters
    ----------
    start
        Alignment of the body.
    centre_lps_mm
        Place in the fixed scan.
    radius_mm
        Half the edge of the cube that is compared.

    Returns
    -------
    Alignment
        ``start`` itself where the shift does not make the surroundings more alike, or would exceed 10 mm.
    """
    part = cube(fixed, centre_lps_mm, radius_mm)
    if part is None:
        return start
    with one_thread():
        fixed_image = isotropic(part, _LOCAL_MM)
        moved = sitk.Resample(clamped(moving), fixed_image, start.to_sitk(), sitk.sitkLinear, outside_value(moving))
        before = _correlation(fixed_image, moved, np.zeros(3))
        shift = _best_shift(fixed_image, moved)
        after = _correlation(fixed_image, moved, shift)
    if np.linalg.norm(shift) > _LARGEST_LOCAL_SHIFT_MM or after <= before:
        return replace(start, similarity=before)
    # the shift comes first: a point of the fixed scan is moved by it, then by the alignment of the body
    x, y, z = np.array(start.matrix).reshape(3, 3) @ shift + np.array(start.translation_mm)
    return Alignment(start.matrix, (float(x), float(y), float(z)), after, start.reason)


def _best_shift(fixed: Any, moving: Any) -> FloatArray:
    """The shift (LPS mm) that makes two images on one grid most alike; zero where there is nothing to go by."""
    method = _correlation_method(np.zeros(3))
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.05, 60, relaxationFactor=0.6)
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([3.0, 1.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    try:
        return np.array(method.Execute(fixed, moving).GetParameters())
    except RuntimeError:  # too little overlap, or a uniform cube
        return np.zeros(3)


def _correlation(fixed: Any, moving: Any, shift_mm: FloatArray) -> float:
    """Squared correlation of two images after a shift; -1 where it is undefined."""
    try:
        return -float(_correlation_method(shift_mm).MetricEvaluate(fixed, moving))
    except RuntimeError:
        return -1.0


def _correlation_method(shift_mm: FloatArray) -> Any:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(sitk.TranslationTransform(3, shift_mm.tolist()), inPlace=False)
    return method


def _turned(fixed: Any, moving: Any, start: Any) -> tuple[Any, float]:
    """The rigid map found from a start, and its metric: lower is better."""
    method = mutual_information_method(share=0.3)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.01, 120, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([_COARSE_MM / 2, 0.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(sitk.Euler3DTransform(start), inPlace=False)
    found = method.Execute(fixed, moving)
    return plain_transform(found, sitk.Euler3DTransform), float(method.GetMetricValue())


def _stretched(fixed: Any, moving: Any, rigid: Any) -> tuple[Any, float]:
    """The affine map found from a rigid one, and its metric.

    Notes
    -----
    A step is bounded by how far it moves a voxel. Steps of a given length in the parameters would, from a rigid map
    that leaves little to shift, all go into stretch and tear the scans apart.
    """
    found = sitk.AffineTransform(3)
    found.SetCenter(rigid.GetCenter())
    found.SetMatrix(rigid.GetMatrix())
    found.SetTranslation(rigid.GetTranslation())
    value = 0.0
    for step_mm, rounds in _AFFINE_STEPS:
        method = mutual_information_method(share=0.3)
        method.SetOptimizerAsGradientDescent(1.0, rounds, 1e-6, 10, method.EachIteration, step_mm)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(found, inPlace=False)
        found = plain_transform(method.Execute(fixed, moving), sitk.AffineTransform)
        value = float(method.GetMetricValue())
    return found, value
