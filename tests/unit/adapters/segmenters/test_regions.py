"""What is confined to a part of the array to save time answers as if it had looked at all of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.special import expit

from trialimg.adapters.segmenters.regions import distance_mm, filled, settle, without_branches

SPACING_MM = (2.5, 0.7, 0.9)


def everywhere(odds, smoothness, spacing_mm):
    """The mean field of every voxel in every round, as it is written down."""
    widths = min(spacing_mm[1:]) / np.asarray(spacing_mm)
    belief = expit(odds)
    for _ in range(12):
        around = ndimage.gaussian_filter(belief, widths, mode="nearest", truncate=3.0)
        belief = expit(odds + smoothness * (2 * around - 1))
    return belief > 0.5


def odds_of(seed, centre, *, noise=2.0, depth=8.0, shape=(14, 40, 36)):
    """A ball of good odds around a place, which may lie at the rim, amid noise."""
    places = np.indices(shape).transpose(1, 2, 3, 0) * SPACING_MM
    away = np.linalg.norm(places - np.asarray(centre), axis=-1)
    return depth * (1 - away / 8.0).clip(-4, 1) + np.random.default_rng(seed).normal(0, noise, shape)


@pytest.mark.parametrize("centre", [(17, 14, 16), (0, 0, 0), (35, 14, 32), (17, 27, 2)])
@pytest.mark.parametrize("depth", [8.0, 2.0, 0.3])
def test_the_rounds_are_those_of_the_whole_array(centre, depth):
    odds = odds_of(1, centre, depth=depth)
    found = settle(odds, 4.0, SPACING_MM)
    assert np.array_equal(found, everywhere(odds, 4.0, SPACING_MM))
    assert 0 < found.sum() < found.size


def test_odds_that_nothing_moves_stay_as_they_are():
    odds = np.full((4, 6, 6), -50.0)
    assert not settle(odds, 4.0, SPACING_MM).any()
    odds[1:3, 2:5, 2:5] = 60.0
    assert settle(odds, 4.0, SPACING_MM).sum() == 18


def with_a_vessel(*, at_rim: bool):
    """A ball with a thin rod on it, in the middle or cut by the edge of the image."""
    places = np.indices((16, 50, 50)).transpose(1, 2, 3, 0) * SPACING_MM
    centre = (2.0, 3.0, 20.0) if at_rim else (18.0, 17.0, 20.0)
    ball = np.linalg.norm(places - np.asarray(centre), axis=-1) < 9
    rod = np.linalg.norm((places - np.asarray(centre))[..., :2], axis=-1) < 1.3
    return ball | rod, ball


@pytest.mark.parametrize("at_rim", [False, True])
def test_thin_branches_go_as_they_would_in_the_whole_array(at_rim):
    region, ball = with_a_vessel(at_rim=at_rim)
    pixel_mm, radius_mm = min(SPACING_MM), 3.0
    thick = distance_mm(~region, SPACING_MM) - pixel_mm / 2 >= radius_mm
    expected = region & (distance_mm(thick, SPACING_MM) <= radius_mm + pixel_mm)
    found = without_branches(region, 2 * radius_mm, SPACING_MM)
    assert np.array_equal(found, expected)
    assert found.sum() < region.sum()
    assert (found & ball).sum() > 0.95 * ball.sum()
    assert not without_branches(np.zeros_like(region), 6.0, SPACING_MM).any()


def test_holes_are_closed_slice_by_slice_wherever_they_lie():
    region = np.zeros((3, 12, 12), bool)
    region[0, :6, :6], region[0, 2:4, 2:4] = True, False  # a hole, at the corner of the image
    region[1, 3:12, 3:12], region[1, 6:12, 6:8] = True, False  # open to the rim: no hole
    expected = region.copy()
    expected[0, 2:4, 2:4] = True
    assert np.array_equal(filled(region), expected)
    assert not filled(np.zeros_like(region)).any()
