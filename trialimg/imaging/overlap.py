"""How alike two masks of one lesion are; what has no value says why it has none.

References
----------
Nikolov S et al. Clinically applicable segmentation of head and neck anatomy for radiotherapy. J Med Internet Res
2021;23:e26151 (surface Dice). Maier-Hein L et al. Metrics reloaded: recommendations for image analysis validation.
Nat Methods 2024;21:195 (what is undefined, 95 % Hausdorff distance).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.volume import Geometry, Mask

__all__ = ["BOTH_EMPTY", "ONE_EMPTY", "Overlap", "dice", "overlap"]

BOTH_EMPTY = "both masks are empty"
ONE_EMPTY = "one mask is empty: there is no surface to measure from"

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Overlap:
    """A found mask against the true one; a value that is None is named in ``undefined``, with the reason."""

    dice: float | None
    surface_dice: float | None
    """Share of both surfaces that lies within the tolerance of the other one."""
    hd95_mm: float | None
    """The larger of the two directed 95 % Hausdorff distances between the surfaces."""
    volume_error_pct: float | None
    """Found minus true volume, in per cent of the true one."""
    false_positive_ml: float
    false_negative_ml: float
    undefined: Mapping[str, str] = field(default_factory=dict)


def dice(found: Mask, truth: Mask) -> float | None:
    """Twice the common volume over the sum of both; None where both masks are empty.

    Raises
    ------
    GeometryError
        If the masks lie on different grids.
    """
    found.geometry.require_same(truth.geometry, "the found mask", "the true mask")
    return _dice(found.array > 0, truth.array > 0)


def overlap(found: Mask, truth: Mask, *, tolerance_mm: float = 2.0) -> Overlap:
    """Dice, surface Dice, Hausdorff distance and volumes of a found mask against the true one.

    Parameters
    ----------
    found, truth
        Whatever is not 0 belongs to the lesion.
    tolerance_mm
        How far apart two surfaces may lie and still be the same for the surface Dice.

    Raises
    ------
    GeometryError
        If the masks lie on different grids.

    Notes
    -----
    A surface is the set of a region's voxels that share a face with one outside of it, beyond the image included;
    distances are those between voxel centres. Where one of the masks is empty, Dice and surface Dice are 0.
    """
    found.geometry.require_same(truth.geometry, "the found mask", "the true mask")
    box = _box((found.array > 0) | (truth.array > 0))
    a, b = (_cut(mask.array > 0, box) for mask in (found, truth))
    undefined = dict(_undefined(a, b))
    voxel_ml = truth.geometry.voxel_volume_mm3 / 1000
    surface_dice, hd95_mm = _surfaces(a, b, truth.geometry, tolerance_mm)
    true_count, found_count = np.count_nonzero(b), np.count_nonzero(a)
    return Overlap(
        dice=_dice(a, b),
        surface_dice=surface_dice,
        hd95_mm=hd95_mm,
        volume_error_pct=100.0 * (found_count - true_count) / true_count if true_count else None,
        false_positive_ml=float(np.count_nonzero(a & ~b)) * voxel_ml,
        false_negative_ml=float(np.count_nonzero(b & ~a)) * voxel_ml,
        undefined=undefined,
    )


def _dice(a: BoolArray, b: BoolArray) -> float | None:
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2.0 * np.count_nonzero(a & b) / total if total else None


def _undefined(a: BoolArray, b: BoolArray) -> list[tuple[str, str]]:
    """Name and reason of each value that does not exist."""
    if not a.any() and not b.any():
        return [(name, BOTH_EMPTY) for name in ("dice", "surface_dice", "hd95_mm", "volume_error_pct")]
    if not b.any():
        return [("hd95_mm", ONE_EMPTY), ("volume_error_pct", "the true mask is empty")]
    return [] if a.any() else [("hd95_mm", ONE_EMPTY)]


def _surfaces(a: BoolArray, b: BoolArray, grid: Geometry, tolerance_mm: float) -> tuple[float | None, float | None]:
    """Surface Dice and 95 % Hausdorff distance in mm."""
    if not a.any() or not b.any():
        return (0.0 if a.any() or b.any() else None), None
    there, back = _distances_mm(a, b, grid), _distances_mm(b, a, grid)
    near = np.count_nonzero(there <= tolerance_mm) + np.count_nonzero(back <= tolerance_mm)
    farthest = max(float(np.percentile(there, 95)), float(np.percentile(back, 95)))
    return near / (len(there) + len(back)), farthest


def _distances_mm(of: BoolArray, to: BoolArray, grid: Geometry) -> FloatArray:
    """Distance of each surface voxel of one region from the surface of the other."""
    away: FloatArray = ndimage.distance_transform_edt(~_surface(to), sampling=grid.spacing_mm[::-1])
    distances: FloatArray = away[_surface(of)]
    return distances


def _surface(region: BoolArray) -> BoolArray:
    surface: BoolArray = region & ~ndimage.binary_erosion(region)
    return surface


def _box(region: BoolArray) -> tuple[slice, ...]:
    """The smallest box that holds a region; the whole of an empty one."""
    places = ndimage.find_objects(region.astype(np.uint8))
    return places[0] if places else tuple(slice(0, n) for n in region.shape)


def _cut(region: BoolArray, box: tuple[slice, ...]) -> BoolArray:
    """The part of a region in a box, with a rim of nothing around it."""
    return np.pad(region[box], 1)
