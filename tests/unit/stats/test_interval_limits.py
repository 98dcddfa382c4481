"""Limits of the curve of interval-censored times: known laws, caps, what must not matter, how often they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from trialimg.core.errors import ProtocolError
from trialimg.stats.interval_limits import Draws, turnbull_limits
from trialimg.stats.rates import rate

Ends = tuple[list[float], list[float | None]]


def visited(random: np.random.Generator, n: int, *, jitter: int = 0) -> Ends:
    """Events at the rate 1/200 a day, eight visits up to day 500, some of which are missed at the end."""
    left: list[float] = []
    right: list[float | None] = []
    for event in random.exponential(200, n):
        days = np.arange(1, 9) * 62.0 + (random.integers(-jitter, jitter + 1, 8) if jitter else 0)
        days = days[days <= random.exponential(1200)]
        place = int(np.searchsorted(days, event))
        left.append(float(days[place - 1]) if place else 0.0)
        right.append(float(days[place]) if place < len(days) else None)
    return left, right


@pytest.mark.parametrize(("without", "n"), [(20, 40), (30, 40), (55, 60)])
def test_with_one_visit_that_all_share_they_are_the_percentiles_of_a_binomial_share(without: int, n: int) -> None:
    left: list[float] = [8.0] * without + [0.0] * (n - without)
    right: list[float | None] = [None] * without + [8.0] * (n - without)
    found = turnbull_limits(left, right, days=[8], draws=Draws(9999)).heights[0]
    wanted = [binom.ppf(tail, n, without / n) / n for tail in (0.025, 0.975)]
    assert found.value == pytest.approx(without / n)
    assert (found.lower, found.upper) == pytest.approx(wanted, abs=1 / n)
    assert (found.n, found.events, found.confidence) == (n, n - without, 0.95)


def test_nobody_with_the_event_leaves_it_possible() -> None:
    found = turnbull_limits([8.0] * 30, [None] * 30, days=[8], draws=Draws(199))
    exact = rate(30, 30, method="clopper_pearson")
    assert (found.heights[0].value, found.heights[0].upper) == (1.0, 1.0)
    assert found.heights[0].lower == pytest.approx(exact.lower)
    assert found.quantiles[0].interval is None
    assert found.quantiles[0].upper is None
    assert found.warnings[0].startswith("few_events:")


def test_everybody_with_the_event_leaves_survival_possible() -> None:
    found = turnbull_limits([0.0] * 30, [8.0] * 30, days=[8], draws=Draws(199))
    assert (found.heights[0].value, found.heights[0].lower) == (0.0, 0.0)
    assert found.heights[0].upper == pytest.approx(rate(0, 30, method="clopper_pearson").upper)
    assert (found.quantiles[0].lower, found.quantiles[0].upper) == (0.0, 8.0)


def test_five_subjects_say_nothing_of_the_median() -> None:
    found = turnbull_limits([8.0, 8, 16, 16, 24], [16.0, 16, 24, 24, 32], draws=Draws(199)).quantiles[0]
    assert found.interval == (16.0, 24.0)
    assert (found.lower, found.upper) == (0.0, None)


def test_limits_of_a_quantile_are_where_the_band_crosses_its_height() -> None:
    left, right = visited(np.random.default_rng(3), 80)
    days = [62.0 * visit for visit in range(9)]
    found = turnbull_limits(left, right, days=days, shares=[0.25, 0.5, 0.75], draws=Draws(399))
    band = dict(zip(days, found.heights, strict=True))
    for quantile in found.quantiles:
        height = 1 - quantile.share_with_event
        below = [day for day in days if (band[day].lower or 0) <= height + 1e-9]
        surely = [day for day in days if (band[day].upper or 0) <= height + 1e-9]
        assert quantile.lower == below[0] - 62  # the interval that ends at the first day on which the band reaches down
        assert quantile.upper == (surely[0] if surely else None)
        assert quantile.interval is not None
        assert quantile.lower <= quantile.interval[0]


def test_only_the_seed_matters_not_the_order_of_subjects_nor_the_unit_of_time() -> None:
    left, right = visited(np.random.default_rng(4), 50, jitter=7)
    order = np.random.default_rng(0).permutation(50)
    once = turnbull_limits(left, right, days=[124], draws=Draws(199, seed=3))
    again = turnbull_limits([left[i] for i in order], [right[i] for i in order], days=[124], draws=Draws(199, seed=3))
    weeks = turnbull_limits(
        [d / 7 for d in left], [None if d is None else d / 7 for d in right], days=[124 / 7], draws=Draws(199, seed=3)
    )
    other = turnbull_limits(left, right, days=[124], draws=Draws(199, seed=4))
    assert [(h.lower, h.upper) for h in again.heights] == [(h.lower, h.upper) for h in once.heights]
    assert weeks.heights[0].lower == pytest.approx(once.heights[0].lower)
    assert weeks.quantiles[0].lower * 7 == pytest.approx(once.quantiles[0].lower)
    assert other.heights[0].lower == pytest.approx(once.heights[0].lower, abs=0.1)
    assert (once.method, other.method) == tuple(once.method.replace("seed 3", f"seed {seed}") for seed in (3, 4))


def test_visits_on_scattered_days_are_warned_of() -> None:
    shared = turnbull_limits(*visited(np.random.default_rng(5), 120), draws=Draws(39))
    scattered = turnbull_limits(*visited(np.random.default_rng(5), 120, jitter=20), draws=Draws(39))
    assert shared.warnings == ()
    assert [said.split(":")[0] for said in scattered.warnings] == ["scattered_visits"]


@pytest.mark.parametrize(
    ("draws", "shares", "confidence", "said"),
    [
        (38, (0.5,), 0.95, "38 draws are too few for limits of 0.95; take 39"),
        (99, (0.5,), 0.99, "take 199"),
        (99, (1.0,), 0.95, "a share with the event lies between 0 and 1, not 1"),
        (99, (0.5,), 1.0, "confidence"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    draws: int, shares: tuple[float, ...], confidence: float, said: str
) -> None:
    with pytest.raises(ProtocolError, match=said):
        turnbull_limits([0.0, 8], [8.0, None], draws=Draws(draws), shares=shares, confidence=confidence)


@pytest.mark.slow
@pytest.mark.parametrize("jitter", [0, 7, 30])
def test_limits_of_95_percent_hold_the_truth_about_that_often(jitter: int) -> None:
    """200 trials of 100 subjects: 95 % less three standard errors of such a share is 90 %."""
    random = np.random.default_rng(8)
    held = np.zeros(2)
    for trial in range(200):
        left, right = visited(random, 100, jitter=jitter)
        found = turnbull_limits(left, right, days=[248], draws=Draws(199, seed=trial))
        height, median = found.heights[0], found.quantiles[0]
        held[0] += (height.lower or 0) <= math.exp(-248 / 200) <= (height.upper or 1)
        held[1] += median.lower <= 200 * math.log(2) <= (median.upper or math.inf)
    assert (held / 200 >= 0.9).all(), held / 200
