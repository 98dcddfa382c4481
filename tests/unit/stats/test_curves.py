"""Curves, restricted means and interval censoring: what must not matter, other routes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter, WeibullFitter

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.bands import BANDS
from trialimg.stats.interval_censoring import parametric_survival, turnbull
from trialimg.stats.restricted_mean import (
    largest_horizon,
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_ratio,
)
from trialimg.stats.survival import (
    follow_up,
    kaplan_meier,
    numbers_at_risk,
    past_landmark,
    survival_at,
    survival_quantile,
)

SUBJECTS = st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=2, max_size=30)


def columns(subjects: list[tuple[int, bool]]) -> tuple[list[float], list[int]]:
    return [float(day) for day, _ in subjects], [int(event) for _, event in subjects]


@settings(max_examples=25, deadline=None)
@given(SUBJECTS, st.sampled_from(sorted(BANDS)))
def test_order_and_unit_do_not_matter(subjects: list[tuple[int, bool]], limits: str) -> None:
    days, events = columns(subjects)
    there = kaplan_meier(days, events, label="A", limits=limits)
    back = kaplan_meier([d * 24 for d in days[::-1]], events[::-1], label="A", limits=limits)
    assert back.survival == there.survival
    assert (back.lower, back.upper) == (there.lower, there.upper)
    for share in (0.25, 0.5, 0.75):
        one, other = survival_quantile(there, share), survival_quantile(back, share)
        assert other.value == (None if one.value is None else pytest.approx(24 * one.value))
        assert other.upper == (None if one.upper is None else pytest.approx(24 * one.upper))


@settings(max_examples=25, deadline=None)
@given(SUBJECTS)
def test_everyone_twice_is_the_same_curve_known_better(subjects: list[tuple[int, bool]]) -> None:
    days, events = columns(subjects)
    once, twice = kaplan_meier(days, events, label="A"), kaplan_meier(days * 2, events * 2, label="A")
    assert twice.survival == pytest.approx(once.survival, abs=1e-12)
    for a, b, s in zip(once.se, twice.se, once.survival, strict=True):
        assert (a is None) == (b is None) == (s == 0)
        assert a is None or b is None or b <= a + 1e-12


@settings(max_examples=25, deadline=None)
@given(SUBJECTS)
def test_times_that_no_event_separates_may_be_merged(subjects: list[tuple[int, bool]]) -> None:
    """Censorings between two events may all be moved to just before the later one."""
    days, events = columns(subjects)
    moments = [0.0, *sorted({d for d, e in zip(days, events, strict=True) if e})]
    moved = [d if e else max(m for m in moments if m <= d) + 0.5 for d, e in zip(days, events, strict=True)]
    there, merged = kaplan_meier(days, events, label="A"), kaplan_meier(moved, events, label="A")
    at = [i for i, n in enumerate(there.n_event) if n]
    heights = {t: s for t, s, n in zip(merged.time_days, merged.survival, merged.n_event, strict=True) if n}
    assert [heights[there.time_days[i]] for i in at] == pytest.approx([there.survival[i] for i in at])


@pytest.mark.parametrize("seed", range(3))
def test_log_log_limits_agree_with_another_library(seed: int) -> None:
    random = np.random.default_rng(seed)
    days, events = np.ceil(random.exponential(60, 80)), random.integers(0, 2, 80)
    curve = kaplan_meier(days.tolist(), events.tolist(), label="A")
    band = KaplanMeierFitter().fit(days, events).confidence_interval_survival_function_
    rows = [i for i, s in enumerate(curve.survival) if 0 < s < 1]
    for ours, column in ((curve.lower, 0), (curve.upper, 1)):
        assert [ours[i] for i in rows] == pytest.approx(band.iloc[rows, column].tolist(), abs=1e-12)


def test_a_curve_is_read_on_any_day() -> None:
    curve = kaplan_meier([10, 20, 20, 30], [1, 1, 0, 0], label="A")
    assert survival_at(curve, 0).value == 1
    assert survival_at(curve, 19.9).value == pytest.approx(0.75)
    assert survival_at(curve, 20).value == pytest.approx(0.5)
    beyond = survival_at(curve, 31)
    assert beyond.value is None
    assert beyond.warnings == ("beyond_follow_up: nobody was observed on day 31",)
    assert survival_at(kaplan_meier([10], [1], label="A"), 31).value == 0
    assert numbers_at_risk(curve, [0, 10, 10.5, 20, 25, 31]) == (4, 4, 3, 3, 1, 0)


def test_follow_up_is_the_curve_of_censoring() -> None:
    curve = follow_up([10, 20, 30, 40], [1, 0, 0, 1], label="A")
    assert curve.median_days.value == 30
    assert curve.method.startswith("reverse Kaplan-Meier")
    assert follow_up([10, 20], [1, 1], label="A").warnings[0].startswith("no_censoring:")


def test_a_landmark_leaves_out_who_ended_before_it() -> None:
    kept, days, events = past_landmark([10, 30, 50], [1, 1, 0], landmark=30)
    assert (kept, days, events) == ((2,), (20,), (0,))
    with pytest.raises(ReadingError, match="earlier one"):
        past_landmark([10], [1], landmark=10)
    with pytest.raises(ProtocolError, match="0 or later"):
        past_landmark([10], [1], landmark=-1)


def test_unknown_limits_name_the_known_ones() -> None:
    with pytest.raises(ProtocolError, match="log-log, log, plain, logit, arcsin"):
        kaplan_meier([1], [1], label="A", limits="wald")


@settings(max_examples=25, deadline=None)
@given(SUBJECTS)
def test_without_censoring_a_restricted_mean_is_a_mean(subjects: list[tuple[int, bool]]) -> None:
    days, _ = columns(subjects)
    horizon = 25.0
    cut = np.minimum(days, horizon)
    found = restricted_mean(days, [1] * len(days), horizon=horizon)
    assert found.value == pytest.approx(cut.mean(), abs=1e-9)
    assert found.se == pytest.approx(cut.std() / np.sqrt(len(days)), abs=1e-9)


def test_restricted_means_scale_with_the_unit() -> None:
    days, events = [5.0, 8, 12, 20, 22, 30], [1, 0, 1, 1, 0, 1]
    day, hour = restricted_mean(days, events, horizon=25), restricted_mean([24 * d for d in days], events, horizon=600)
    assert (hour.value, hour.se) == pytest.approx((24 * (day.value or 0), 24 * (day.se or 0)))


def test_arms_are_compared_up_to_where_all_were_observed() -> None:
    first, second = [4.0, 9, 15], [3.0, 7, 11]
    assert largest_horizon([first, second]) == 11
    one, other = (restricted_mean(days, [1, 1, 0], horizon=11) for days in (first, second))
    gap, ratio = restricted_mean_difference(one, other), restricted_mean_ratio(one, other)
    assert gap.value == pytest.approx((4 + 9 + 11) / 3 - (3 + 7 + 11) / 3)
    assert gap.se == pytest.approx(np.hypot(one.se or 0, other.se or 0))
    assert ratio.value == pytest.approx(24 / 21)
    assert (gap.p is not None) and (ratio.p is not None)
    still = restricted_mean([5, 9], [0, 0], horizon=4)
    assert restricted_mean_difference(still, still).warnings[-1].startswith("no_variance:")


@pytest.mark.parametrize("horizon", [0, -1, float("nan"), float("inf")])
def test_a_horizon_lies_ahead(horizon: float) -> None:
    with pytest.raises(ProtocolError, match="after time 0"):
        restricted_mean([1, 2], [1, 0], horizon=horizon)


def test_a_horizon_that_nobody_reached_is_refused() -> None:
    with pytest.raises(ReadingError, match="choose a horizon of 9 or less"):
        restricted_mean([5, 9], [1, 0], horizon=10)
    assert restricted_mean([5, 9], [1, 1], horizon=10).value == 7  # the curve ended at 0


@settings(max_examples=15, deadline=None)
@given(SUBJECTS)
def test_exact_and_right_censored_times_give_kaplan_meier(subjects: list[tuple[int, bool]]) -> None:
    days, events = columns(subjects)
    curve = turnbull(days, [d if e else None for d, e in zip(days, events, strict=True)])
    other = kaplan_meier(days, events, label="A")
    for day, height, count in zip(other.time_days, other.survival, other.n_event, strict=True):
        if count:
            assert curve.survival_at(day) == pytest.approx(height, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_no_shift_of_mass_gains(seed: int) -> None:
    random = np.random.default_rng(seed)
    left = random.integers(0, 20, 60).astype(float)
    right = [
        None if u < 0.2 else float(low + w)
        for low, w, u in zip(left, random.integers(1, 12, 60), random.random(60), strict=True)
    ]
    curve = turnbull(left.tolist(), right)
    ends = np.array([np.inf if r is None else r for r in curve.right])
    highs = np.array([np.inf if r is None else r for r in right])
    inside = (np.array(curve.left)[None] >= left[:, None]) & (ends[None] <= highs[:, None])
    gain = (inside / (inside @ np.array(curve.mass))[:, None]).sum(axis=0)
    assert gain == pytest.approx(np.full(len(gain), 60.0), abs=1e-4)
    assert sum(curve.mass) == pytest.approx(1)
    order = random.permutation(60)
    back = turnbull(left[order].tolist(), [right[i] for i in order])
    assert back.mass == pytest.approx(curve.mass, abs=1e-6)


def test_inside_of_an_interval_the_curve_is_not_determined() -> None:
    curve = turnbull([0, 8, 8, 16], [8, 16, 16, None])
    assert curve.survival_at(8) == pytest.approx(0.75)
    assert curve.survival_at(12) is None
    assert curve.survival_at(16) == pytest.approx(0.25)
    assert curve.median == (8.0, 16.0)
    assert turnbull([5.0], [None]).warnings[0].startswith("all_censored:")


def test_intervals_that_cannot_be_are_all_named() -> None:
    with pytest.raises(ReadingError) as refusal:
        turnbull([0, 9, -1, float("nan")], [4, 5, 3, None])
    assert [f.where for f in refusal.value.faults] == ["entry 2", "entry 3", "entry 4"]
    with pytest.raises(ReadingError, match="there is nobody"):
        turnbull([], [])


def test_a_weibull_curve_agrees_with_another_library() -> None:
    random = np.random.default_rng(4)
    event = 30 * random.weibull(1.4, 150)
    left = np.floor(event / 5) * 5
    right = [float(low + 5) if low < 40 else None for low in left]
    found = parametric_survival(left.tolist(), right, shape="weibull")
    upper = np.array([np.inf if r is None else r for r in right])
    other = WeibullFitter().fit_interval_censoring(np.maximum(left, 1e-9), upper)
    assert np.exp(found.location) == pytest.approx(other.lambda_, rel=1e-3)
    assert 1 / found.scale == pytest.approx(other.rho_, rel=1e-3)
    assert found.loglik >= other.log_likelihood_ - 1e-4


def test_shapes_that_cannot_be_fitted_are_refused() -> None:
    with pytest.raises(ProtocolError, match="loglogistic"):
        parametric_survival([1], [2], shape="gamma")
    with pytest.raises(ReadingError, match="every subject is censored"):
        parametric_survival([1, 2], [None, None], shape="weibull")
    with pytest.raises(ReadingError, match="at time 0"):
        parametric_survival([0, 2], [0, 3], shape="weibull")


def test_one_time_that_fits_everyone_is_no_curve() -> None:
    with pytest.raises(ReadingError, match="one single time fits every subject"):
        parametric_survival([1.0], [2.0], shape="weibull")
