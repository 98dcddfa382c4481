"""A lesion's volume, and how it fills voxels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trialimg.imaging.phantom_lesion import Bump, LesionShape, LesionSolid

UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
AXES = (np.arange(-40, 40, 2.25), np.arange(-40, 40, 2.25), np.arange(-40, 40, 5.0))
VOXEL_ML = 2.25 * 2.25 * 5.0 / 1000


def test_volume_of_an_ellipsoid_is_that_of_the_formula():
    solid = LesionSolid(LesionShape((1.5, 1.0, 0.8), UPRIGHT), (0.0, 0.0, 0.0), 10.0, 40.0)
    assert solid.volume_ml == pytest.approx(4 / 3 * math.pi * 15 * 10 * 8 / 1000, rel=1e-6)


@pytest.mark.parametrize(
    "bumps", [(), (Bump((0.6, 0.8, 0.0), 0.08, 3), Bump((0.0, 0.6, 0.8), 0.06, 5), Bump((1.0, 0.0, 0.0), 0.05, 2))]
)
@pytest.mark.parametrize("scale_mm", [4.0, 11.0, 20.0])
def test_painted_excess_adds_up_to_the_true_volume(bumps, scale_mm):
    solid = LesionSolid(LesionShape((1.0, 0.8, 0.9), UPRIGHT, bumps), (0.7, -1.1, 1.9), scale_mm, 40.0)
    image = np.full((16, 36, 36), -860.0)
    solid.paint(image, AXES)
    filled_ml = ((image + 860.0) / 900.0).sum() * VOXEL_ML
    # 80 samples a voxel; the smallest lesion has about 20 voxels
    assert filled_ml == pytest.approx(solid.volume_ml, rel=0.02 if scale_mm < 5 else 0.005)


def test_voxel_in_the_middle_has_the_full_density_and_one_outside_keeps_its_own():
    solid = LesionSolid(LesionShape((1.0, 1.0, 1.0), UPRIGHT), (0.0, 0.0, 0.0), 20.0, 45.0, core_hu=-15.0)
    image = np.full((16, 36, 36), 100.0)
    solid.paint(image, AXES)
    middle = tuple(int(np.argmin(np.abs(axis))) for axis in reversed(AXES))
    assert image[middle] == pytest.approx(30.0, abs=0.5)
    assert image[0, 0, 0] == 100.0


def test_lesion_outside_of_the_image_changes_nothing():
    image = np.zeros((16, 36, 36))
    LesionSolid(LesionShape((1.0, 1.0, 1.0), UPRIGHT), (500.0, 0.0, 0.0), 20.0, 45.0).paint(image, AXES)
    assert not image.any()


def test_nothing_of_a_lesion_lies_beyond_its_reach():
    shape = LesionShape((1.0, 0.7, 0.9), UPRIGHT, (Bump((0.6, 0.8, 0.0), 0.1, 3), Bump((0.0, 0.6, 0.8), 0.1, 5)))
    solid = LesionSolid(shape, (0.0, 0.0, 0.0), 10.0, 40.0)
    directions = np.random.default_rng(1).standard_normal((2000, 3))
    x, y, z = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).T * solid.reach_mm
    assert solid.distance_mm((x, y, z)).min() > 0
