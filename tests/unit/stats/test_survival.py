"""Survival: hand-worked curves, the midpoint rule, and everything that is refused rather than computed wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.survival import kaplan_meier, log_rank, survival_quantile

SUBJECTS = st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=30)


def test_a_curve_worked_by_hand() -> None:
    curve = kaplan_meier([10, 20, 20, 30], [1, 1, 0, 0], label="A")
    assert curve.time_days == (0, 10, 20, 30)
    assert curve.n_risk == (4, 4, 3, 1)
    assert curve.n_event == (0, 1, 1, 0)
    assert curve.n_censored == (0, 0, 1, 1)
    assert curve.survival == pytest.approx((1, 0.75, 0.5, 0.5), abs=1e-15)
    assert (curve.n, curve.events) == (4, 2)


def test_limits_do_not_exist_where_the_curve_is_at_one_or_at_zero() -> None:
    curve = kaplan_meier([10, 20], [1, 1], label="A")
    assert curve.survival == (1.0, 0.5, 0.0)
    assert curve.lower[0] is None
    assert curve.upper[2] is None
    assert curve.lower[1] is not None


def test_a_flat_stretch_at_one_half_gives_its_middle() -> None:
    assert kaplan_meier([10, 20, 30, 40], [1, 1, 1, 1], label="A").median_days.value == 25


def test_a_flat_stretch_at_one_half_survives_round_off() -> None:
    days = range(1, 21)  # 19/20 x 18/19 x ... x 10/11 is not exactly 0.5 in floating point
    assert kaplan_meier(list(days), [1] * 20, label="A").median_days.value == 10.5


def test_a_stretch_at_one_half_until_the_end_of_follow_up_ends_there() -> None:
    assert kaplan_meier([10, 20, 60, 100], [1, 1, 0, 0], label="A").median_days.value == 60


def test_a_median_that_is_not_reached_is_no_number() -> None:
    median = kaplan_meier([10, 20, 30, 40], [1, 0, 0, 0], label="arm A").median_days
    assert median.value is None
    assert median.warnings == ("not_reached: the curve does not come down to 50 %",)


def test_all_censored_stays_at_one_with_a_warning() -> None:
    curve = kaplan_meier([5, 9], [0, 0], label="A")
    assert set(curve.survival) == {1.0}
    assert curve.warnings[0].startswith("all_censored:")
    assert curve.median_days.value is None


def test_an_empty_arm_is_a_curve_without_points_and_a_warning() -> None:
    curve = kaplan_meier([], [], label="arm B")
    assert (curve.n, curve.time_days, curve.median_days.value) == (0, (), None)
    assert curve.warnings == ("no_subjects: nobody has a time",)


@pytest.mark.parametrize(
    ("days", "events", "code"),
    [
        ([5, -1], [1, 0], "bad_time"),
        ([5, float("nan")], [1, 0], "bad_time"),
        ([5, float("inf")], [1, 0], "bad_time"),
        ([5, 7], [1, 2], "bad_event"),
        ([5, 7], [1, float("nan")], "bad_event"),
    ],
)
def test_a_bad_entry_is_named(days: list[float], events: list[int], code: str) -> None:
    with pytest.raises(ReadingError) as refusal:
        kaplan_meier(days, events, label="A")
    assert [(f.where, f.code) for f in refusal.value.faults] == [("entry 2", code)]
    with pytest.raises(ReadingError):
        log_rank(days, events, ["A", "B"])


def test_every_bad_entry_is_named_at_once() -> None:
    with pytest.raises(ReadingError) as refusal:
        kaplan_meier([-1, -2, 3], [0, 1, 7], label="A")
    assert len(refusal.value.faults) == 3


def test_unequal_columns_are_refused() -> None:
    with pytest.raises(ReadingError, match="2 times, but 1 events"):
        kaplan_meier([1, 2], [1], label="A")
    with pytest.raises(ReadingError, match="2 times, but 3 group names"):
        log_rank([1, 2], [1, 1], ["A", "B", "B"])


def test_a_quantile_lies_inside_of_0_and_1() -> None:
    curve = kaplan_meier([1, 2], [1, 1], label="A")
    with pytest.raises(ProtocolError, match="between 0 and 1"):
        survival_quantile(curve, 1.0)


def test_a_log_rank_needs_an_event_and_two_groups() -> None:
    with pytest.raises(ReadingError, match="at least one event"):
        log_rank([1, 2], [0, 0], ["A", "B"])
    with pytest.raises(ReadingError, match="two groups"):
        log_rank([1, 2], [1, 0], ["A", "A"])


def test_everyone_failing_at_one_moment_has_no_log_rank() -> None:
    with pytest.raises(ReadingError, match="variance is 0"):
        log_rank([5, 5, 5, 5], [1, 1, 1, 1], ["A", "A", "B", "B"])


def test_a_group_gone_before_the_first_event_is_left_out_and_named() -> None:
    days, events, groups = [10, 20, 30, 40, 5, 6], [1, 1, 1, 1, 0, 0], ["A", "B", "A", "B", "C", "C"]
    test = log_rank(days, events, groups)
    without = log_rank(days[:4], events[:4], groups[:4])
    assert (test.chi2, test.df) == (without.chi2, 1)
    assert test.n == 6
    assert test.warnings[0].startswith("never_at_risk: nobody in C")


def test_few_events_are_warned_of() -> None:
    test = log_rank([10, 20, 30, 40], [1, 1, 1, 0], ["A", "B", "A", "B"])
    assert test.warnings[0].startswith("few_events: 3 events in 2 groups")


@given(SUBJECTS)
def test_everyone_leaves_the_risk_set_once(subjects: list[tuple[int, bool]]) -> None:
    days, events = zip(*subjects, strict=True)
    curve = kaplan_meier(days, events, label="A")
    assert sum(curve.n_event) + sum(curve.n_censored) == curve.n_risk[0] == len(subjects)
    for i in range(1, len(curve.time_days)):
        assert curve.n_risk[i] == curve.n_risk[i - 1] - curve.n_event[i - 1] - curve.n_censored[i - 1]
        assert curve.survival[i] <= curve.survival[i - 1]


@given(SUBJECTS)
def test_the_band_holds_the_curve(subjects: list[tuple[int, bool]]) -> None:
    days, events = zip(*subjects, strict=True)
    curve = kaplan_meier(days, events, label="A")
    for low, height, high in zip(curve.lower, curve.survival, curve.upper, strict=True):
        if low is not None and high is not None:
            assert low <= height <= high


@given(SUBJECTS)
def test_without_censoring_the_median_is_the_sample_median(subjects: list[tuple[int, bool]]) -> None:
    days = sorted(day for day, _ in subjects)
    middle = (days[(len(days) - 1) // 2] + days[len(days) // 2]) / 2
    assert kaplan_meier(days, [1] * len(days), label="A").median_days.value == middle
