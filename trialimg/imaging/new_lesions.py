"""Places in a later scan that were not there before: offered to a reader with a score, never counted by themselves.

References
----------
Thirion JP, Image matching as a diffusion process: an analogy with Maxwell's demons, Med Image Anal 1998.
Rey D et al., Automatic detection and segmentation of evolving processes in 3D medical images: application to multiple
sclerosis, Med Image Anal 2002 (change between two scans after registration).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from trialimg.core.prompts import PointLps
from trialimg.imaging.register import Alignment
from trialimg.imaging.register_images import isotropic, one_thread, outside_value
from trialimg.volume import Mask, Unit, Volume

__all__ = ["VERSION", "Candidate", "CandidateSettings", "candidate_score", "new_lesion_candidates"]

VERSION = "2"
"""Changes whenever the same scans may give other candidates."""

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_EDGE_MM = 2.5
_BLUR_VOXELS = 0.8
_BALL = np.ones((3, 3, 3))
_AIR_HU = -300.0
_SOFT_HU = (-200.0, 250.0)
_BENT_MM = 4.0
_BENT_ROUNDS = 40
_BENT_SMOOTH_VOXELS = 2.0

_INTERCEPT, _CONTRAST, _SIZE, _COMPACT = -31.2, 2.37, 7.38, 9.01
"""Weights of the score; see `candidate_score`. `python tests/benchmarks/bench_new_lesions.py` fits and tests them."""


@dataclass(frozen=True)
class CandidateSettings:
    """What may be a new lesion."""

    registration_error_mm: float = 2.5
    """A value that the earlier scan shows within this distance is no news."""
    least_sds: float = 4.0
    """How far a voxel stands out, in standard deviations of the two scans' difference."""
    least_mm: float = 5.0
    largest_mm: float = 80.0
    apart_mm: float = 6.0
    """Nothing within this distance of a known lesion is new."""
    most: int = 10
    """How many candidates are offered at most, the best first."""


@dataclass(frozen=True)
class Candidate:
    """A place to look at, and the numbers that its score rests on."""

    centre_lps_mm: PointLps
    score: float
    diameter_mm: float
    """Of the ball with the same volume."""
    contrast_sds: float
    """Mean residual, in standard deviations of the two scans' difference."""
    compactness: float
    """Volume over that of the ball around its longest extent: 1 for a ball, near 0 for a sheet or a thread."""
    is_brighter: bool


def candidate_score(*, contrast_sds: float, diameter_mm: float, compactness: float) -> float:
    """How often such a blob is a new lesion rather than anatomy that did not fit, from 0 to 1.

    Notes
    -----
    Logistic: ``-31.2 + 2.37 ln(contrast) + 7.38 ln(diameter) + 9.01 compactness``, diameter in mm. The weights were
    fitted to 369 places, 71 of them new, in 26 simulated follow-ups of 3 made-up bodies and 10 real CTs, such that
    every second follow-up has one new lesion. Where they are rarer, a score promises too much. What it was worth on
    other follow-ups stands in docs/explanation/tracking.md.
    """
    logit = _INTERCEPT + _CONTRAST * np.log(contrast_sds) + _SIZE * np.log(diameter_mm) + _COMPACT * compactness
    return float(1 / (1 + np.exp(-logit)))


def new_lesion_candidates(
    follow: Volume,
    baseline: Volume,
    alignment: Alignment,
    known: Sequence[Mask],
    *,
    settings: CandidateSettings | None = None,
) -> tuple[Candidate, ...]:
    """Compact places of the later scan that the earlier one does not explain, most likely first.

    Parameters
    ----------
    alignment
        From the later scan to the earlier one.
    known
        Lesions of the later scan, each on a grid of its own; nothing is proposed at or beside them.

    Notes
    -----
    The earlier scan is first bent to fit (demons, smoothed over 8 mm). A voxel's residual is what it then exceeds the
    brightest, or falls short of the darkest, value that the earlier scan has within the registration error: an edge
    that moved leaves none. It counts in standard deviations of the difference in quiet places, and in scans without HU
    after the earlier scan's values were scaled to the later one's.
    """
    settings = settings or CandidateSettings()
    with one_thread():
        later = isotropic(follow, _EDGE_MM)
        moved = sitk.Resample(
            isotropic(baseline, _EDGE_MM), later, alignment.to_sitk(), sitk.sitkLinear, outside_value(baseline)
        )
        ones = sitk.Resample(_ones_like(baseline), later, alignment.to_sitk(), sitk.sitkNearestNeighbor, 0)
        moved = moved if follow.unit is Unit.HU else _scaled(later, moved)
        allowed = (sitk.GetArrayFromImage(ones) > 0) & ~_near(known, later, settings)
        allowed &= _inside(later, follow.unit) & _inside(moved, follow.unit)
        if not allowed.any():
            return ()
        moved = _bent(later, moved, follow.unit)
    now, before = (sitk.GetArrayFromImage(image).astype(np.float64) for image in (later, moved))
    now, before = (ndimage.gaussian_filter(image, _BLUR_VOXELS) for image in (now, before))
    spread = _noise(now, before, allowed)
    reach = np.maximum(np.ceil(settings.registration_error_mm / np.array(later.GetSpacing())[::-1]), 1).astype(int)
    window = tuple((2 * reach + 1).tolist())
    found = []
    for sign, edge in ((1, ndimage.maximum_filter(before, window)), (-1, ndimage.minimum_filter(before, window))):
        found += _blobs(sign * (now - edge) / spread, allowed, later, settings, is_brighter=sign > 0)
    return tuple(sorted(found, key=lambda one: (-one.score, one.centre_lps_mm))[: settings.most])


def _blobs(
    residual: FloatArray, allowed: BoolArray, image: Any, settings: CandidateSettings, *, is_brighter: bool
) -> list[Candidate]:
    parts, _ = ndimage.label((residual > settings.least_sds) & allowed, _BALL)
    spacing = np.array(image.GetSpacing())
    found = []
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        inside = parts[box] == number
        voxels = np.argwhere(inside)
        volume_mm3 = len(voxels) * float(np.prod(spacing))
        diameter_mm = float(np.cbrt(6 * volume_mm3 / np.pi))
        extent_mm = float(np.linalg.norm((np.ptp(voxels, axis=0) + 1) * spacing[::-1])) / np.sqrt(3)
        if not settings.least_mm <= diameter_mm or extent_mm > settings.largest_mm:
            continue
        compactness = float(min(1.0, volume_mm3 / (np.pi / 6 * extent_mm**3)))
        contrast = float(residual[box][inside].mean())
        corner = np.array([part.start for part in box])
        index = (voxels.mean(axis=0) + corner)[::-1]
        x, y, z = image.TransformContinuousIndexToPhysicalPoint(index.tolist())
        score = candidate_score(contrast_sds=contrast, diameter_mm=diameter_mm, compactness=compactness)
        found.append(Candidate((x, y, z), score, diameter_mm, contrast, compactness, is_brighter))
    return found


def _bent(later: Any, moved: Any, unit: Unit) -> Any:
    """The earlier scan bent to fit the later one, smoothly enough for a lesion to stand out (Thirion's demons)."""
    grid = [round(n * s / _BENT_MM) + 1 for n, s in zip(later.GetSize(), later.GetSpacing(), strict=True)]
    coarse = sitk.Image(grid, sitk.sitkFloat32)
    coarse.SetSpacing([_BENT_MM] * 3)
    coarse.SetOrigin(later.GetOrigin())
    coarse.SetDirection(later.GetDirection())
    outside = _AIR_HU if unit is Unit.HU else 0.0
    pair = [sitk.Resample(image, coarse, sitk.Transform(), sitk.sitkLinear, outside) for image in (later, moved)]
    if unit is Unit.HU:
        pair = [sitk.Clamp(image, sitk.sitkFloat32, *_SOFT_HU) for image in pair]
    demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
    demons.SetNumberOfIterations(_BENT_ROUNDS)
    demons.SetSmoothDisplacementField(True)
    demons.SetStandardDeviations(_BENT_SMOOTH_VOXELS)
    field = sitk.Cast(demons.Execute(*pair), sitk.sitkVectorFloat64)
    outside = float(sitk.GetArrayViewFromImage(moved).min())
    return sitk.Resample(moved, later, sitk.DisplacementFieldTransform(field), sitk.sitkLinear, outside)


def _inside(image: Any, unit: Unit) -> BoolArray:
    """The body without its rim."""
    values = sitk.GetArrayViewFromImage(image)
    level = _AIR_HU if unit is Unit.HU else float(np.percentile(values, 50)) * 0.5
    tissue = ndimage.binary_opening(values > level, iterations=2)
    parts, count = ndimage.label(tissue)
    body = parts == (np.argmax(np.bincount(parts[tissue])) if count else -1)
    filled = np.stack([ndimage.binary_fill_holes(one) for one in body])
    deep: BoolArray = ndimage.binary_erosion(filled, iterations=3)
    return deep


def _near(known: Sequence[Mask], image: Any, settings: CandidateSettings) -> BoolArray:
    near = np.zeros(image.GetSize()[::-1], bool)
    for mask in known:
        region = sitk.Resample(mask.to_sitk(), image, sitk.Transform(), sitk.sitkLabelLinear, 0)
        near |= sitk.GetArrayFromImage(region) > 0
    if not near.any():
        return near
    away: BoolArray = ndimage.distance_transform_edt(~near, sampling=image.GetSpacing()[::-1]) <= settings.apart_mm
    return away


def _ones_like(volume: Volume) -> Any:
    ones = sitk.Image(volume.geometry.size, sitk.sitkUInt8) + 1
    ones.SetSpacing(volume.geometry.spacing_mm)
    ones.SetOrigin(volume.geometry.origin_lps_mm)
    ones.SetDirection(volume.geometry.direction)
    return ones


def _scaled(later: Any, moved: Any) -> Any:
    """The earlier values on the later scale, by least squares over what is not background."""
    now, before = (sitk.GetArrayViewFromImage(image) for image in (later, moved))
    shown = (now > 0) & (before > 0)
    if np.count_nonzero(shown) < 2:
        return moved
    slope, offset = np.polyfit(before[shown].astype(np.float64), now[shown].astype(np.float64), 1)
    return sitk.ShiftScale(moved, float(offset / slope), float(slope)) if slope > 0 else moved


def _noise(now: FloatArray, before: FloatArray, allowed: BoolArray) -> float:
    """Robust standard deviation of the difference in the quieter half of the body, where no edge may have moved."""
    slope = ndimage.gaussian_gradient_magnitude(before, 1.0)
    quiet = allowed & (slope <= np.median(slope[allowed]))
    difference = (now - before)[quiet]
    deviation = 1.4826 * float(np.median(np.abs(difference - np.median(difference))))
    return max(deviation, 1e-3 * float(np.ptp(now)), 1e-6)
