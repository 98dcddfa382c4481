"""The log-rank test of interval-censored times: where nothing is censored so, all dealings of the groups, refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialimg.core.errors import ReadingError
from trialimg.stats.interval_log_rank import interval_log_rank
from trialimg.stats.log_rank import log_rank

SUBJECTS = st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.sampled_from("ABC")), min_size=4, max_size=40)


@settings(max_examples=40, deadline=None)
@given(SUBJECTS)
def test_without_interval_censoring_observed_and_expected_are_those_of_the_log_rank_test(
    subjects: list[tuple[int, bool, str]],
) -> None:
    days, events, groups = [float(d) for d, _, _ in subjects], [e for _, e, _ in subjects], [g for *_, g in subjects]
    try:
        other = log_rank(days, events, groups)
    except ReadingError:
        return
    found = interval_log_rank(days, [d if e else None for d, e in zip(days, events, strict=True)], groups)
    ours = dict(zip(found.groups, zip(found.observed, found.expected, strict=True), strict=True))
    for name, observed, expected in zip(other.groups, other.observed, other.expected, strict=True):
        assert ours[name] == pytest.approx((observed, expected), abs=1e-6)


LEFT = [0.0, 0, 4, 4, 8, 8, 12, 3]
RIGHT = [4.0, 8, 8, 12, None, 16, None, 3]


@pytest.mark.parametrize("dealt", ["AAAABBBB", "ABABABAB", "AABBBBBB"])
def test_the_variance_is_that_over_all_dealings_of_the_groups(dealt: str) -> None:
    size = dealt.count("A")
    gaps = []
    for chosen in itertools.combinations(range(8), size):
        names = ["A" if place in chosen else "B" for place in range(8)]
        found = interval_log_rank(LEFT, RIGHT, names)
        gaps.append(found.observed[0] - found.expected[0])
    assert np.mean(gaps) == pytest.approx(0, abs=1e-12)
    found = interval_log_rank(LEFT, RIGHT, list(dealt))
    assert found.chi2 == pytest.approx((found.observed[0] - found.expected[0]) ** 2 / np.var(gaps))


def test_two_intervals_by_hand() -> None:
    """One half falls up to day 8, the other up to day 16: hazards 1/2 and 1; scores 1/2 early, and -1/2 late."""
    found = interval_log_rank([0, 0, 8, 8], [8, 8, 16, 16], list("AABB"))
    assert found.observed == (2, 2)
    assert found.expected == pytest.approx((1, 3))
    assert found.chi2 == pytest.approx(1 / ((2 - 4 / 4) * 1 / 3))


def test_only_the_order_of_times_matters_and_not_that_of_subjects_or_names() -> None:
    groups = list("ABCABCAB")
    once = interval_log_rank(LEFT, RIGHT, groups)
    square = interval_log_rank([d**2 for d in LEFT], [None if d is None else d**2 for d in RIGHT], groups)
    turned = interval_log_rank(LEFT[::-1], RIGHT[::-1], groups[::-1])
    renamed = interval_log_rank(LEFT, RIGHT, [{"A": "z", "B": "y", "C": "x"}[g] for g in groups])
    for other in (square, turned, renamed):
        assert (other.chi2, other.df) == pytest.approx((once.chi2, 2))
    assert once.warnings[0].startswith("few_events: 6 events in 3 groups")


@pytest.mark.parametrize(
    ("right", "groups", "said"),
    [
        ([8.0, 16.0], ["A", "A"], "two groups or more; there is A"),
        ([None, None], ["A", "B"], "every subject is censored"),
        ([8.0, 8.0], ["A", "B"], "say the same"),
        ([8.0, 16.0], ["A"], "2 times, but 1 group names"),
    ],
)
def test_what_cannot_be_compared_is_refused(right: list[float | None], groups: list[str], said: str) -> None:
    with pytest.raises(ReadingError, match=said):
        interval_log_rank([0.0, 0.0], right, groups)
