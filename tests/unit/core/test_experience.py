"""What is known of a segmenter's earlier answers: counts and ratios that can be."""

from __future__ import annotations

import pytest

from trialimg.core.errors import InvalidValueError
from trialimg.core.experience import Experience

FACTS = {"answers": 57, "subjects": 19, "bad": 12, "share": 0.9, "long_axis": (0.9, 1.1), "volume": (0.6, 1.7)}


@pytest.mark.parametrize(("bad", "mostly"), [(0, False), (28, False), (29, True), (57, True)])
def test_more_than_half_bad_answers_are_mostly_bad(bad, mostly):
    assert Experience(**{**FACTS, "bad": bad}).is_mostly_bad is mostly


@pytest.mark.parametrize(
    "wrong",
    [
        {"bad": 58}, {"bad": -1}, {"subjects": 0}, {"subjects": 58}, {"share": 1.0}, {"long_axis": (1.1, 0.9)},
        {"volume": (0.0, 1.0)}, {"volume": (0.5, float("inf"))}, {"long_axis": (float("nan"), 1.0)},
    ],
    ids=str,
)  # fmt: skip
def test_facts_that_cannot_be_are_refused(wrong):
    with pytest.raises(InvalidValueError, match="experience"):
        Experience(**{**FACTS, **wrong})
