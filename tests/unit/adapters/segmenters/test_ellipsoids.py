"""The ellipsoid that a reader's two axes suggest."""

from __future__ import annotations

import numpy as np
import pytest

from trialimg.adapters.segmenters.ellipsoids import Ellipsoid, EllipsoidRatios
from trialimg.core.prompts import BidirectionalPrompt, LinePrompt


def test_long_and_short_axis_are_its_first_two_axes_and_the_third_is_their_mean() -> None:
    long_axis = LinePrompt((0.0, 0.0, 5.0), (40.0, 0.0, 5.0))
    short_axis = LinePrompt((12.0, -4.0, 5.0), (12.0, 6.0, 5.0))
    ellipsoid = Ellipsoid.of(BidirectionalPrompt(long_axis, short_axis), EllipsoidRatios(through=0.8))
    assert ellipsoid.centre_lps_mm == pytest.approx([20.0, 1.0, 5.0])
    assert ellipsoid.semi_mm == pytest.approx([20.0, 5.0, 0.8 * np.sqrt(20.0 * 5.0)])
    assert np.abs(ellipsoid.axes) == pytest.approx(np.eye(3))


def test_a_short_axis_that_leans_counts_by_its_part_across() -> None:
    leaning = LinePrompt((10.0, -8.0, 5.0), (22.0, 8.0, 5.0))
    prompt = BidirectionalPrompt(LinePrompt((0.0, 0.0, 5.0), (40.0, 0.0, 5.0)), leaning)
    assert Ellipsoid.of(prompt, EllipsoidRatios()).semi_mm[1] == pytest.approx(8.0)
