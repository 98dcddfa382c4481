"""SUL and its peak, against answers worked out by hand or by geometry."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from trialimg.core.errors import GeometryError
from trialimg.imaging.sul import (
    SPHERE_1_ML_MM,
    SPHERE_12_MM_MM,
    LeanBody,
    Sex,
    lean_mass_kg,
    sul_factor,
    sul_peak,
)
from trialimg.volume import Geometry, Mask, Unit, Volume

FloatArray = npt.NDArray[np.float64]
SPACING_MM = (2.0, 2.0, 3.0)
GRID = Geometry((41, 41, 31), SPACING_MM, (-40.0, -40.0, -45.0))


def distances_mm(geometry: Geometry, centre_mm: tuple[float, float, float]) -> FloatArray:
    """From the centre of every voxel to a point, axes (k, j, i); the direction of the grid is the identity."""
    axes = [
        origin + step * np.arange(n) - at
        for n, step, origin, at in zip(
            geometry.size, geometry.spacing_mm, geometry.origin_lps_mm, centre_mm, strict=True
        )
    ]
    return np.sqrt(axes[2][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[0] ** 2)


def image(values: FloatArray, geometry: Geometry = GRID) -> Volume:
    return Volume(values, geometry, "PT", Unit.SUV_BW)


def everywhere(geometry: Geometry = GRID) -> Mask:
    return Mask(np.ones(geometry.shape, np.uint8), geometry)


def test_the_spheres_hold_what_their_names_say() -> None:
    assert math.pi * SPHERE_12_MM_MM**3 / 6000 == pytest.approx(0.905, abs=5e-4)  # mL
    assert math.pi * SPHERE_1_ML_MM**3 / 6000 == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("formula", "sex", "weight_kg", "height_m", "lean_kg"),
    [
        (LeanBody.JAMES, Sex.MALE, 80.0, 1.80, 1.10 * 80 - 128 * (80 / 180) ** 2),
        (LeanBody.JAMES, Sex.FEMALE, 60.0, 1.65, 1.07 * 60 - 148 * (60 / 165) ** 2),
        (LeanBody.JANMAHASATIAN, Sex.MALE, 81.0, 1.80, 9270 * 81 / (6680 + 216 * 25)),
        (LeanBody.JANMAHASATIAN, Sex.FEMALE, 64.0, 1.60, 9270 * 64 / (8780 + 244 * 25)),
    ],
)
def test_lean_body_mass(formula: LeanBody, sex: Sex, weight_kg: float, height_m: float, lean_kg: float) -> None:
    assert lean_mass_kg(formula, sex, weight_kg=weight_kg, height_m=height_m) == pytest.approx(lean_kg)
    assert sul_factor(formula, sex, weight_kg=weight_kg, height_m=height_m) == pytest.approx(lean_kg / weight_kg)


def test_a_formula_out_of_its_range_is_refused() -> None:
    with pytest.raises(GeometryError, match="james"):
        lean_mass_kg(LeanBody.JAMES, Sex.FEMALE, weight_kg=250, height_m=1.5)
    with pytest.raises(GeometryError, match="above 0"):
        lean_mass_kg(LeanBody.JANMAHASATIAN, Sex.MALE, weight_kg=80, height_m=0)


def test_uniform_uptake_is_its_own_peak_by_lean_mass() -> None:
    peak = sul_peak(image(np.full(GRID.shape, 4.0)), everywhere(), factor=0.75)
    assert peak.value == pytest.approx(3.0)


@pytest.mark.parametrize("sphere_mm", [SPHERE_12_MM_MM, SPHERE_1_ML_MM])
def test_the_mean_over_a_cone_of_uptake_is_that_of_the_integral(sphere_mm: float) -> None:
    """Uptake 10 - r/mm around a voxel centre: the mean distance from the centre of a ball is 3/4 of its radius."""
    grid = Geometry((25, 25, 25), (1.0, 1.0, 1.0), (-12.0, -12.0, -12.0))
    cone = 10.0 - distances_mm(grid, (0.0, 0.0, 0.0))
    peak = sul_peak(image(cone, grid), everywhere(grid), factor=1.0, sphere_mm=sphere_mm)
    assert peak.value == pytest.approx(10 - 0.75 * sphere_mm / 2, abs=0.03)  # a voxel of 1 mm holds one value
    assert peak.centre_lps_mm == (0.0, 0.0, 0.0)


def test_a_lesion_smaller_than_the_sphere_is_diluted_by_its_share_of_the_volume() -> None:
    fine = Geometry((45, 45, 45), (0.5, 0.5, 0.5), (-11.0, -11.0, -11.0))
    ball = distances_mm(fine, (0.0, 0.0, 0.0)) <= 4.0
    peak = sul_peak(image(np.where(ball, 8.0, 0.0), fine), everywhere(fine), factor=1.0)
    painted_mm3, sphere_mm3 = ball.sum() * 0.5**3, math.pi * 12**3 / 6
    assert peak.value == pytest.approx(8 * painted_mm3 / sphere_mm3, rel=1e-3)  # a voxel's share in 11 parts


def test_the_hottest_voxel_need_not_be_the_middle_of_the_peak() -> None:
    """One voxel of 20 beside a block of 9: a single voxel is 12 of the sphere's 905 mm3, the block fills it."""
    values = np.zeros(GRID.shape)
    values[10:21, 10:21, 5:16] = 9.0
    values[15, 15, 35] = 20.0
    peak = sul_peak(image(values), everywhere(), factor=1.0)
    assert peak.value == pytest.approx(9.0)
    only_voxel = np.zeros(GRID.shape, np.uint8)
    only_voxel[15, 15, 35] = 1
    alone = sul_peak(image(values), Mask(only_voxel, GRID), factor=1.0)
    assert alone.value == pytest.approx(20 * 12 / 905, rel=0.01)


def test_a_sphere_that_leaves_the_image_is_no_candidate() -> None:
    values = np.zeros(GRID.shape)
    values[0, 0, 0] = 1000.0
    values[15, 20, 20] = 1.0
    peak = sul_peak(image(values), everywhere(), factor=1.0)
    assert peak.value < 1000 * 12 / 905 / 4
    corner = np.zeros(GRID.shape, np.uint8)
    corner[0, 0, 0] = 1
    with pytest.raises(GeometryError, match="leaves the image"):
        sul_peak(image(values), Mask(corner, GRID), factor=1.0)


def test_what_is_no_suv_on_one_grid_or_empty_is_refused() -> None:
    values = np.zeros(GRID.shape)
    with pytest.raises(GeometryError, match="SUV by body weight"):
        sul_peak(Volume(values, GRID, "CT", Unit.HU), everywhere(), factor=1.0)
    with pytest.raises(GeometryError, match="empty"):
        sul_peak(image(values), Mask(np.zeros(GRID.shape, np.uint8), GRID), factor=1.0)
    other = Geometry((41, 41, 31), (2.0, 2.0, 3.1), (-40.0, -40.0, -45.0))
    with pytest.raises(GeometryError, match="different grids"):
        sul_peak(image(values), everywhere(other), factor=1.0)
