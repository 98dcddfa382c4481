"""The surroundings of one lesion, which breathing and weight have bent: a smooth local map on top of the body's.

References
----------
Rueckert D et al., Nonrigid registration using free-form deformations, IEEE Trans Med Imaging 1999 (cubic B-splines).
Byrd RH et al., A limited memory algorithm for bound constrained optimization, SIAM J Sci Comput 1995 (L-BFGS-B).
Chen M et al., A simple fixed-point approach to invert a deformation field, Med Phys 2008.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from trialimg.core.errors import GeometryError
from trialimg.core.prompts import PointLps
from trialimg.imaging.register import Alignment, register_locally
from trialimg.imaging.register_images import cube, isotropic, one_thread
from trialimg.volume import Volume

__all__ = ["REACH_MM", "LocalWarp", "register_deformably"]

FloatArray = npt.NDArray[np.float64]

REACH_MM = 60.0
"""Half the edge of the cube that is warped."""
_EDGE_MM = 3.0
_BLUR_MM = 1.5
_MESH = 3
"""Elements of the spline along each axis: knots 40 mm apart."""
_SAMPLED = 0.1
_STEPS = 20
_FIELD_MM = 4.0
_RIM_MM = 16.0
"""Over this width the warp fades to nothing at the edge of its cube."""
_LARGEST_MM = 15.0
_LEAST_JACOBIAN = 0.2
_INVERSE_ROUNDS = 60
_INVERSE_MM = 0.01


@dataclass(frozen=True)
class LocalWarp:
    """``point in the moving scan = body(point + warp(point))``: bent within one cube."""

    body: Alignment
    """The alignment that the warp lies upon: the body's, shifted for this place."""
    origin_lps_mm: PointLps
    edges_mm: PointLps
    """Lowest corner and edges of the cube, which lies along the patient's axes."""
    coefficients: tuple[float, ...] = ()
    """Of the cubic B-spline over 3 x 3 x 3 elements, as ITK orders them; none: nothing is bent."""
    similarity: float | None = None
    """Squared correlation of the surroundings."""
    reason: str = ""
    """Why nothing is bent, where it is not."""

    def to_sitk(self) -> Any:
        """The whole map as `SimpleITK.CompositeTransform`, for resampling the moving scan onto the fixed grid."""
        if not self.coefficients:
            return self.body.to_sitk()
        field = sitk.DisplacementFieldTransform(sitk.Image(_field(self)))
        return sitk.CompositeTransform([self.body.to_sitk(), field])

    def apply(self, point_lps_mm: PointLps) -> PointLps:
        """The point of the moving scan that belongs to a point of the fixed one."""
        x, y, z = self.to_sitk().TransformPoint(point_lps_mm)
        return x, y, z

    def inverse_apply(self, point_lps_mm: PointLps) -> PointLps:
        """The point of the fixed scan that belongs to a point of the moving one, to 0.01 mm.

        Raises
        ------
        GeometryError
            If the search for it does not settle.
        """
        target = np.array(self.body.inverse_apply(point_lps_mm))
        if not self.coefficients:
            return _point(target)
        warp = sitk.DisplacementFieldTransform(sitk.Image(_field(self)))
        guess = target
        for _ in range(_INVERSE_ROUNDS):
            miss = target - np.array(warp.TransformPoint(guess.tolist()))
            if np.linalg.norm(miss) <= _INVERSE_MM:
                return _point(guess)
            guess = guess + miss
        raise GeometryError(f"the warp at {target.round(1).tolist()} mm (LPS) cannot be inverted to {_INVERSE_MM} mm")


def register_deformably(
    fixed: Volume, moving: Volume, start: Alignment, *, centre_lps_mm: PointLps, shift_radius_mm: float
) -> LocalWarp:
    """The alignment refined around one place: by a shift first, then by a smooth warp of a cube of 12 cm.

    Parameters
    ----------
    start
        Alignment of the body.
    centre_lps_mm
        Place in the fixed scan.
    shift_radius_mm
        Half the edge of the cube that is compared for the shift.

    Returns
    -------
    LocalWarp
        Without coefficients, and with the reason, where the warp does not make the surroundings more alike, moves a
        point by more than 15 mm, or squeezes or folds space (Jacobian below 0.2).
    """
    shifted = register_locally(fixed, moving, start, centre_lps_mm=centre_lps_mm, radius_mm=shift_radius_mm)
    part = cube(fixed, centre_lps_mm, REACH_MM)
    if part is None:
        return _unbent(shifted, centre_lps_mm, "the place lies at the edge of the scan")
    with one_thread():
        images = tuple(sitk.DiscreteGaussian(isotropic(one, _EDGE_MM), _BLUR_MM**2) for one in (part, moving))
        low, high = part.geometry.bounds_lps_mm()
        domain = LocalWarp(shifted, _point(low), _point(high - low))
        try:
            coefficients = _optimised(images, domain)
        except RuntimeError:  # a uniform cube, or too little of the other scan
            return _unbent(shifted, centre_lps_mm, "there is nothing around the place to go by")
        warped = replace(domain, coefficients=coefficients)
        before, after = (_alikeness(images, one.to_sitk()) for one in (shifted, warped))
    if because := _implausible(warped) or ("" if after > before else "the warp does not make it more alike"):
        return replace(domain, similarity=before, reason=because)
    return replace(warped, similarity=after)


def _optimised(images: tuple[Any, ...], domain: LocalWarp) -> tuple[float, ...]:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(_SAMPLED, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetMovingInitialTransform(domain.body.to_sitk())
    spline = _spline(domain)
    method.SetInitialTransform(spline, inPlace=True)
    # one fixed mesh: ITK's scale factors and this optimiser do not go together
    method.SetOptimizerAsLBFGSB(
        gradientConvergenceTolerance=1e-5, numberOfIterations=_STEPS, maximumNumberOfFunctionEvaluations=4 * _STEPS
    )
    method.Execute(*images)
    return tuple(float(value) for value in spline.GetParameters())


def _spline(warp: LocalWarp) -> Any:
    spline = sitk.BSplineTransform(3, 3)
    spline.SetTransformDomainMeshSize([_MESH] * 3)
    spline.SetTransformDomainOrigin(warp.origin_lps_mm)
    spline.SetTransformDomainPhysicalDimensions(warp.edges_mm)
    if warp.coefficients:
        spline.SetParameters(warp.coefficients)
    return spline


@lru_cache(maxsize=64)
def _field(warp: LocalWarp) -> Any:
    """Displacements (mm) on a grid of about 4 mm, fading to nothing at the edge of the cube."""
    size = [int(np.ceil(edge / _FIELD_MM)) + 1 for edge in warp.edges_mm]
    spacing = [edge / (n - 1) for edge, n in zip(warp.edges_mm, size, strict=True)]
    raw = sitk.TransformToDisplacementField(
        _spline(warp), sitk.sitkVectorFloat64, size, warp.origin_lps_mm, spacing, np.eye(3).ravel().tolist()
    )
    fades = []
    for n, step in zip(size, spacing, strict=True):
        depth_mm = np.minimum(np.arange(n), np.arange(n)[::-1]) * step
        fades.append(np.sin(np.pi / 2 * np.clip(depth_mm / _RIM_MM, 0.0, 1.0)) ** 2)
    x, y, z = fades
    weight = z[:, None, None] * y[None, :, None] * x[None, None, :]
    field = sitk.GetImageFromArray(sitk.GetArrayFromImage(raw) * weight[..., None], isVector=True)
    field.CopyInformation(raw)
    return field


def _alikeness(images: tuple[Any, ...], transform: Any) -> float:
    """Squared correlation; -1 where it is undefined."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetMovingInitialTransform(transform)
    method.SetInitialTransform(sitk.TranslationTransform(3), inPlace=False)
    try:
        return -float(method.MetricEvaluate(*images))
    except RuntimeError:
        return -1.0


def _implausible(warp: LocalWarp) -> str:
    field = _field(warp)
    farthest_mm = float(np.linalg.norm(sitk.GetArrayViewFromImage(field), axis=-1).max())
    if farthest_mm > _LARGEST_MM:
        return f"the warp would move a point by {farthest_mm:.1f} mm (at most {_LARGEST_MM:.0f})"
    jacobian = float(_jacobians(field).min())
    if jacobian < _LEAST_JACOBIAN:
        return f"the warp would squeeze a place to {jacobian:.2f} of its volume (at least {_LEAST_JACOBIAN})"
    return ""


def _jacobians(field: Any) -> FloatArray:
    """What becomes of a small volume at each point of a field of displacements."""
    displacement = sitk.GetArrayViewFromImage(field)
    slopes = np.gradient(displacement, *reversed(field.GetSpacing()), axis=(2, 1, 0)[::-1])
    gradient = np.stack(slopes[::-1], axis=-1)  # (..., component, axis x y z)
    determinants: FloatArray = np.linalg.det(gradient + np.eye(3))
    return determinants


def _unbent(body: Alignment, centre_lps_mm: PointLps, because: str) -> LocalWarp:
    return LocalWarp(body, centre_lps_mm, (0.0, 0.0, 0.0), similarity=body.similarity, reason=because)


def _point(values: FloatArray) -> PointLps:
    x, y, z = (float(value) for value in values)
    return x, y, z
