"""What the network is shown of an image and a prompt."""

from __future__ import annotations

import numpy as np
import pytest

from trialimg.adapters.segmenters.prompt_network.channels import (
    CHANNELS,
    EDGE,
    Appearance,
    PromptOnGrid,
    level_of,
    stacked,
)

LINE = np.array([[14.0, 20.0, 24.0], [34.0, 26.0, 24.0]])
SHORT = np.array([[22.0, 29.0, 24.0], [26.0, 17.0, 24.0]])
SHAPE = (EDGE, EDGE, EDGE)


def shown(prompt: PromptOnGrid, values: np.ndarray | None = None, appearance: Appearance = Appearance.HU) -> np.ndarray:
    image = np.full(SHAPE, 40.0, np.float32) if values is None else values
    return stacked(image, appearance, prompt, voxel_ratio=1.0, slices_voxels=2.0)


@pytest.mark.parametrize(
    ("prompt", "lit"),
    [
        (PromptOnGrid(long_axis=LINE), {3, 4}),
        (PromptOnGrid(long_axis=LINE, short_axis=SHORT), {3, 4, 5}),
        (PromptOnGrid(click=np.array([20.0, 21.0, 22.0])), {6}),
        (PromptOnGrid(box=np.array([[10.0, 12.0, 14.0], [30.0, 32.0, 34.0]])), {7}),
    ],
    ids=["line", "both_axes", "click", "box"],
)
def test_each_kind_of_prompt_lights_its_own_channels(prompt: PromptOnGrid, lit: set[int]) -> None:
    given = shown(prompt)
    assert given.shape == (CHANNELS, *SHAPE)
    assert {channel for channel in range(3, 8) if given[channel].max() > 0.5} == lit


def test_a_line_is_brightest_along_itself_and_its_ends_shine_apart() -> None:
    given = shown(PromptOnGrid(long_axis=LINE))
    assert given[3, 24, 23, 24] > 0.9
    assert given[4, 24, 20, 14] == pytest.approx(1)
    assert given[4, 24, 23, 24] < 0.01


def test_the_expected_shape_is_smaller_with_a_short_axis_than_with_the_line_alone() -> None:
    narrow = np.array([[23.0, 26.0, 24.0], [25.0, 20.0, 24.0]])
    wide = shown(PromptOnGrid(long_axis=LINE))[8]
    assert (shown(PromptOnGrid(long_axis=LINE, short_axis=narrow))[8] > 0.5).sum() < 0.6 * (wide > 0.5).sum()


def test_brightness_is_relative_to_the_place_that_was_pointed_at() -> None:
    values = np.full(SHAPE, -800.0, np.float32)
    values[20:29, 15:31, 12:37] = 60.0
    relative = shown(PromptOnGrid(long_axis=LINE), values)[2]
    assert relative[24, 23, 24] == pytest.approx(0)
    assert relative[2, 2, 2] == -1


@pytest.mark.parametrize("appearance", [Appearance.FREE, Appearance.SUV])
def test_another_scale_of_brightness_changes_nothing_where_the_unit_is_free(appearance: Appearance) -> None:
    values = np.random.default_rng(1).gamma(2.0, 1.0, SHAPE).astype(np.float32)
    once, scaled = (shown(PromptOnGrid(long_axis=LINE), values * f, appearance)[:3] for f in (1.0, 3.0))
    same = (0, 1, 2) if appearance is Appearance.FREE else (0, 2)
    for channel in same:
        assert once[channel] == pytest.approx(scaled[channel], abs=2e-5)


def test_a_click_suggests_no_shape() -> None:
    assert shown(PromptOnGrid(click=np.array([20.0, 21.0, 22.0])))[8].max() == -1


def test_an_earlier_region_is_the_shape_that_is_expected_and_nothing_is_drawn() -> None:
    """A cuboid of 21 x 11 x 5 voxels that are twice as high as wide: its middle is 5.5 voxel widths deep."""
    region = np.zeros(SHAPE, np.bool_)
    region[22:27, 19:30, 14:35] = True
    level = level_of(region, 2.0)
    assert level.min() == 0
    assert (level < 1).sum() == region.sum()
    assert level[24, 24, 34] == pytest.approx(1 - 1 / 6)  # a voxel within the edge, of 6 at the deepest
    assert level[24, 24, 35] == pytest.approx(1 + 1 / 6)
    values = np.full(SHAPE, -800.0, np.float32)
    values[region] = 60.0
    given = shown(PromptOnGrid(earlier=level), values)
    assert given[3:8].max() == 0
    assert np.array_equal(given[8] > 0.5, region)
    assert given[2, 24, 24, 24] == pytest.approx(0)


def test_a_prompt_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a long axis, a click, a box or an earlier region"):
        shown(PromptOnGrid())
