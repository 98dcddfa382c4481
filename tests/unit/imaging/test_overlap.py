"""How alike two masks are: against shapes that can be worked out by hand, MONAI and SimpleITK."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from monai.metrics import compute_dice, compute_hausdorff_distance, compute_surface_dice
from scipy import ndimage

from trialimg.core.errors import GeometryError
from trialimg.imaging.overlap import BOTH_EMPTY, ONE_EMPTY, dice, overlap
from trialimg.volume import Geometry, Mask

GRID = Geometry((40, 36, 20), (0.8, 0.8, 2.5), (3.0, -7.0, 40.0))


def block(low: tuple[int, int, int], high: tuple[int, int, int], grid: Geometry = GRID) -> Mask:
    """A box of voxels, indices (i, j, k), the last ones excluded."""
    array = np.zeros(grid.shape, np.uint8)
    array[low[2] : high[2], low[1] : high[1], low[0] : high[0]] = 1
    return Mask(array, grid)


def blob(seed: int) -> Mask:
    """A random smooth region, in several parts and up to the border for some seeds."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=GRID.shape), (1.2, 3, 3))
    return Mask((noise > np.quantile(noise, 0.9)).astype(np.uint8), GRID)


NOTHING = Mask(np.zeros(GRID.shape, np.uint8), GRID)
BOX = block((5, 5, 5), (15, 15, 10))


class TestByHand:
    def test_a_mask_is_its_own_twin(self):
        found = overlap(BOX, BOX)
        assert (found.dice, found.surface_dice, found.hd95_mm, found.volume_error_pct) == (1.0, 1.0, 0.0, 0.0)
        assert (found.false_positive_ml, found.false_negative_ml, found.undefined) == (0.0, 0.0, {})

    def test_a_box_moved_by_two_columns(self):
        moved = block((7, 5, 5), (17, 15, 10))
        found = overlap(moved, BOX, tolerance_mm=2.0)
        assert found.dice == pytest.approx(0.8)
        assert found.false_positive_ml == pytest.approx(2 * 10 * 5 * 0.8 * 0.8 * 2.5 / 1000)
        assert found.false_negative_ml == found.false_positive_ml
        assert found.hd95_mm == pytest.approx(1.6)
        assert found.surface_dice == 1.0  # 1.6 mm apart, 2 mm let pass
        assert overlap(moved, BOX, tolerance_mm=1.5).surface_dice < 1.0

    def test_half_the_box_has_half_its_volume(self):
        found = overlap(block((5, 5, 5), (10, 15, 10)), BOX)
        assert found.volume_error_pct == -50.0
        assert found.false_positive_ml == 0.0

    def test_labels_count_as_what_is_not_background(self):
        assert dice(Mask(BOX.array * 3, GRID), BOX) == 1.0


class TestWhatHasNoValue:
    def test_nothing_against_nothing_has_no_value_but_a_reason(self):
        found = overlap(NOTHING, NOTHING)
        assert (found.dice, found.surface_dice, found.hd95_mm, found.volume_error_pct) == (None,) * 4
        assert set(found.undefined.values()) == {BOTH_EMPTY}
        assert dice(NOTHING, NOTHING) is None

    def test_a_lesion_that_was_not_found_is_a_dice_of_0_and_has_no_distance(self):
        found = overlap(NOTHING, BOX)
        assert (found.dice, found.surface_dice, found.hd95_mm, found.volume_error_pct) == (0.0, 0.0, None, -100.0)
        assert found.undefined == {"hd95_mm": ONE_EMPTY}

    def test_a_lesion_that_does_not_exist_has_no_volume_to_be_off_from(self):
        found = overlap(BOX, NOTHING)
        assert (found.dice, found.hd95_mm, found.volume_error_pct) == (0.0, None, None)
        assert set(found.undefined) == {"hd95_mm", "volume_error_pct"}

    def test_masks_on_different_grids_are_refused(self):
        elsewhere = Mask(BOX.array, Geometry(GRID.size, GRID.spacing_mm, (0.0, 0.0, 0.0)))
        with pytest.raises(GeometryError, match="different grids"):
            overlap(BOX, elsewhere)


@pytest.mark.parametrize("seed", range(6))
class TestAgainstOthers:
    def test_as_monai(self, seed):
        ours = overlap(blob(seed), blob(seed + 100), tolerance_mm=2.0)
        one_hot = [
            torch.from_numpy(np.stack([mask.array == 0, mask.array == 1]))[None]
            for mask in (blob(seed), blob(seed + 100))
        ]
        spacing = GRID.spacing_mm[::-1]
        assert ours.dice == pytest.approx(float(compute_dice(*one_hot, include_background=False)), abs=1e-6)
        theirs = compute_hausdorff_distance(*one_hot, percentile=95, spacing=spacing)
        assert ours.hd95_mm == pytest.approx(float(theirs), abs=1e-4)
        near = compute_surface_dice(*one_hot, class_thresholds=[2.0], spacing=spacing)
        assert ours.surface_dice == pytest.approx(float(near), abs=1e-6)

    def test_as_simpleitk(self, seed):
        found, truth = blob(seed), blob(seed + 100)
        ours = overlap(found, truth)
        measures = sitk.LabelOverlapMeasuresImageFilter()
        measures.Execute(found.to_sitk(), truth.to_sitk())
        assert ours.dice == pytest.approx(measures.GetDiceCoefficient())
        true_ml = np.count_nonzero(truth.array) * GRID.voxel_volume_mm3 / 1000
        assert ours.false_negative_ml / true_ml == pytest.approx(measures.GetFalseNegativeError())
        found_ml = np.count_nonzero(found.array) * GRID.voxel_volume_mm3 / 1000
        assert ours.false_positive_ml / found_ml == pytest.approx(measures.GetFalseDiscoveryRate())
        distance = sitk.HausdorffDistanceImageFilter()
        distance.Execute(found.to_sitk(), truth.to_sitk())
        assert 0 < ours.hd95_mm <= distance.GetHausdorffDistance() + 1e-6
