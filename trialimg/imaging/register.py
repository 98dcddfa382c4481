"""Where a point of one scan lies in another: body first, then the surroundings of one lesion.

References
----------
Mattes D et al., PET-CT image registration in the chest using free-form deformations, IEEE Trans Med Imaging 2003
(mutual information). Yaniv Z et al., SimpleITK image-analysis notebooks, J Digit Imaging 2018.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from trialimg.core.prompts import PointLps
from trialimg.volume import Unit, Volume

__all__ = ["VERSION", "Alignment", "register_body", "register_locally"]

VERSION = "2"
"""Changes whenever the same two scans may be aligned in another way."""

FloatArray = npt.NDArray[np.float64]

_COARSE_MM = 5.0
_LOCAL_MM = 2.0
_HU_RANGE = (-1000.0, 300.0)
_LARGEST_LOCAL_SHIFT_MM = 10.0
_SEED = 1


@dataclass(frozen=True)
class Alignment:
    """``point in the moving scan = matrix @ point in the fixed scan + translation``, both LPS mm."""

    matrix: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    """3 x 3, row by row."""
    translation_mm: PointLps = (0.0, 0.0, 0.0)
    similarity: float | None = None
    """What the last step reached: mutual information (nats) for the body, correlation for a local step."""

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
        return cls(tuple(facts["matrix"]), (x, y, z), facts["similarity"])

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
    """
    with _one_thread():
        fixed_image, moving_image = _coarse(fixed), _coarse(moving)
        start = _best_start(fixed_image, moving_image)
        rigid, value = _optimise(fixed_image, moving_image, start, shrink=(3, 1))
        if not affine:
            return Alignment._from_sitk(rigid, -value)
        wider = sitk.AffineTransform(3)
        wider.SetCenter(rigid.GetCenter())
        wider.SetMatrix(rigid.GetMatrix())
        wider.SetTranslation(rigid.GetTranslation())
        final, value = _optimise(fixed_image, moving_image, wider, shrink=(1,))
        return Alignment._from_sitk(final, -value)


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
    part = _cube(fixed, centre_lps_mm, radius_mm)
    if part is None:
        return start
    with _one_thread():
        fixed_image = _isotropic(part, _LOCAL_MM)
        moved = sitk.Resample(_clamped(moving), fixed_image, start.to_sitk(), sitk.sitkLinear, _outside(moving))
        before = _correlation(fixed_image, moved, np.zeros(3))
        shift = _best_shift(fixed_image, moved)
        after = _correlation(fixed_image, moved, shift)
    if np.linalg.norm(shift) > _LARGEST_LOCAL_SHIFT_MM or after <= before:
        return replace(start, similarity=before)
    # the shift comes first: a point of the fixed scan is moved by it, then by the alignment of the body
    x, y, z = np.array(start.matrix).reshape(3, 3) @ shift + np.array(start.translation_mm)
    return Alignment(start.matrix, (float(x), float(y), float(z)), after)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums over several threads differ in their last digits from run to run; subjects run side by side instead."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _best_start(fixed: Any, moving: Any) -> Any:
    """The most alike of three guesses: as the scanners say, grids' centres together, centres of mass together."""
    guesses = [sitk.Euler3DTransform()]
    guesses[0].SetCenter(_middle(fixed))
    for way in (sitk.CenteredTransformInitializerFilter.GEOMETRY, sitk.CenteredTransformInitializerFilter.MOMENTS):
        # moments are weighted by density, so air must weigh nothing
        pair = (
            sitk.Cast(fixed - _minimum(fixed), sitk.sitkFloat32),
            sitk.Cast(moving - _minimum(moving), sitk.sitkFloat32),
        )
        guess = sitk.CenteredTransformInitializer(*pair, sitk.Euler3DTransform(), way)
        guesses.append(sitk.Euler3DTransform(guess))
    scores = [_mutual_information(fixed, moving, guess) for guess in guesses]
    return guesses[int(np.argmin(scores))]


def _method() -> Any:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.3, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    return method


def _mutual_information(fixed: Any, moving: Any, transform: Any) -> float:
    method = _method()
    method.SetInitialTransform(transform, inPlace=False)
    try:
        return float(method.MetricEvaluate(fixed, moving))
    except RuntimeError:  # no overlap at all
        return float("inf")


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


def _optimise(fixed: Any, moving: Any, start: Any, *, shrink: tuple[int, ...]) -> tuple[Any, float]:
    method = _method()
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.01, 120, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(list(shrink))
    method.SetSmoothingSigmasPerLevel([_COARSE_MM * (factor - 1) / 2 for factor in shrink])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    kind = type(start)
    method.SetInitialTransform(kind(start), inPlace=False)
    found = method.Execute(fixed, moving)
    return _plain_transform(found, kind), method.GetMetricValue()


def _plain_transform(found: Any, kind: Any) -> Any:
    """The one transform inside of the composite that `Execute` may answer with."""
    if isinstance(found, sitk.CompositeTransform):
        found = found.GetNthTransform(0)
    return kind(found)


def _clamped(volume: Volume) -> Any:
    image = sitk.Cast(volume.to_sitk(), sitk.sitkFloat32)
    return sitk.Clamp(image, sitk.sitkFloat32, *_HU_RANGE) if volume.unit is Unit.HU else image


def _outside(volume: Volume) -> float:
    return _HU_RANGE[0] if volume.unit is Unit.HU else 0.0


def _coarse(volume: Volume) -> Any:
    return _isotropic(volume, _COARSE_MM)


def _isotropic(volume: Volume, edge_mm: float) -> Any:
    """The image smoothed and sampled at about one voxel edge; never finer than it was."""
    image = _clamped(volume)
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
        _outside(volume),
    )


def _cube(volume: Volume, centre_lps_mm: PointLps, radius_mm: float) -> Volume | None:
    """The part of a scan within a cube; None where the cube lies outside."""
    centre = volume.geometry.to_index(centre_lps_mm)
    reach = radius_mm / np.asarray(volume.geometry.spacing_mm)
    low = np.maximum(np.floor(centre - reach), 0).astype(int)
    high = np.minimum(np.ceil(centre + reach) + 1, volume.geometry.size).astype(int)
    if np.any(high - low < 4):
        return None
    return volume.cropped((int(low[0]), int(low[1]), int(low[2])), (int(high[0]), int(high[1]), int(high[2])))


def _middle(image: Any) -> tuple[float, ...]:
    return tuple(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))


def _minimum(image: Any) -> float:
    return float(sitk.GetArrayViewFromImage(image).min())
