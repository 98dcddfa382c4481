"""Drift: indices worked by hand, another library's distance, and what chance alone does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.drift import kolmogorov_smirnov, population_stability

SAMPLES = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=40)


def test_an_index_worked_by_hand() -> None:
    """Two bins, below 6 and from 6 on: 4 and 4 of 8 before, 1 and 7 of 8 now, each count raised by a half."""
    before, now = [1.0, 2, 3, 4, 6, 7, 8, 9], [1.0, 6, 6, 6, 6, 6, 6, 6]
    found = population_stability(before, now, bins=2)
    p, q = (4.5 / 9, 4.5 / 9), (1.5 / 9, 7.5 / 9)
    assert (found.edges, found.reference, found.current) == ((6.0,), (4, 4), (1, 7))
    assert found.psi == pytest.approx(sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True)), abs=1e-12)
    assert found.chance == pytest.approx(3.841459 * (1 / 8 + 1 / 8), rel=1e-6)  # chi-square, 1 degree, 95 %


def test_a_sample_against_itself_has_not_moved() -> None:
    values = [float(v) for v in range(100)]
    found = population_stability(values, values)
    assert found.psi == pytest.approx(0, abs=1e-12)
    assert found.reference == (10,) * 10


def test_an_input_that_was_always_the_same_and_now_is_another_has_moved() -> None:
    assert population_stability([5.0] * 30, [5.0] * 30).psi == pytest.approx(0, abs=1e-12)
    assert population_stability([5.0] * 30, [1.25] * 30).psi > 2
    assert population_stability([5.0] * 30, [7.0] * 30).psi > 2


def test_the_limit_of_chance_is_exceeded_by_about_one_in_twenty_undrifted_samples() -> None:
    random = np.random.default_rng(11)
    found = [population_stability(random.normal(size=300), random.normal(size=300)) for _ in range(400)]
    beyond = sum(one.psi > one.chance for one in found) / 400
    assert 0.02 < beyond < 0.09  # 0.05, standard error 0.011


def test_small_samples_pass_the_customary_limit_by_chance_alone() -> None:
    random = np.random.default_rng(12)
    found = [population_stability(random.normal(size=30), random.normal(size=30)) for _ in range(200)]
    assert sum(one.psi > 0.25 for one in found) > 60
    assert all(one.chance > 0.25 for one in found)


@settings(max_examples=60, deadline=None)
@given(SAMPLES, SAMPLES)
def test_the_distance_is_the_largest_gap_of_the_step_functions(before: list[float], now: list[float]) -> None:
    def share(values: list[float], at: float) -> float:
        return sum(v <= at for v in values) / len(values)

    by_hand = max(abs(share(before, at) - share(now, at)) for at in {*before, *now})
    found = kolmogorov_smirnov(before, now)
    assert found.d == pytest.approx(by_hand, abs=1e-12)


def test_the_chance_of_a_distance_is_that_of_another_library_and_of_hand() -> None:
    """Two samples of three that do not overlap: 2 of the 20 orders are as far apart."""
    assert kolmogorov_smirnov([1.0, 2, 3], [4.0, 5, 6]).p == pytest.approx(2 / 20, abs=1e-12)
    random = np.random.default_rng(13)
    before, now = random.normal(size=80), random.normal(0.4, size=60)
    assert kolmogorov_smirnov(before, now).p == pytest.approx(ks_2samp(before, now).pvalue, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(SAMPLES, SAMPLES)
def test_another_unit_moves_neither(before: list[float], now: list[float]) -> None:
    scaled = [[10 * v + 3 for v in sample] for sample in (before, now)]
    assert population_stability(*scaled).psi == pytest.approx(population_stability(before, now).psi, abs=1e-9)
    assert kolmogorov_smirnov(*scaled).d == pytest.approx(kolmogorov_smirnov(before, now).d, abs=1e-12)


def test_values_that_are_none_are_refused_with_their_place() -> None:
    with pytest.raises(ReadingError) as refused:
        population_stability([1.0, math.nan], [1.0])
    assert [fault.where for fault in refused.value.faults] == ["reference 2"]
    with pytest.raises(ReadingError, match="current sample is empty"):
        kolmogorov_smirnov([1.0], [])
    with pytest.raises(ProtocolError, match="2 bins"):
        population_stability([1.0], [1.0], bins=1)
