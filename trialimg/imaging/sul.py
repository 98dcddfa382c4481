"""Uptake by lean body mass (SUL), and the peak of it in a lesion.

References
----------
Wahl RL et al. From RECIST to PERCIST. J Nucl Med 2009;50 Suppl 1:122S-150S. James WPT. Research on obesity. HMSO 1976.
Janmahasatian S et al. Quantification of lean bodyweight. Clin Pharmacokinet 2005;44:1051-1065.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import signal

from trialimg.core.errors import GeometryError
from trialimg.volume import Geometry, Mask, Unit, Volume

__all__ = ["SPHERE_1_ML_MM", "SPHERE_12_MM_MM", "LeanBody", "Peak", "Sex", "lean_mass_kg", "sul_factor", "sul_peak"]

FloatArray = npt.NDArray[np.float64]

SPHERE_12_MM_MM = 12.0
"""Diameter of the sphere of 0.905 mL."""
SPHERE_1_ML_MM = 2 * (3 * 1000 / (4 * math.pi)) ** (1 / 3)
"""Diameter of the sphere of 1 mL: 12.407 mm."""
_PARTS = 11
"""A voxel's share of a sphere is counted in so many parts along each axis."""


class Sex(Enum):
    """As in the formulas of lean body mass."""

    FEMALE = "F"
    MALE = "M"


class LeanBody(Enum):
    """Whose formula of lean body mass."""

    JAMES = "james"
    JANMAHASATIAN = "janmahasatian"


@dataclass(frozen=True)
class Peak:
    """The sphere of highest mean."""

    value: float
    """In the unit of the image."""
    centre_lps_mm: tuple[float, float, float]
    sphere_mm: float


def lean_mass_kg(formula: LeanBody, sex: Sex, *, weight_kg: float, height_m: float) -> float:
    """The lean body mass of a person.

    Raises
    ------
    GeometryError
        If weight or height are not above zero, or the formula leaves its range (James' falls with high weight).
    """
    if not (weight_kg > 0 and height_m > 0):
        raise GeometryError(f"lean body mass needs weight and height above 0, not {weight_kg} kg and {height_m} m")
    male = sex is Sex.MALE
    if formula is LeanBody.JAMES:
        linear, square = (1.10, 128.0) if male else (1.07, 148.0)
        lean_kg = linear * weight_kg - square * (weight_kg / (100 * height_m)) ** 2
    else:
        constant, slope = (6680.0, 216.0) if male else (8780.0, 244.0)
        lean_kg = 9270.0 * weight_kg / (constant + slope * weight_kg / height_m**2)
    if not 0 < lean_kg <= weight_kg:
        raise GeometryError(f"{formula.value}: no lean body mass for {weight_kg} kg at {height_m} m ({lean_kg:.1f} kg)")
    return lean_kg


def sul_factor(formula: LeanBody, sex: Sex, *, weight_kg: float, height_m: float) -> float:
    """By what SUV by body weight is multiplied to become SUL; errors as for `lean_mass_kg`."""
    return lean_mass_kg(formula, sex, weight_kg=weight_kg, height_m=height_m) / weight_kg


def sul_peak(volume: Volume, lesion: Mask, *, factor: float, sphere_mm: float = SPHERE_12_MM_MM) -> Peak:
    """The highest mean SUL in a sphere whose centre is a voxel of the lesion.

    Parameters
    ----------
    volume
        SUV by body weight.
    lesion
        On the grid of the image; the sphere may reach beyond it.
    factor
        As `sul_factor` gives it.
    sphere_mm
        Diameter of the sphere.

    Raises
    ------
    GeometryError
        If the image is no SUV, the grids differ, the lesion is empty, or the sphere leaves the image at every voxel of
        the lesion.

    Notes
    -----
    Voxels on the border of the sphere count by the share of their volume inside it. A sphere that leaves the image is
    no candidate: what lies outside is not known.
    """
    if volume.unit is not Unit.SUV_BW:
        raise GeometryError(f"SULpeak needs SUV by body weight, not {volume.unit.value}")
    if volume.geometry != lesion.geometry:
        raise GeometryError("SULpeak: image and lesion lie on different grids")
    if lesion.is_empty:
        raise GeometryError("SULpeak: the lesion is empty")
    weights = _sphere(volume.geometry, sphere_mm)
    low, high = _candidates(lesion, weights)
    values = np.asarray(volume.array, dtype=np.float64)[
        tuple(slice(a - n // 2, b + n // 2) for a, b, n in zip(low, high, weights.shape, strict=True))
    ]
    means = signal.convolve(values, weights / weights.sum(), mode="valid", method="direct")
    inside = lesion.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] > 0
    if not inside.any():
        raise GeometryError(f"SULpeak: a sphere of {sphere_mm:.1f} mm at any voxel of the lesion leaves the image")
    means = np.where(inside, means, -np.inf)
    k, j, i = (int(n) for n in np.unravel_index(int(means.argmax()), means.shape))
    at = (i + low[2], j + low[1], k + low[0])
    centre = volume.geometry.matrix @ (np.array(at) * volume.geometry.spacing_mm) + volume.geometry.origin_lps_mm
    return Peak(float(means[k, j, i]) * factor, (float(centre[0]), float(centre[1]), float(centre[2])), sphere_mm)


def _sphere(geometry: Geometry, diameter_mm: float) -> FloatArray:
    """Share of each voxel around a voxel centre inside of the sphere, axes (k, j, i); odd along each."""
    spacing_mm = np.array(geometry.spacing_mm[::-1])
    radius_mm = diameter_mm / 2
    reach = [math.ceil(radius_mm / step - 0.5) for step in spacing_mm]
    part = (np.arange(_PARTS) - (_PARTS - 1) / 2) / _PARTS
    squares = [
        (((np.arange(-n, n + 1)[:, None] + part) * step) ** 2).ravel()
        for n, step in zip(reach, spacing_mm, strict=True)
    ]
    inside = squares[0][:, None, None] + squares[1][:, None] + squares[2] <= radius_mm**2
    blocks = inside.reshape([size for n in reach for size in (2 * n + 1, _PARTS)])
    return np.asarray(blocks.mean(axis=(1, 3, 5)), dtype=np.float64)


def _candidates(lesion: Mask, weights: FloatArray) -> tuple[list[int], list[int]]:
    """The part of the image, [low, high) along (k, j, i), in which spheres at voxels of the lesion may be centred."""
    where = np.nonzero(lesion.array)
    margins = [n // 2 for n in weights.shape]
    low = [max(int(at.min()), margin) for at, margin in zip(where, margins, strict=True)]
    high = [
        min(int(at.max()) + 1, size - margin)
        for at, margin, size in zip(where, margins, lesion.array.shape, strict=True)
    ]
    if any(b <= a for a, b in zip(low, high, strict=True)):
        raise GeometryError("SULpeak: a sphere at any voxel of the lesion leaves the image")
    return low, high
