"""Odds ratios: against R and by hand; what has no finite one says so."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trialimg.core.errors import ReadingError
from trialimg.stats.logistic import odds_per_sd

MPG = [21.0, 21.0, 22.8, 21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2, 10.4, 10.4, 14.7, 32.4, 30.4,
       33.9, 21.5, 15.5, 15.2, 13.3, 19.2, 27.3, 26.0, 30.4, 15.8, 19.7, 15.0, 21.4]  # fmt: skip
MANUAL = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]

R_ANSWER = (1.850442951373, 0.692144995172528, 0.00750664404182598)


def test_an_odds_ratio_agrees_with_r() -> None:
    """R 4.2.2: coef(summary(glm(am ~ scale(mpg), binomial, mtcars, control = list(epsilon = 1e-14))))[2, ]."""
    found = odds_per_sd(MPG, MANUAL)
    assert (found.value, found.se, found.p) == pytest.approx(R_ANSWER, rel=1e-7)
    assert found.upper - found.value == pytest.approx(1.959963985 * found.se, rel=1e-8)
    assert (found.n, found.events, found.warnings) == (32, 13, ())


def test_a_table_of_two_by_two_worked_by_hand() -> None:
    """12 of 20 with the sign respond, 6 of 20 without: odds ratio (12 x 14) / (8 x 6) = 3.5; Woolf's variance."""
    values, has = [1.0] * 20 + [0.0] * 20, [1] * 12 + [0] * 8 + [1] * 6 + [0] * 14
    found, sd = odds_per_sd(values, has), math.sqrt(10 / 39)
    assert found.value / sd == pytest.approx(math.log(3.5), abs=1e-9)
    assert found.se / sd == pytest.approx(math.sqrt(1 / 12 + 1 / 8 + 1 / 6 + 1 / 14), abs=1e-9)


def test_turning_the_outcome_turns_the_sign_and_another_unit_changes_nothing() -> None:
    found = odds_per_sd(MPG, MANUAL)
    turned = odds_per_sd([1000 * v - 5 for v in MPG], [1 - one for one in MANUAL])
    assert turned.value == pytest.approx(-found.value, rel=1e-9)
    assert turned.p == pytest.approx(found.p, rel=1e-9)


@pytest.mark.parametrize(
    ("values", "has"),
    [([1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1]), ([1, 2, 3, 3, 5, 6], [1, 1, 1, 0, 0, 0]), ([1, 1, 2, 2], [0, 0, 1, 1])],
)
def test_a_quantity_that_separates_the_groups_has_no_odds_ratio(values, has) -> None:
    found = odds_per_sd([float(v) for v in values], has)
    assert (found.value, found.lower, found.p) == (None, None, None)
    assert found.warnings[0].startswith("separated:")


def test_groups_that_overlap_in_more_than_one_value_have_one() -> None:
    assert odds_per_sd([1.0, 2.0, 3.0, 2.0, 3.0, 4.0], [0, 0, 0, 1, 1, 1]).value is not None


def test_what_cannot_be_compared_is_refused_and_what_does_not_vary_says_so() -> None:
    assert odds_per_sd([2.0] * 4, [0, 1, 0, 1]).warnings[0].startswith("constant:")
    with pytest.raises(ReadingError, match="all or none"):
        odds_per_sd([1.0, 2.0], [1, 1])
    with pytest.raises(ReadingError, match="numbers"):
        odds_per_sd([1.0, math.nan], [1, 0])


def test_limits_cover_the_truth_as_often_as_they_promise() -> None:
    """Log odds 0.8 per unit of a standard normal quantity; the truth per standard deviation of each sample."""
    random, inside = np.random.default_rng(11), 0
    for _ in range(200):
        values = random.normal(size=120)
        has = random.random(120) < 1 / (1 + np.exp(-0.8 * values))
        found = odds_per_sd(values.tolist(), has.tolist())
        inside += (found.lower or 0) <= 0.8 * values.std(ddof=1) <= (found.upper or 0)
    assert 0.9 < inside / 200 < 0.99  # 0.95, standard error 0.015
