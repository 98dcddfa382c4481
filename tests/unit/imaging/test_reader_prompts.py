"""Prompts as a reader would give them."""

from __future__ import annotations

import numpy as np
import pytest

from trialimg.core.errors import GeometryError
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt
from trialimg.imaging.measure import measure
from trialimg.imaging.reader_prompts import PromptKind, ReaderHand, reader_prompt
from trialimg.volume import Geometry, Mask

TURN = np.radians(20)
DIRECTION = (np.cos(TURN), -np.sin(TURN), 0.0, np.sin(TURN), np.cos(TURN), 0.0, 0.0, 0.0, 1.0)
GRID = Geometry((60, 50, 24), (1.0, 1.0, 2.5), (-45.0, -30.0, 100.0), DIRECTION)
STEADY = ReaderHand(length_sd=0, least_sd_mm=0, click_depth=1)


def egg(grid: Geometry = GRID) -> Mask:
    k, j, i = np.indices(grid.shape)
    level = ((i - 30) / 14) ** 2 + ((j - 24) / 9) ** 2 + ((k - 12) / 5) ** 2
    return Mask((level <= 1).astype(np.uint8), grid)


def drawn(kind: PromptKind, hand: ReaderHand = STEADY, **which: object):
    return reader_prompt(egg(), kind, hand, lesion="a", **which)


class TestASteadyHand:
    def test_draws_the_axes_that_the_mask_measures(self):
        found = measure(egg(), 1)
        line = drawn(PromptKind.LINE)
        assert isinstance(line, LinePrompt)
        assert np.allclose([line.start_lps_mm, line.end_lps_mm], found.long_axis_lps_mm)
        both = drawn(PromptKind.LINE_AND_SHORT)
        assert isinstance(both, BidirectionalPrompt)
        assert np.allclose([both.short_axis.start_lps_mm, both.short_axis.end_lps_mm], found.short_axis_lps_mm)

    def test_draws_the_box_around_every_voxel_in_the_patients_axes(self):
        box = drawn(PromptKind.BOX)
        assert isinstance(box, BoxPrompt)
        k, j, i = np.nonzero(egg().array)
        points = GRID.to_lps(np.stack([i, j, k], axis=1))
        assert np.all(points >= np.array(box.corner_lps_mm))
        assert np.all(points <= np.array(box.opposite_lps_mm))

    def test_clicks_into_the_deepest_place(self):
        click = drawn(PromptKind.CLICK)
        assert isinstance(click, PointPrompt)
        assert np.linalg.norm(GRID.to_index(click.point_lps_mm) - [30, 24, 12]) < 3


@pytest.mark.parametrize("kind", PromptKind)
class TestAnUnsteadyHand:
    def test_draws_the_same_for_the_same_seed_and_else_something_new(self, kind):
        hand = ReaderHand(seed=3)
        assert drawn(kind, hand) == drawn(kind, hand)
        others = [
            drawn(kind, ReaderHand(seed=4)),
            drawn(kind, hand, draw=1),
            reader_prompt(egg(), kind, hand, lesion="b"),
        ]
        assert all(other != drawn(kind, hand) for other in others)

    def test_stays_in_the_image_even_where_the_lesion_fills_it(self, kind):
        full = Mask(np.ones((6, 8, 8), np.uint8), Geometry((8, 8, 6), (3.0, 3.0, 5.0), (0.0, 0.0, 0.0)))
        wild = ReaderHand(length_sd=0.5, seed=1)
        for draw in range(20):
            prompt = reader_prompt(full, kind, wild, lesion="a", draw=draw)
            assert all(full.geometry.contains(point) for point in points_of(prompt))

    def test_draws_even_a_single_voxel(self, kind):
        array = np.zeros(GRID.shape, np.uint8)
        array[12, 24, 30] = 1
        assert reader_prompt(Mask(array, GRID), kind, ReaderHand(), lesion="a") is not None

    def test_no_lesion_cannot_be_drawn(self, kind):
        with pytest.raises(GeometryError, match="no voxel"):
            reader_prompt(Mask(np.zeros(GRID.shape, np.uint8), GRID), kind, ReaderHand(), lesion="a")


def points_of(prompt) -> list[tuple[float, float, float]]:
    match prompt:
        case BidirectionalPrompt():
            return [*points_of(prompt.long_axis), *points_of(prompt.short_axis)]
        case LinePrompt():
            return [prompt.start_lps_mm, prompt.end_lps_mm]
        case BoxPrompt():
            return [prompt.corner_lps_mm, prompt.opposite_lps_mm]
        case _:
            return [prompt.point_lps_mm]


def test_the_ends_of_a_line_move_in_their_slice_by_what_was_asked_for():
    hand = ReaderHand(length_sd=0.05, least_sd_mm=0.0, seed=2)
    true = np.array(measure(egg(), 1).long_axis_lps_mm)
    length = np.linalg.norm(true[1] - true[0])
    moved = []
    for draw in range(300):
        line = drawn(PromptKind.LINE, hand, draw=draw)
        moved.append(np.array([line.start_lps_mm, line.end_lps_mm]) - true)
    along = np.array(moved) @ GRID.matrix
    assert np.allclose(along[..., 2], 0, atol=1e-9)
    assert along[..., :2].std() == pytest.approx(0.05 * length, rel=0.08)  # 1,200 numbers: 2 % standard error


def test_clicks_stay_in_the_deep_half():
    depth_mm = [ReaderHand(click_depth=0.5, seed=seed) for seed in range(30)]
    for hand in depth_mm:
        click = drawn(PromptKind.CLICK, hand)
        i, j, k = GRID.to_index(click.point_lps_mm)
        assert ((i - 30) / 14) ** 2 + ((j - 24) / 9) ** 2 + ((k - 12) / 5) ** 2 < 0.6


@pytest.mark.parametrize("wrong", [{"length_sd": -1}, {"least_sd_mm": -0.1}, {"click_depth": 1.5}])
def test_a_hand_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="deviations"):
        ReaderHand(**wrong)
