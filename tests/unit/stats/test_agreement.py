"""Agreement: other routes, what must not matter, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as other_fleiss

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.kappa import cohen_kappa, cross_table, fleiss_kappa, gwet_ac1
from trialimg.stats.reliability import ICC_FORMS, bland_altman, intraclass_correlation, lin_concordance


def comparable(table: list[list[int]]) -> bool:
    """More than five cases, and both readers used more than one category."""
    counts = np.array(table)
    return bool(counts.sum() > 5 and (counts.sum(axis=0) > 0).sum() > 1 and (counts.sum(axis=1) > 0).sum() > 1)


TABLES = st.lists(st.lists(st.integers(0, 20), min_size=3, max_size=3), min_size=3, max_size=3).filter(comparable)


@settings(max_examples=40, deadline=None)
@given(TABLES)
def test_kappas_agree_with_another_library(table: list[list[int]]) -> None:
    for ours, theirs in (("unweighted", None), ("linear", "linear"), ("quadratic", "quadratic")):
        found, other = cohen_kappa(table, weights=ours), cohens_kappa(np.array(table), wt=theirs)
        assert found.value == pytest.approx(other.kappa, abs=1e-9)
        assert found.se == pytest.approx(np.sqrt(max(0.0, other.var_kappa)), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(TABLES)
def test_readers_change_places(table: list[list[int]]) -> None:
    turned = np.array(table).T.tolist()
    for ask in (cohen_kappa, gwet_ac1):
        there, back = ask(table), ask(turned)
        assert (there.value, there.se) == pytest.approx((back.value, back.se), abs=1e-9)


def test_counting_every_case_twice_keeps_kappa_and_halves_its_variance() -> None:
    table = np.array([[44, 7, 9], [5, 20, 5], [1, 3, 6]])
    once, twice = cohen_kappa(table), cohen_kappa(2 * table)
    assert once.se is not None
    assert twice.value == pytest.approx(once.value, abs=1e-12)
    assert twice.se == pytest.approx(once.se / np.sqrt(2), abs=1e-12)


def test_complete_agreement_is_one_and_one_category_is_undefined() -> None:
    assert cohen_kappa([[5, 0], [0, 7]]).value == 1
    assert gwet_ac1([[5, 0], [0, 7]]).value == 1
    alone = cohen_kappa([[5, 0], [0, 0]])
    assert alone.value is None
    assert alone.warnings[0].startswith("one_category:")


def test_ac1_worked_by_hand() -> None:
    """118 of 125 cases agree; prevalence of the first category (118 + 122) / 250: Gwet 2008, section 2."""
    found = gwet_ac1([[118, 5], [2, 0]])
    prevalence = (123 / 125 + 120 / 125) / 2
    by_chance = 2 * prevalence * (1 - prevalence)
    assert found.value == pytest.approx((118 / 125 - by_chance) / (1 - by_chance), abs=1e-12)
    kappa = cohen_kappa([[118, 5], [2, 0]])
    assert kappa.value is not None
    assert kappa.value < 0 < 0.9 < (found.value or 0)


def test_fleiss_kappa_agrees_with_another_library_and_with_two_readers_alike() -> None:
    random = np.random.default_rng(2)
    counts = random.multinomial(5, [0.5, 0.3, 0.2], size=40)
    found = fleiss_kappa(counts)
    assert found.value == pytest.approx(other_fleiss(counts, method="fleiss"), abs=1e-12)
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower < 0 < found.upper  # readers who guess
    pairs = random.multinomial(2, [0.6, 0.4], size=30)
    assert fleiss_kappa(pairs).value == pytest.approx(other_fleiss(pairs), abs=1e-12)


def test_answers_make_a_table() -> None:
    table = cross_table(["CR", "PD", "PR"], ["CR", "PD", "PD"], categories=["CR", "PR", "SD", "PD"])
    assert table.sum() == 3
    assert (table[0, 0], table[3, 3], table[1, 3]) == (1, 1, 1)
    grades = cross_table(["9", "10", "11"], ["9", "11", "11"])
    assert (grades[0, 0], grades[1, 2], grades[2, 2]) == (1, 1, 1)  # 9 before 10 before 11
    with pytest.raises(ReadingError, match="no category: UNK"):
        cross_table(["UNK"], ["CR"], categories=["CR"])
    with pytest.raises(ReadingError, match="must be paired"):
        cross_table(["CR"], [])


@pytest.mark.parametrize("table", [[[1, 2]], [[0, 0], [0, 0]], [[1, -1], [0, 2]], [[0.5, 1], [1, 1]]])
def test_tables_that_cannot_be_are_refused(table: list[list[float]]) -> None:
    for ask in (cohen_kappa, gwet_ac1):
        with pytest.raises(ReadingError):
            ask(table)


def test_a_case_that_not_all_have_read_is_named() -> None:
    with pytest.raises(ReadingError) as refusal:
        fleiss_kappa([[3, 0], [2, 0], [1, 2]])
    assert [f.where for f in refusal.value.faults] == ["case 2"]


RATINGS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)


@pytest.mark.parametrize("form", ICC_FORMS)
def test_unit_origin_and_order_do_not_matter(form: str) -> None:
    there = intraclass_correlation(RATINGS, form=form)
    back = intraclass_correlation(10 * RATINGS[::-1, ::-1] + 3, form=form)
    assert (there.value, there.lower, there.upper) == pytest.approx((back.value, back.lower, back.upper), abs=1e-10)


def test_a_reader_who_adds_a_constant_is_consistent_but_does_not_agree() -> None:
    base = RATINGS[:, :1]
    ratings = np.hstack([base, base + 5])
    assert intraclass_correlation(ratings, form="ICC3").value == pytest.approx(1)
    agreement = intraclass_correlation(ratings, form="ICC2").value
    assert agreement is not None
    assert agreement < 0.5


def test_lin_is_one_on_the_line_of_equality_only() -> None:
    x = [1.0, 2.0, 4.0, 7.0]
    assert lin_concordance(x, x).value == pytest.approx(1)
    shifted = lin_concordance(x, [v + 1 for v in x]).value
    assert shifted is not None
    assert shifted == pytest.approx(2 * np.var(x) / (2 * np.var(x) + 1), abs=1e-12)


def test_limits_of_lin_cover_as_often_as_they_say() -> None:
    random = np.random.default_rng(5)
    truth, inside = 2 * 0.8 / (2 + 0.25), 0
    for _ in range(300):
        x = random.normal(size=80)
        y = 0.8 * x + 0.6 * random.normal(size=80) + 0.5
        found = lin_concordance(x.tolist(), y.tolist())
        assert found.lower is not None
        assert found.upper is not None
        inside += found.lower <= truth <= found.upper
    assert 0.91 <= inside / 300 <= 0.985


def test_differences_that_grow_with_size_show_in_the_slope() -> None:
    x = np.linspace(10, 100, 40)
    found = bland_altman((1.1 * x).tolist(), x.tolist())
    assert found.proportional_slope.value == pytest.approx(0.1 / 1.05, abs=1e-12)
    steady = bland_altman((x + 3).tolist(), x.tolist())
    assert steady.bias.value == pytest.approx(3)
    assert steady.proportional_slope.value == pytest.approx(0, abs=1e-12)


def test_limits_of_agreement_and_their_intervals_worked_by_hand() -> None:
    found = bland_altman([1.0, 2, 3, 4], [0.0, 2, 2, 4])  # differences 1 0 1 0: mean 0.5, sd 0.57735
    assert found.sd == pytest.approx(np.sqrt(1 / 3))
    assert found.upper_limit.value == pytest.approx(0.5 + 1.96 * np.sqrt(1 / 3))
    assert found.upper_limit.se == pytest.approx(np.sqrt(1 / 3) * np.sqrt(1 / 4 + 1.96**2 / 6))


def test_measurements_that_cannot_be_are_refused() -> None:
    with pytest.raises(ReadingError) as refusal:
        bland_altman([1.0, float("nan"), 3.0], [1.0, 2.0, float("inf")])
    assert [f.where for f in refusal.value.faults] == ["case 2", "case 3"]
    with pytest.raises(ReadingError, match="3 pairs"):
        lin_concordance([1, 2], [1, 2])
    with pytest.raises(ReadingError, match="do not vary"):
        intraclass_correlation([[1, 2], [1, 2]])
    with pytest.raises(ProtocolError, match="ICC3k"):
        intraclass_correlation(RATINGS, form="ICC4")
    with pytest.raises(ProtocolError, match="above 0"):
        bland_altman([1, 2, 3], [1, 2, 4], multiplier=0)


def test_what_mean_squares_leave_undefined_is_no_number() -> None:
    opposed = [[0.0, 3.0], [3.0, 0.0], [1.0, 2.0]]  # every case has the same mean but for round-off
    with pytest.raises(ReadingError, match="do not vary"):
        intraclass_correlation(opposed)
    shifted = intraclass_correlation([[0.0, 2.5], [1.0, 3.5], [4.0, 6.5]], form="ICC2")
    assert (shifted.lower, shifted.upper) == (None, None)
    assert any(said.startswith("undefined:") for said in shifted.warnings)
