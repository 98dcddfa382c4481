"""Lesions that never were: one body each, of about the asked size, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from trialimg.imaging.synthetic_lesion import blended, coverage_of, drawn_solid, smooth_noise, turned_about
from trialimg.imaging.synthetic_scene import Look, SceneSettings, in_slices, scene_on

SHAPE = (40, 44, 48)
CENTRE = (20.0, 21.0, 24.0)


def settings(look: Look, *, slice_mm: float = 1.0) -> SceneSettings:
    return SceneSettings(look, (1.0, 1.0, 1.0), CENTRE, (8.0, 9.0, 10.0), np.eye(3), slice_mm)


@pytest.mark.parametrize("seed", range(12))
def test_a_solid_is_one_body_of_about_its_ellipsoid_s_volume(seed: int) -> None:
    random = np.random.default_rng(seed)
    semi = (7.0, 8.0, 11.0)
    solid = drawn_solid(random, SHAPE, CENTRE, semi, rotation=turned_about(random, 0.5))
    _, count = ndimage.label(solid.region, np.ones((3, 3, 3)))
    assert count == 1
    assert solid.region[20, 21, 24]
    assert 0.45 < solid.region.sum() / (4 / 3 * np.pi * np.prod(semi)) < 2.2  # lobes and boxy corners


def test_axes_are_counted_in_the_voxel_s_unit() -> None:
    """A ball in mm is flat in voxels where the slices are thick."""
    random = np.random.default_rng(2)
    solid = drawn_solid(random, SHAPE, CENTRE, (9.0, 9.0, 9.0), rotation=np.eye(3), voxel=(3.0, 1.0, 1.0))
    k, j, i = (np.ptp(index) + 1 for index in np.nonzero(solid.region))
    assert k < 0.6 * min(i, j)


def test_a_turn_keeps_lengths_and_stays_in_the_slice_without_a_tilt() -> None:
    turn = turned_about(np.random.default_rng(3), 0.0)
    assert turn @ turn.T == pytest.approx(np.eye(3))
    assert turn[0] == pytest.approx([1.0, 0.0, 0.0])


@pytest.mark.parametrize("grain", [1.5, 4.0, 12.0])
def test_noise_has_mean_0_and_deviation_1_and_coarser_grain_is_smoother(grain: float) -> None:
    noise = smooth_noise(np.random.default_rng(1), SHAPE, grain)
    assert noise.shape == SHAPE
    assert float(noise.mean()) == pytest.approx(0, abs=1e-4)
    assert float(noise.std()) == pytest.approx(1, abs=1e-4)
    assert np.abs(np.diff(noise, axis=1)).mean() < 2.5 / grain


def test_blur_moves_a_body_s_edge_but_keeps_its_substance() -> None:
    random = np.random.default_rng(5)
    solid = drawn_solid(random, SHAPE, CENTRE, (9.0, 9.0, 9.0), rotation=np.eye(3))
    share = coverage_of(solid, 9.0, (1.5, 1.5, 1.5))
    assert share.min() >= 0
    assert share.max() <= 1 + 1e-6
    assert share.sum() == pytest.approx(solid.region.sum(), rel=0.1)


def test_blending_reaches_the_value_where_the_body_fills_a_voxel() -> None:
    background = np.full((1, 1, 3), -800.0, np.float32)
    share = np.array([[[0.0, 0.5, 1.0]]], np.float32)
    assert blended(background, share, 40.0).tolist() == [[[-800.0, -380.0, 40.0]]]


@pytest.mark.parametrize("look", Look)
def test_a_scene_is_the_same_for_the_same_seed_and_its_lesion_can_be_seen(look: Look) -> None:
    background = np.full(SHAPE, 40.0, np.float32)
    first, second = (scene_on(np.random.default_rng(9), background, settings(look)) for _ in range(2))
    assert np.array_equal(first.values, second.values)
    assert np.array_equal(first.region, second.region)
    other = scene_on(np.random.default_rng(10), background, settings(look))
    assert not np.array_equal(first.region, other.region)
    inside = np.median(first.values[ndimage.binary_erosion(first.region, iterations=2)])
    near = ndimage.binary_dilation(first.region, iterations=6) & ~ndimage.binary_dilation(first.region, iterations=3)
    assert abs(inside - np.median(first.values[near])) > 0


def test_uptake_is_never_negative() -> None:
    scene = scene_on(np.random.default_rng(4), np.full(SHAPE, -900.0, np.float32), settings(Look.PET))
    assert scene.values.min() >= 0


def test_thick_slices_blur_along_the_stack_alone() -> None:
    values = np.zeros((20, 6, 6), np.float32)
    values[10] = 1.0
    thick = in_slices(values, 4.0, offset=2.0)
    assert thick[10].max() < 0.5
    assert thick[7:14].sum() == pytest.approx(values.sum(), rel=0.25)
    assert in_slices(np.full((20, 3, 3), 7.0, np.float32), 4.0, offset=1.0) == pytest.approx(7.0)
    assert np.ptp(thick, axis=(1, 2)).max() == 0
