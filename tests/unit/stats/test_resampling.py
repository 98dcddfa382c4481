"""Means of lesions with intervals over their subjects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trialimg.core.errors import ReadingError
from trialimg.stats.resampling import clustered_mean


def test_with_one_value_a_subject_it_is_scipys_bootstrap():
    values = np.random.default_rng(1).gamma(3, 1, 40)
    ours = clustered_mean(values.tolist(), range(40), draws=20_000, seed=1)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=2).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert ours.lower == pytest.approx(theirs.low, abs=0.02)  # Monte Carlo error of the limits: about 0.007
    assert ours.upper == pytest.approx(theirs.high, abs=0.02)


def test_lesions_of_one_subject_do_not_count_as_many():
    """Ten copies of each value are no more information than one."""
    values = np.random.default_rng(2).normal(0.7, 0.2, 15).tolist()
    one = clustered_mean(values, range(15), seed=3)
    copied = clustered_mean(values * 10, list(range(15)) * 10, seed=3)
    assert (copied.lower, copied.upper) == pytest.approx((one.lower, one.upper))
    assert copied.n == 150
    naive = clustered_mean(values * 10, range(150), seed=3)
    assert naive.upper - naive.lower < 0.5 * (copied.upper - copied.lower)


def test_it_covers_the_true_mean_of_subjects_as_often_as_it_says():
    random = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        subjects = random.normal(0, 1, 30)
        values = np.repeat(subjects, 4) + random.normal(0, 0.5, 120)
        found = clustered_mean(values.tolist(), np.repeat(range(30), 4).tolist(), draws=500)
        hits += found.lower <= 0 <= found.upper
    assert 0.90 <= hits / 300 <= 0.975  # 95 % less what a percentile interval of 30 lacks; sd of the share 1.4 %


def test_the_same_seed_gives_the_same_interval():
    assert clustered_mean([1, 2, 4], "abc", seed=7) == clustered_mean([1, 2, 4], "abc", seed=7)


def test_one_subject_has_a_mean_without_an_interval_and_none_has_nothing():
    alone = clustered_mean([0.5, 0.7], ["a", "a"])
    assert (alone.value, alone.lower, alone.upper) == (0.6, None, None)
    assert "single subject" in alone.warnings[0]
    nobody = clustered_mean([], [])
    assert (nobody.value, nobody.n) == (None, 0)


def test_few_subjects_come_with_a_warning():
    assert "too short" in clustered_mean([1, 2, 3], "abc").warnings[0]
    assert clustered_mean(list(range(12)), range(12)).warnings == ()


@pytest.mark.parametrize("values", [[1.0, float("nan")], [float("inf"), 1.0]])
def test_what_is_no_number_is_refused(values):
    with pytest.raises(ReadingError, match="no finite numbers"):
        clustered_mean(values, "ab")
    with pytest.raises(ReadingError, match="one of each"):
        clustered_mean([1.0], "ab")
