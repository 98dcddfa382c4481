"""One lesion in a later scan, where it is known what became of it."""

from __future__ import annotations

import numpy as np
import pytest

from trialimg.adapters.segmenters.classical import ClassicalSegmenter
from trialimg.imaging.measure import measure_fragments
from trialimg.volume import Geometry, Mask, Unit, Volume

GRID = Geometry((44, 44, 16), (2.0, 2.0, 5.0), (-43.0, -43.0, -37.5))
LUNG, LIVER = (-850.0, 40.0, 15.0), (110.0, 50.0, 12.0)
"""Surroundings, lesion, and noise, in HU."""
TISSUES = pytest.mark.parametrize("tissue", [LUNG, LIVER], ids=["lung", "liver"])

Ball = tuple[tuple[float, float, float], float]
CENTRE = (0.0, 0.0, 0.0)


def share(*balls: Ball, wall_at_mm: float | None = None) -> np.ndarray:
    """How much of each voxel lies in one of some balls (centre LPS mm, diameter mm), or beyond a wall along x."""
    fine = 3
    k, j, i = np.meshgrid(*[(np.arange(n * fine) + 0.5) / fine - 0.5 for n in GRID.shape], indexing="ij")
    points = GRID.to_lps(np.stack([i, j, k], axis=-1))
    inside = np.zeros(points.shape[:3], bool)
    for centre, diameter in balls:
        inside |= np.linalg.norm(points - centre, axis=-1) <= diameter / 2
    if wall_at_mm is not None:
        inside |= points[..., 0] > wall_at_mm
    slices, rows, columns = GRID.shape
    return inside.reshape(slices, fine, rows, fine, columns, fine).mean(axis=(1, 3, 5))


def scan(tissue: tuple[float, float, float], filled: np.ndarray, seed: int) -> Volume:
    around, lesion, noise = tissue
    hu = around + (lesion - around) * filled + np.random.default_rng(seed).normal(0, noise, filled.shape)
    return Volume(hu.astype(np.float32), GRID, "CT", Unit.HU)


def followed(tissue, before: Ball, *after: Ball, wall_at_mm=None, wall_before_mm=None) -> tuple[Mask, list[float]]:
    """What is found of a lesion that was one ball and is others now; the parts' long axes, largest part first."""
    was = share(before)
    earlier = scan(tissue, np.maximum(was, share(wall_at_mm=wall_before_mm)), 1)
    later = scan(tissue, share(*after, wall_at_mm=wall_at_mm), 2)
    found = ClassicalSegmenter().follow(later, earlier, Mask((was >= 0.5).astype(np.uint8), GRID))
    parts = () if found.is_empty else measure_fragments(found)
    return found, [part.long_axis_mm for part in parts]


@TISSUES
@pytest.mark.parametrize("diameter", [12.0, 18.0, 30.0, 40.0], ids=lambda d: f"{d:g} mm")
def test_a_lesion_of_24_mm_is_measured_at_its_new_size(tissue, diameter):
    _, axes = followed(tissue, (CENTRE, 24.0), (CENTRE, diameter))
    assert axes == [pytest.approx(diameter, abs=2.0)]  # one pixel


@TISSUES
def test_a_lesion_that_moved_5_mm_is_found_there(tissue):
    found, axes = followed(tissue, (CENTRE, 20.0), ((4.0, -3.0, 0.0), 20.0))
    assert axes == [pytest.approx(20.0, abs=2.0)]
    k, j, i = np.nonzero(found.array)
    assert GRID.to_lps(np.mean([i, j, k], axis=1)) == pytest.approx((4.0, -3.0, 0.0), abs=1.5)


@TISSUES
@pytest.mark.parametrize("diameter", [8.0, 14.0, 30.0], ids=lambda d: f"{d:g} mm")
def test_a_lesion_that_is_gone_is_not_found_in_the_noise(tissue, diameter):
    found, _ = followed(tissue, (CENTRE, diameter))
    assert found.is_empty


def test_a_vessel_beside_the_place_of_a_lesion_that_is_gone_is_not_the_lesion():
    found, _ = followed(LUNG, (CENTRE, 14.0), ((14.0, 0.0, 0.0), 5.0))
    assert found.is_empty


@TISSUES
def test_a_lesion_that_split_is_found_in_two_parts(tissue):
    _, axes = followed(tissue, (CENTRE, 36.0), ((-11.0, 0.0, 0.0), 14.0), ((11.0, 0.0, 0.0), 14.0))
    assert axes == [pytest.approx(14.0, abs=2.0), pytest.approx(14.0, abs=2.0)]


def test_a_spot_of_4_mm_that_blurs_away_to_a_third_of_its_contrast_is_still_seen():
    _, axes = followed(LUNG, (CENTRE, 20.0), (CENTRE, 4.0))
    assert len(axes) == 1
    assert axes[0] < 8.0


def test_a_lesion_of_one_slice_that_lies_in_the_next_one_is_found():
    found, axes = followed(LUNG, ((0.0, 0.0, 2.5), 7.0), ((0.0, 0.0, -2.5), 7.0))
    assert len(axes) == 1
    assert not found.is_empty


def test_a_lesion_that_shrinks_away_from_the_chest_wall_does_not_take_the_wall_along():
    _, axes = followed(LUNG, (CENTRE, 30.0), (CENTRE, 20.0), wall_at_mm=16.0, wall_before_mm=16.0)
    assert axes == [pytest.approx(20.0, abs=2.0)]


def test_a_wall_seen_through_a_misalignment_of_4_mm_is_no_fragment():
    _, axes = followed(LUNG, (CENTRE, 30.0), (CENTRE, 16.0), wall_at_mm=12.0, wall_before_mm=16.0)
    assert axes == [pytest.approx(16.0, abs=2.0)]
