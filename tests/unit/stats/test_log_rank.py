"""Log-rank tests: other routes, invariances, the largest of several weightings."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.statistics import logrank_test
from scipy.stats import multivariate_normal
from statsmodels.duration.survfunc import survdiff

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.log_rank import MAX_COMBO_WEIGHTS, log_rank, max_combo
from trialimg.stats.log_rank import _p_of_largest as p_of_largest


def made(seed: int, n: int = 90) -> tuple[list[float], list[int], list[str], list[str]]:
    random = np.random.default_rng(seed)
    days = np.ceil(random.exponential(100, n) / 8)
    return (
        days.tolist(),
        random.integers(0, 2, n).tolist(),
        random.choice(["A", "B", "C"], n).tolist(),
        random.choice(["north", "south"], n).tolist(),
    )


@pytest.mark.parametrize("seed", range(5))
def test_tests_agree_with_another_library(seed: int) -> None:
    days, events, groups, strata = made(seed)
    plain, other = log_rank(days, events, groups), survdiff(np.array(days), np.array(events), np.array(groups))
    assert (plain.chi2, plain.p) == pytest.approx(other, abs=1e-9)
    layered = log_rank(days, events, groups, strata=strata)
    other = survdiff(np.array(days), np.array(events), np.array(groups), strata=np.array(strata))
    assert (layered.chi2, layered.p) == pytest.approx(other, abs=1e-9)


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0), (0.5, 2.0)])
def test_weighted_tests_agree_with_another_library(weights: tuple[float, float]) -> None:
    days, events, groups, _ = made(9)
    rows = [i for i, g in enumerate(groups) if g != "C"]
    d, e, g = np.array(days)[rows], np.array(events)[rows], np.array(groups)[rows]
    ours = log_rank(d.tolist(), e.tolist(), g.tolist(), weights=weights)
    a = g == "A"
    theirs = logrank_test(d[a], d[~a], e[a], e[~a], weightings="fleming-harrington", p=weights[0], q=weights[1])
    assert ours.chi2 == pytest.approx(theirs.test_statistic, abs=1e-9)


def test_rows_units_and_names_do_not_matter() -> None:
    days, events, groups, strata = made(4)
    order = np.random.default_rng(1).permutation(len(days)).tolist()
    there = log_rank(days, events, groups, strata=strata)
    back = log_rank(
        [days[i] * 7 for i in order],
        [events[i] for i in order],
        [{"A": "z", "B": "y", "C": "x"}[groups[i]] for i in order],
        strata=[strata[i] for i in order],
    )
    assert there.chi2 == pytest.approx(back.chi2, abs=1e-9)


def test_a_stratum_of_one_changes_nothing_and_is_named() -> None:
    days, events, groups, strata = made(6)
    there = log_rank(days, events, groups, strata=strata)
    more = log_rank([*days, 3.0], [*events, 1], [*groups, "A"], strata=[*strata, "west"])
    assert more.chi2 == pytest.approx(there.chi2, abs=1e-12)
    assert more.warnings == ("lone_subject: stratum west has one subject and says nothing",)


def test_the_largest_weighting_is_one_of_the_weighted_tests() -> None:
    days, events, groups, strata = made(12)
    two = ["A" if g == "A" else "B" for g in groups]
    found = max_combo(days, events, two, strata=strata)
    for weights, z in found.each:
        assert z**2 == pytest.approx(log_rank(days, events, two, strata=strata, weights=weights).chi2, abs=1e-9)
    assert abs(found.z) == max(abs(z) for _, z in found.each)
    smallest = min(log_rank(days, events, two, strata=strata, weights=w).p for w in MAX_COMBO_WEIGHTS)
    assert smallest < found.p < 4 * smallest


def test_the_p_value_of_the_largest_agrees_with_another_integration() -> None:
    random = np.random.default_rng(3)
    loadings = random.normal(size=(3, 3))
    correlation = loadings @ loadings.T
    correlation /= np.sqrt(np.outer(np.diag(correlation), np.diag(correlation)))
    limit = np.full(3, 1.9)
    inside = multivariate_normal.cdf(limit, np.zeros(3), correlation, lower_limit=-limit, rng=1)
    assert p_of_largest(1.9, correlation) == pytest.approx(1 - inside, abs=2e-5)
    assert p_of_largest(1.96, np.ones((4, 4))) == pytest.approx(0.0499957902964409, abs=1e-12)


def test_what_cannot_be_weighed_is_refused() -> None:
    with pytest.raises(ProtocolError, match="0 or more"):
        log_rank([1, 2], [1, 1], ["A", "B"], weights=(-1.0, 0.0))
    with pytest.raises(ReadingError, match="compares two groups"):
        max_combo([1, 2, 3, 4], [1, 1, 1, 1], ["A", "B", "C", "A"])
    with pytest.raises(ReadingError, match="2 times, but 1 strata"):
        log_rank([1, 2], [1, 1], ["A", "B"], strata=["x"])
