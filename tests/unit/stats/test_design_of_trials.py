"""Sizes of trials against published tables, simulation and brute force; multiplicity by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binom
from scipy.stats import fisher_exact as scipy_fisher

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.multiplicity import adjust_p, graphical_test
from trialimg.stats.power import (
    events_power,
    log_rank_events,
    one_arm,
    one_arm_power,
    two_arms,
    two_arms_power,
)
from trialimg.stats.simon import simon_designs, two_stage

# Simon 1989, tables 1 and 2: null rate, rate, level, power; then r1/n1 r/n of the optimal and of the minimax design.
SIMON = [
    (0.05, 0.25, 0.05, 0.80, (0, 9, 2, 17), (0, 12, 2, 16)),
    (0.10, 0.30, 0.05, 0.80, (1, 10, 5, 29), (1, 15, 5, 25)),
    (0.20, 0.40, 0.05, 0.90, (4, 19, 15, 54), (5, 24, 13, 45)),
    (0.30, 0.50, 0.05, 0.90, (8, 24, 24, 63), (7, 24, 21, 53)),
]


@pytest.mark.parametrize(("null_rate", "rate", "alpha", "power", "optimal", "minimax"), SIMON)
def test_two_stage_designs_are_those_of_the_paper(
    null_rate: float, rate: float, alpha: float, power: float, optimal: tuple[int, ...], minimax: tuple[int, ...]
) -> None:
    best, smallest = simon_designs(null_rate=null_rate, rate=rate, alpha=alpha, power=power)
    assert (best.r1, best.n1, best.r, best.n) == optimal
    assert (smallest.r1, smallest.n1, smallest.r, smallest.n) == minimax
    for design in (best, smallest):
        assert design.alpha <= alpha
        assert design.power >= power


def test_a_two_stage_design_reaches_what_every_outcome_sums_to() -> None:
    design = two_stage(1, 10, 5, 29, null_rate=0.1, rate=0.3)
    for rate, claimed in ((0.1, design.alpha), (0.3, design.power)):
        total = sum(
            binom.pmf(a, 10, rate) * binom.pmf(b, 19, rate)
            for a, b in itertools.product(range(11), range(20))
            if a > 1 and a + b > 5
        )
        assert claimed == pytest.approx(total, abs=1e-12)
    assert design.expected_n == pytest.approx(10 + 19 * (1 - binom.cdf(1, 10, 0.1)))


def test_a_smaller_two_stage_search_agrees_with_brute_force() -> None:
    null_rate, rate, alpha, power = 0.1, 0.5, 0.1, 0.8
    best = min(
        (d.expected_n, d.n)
        for n in range(2, 15)
        for n1 in range(1, n)
        for r1 in range(n1)
        for r in range(r1, n)
        if (d := two_stage(r1, n1, r, n, null_rate=null_rate, rate=rate)).alpha <= alpha and d.power >= power
    )
    optimal, minimax = simon_designs(null_rate=null_rate, rate=rate, alpha=alpha, power=power)
    assert (optimal.expected_n, optimal.n) == pytest.approx(best)
    assert minimax.n <= optimal.n


def test_one_arm_is_exact() -> None:
    plan = one_arm(null_rate=0.2, rate=0.4, alpha=0.05, power=0.8)
    assert plan.critical is not None
    assert binom.sf(plan.critical - 1, plan.n, 0.2) == pytest.approx(plan.alpha)
    assert plan.alpha <= 0.05
    assert binom.sf(plan.critical - 2, plan.n, 0.2) > 0.05
    assert binom.sf(plan.critical - 1, plan.n, 0.4) == pytest.approx(plan.power)
    for more in range(30):
        assert one_arm_power(plan.n + more, null_rate=0.2, rate=0.4, alpha=0.05).power >= 0.8
    assert one_arm_power(plan.n - 1, null_rate=0.2, rate=0.4, alpha=0.05).power < 0.8


def test_two_arms_sum_over_every_outcome() -> None:
    n_1, n_2 = 9, 7
    total = sum(
        binom.pmf(a, n_1, 0.8) * binom.pmf(b, n_2, 0.2)
        for a, b in itertools.product(range(n_1 + 1), range(n_2 + 1))
        if scipy_fisher([[a, n_1 - a], [b, n_2 - b]]).pvalue <= 0.05
    )
    plan = two_arms_power(n_1, n_2, rate_1=0.8, rate_2=0.2, alpha=0.05)
    assert plan.power == pytest.approx(total, abs=1e-12)
    assert plan.alpha <= 0.05


def test_a_two_arm_trial_reaches_its_power_and_a_smaller_one_does_not() -> None:
    plan = two_arms(rate_1=0.7, rate_2=0.3, alpha=0.05, power=0.8)
    assert plan.n_1 is not None
    assert plan.power >= 0.8
    assert two_arms_power(plan.n_1 - 1, plan.n_1 - 1, rate_1=0.7, rate_2=0.3, alpha=0.05).power < 0.8


def test_events_are_those_of_the_formulas() -> None:
    z = 1.959963984540054 + 1.2815515655446004
    schoenfeld = log_rank_events(hazard_ratio=0.7, alpha=0.05, power=0.9)
    freedman = log_rank_events(hazard_ratio=0.7, alpha=0.05, power=0.9, method="freedman")
    assert schoenfeld.n == int(np.ceil(4 * z**2 / np.log(0.7) ** 2)) == 331
    assert freedman.n == int(np.ceil(z**2 * (1.7 / 0.3) ** 2)) == 338
    assert events_power(331, hazard_ratio=0.7, alpha=0.05).power >= 0.9
    assert events_power(330, hazard_ratio=0.7, alpha=0.05).power < 0.9
    unequal = log_rank_events(hazard_ratio=0.7, alpha=0.05, power=0.9, ratio=2)
    assert unequal.n == int(np.ceil(z**2 / (2 / 9 * np.log(0.7) ** 2)))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: one_arm(null_rate=0.4, rate=0.2, alpha=0.05, power=0.8),
        lambda: one_arm(null_rate=0.2, rate=1.2, alpha=0.05, power=0.8),
        lambda: one_arm(null_rate=0.2, rate=0.201, alpha=0.05, power=0.8),
        lambda: two_arms(rate_1=0.5, rate_2=0.5, alpha=0.05, power=0.8),
        lambda: log_rank_events(hazard_ratio=1, alpha=0.05, power=0.8),
        lambda: log_rank_events(hazard_ratio=0.7, alpha=0.05, power=0.8, method="lakatos"),
        lambda: simon_designs(null_rate=0.3, rate=0.2, alpha=0.05, power=0.8),
        lambda: two_stage(3, 3, 4, 9, null_rate=0.1, rate=0.3),
    ],
)
def test_designs_that_cannot_be_are_refused(ask: object) -> None:
    with pytest.raises(ProtocolError):
        ask()  # type: ignore[operator]


def test_a_trial_too_large_to_search_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trialimg.stats.power.MOST_SUBJECTS", 100)
    with pytest.raises(ProtocolError, match="more than 100 subjects"):
        two_arms(rate_1=0.5, rate_2=0.51, alpha=0.05, power=0.8)


def test_a_graph_with_even_arrows_is_holm() -> None:
    p = [0.01, 0.02, 0.03, 0.005]
    weights = [0.25] * 4
    even = [[0.0 if i == j else 1 / 3 for j in range(4)] for i in range(4)]
    steps = {s.name: s for s in graphical_test(p, weights, even, alpha=0.05)}
    holm = adjust_p(p, method="holm")
    assert [steps[f"H{i + 1}"].adjusted_p for i in range(4)] == pytest.approx(holm, abs=1e-12)
    assert [steps[f"H{i + 1}"].rejected for i in range(4)] == [value <= 0.05 for value in holm]


def test_a_fixed_sequence_stops_at_the_first_that_is_kept() -> None:
    p, chain = [0.01, 0.2, 0.001], [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    steps = graphical_test(p, [1, 0, 0], chain, alpha=0.05, names=["ORR", "PFS", "OS"])
    assert [(s.name, s.rejected) for s in steps] == [("ORR", True), ("PFS", False), ("OS", False)]


def test_two_primaries_that_pass_to_their_secondaries() -> None:
    """Bretz et al. 2009, figure 5: alpha 0.025, p 0.01 0.005 0.01 0.5 with arrows of one half."""
    arrows = [[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5], [0, 1, 0, 0], [1, 0, 0, 0]]
    steps = graphical_test([0.01, 0.005, 0.01, 0.5], [0.5, 0.5, 0, 0], arrows, alpha=0.025)
    assert [(s.name, s.rejected) for s in steps] == [("H2", True), ("H1", True), ("H3", True), ("H4", False)]
    assert [s.adjusted_p for s in steps] == pytest.approx([0.01, 0.01 / 0.75, 0.02, 0.5])


def test_p_values_and_graphs_that_cannot_be_are_refused() -> None:
    with pytest.raises(ReadingError) as refusal:
        adjust_p([0.1, -0.1, 1.1], method="holm")
    assert [f.where for f in refusal.value.faults] == ["entry 2", "entry 3"]
    with pytest.raises(ProtocolError, match="hommel"):
        adjust_p([0.1], method="sidak")
    assert adjust_p([], method="holm") == ()
    with pytest.raises(ReadingError) as refusal:
        graphical_test([0.1, 0.2], [0.8, 0.4], [[0.5, 0.5], [1, 0]], alpha=0.05)
    assert [f.where for f in refusal.value.faults] == ["weights", "transitions of H1"]
    with pytest.raises(ReadingError, match="2 rows of 2"):
        graphical_test([0.1, 0.2], [0.5, 0.5], [[0, 1]], alpha=0.05)
