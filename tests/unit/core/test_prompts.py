"""What counts as a prompt."""

from __future__ import annotations

import pytest

from trialimg.core.prompts import BidirectionalPrompt, LinePrompt

LONG = LinePrompt((0.0, 0.0, 5.0), (40.0, 0.0, 5.0))


def test_a_short_axis_may_cross_the_long_one_off_its_middle_and_not_quite_square() -> None:
    prompt = BidirectionalPrompt(LONG, LinePrompt((10.0, -8.0, 5.0), (14.0, 9.0, 5.0)))
    assert prompt.long_axis is LONG


def test_a_short_axis_along_the_long_one_is_refused() -> None:
    with pytest.raises(ValueError, match="lies across the long axis"):
        BidirectionalPrompt(LONG, LinePrompt((5.0, 2.0, 5.0), (30.0, 3.0, 5.0)))
