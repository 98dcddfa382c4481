"""Prompts drawn for a region on the network's grid."""

from __future__ import annotations

import numpy as np
import pytest

from trialimg.adapters.segmenters.prompt_network.simulated_reader import Drawing, drawn_prompt


def egg(semi: tuple[float, float, float] = (8.0, 6.0, 12.0)) -> np.ndarray:
    k, j, i = np.indices((48, 48, 48)) - 24.0
    c, b, a = semi
    return (k / c) ** 2 + (j / b) ** 2 + (i / a) ** 2 <= 1


def test_axes_are_the_longest_diameter_and_the_longest_across_it_in_one_slice() -> None:
    lengths = []
    for seed in range(20):
        prompt = drawn_prompt(np.random.default_rng(seed), egg(), Drawing.BOTH_AXES, voxel_ratio=1.0, slices_voxels=1.0)
        assert prompt.long_axis is not None
        assert prompt.short_axis is not None
        assert len(set(prompt.long_axis[:, 2]) | set(prompt.short_axis[:, 2])) == 1
        lengths.append([np.linalg.norm(np.diff(axis, axis=0)) for axis in (prompt.long_axis, prompt.short_axis)])
    assert np.mean(lengths, axis=0) == pytest.approx([24.5, 12.5], abs=1.0)
    assert np.std(lengths, axis=0).min() > 0.1  # an unsteady hand


def test_a_click_lies_within_and_off_the_middle() -> None:
    clicks = [
        drawn_prompt(np.random.default_rng(seed), egg(), Drawing.CLICK, voxel_ratio=1.0, slices_voxels=1.0).click
        for seed in range(30)
    ]
    index = np.rint(np.array(clicks)).astype(int)
    assert egg((9.0, 7.0, 13.0))[index[:, 2], index[:, 1], index[:, 0]].all()
    assert np.std(np.array(clicks), axis=0).min() > 0.5


def test_a_box_is_about_the_region_s_extent() -> None:
    prompt = drawn_prompt(np.random.default_rng(3), egg(), Drawing.BOX, voxel_ratio=1.0, slices_voxels=1.0)
    assert prompt.box is not None
    assert np.ptp(prompt.box, axis=0) == pytest.approx([25, 13, 17], abs=2.5)


def test_a_region_of_one_column_still_has_two_axes() -> None:
    region = np.zeros((48, 48, 48), np.bool_)
    region[20:30, 24, 24] = True
    prompt = drawn_prompt(np.random.default_rng(3), region, Drawing.BOTH_AXES, voxel_ratio=1.0, slices_voxels=1.0)
    assert prompt.long_axis is not None
    assert np.linalg.norm(np.diff(prompt.long_axis, axis=0)) > 0


def test_an_earlier_region_lies_about_the_present_one_and_is_larger_or_smaller() -> None:
    shares, overlaps = [], []
    for seed in range(30):
        random = np.random.default_rng(seed)
        level = drawn_prompt(random, egg(), Drawing.EARLIER, voxel_ratio=1.0, slices_voxels=1.0).earlier
        assert level is not None
        shares.append((level < 1).sum() / egg().sum())
        overlaps.append((egg() & (level < 1)).sum() / min(egg().sum(), (level < 1).sum()))
    assert min(shares) < 0.5
    assert max(shares) > 2
    assert min(overlaps) > 0.5
