"""How readers do: tables that can be counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialimg.core.errors import InvalidValueError
from trialimg.core.reading import Seat
from trialimg.review.design import TriggerVariable
from trialimg.review.performance import (
    Count,
    DoubleRead,
    RepeatRead,
    adjudication_by_variable,
    adjudication_rate,
    control_chart,
    counts_by_reader,
    counts_by_reader_and_month,
    pair_matrix,
    repeat_agreement,
)

BOR, PD = TriggerVariable.BEST_RESPONSE.value, TriggerVariable.PROGRESSION_DATE.value
ONE, TWO = Seat.FIRST, Seat.SECOND

# case, first, second, month, differed, chosen
READS = tuple(
    DoubleRead(*row)
    for row in (
        ("C1", "ann", "bob", "2026-01", (), None),
        ("C2", "ann", "bob", "2026-01", (BOR,), ONE),
        ("C3", "bob", "ann", "2026-01", (BOR, PD), TWO),
        ("C4", "ann", "cid", "2026-02", (PD,), TWO),
        ("C5", "ann", "cid", "2026-02", (), None),
        ("C6", "bob", "cid", "2026-02", (BOR,), None),  # adjudication pending
        ("C7", "ann", "bob", "2026-03", (BOR,), TWO),
    )
)


def test_the_adjudication_rate_counts_cases_and_each_variable_apart():
    assert adjudication_rate(READS) == Count(5, 7)
    assert adjudication_by_variable(READS) == {BOR: Count(4, 7), PD: Count(2, 7)}


@pytest.mark.parametrize(
    ("reader", "cases", "adjudicated", "endorsed", "index"),
    [
        # ann: chosen in C2 and C3, not in C4 and C7
        ("ann", 6, Count(4, 6), Count(2, 4), Count(2, 6)),
        # bob: not chosen in C2, C3; chosen in C7; C6 undecided
        ("bob", 5, Count(4, 5), Count(1, 3), Count(2, 5)),
        # cid: chosen in C4; C6 undecided
        ("cid", 3, Count(2, 3), Count(1, 1), Count(0, 3)),
    ],
)
def test_each_reader_is_counted(reader, cases, adjudicated, endorsed, index):
    counts = counts_by_reader(READS)[reader]
    assert counts.cases == cases
    assert counts.adjudication_rate == adjudicated
    assert counts.endorsement_rate == endorsed
    assert counts.disagreement_index == index


def test_the_disagreement_index_names_the_reader_whom_neither_rate_names():
    """The one most often overruled neither differs most often nor is chosen least."""
    rows = []
    for reader, differed, lost in (("often", 50, 15), ("seldom", 10, 9), ("both", 40, 24)):
        for number in range(100):
            chosen = None if number >= differed else (TWO if number < lost else ONE)
            rows.append(DoubleRead(f"{reader}{number}", reader, f"x{reader}", "2026-01", (BOR,) * bool(chosen), chosen))
    counts = counts_by_reader(rows)
    readers = ("often", "seldom", "both")
    assert max(readers, key=lambda one: counts[one].adjudication_rate.events) == "often"
    assert min(readers, key=lambda one: counts[one].endorsement_rate.events / counts[one].decided) == "seldom"
    assert max(readers, key=lambda one: counts[one].disagreement_index.events) == "both"


def test_the_pair_matrix_holds_each_pair_once_whatever_the_seats():
    pairs = pair_matrix(READS)
    assert list(pairs) == [("ann", "bob"), ("ann", "cid"), ("bob", "cid")]
    assert pairs["ann", "bob"]["ann"].cases == 4
    assert pairs["ann", "bob"]["ann"].endorsement_rate == Count(2, 3)
    assert pairs["ann", "bob"]["bob"].endorsement_rate == Count(1, 3)


def test_months_add_up_to_the_whole():
    for reader, months in counts_by_reader_and_month(READS).items():
        assert sum(month.cases for month in months.values()) == counts_by_reader(READS)[reader].cases
        assert list(months) == sorted(months)


def test_repeats_agree_where_the_word_is_the_same():
    repeats = [
        RepeatRead("C1", "ann", "PR", "PR"),
        RepeatRead("C2", "ann", "PR", "SD"),
        RepeatRead("C3", "bob", "PD", "PD"),
    ]
    assert repeat_agreement(repeats) == {"ann": Count(1, 2), "bob": Count(1, 1)}


def test_a_month_far_from_the_others_is_out_and_the_others_are_not():
    chart = control_chart({f"2026-{n:02d}": Count(6, 30) for n in range(1, 7)} | {"2026-07": Count(20, 30)})
    assert [point.month for point in chart if point.is_out] == ["2026-07"]
    # 56 of 210; three standard deviations of a share of 30
    assert chart[0].upper == pytest.approx(56 / 210 + 3 * (56 / 210 * 154 / 210 / 30) ** 0.5, rel=1e-12)


def test_a_month_without_a_case_is_never_out_and_no_month_has_no_chart():
    assert not control_chart({"2026-01": Count(0, 0), "2026-02": Count(1, 2)})[0].is_out
    assert control_chart({}) == ()


@pytest.mark.parametrize(
    ("second", "differed", "chosen", "code"),
    [
        ("ann", (), None, "same_reader"),
        ("bob", (), ONE, "not_adjudicated"),
        ("bob", (BOR,), Seat.ADJUDICATOR, "not_a_read"),
    ],
)
def test_what_cannot_have_happened_is_refused(second, differed, chosen, code):
    with pytest.raises(InvalidValueError, match=code):
        DoubleRead("C1", "ann", second, "2026-01", differed, chosen)


def test_no_share_is_neither_above_nor_below_anything():
    assert not Count(0, 0).exceeds(0)
    assert not Count(0, 0).falls_below(100)
    assert Count(1, 3).exceeds(33)
    assert not Count(1, 4).exceeds(25)
    with pytest.raises(InvalidValueError):
        Count(2, 1)


READERS = st.sampled_from(["ann", "bob", "cid", "dot"])
ANY_READS = st.lists(
    st.builds(
        lambda pair, chosen: DoubleRead("C", pair[0], pair[1], "2026-01", (BOR,) if chosen else (), chosen),
        st.tuples(READERS, READERS).filter(lambda pair: pair[0] != pair[1]),
        st.sampled_from([None, ONE, TWO]),
    )
)


@given(ANY_READS)
def test_every_decided_case_overrules_exactly_one_reader(reads):
    counts = counts_by_reader(reads).values()
    overruled = sum(one.disagreement_index.events for one in counts)
    assert overruled == sum(one.endorsed for one in counts) == sum(read.chosen is not None for read in reads)
