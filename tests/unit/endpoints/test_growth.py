"""Growth and regression rates of the sum of diameters."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import curve_fit

from tests.fakes.readings import readings
from trialimg.endpoints import growth
from trialimg.endpoints.burden import tumour_growth
from trialimg.endpoints.growth import GrowthModel, growth_rates

DAYS = range(0, 300, 42)


def course(size: Callable[[float], float], noise: float = 0.0, seed: int = 0) -> list[tuple[float, float]]:
    """Sums in mm of a relative size, the first 80 mm."""
    rng = random.Random(seed)
    return [(day, 80 * size(day) * (1 + (rng.gauss(0, noise) if day else 0))) for day in DAYS]


@pytest.mark.parametrize(
    ("model", "size", "g", "d"),
    [
        (GrowthModel.GROWTH_AND_REGRESSION, lambda t: math.exp(-0.015 * t) + math.exp(0.004 * t) - 1, 0.004, 0.015),
        (GrowthModel.REGRESSION, lambda t: math.exp(-0.006 * t), None, 0.006),
        (GrowthModel.GROWTH, lambda t: math.exp(0.003 * t), 0.003, None),
        (GrowthModel.PARTIAL_REGRESSION, lambda t: 0.3 * math.exp(0.002 * t) + 0.7 * math.exp(-0.02 * t), 0.002, 0.02),
    ],
)
def test_the_rates_that_made_a_course_are_found(
    model: GrowthModel, size: Callable[[float], float], g: float | None, d: float | None
) -> None:
    found = growth_rates(course(size))
    assert found is not None
    assert found.model is model
    assert found.growth_per_day == (pytest.approx(g, rel=1e-6) if g else None)
    assert found.regression_per_day == (pytest.approx(d, rel=1e-6) if d else None)


def test_rates_and_standard_errors_are_those_of_scipy() -> None:
    """scipy.optimize.curve_fit (Levenberg-Marquardt of MINPACK) on the same noisy course; relative 1e-4."""
    noisy = course(lambda t: math.exp(0.003 * t), noise=0.05, seed=3)
    found = growth_rates(noisy)
    assert found is not None
    assert found.model is GrowthModel.GROWTH
    days, sizes = np.array([day for day, _ in noisy]), np.array([size for _, size in noisy]) / 80
    rates, covariance = curve_fit(lambda t, g: np.exp(g * t), days, sizes, p0=(1e-3,))
    assert found.growth_per_day == pytest.approx(rates[0], rel=1e-4)
    assert found.growth_se == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-4)
    assert found.doubling_days == pytest.approx(math.log(2) / rates[0], rel=1e-4)


def test_two_rates_have_the_standard_errors_of_scipy() -> None:
    noisy = course(lambda t: math.exp(-0.02 * t) + math.exp(0.004 * t) - 1, noise=0.01, seed=5)
    days, sizes = [day for day, _ in noisy], [size / 80 for _, size in noisy]
    fit = growth._fitted(GrowthModel.GROWTH_AND_REGRESSION, days, sizes)
    rates, covariance = curve_fit(
        lambda t, g, d: np.exp(-d * t) + np.exp(g * t) - 1, np.array(days), np.array(sizes), p0=(1e-3, 1e-2)
    )
    assert fit is not None
    assert fit.standard_errors is not None
    assert fit.rates == pytest.approx(rates, rel=1e-4)
    assert fit.standard_errors == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)


@pytest.mark.parametrize("free", range(1, 12))
@pytest.mark.parametrize("t", [0.1, 1.0, 2.5, 7.0])
def test_p_of_students_t(t: float, free: int) -> None:
    assert growth._p_value(t, free) == pytest.approx(2 * stats.t.sf(t, free), abs=1e-12)


@pytest.mark.parametrize(
    "sums",
    [[], [80], [80, 60], [80, 80, 80, 80], [0, 10, 20], [80, 40, 90, 30, 85]],
)
def test_where_nothing_can_be_said(sums: list[float]) -> None:
    assert growth_rates([(42.0 * n, size) for n, size in enumerate(sums)]) is None


def test_two_sums_of_one_day_have_no_rate() -> None:
    assert growth_rates([(0, 80), (42, 60), (42, 60), (84, 50)]) is None


def test_a_sum_that_is_not_known_takes_no_part() -> None:
    record = readings("BL W06 W12 W18 W24\nT1 liver 80 64 NE 41 33")
    found = tumour_growth(record.assess(), record.timepoints[0])
    assert found is not None
    assert (found.model, found.measurements) == (GrowthModel.REGRESSION, 4)
    assert found.regression_per_day == pytest.approx(0.00528, abs=2e-5)
    assert record.timepoints[0].date < dt.date(2024, 2, 1)
