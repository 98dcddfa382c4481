"""Rate differences: what limits promise, what symmetry demands, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact as scipy_fisher
from statsmodels.stats.proportion import confint_proportions_2indep

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.differences import DIFFERENCE_METHODS, rate_difference, stratified_rate_difference
from trialimg.stats.mantel_haenszel import mantel_haenszel
from trialimg.stats.two_by_two import TwoByTwo, fisher_exact, pearson_chi_square


@st.composite
def tables(draw: st.DrawFn, smallest: int = 1, largest: int = 60) -> TwoByTwo:
    n_1, n_2 = draw(st.integers(smallest, largest)), draw(st.integers(smallest, largest))
    return TwoByTwo(draw(st.integers(0, n_1)), n_1, draw(st.integers(0, n_2)), n_2)


def limits(table: TwoByTwo, method: str) -> tuple[float, float, float]:
    found = rate_difference(table, method=method)
    assert found.value is not None
    assert found.lower is not None
    assert found.upper is not None
    return found.lower, found.value, found.upper


@pytest.mark.parametrize("method", DIFFERENCE_METHODS)
@settings(max_examples=40, deadline=None)
@given(table=tables())
def test_limits_hold_the_estimate_inside_of_the_scale(method: str, table: TwoByTwo) -> None:
    lower, value, upper = limits(table, method)
    assert -1 <= lower <= value + 1e-12
    assert value - 1e-12 <= upper <= 1


@pytest.mark.parametrize("method", DIFFERENCE_METHODS)
@settings(max_examples=40, deadline=None)
@given(table=tables())
def test_changing_the_arms_turns_the_difference_round(method: str, table: TwoByTwo) -> None:
    lower, value, upper = limits(table, method)
    other = limits(TwoByTwo(table.events_2, table.n_2, table.events_1, table.n_1), method)
    assert other == pytest.approx((-upper, -value, -lower), abs=1e-10)


@settings(max_examples=40, deadline=None)
@given(table=tables())
def test_counting_failures_turns_the_difference_round(table: TwoByTwo) -> None:
    lower, _, upper = limits(table, "miettinen_nurminen")
    missed = TwoByTwo(table.n_1 - table.events_1, table.n_1, table.n_2 - table.events_2, table.n_2)
    other = limits(missed, "miettinen_nurminen")
    assert (other[0], other[2]) == pytest.approx((-upper, -lower), abs=1e-10)


@pytest.mark.parametrize(("ours", "theirs"), [("newcombe", "newcomb"), ("wald", "wald")])
@settings(max_examples=40, deadline=None)
@given(table=tables(smallest=2))
def test_limits_agree_with_another_library_where_it_is_right(ours: str, theirs: str, table: TwoByTwo) -> None:
    lower, _, upper = limits(table, ours)
    other = confint_proportions_2indep(
        table.events_1, table.n_1, table.events_2, table.n_2, method=theirs, compare="diff", correction=False
    )
    assert (lower, upper) == pytest.approx([max(-1, other[0]), min(1, other[1])], abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(table=tables())
def test_one_stratum_is_no_stratification(table: TwoByTwo) -> None:
    together = stratified_rate_difference([table])
    assert (together.lower, together.upper) == limits(table, "miettinen_nurminen")[::2]


def test_the_order_of_strata_does_not_matter() -> None:
    strata = [TwoByTwo(3, 10, 5, 12), TwoByTwo(8, 9, 4, 11), TwoByTwo(0, 6, 2, 7)]
    there, back = stratified_rate_difference(strata), stratified_rate_difference(strata[::-1])
    assert (there.value, there.lower, there.upper) == pytest.approx((back.value, back.lower, back.upper), abs=1e-12)


def test_a_weighted_difference_worked_by_hand() -> None:
    strata = [TwoByTwo(5, 10, 2, 10), TwoByTwo(6, 20, 2, 20)]  # differences 0.3 and 0.2, Mantel-Haenszel weights 5, 10
    found = stratified_rate_difference(strata)
    assert found.value == pytest.approx((5 * 0.3 + 10 * 0.2) / 15, abs=1e-14)
    assert mantel_haenszel(strata).risk_difference.value == pytest.approx(found.value, abs=1e-14)
    assert stratified_rate_difference(strata, weights="equal").value == pytest.approx(0.25, abs=1e-14)


def test_a_stratum_without_one_arm_is_left_out_and_named() -> None:
    strata = [TwoByTwo(5, 10, 2, 10, "north"), TwoByTwo(1, 1, 0, 0, "south")]
    for found in (stratified_rate_difference(strata), mantel_haenszel(strata).test):
        assert found.n == 20
        assert found.warnings[0].startswith("one_arm_stratum: stratum south")


@pytest.mark.parametrize("counts", [(5, 4, 1, 9), (1, 4, -1, 9), (0, 0, 1, 9), (1, 4, 1.5, 9)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int, int]) -> None:
    for ask in (rate_difference, fisher_exact, pearson_chi_square):
        with pytest.raises(ReadingError) as refusal:
            ask(TwoByTwo(*counts))
        assert len(refusal.value.faults) == 1


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(ReadingError, match="nobody has it"):
        pearson_chi_square(TwoByTwo(0, 5, 0, 6))
    with pytest.raises(ReadingError, match="nothing to compare"):
        mantel_haenszel([TwoByTwo(0, 5, 0, 6), TwoByTwo(1, 2, 0, 0)])
    with pytest.raises(ProtocolError, match="miettinen_nurminen"):
        rate_difference(TwoByTwo(1, 2, 1, 2), method="agresti")


@settings(max_examples=60, deadline=None)
@given(table=tables())
def test_fishers_p_agrees_with_another_library(table: TwoByTwo) -> None:
    cells = [[table.events_1, table.n_1 - table.events_1], [table.events_2, table.n_2 - table.events_2]]
    assert fisher_exact(table).p == pytest.approx(float(scipy_fisher(cells).pvalue), abs=1e-9)


def test_the_conditional_odds_ratio_reproduces_its_mean() -> None:
    """Two arms of 2, two events: at odds r the first arm has 0, 1, 2 events with weights 1, 4r, r^2; one event seen."""
    found = fisher_exact(TwoByTwo(1, 2, 1, 2))
    assert found.value == pytest.approx(1.0, abs=1e-12)
    assert found.upper is not None
    r = found.upper
    assert (1 + 4 * r) / (1 + 4 * r + r * r) == pytest.approx(0.025, abs=1e-12)


def test_an_infinite_odds_ratio_is_no_number() -> None:
    found = fisher_exact(TwoByTwo(4, 4, 0, 4))
    assert (found.value, found.upper) == (None, None)
    assert found.warnings[0].startswith("infinite:")
