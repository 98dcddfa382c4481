"""Interval-censored times against R 4.2.2 (npsurv 0.5.0): the curve, its limits, and the test of two groups.

`cosmesis.csv` holds the times in months to breast retraction after radiotherapy alone (RT, 46 women) or with
chemotherapy (RCT, 48) of Finkelstein DM, Wolfe RA. Biometrics 1985; 41: 933, as npsurv gives them (``cancer``). The R
session, ``m <- as.matrix(cancer[, c("L", "R")])``:

    f <- npsurv(m[group == "RT", ], maxit = 1000, tol = 1e-15)$f             # MASSES
    for (b in 1:19999) npsurv(m[group == "RT", ][sample(46, replace = TRUE), ])$f     # set.seed(1); LIMITS

with 1 - sum(p[left < t]) of each drawn curve for the lower and 1 - sum(p[right <= t]) for the upper limit, of which the
500th smallest and largest are taken. The test is written from Fay and Shaw's formula for Sun's scores
(J Stat Softw 2010; 36(2)), on the curve that npsurv finds of all 94 women.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from trialimg.stats.interval_censoring import turnbull
from trialimg.stats.interval_limits import Draws, turnbull_limits
from trialimg.stats.interval_log_rank import interval_log_rank

Women = tuple[list[float], list[float | None], list[str]]
MASSES = {
    (4, 5): 0.04634677399,
    (6, 7): 0.03336337093,
    (7, 8): 0.08866736806,
    (11, 12): 0.07075292179,
    (24, 25): 0.09264583659,
    (33, 34): 0.08178576490,
    (38, 40): 0.12087982735,
    (46, 48): 0.46555813638,
}
LOGLIK = -58.060021954
LIMITS = {
    8: (0.69565218, 1.0),
    12: (0.63043478, 0.92173913),
    24: (0.58072282, 0.86956522),
    40: (0.28946715, 0.70056101),
}
SCORE, Z, P = 9.2181104388, 2.6725741418, 0.0075271739
CHANCE = 0.012
"""Of a percentile of 3,999 draws against 19,999: the heights near it, hundredths apart, hold one in a hundred draws."""


def women(group: str | None = None) -> Women:
    with Path(__file__).with_name("cosmesis.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if group in (None, row["group"])]
    left, right = [float(r["left"]) for r in rows], [float(r["right"]) if r["right"] else None for r in rows]
    return left, right, [r["group"] for r in rows]


def test_the_curve() -> None:
    left, right, _ = women("RT")
    curve = turnbull(left, right)
    assert list(zip(curve.left, curve.right, strict=True)) == list(MASSES)
    assert curve.mass == pytest.approx(list(MASSES.values()), abs=1e-9)
    assert curve.loglik == pytest.approx(LOGLIK, abs=1e-8)


def test_the_limits_of_the_curve_and_of_the_median() -> None:
    left, right, _ = women("RT")
    found = turnbull_limits(left, right, days=list(LIMITS), draws=Draws(3999, seed=7))
    for ours, wanted in zip(found.heights, LIMITS.values(), strict=True):
        assert (ours.lower, ours.upper) == pytest.approx(wanted, abs=CHANCE)
    median = found.quantiles[0]
    assert (median.interval, median.lower, median.upper) == ((38, 40), 27, None)


def test_the_test_of_two_groups() -> None:
    left, right, groups = women()
    found = interval_log_rank(left, right, groups)
    assert found.observed == (35, 21)
    assert found.observed[0] - found.expected[0] == pytest.approx(SCORE, abs=1e-9)
    assert (found.chi2, found.df, found.p) == pytest.approx((Z**2, 1, P), abs=1e-8)
