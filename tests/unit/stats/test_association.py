"""Associations: against other libraries and by hand; what cannot be estimated says so."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from scipy.stats import mannwhitneyu, spearmanr

from trialimg.core.errors import ReadingError
from trialimg.stats.association import area_under_curve, correlation_clusters, hazard_per_sd

RANDOM = np.random.default_rng(5)


def test_a_hazard_ratio_per_standard_deviation_agrees_with_another_library() -> None:
    values = RANDOM.normal(50, 12, size=60)
    days = np.round(RANDOM.exponential(200 * np.exp(-(values - 50) / 20))) + 1
    events = RANDOM.random(60) < 0.7
    found = hazard_per_sd(values, days, events)
    frame = pd.DataFrame({"x": (values - values.mean()) / values.std(ddof=1), "t": days, "e": events})
    other = CoxPHFitter().fit(frame, "t", "e", fit_options={"precision": 1e-10}).summary.loc["x"]
    assert found.value == pytest.approx(other["coef"], abs=1e-6)
    assert (found.lower, found.upper) == pytest.approx((other["coef lower 95%"], other["coef upper 95%"]), abs=1e-5)
    assert found.p == pytest.approx(other["p"], rel=1e-4)
    assert (found.n, found.events) == (60, int(events.sum()))


def test_another_unit_does_not_change_the_effect_of_a_standard_deviation() -> None:
    values, days = [1.0, 5.0, 2.0, 4.0, 3.0, 7.0], [10.0, 2.0, 8.0, 5.0, 7.0, 9.0]
    events = [1, 1, 1, 1, 0, 1]
    once, scaled = (hazard_per_sd([factor * v + 3 for v in values], days, events) for factor in (1, 1000))
    assert once.value == pytest.approx(scaled.value, abs=1e-9)


def test_what_has_no_finite_hazard_ratio_has_none() -> None:
    """Each event is the highest of those at risk."""
    apart = hazard_per_sd([4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0], [1, 1, 1, 1])
    assert (apart.value, apart.p) == (None, None)
    assert apart.warnings[0].startswith("not_estimable:")
    flat = hazard_per_sd([2.0, 2.0, 2.0], [1.0, 2.0, 3.0], [1, 1, 0])
    assert flat.warnings[0].startswith("constant:")
    with pytest.raises(ReadingError, match="at least one event"):
        hazard_per_sd([1.0, 2.0], [1.0, 2.0], [0, 0])


def test_an_area_worked_by_hand() -> None:
    """3 and 5 with, 1, 3 and 4 without: of 6 pairs, 3 > 1, 3 = 3, 5 > 1, 5 > 3, 5 > 4: 4.5 of 6; exact p by ranks."""
    found = area_under_curve([3.0, 5.0, 1.0, 3.0, 4.0], [1, 1, 0, 0, 0])
    assert found.value == pytest.approx(4.5 / 6)
    parts = np.array([1.5 / 3, 1.0]), np.array([1.0, 0.75, 0.5])
    variance = parts[0].var(ddof=1) / 2 + parts[1].var(ddof=1) / 3
    assert found.se == pytest.approx(math.sqrt(variance))
    half = 1.959964 * found.se / (0.75 * 0.25)
    assert math.log(found.upper / (1 - found.upper)) == pytest.approx(math.log(3) + half, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=4, max_size=40))
def test_areas_agree_with_another_library_and_turn_with_the_outcome(pairs: list[tuple[int, bool]]) -> None:
    values, has = [float(v) for v, _ in pairs], [b for _, b in pairs]
    if len({*has}) < 2:
        with pytest.raises(ReadingError, match="all or none"):
            area_under_curve(values, has)
        return
    found, turned = area_under_curve(values, has), area_under_curve(values, [not b for b in has])
    those, others = ([v for v, b in pairs if b is wanted] for wanted in (True, False))
    statistic = mannwhitneyu(those, others).statistic
    assert found.value == pytest.approx(statistic / (len(those) * len(others)), abs=1e-12)
    assert turned.value == pytest.approx(1 - found.value, abs=1e-12)
    assert turned.p == pytest.approx(found.p, abs=1e-12)


def test_groups_that_do_not_overlap_have_an_area_without_limits() -> None:
    found = area_under_curve([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0, 0, 0, 1, 1, 1])
    assert (found.value, found.lower, found.upper, found.p) == (1.0, None, None, pytest.approx(2 / 20))


def test_limits_of_the_area_cover_the_truth_as_often_as_they_promise() -> None:
    """Normal samples one standard deviation apart: the area is Phi(1 / sqrt 2)."""
    random, truth = np.random.default_rng(8), 0.7602499
    inside = 0
    for _ in range(400):
        values = np.r_[random.normal(1, 1, 40), random.normal(0, 1, 40)]
        found = area_under_curve(values, [1] * 40 + [0] * 40)
        inside += (found.lower or 0) <= truth <= (found.upper or 1)
    assert 0.92 < inside / 400 < 0.98  # 0.95, standard error 0.011


def test_quantities_that_say_the_same_are_one_cluster() -> None:
    base, other = RANDOM.normal(size=(2, 40))
    table = np.c_[base, -2 * base + 0.01 * RANDOM.normal(size=40), other, np.exp(base)]
    found = correlation_clusters(["a", "minus a", "b", "exp a"], table)
    group = dict(zip(found.names, found.number, strict=True))
    assert group["a"] == group["minus a"] == group["exp a"] != group["b"]
    assert len(found.representatives) == 2
    assert "b" in found.representatives
    places = [found.names.index(name) for name in ("a", "b")]
    assert found.rho[places[0], places[1]] == pytest.approx(spearmanr(base, other).statistic, abs=1e-12)
    assert found.names.index("b") in (0, 3)  # neighbours are alike


def test_a_quantity_that_does_not_vary_is_named() -> None:
    with pytest.raises(ReadingError) as refused:
        correlation_clusters(["a", "b"], [[1.0, 2.0], [2.0, 2.0], [3.0, 2.0]])
    assert [fault.where for fault in refused.value.faults] == ["b"]
    with pytest.raises(ReadingError, match="3 subjects"):
        correlation_clusters(["a"], [[1.0], [2.0]])
