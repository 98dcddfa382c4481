"""The median's limits: ranks of the printed table, and the promised coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from trialimg.core.errors import ReadingError
from trialimg.stats.median import sample_median


@pytest.mark.parametrize(
    ("n", "rank"), [(6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (20, 6), (50, 18), (100, 40)]
)
def test_limits_are_the_ranks_of_the_table_of_the_sign_test(n: int, rank: int) -> None:
    """Two-sided 5 % points of the sign test: the limits are the values just inside of the rejected ones."""
    found = sample_median([float(v) for v in range(1, n + 1)])
    assert (found.lower, found.upper) == (rank, n + 1 - rank)
    assert 1 - 2 * binom.cdf(rank - 1, n, 0.5) >= 0.95
    assert 1 - 2 * binom.cdf(rank, n, 0.5) < 0.95


def test_five_values_hold_no_median_with_95_percent() -> None:
    found = sample_median([3.0, 1.0, 2.0, 5.0, 4.0])
    assert (found.value, found.lower, found.upper) == (3.0, None, None)


def test_limits_cover_the_population_median_as_often_as_they_promise() -> None:
    random = np.random.default_rng(3)
    found = [sample_median(random.exponential(size=25).tolist()) for _ in range(600)]
    inside = sum((one.lower or 0) <= math.log(2) <= (one.upper or 0) for one in found) / 600
    assert 0.93 < inside < 0.985  # exactly 0.957


def test_nothing_has_no_middle_and_what_is_no_number_is_refused() -> None:
    assert sample_median([]).value is None
    with pytest.raises(ReadingError):
        sample_median([1.0, math.inf])
