"""Cases are spread evenly over readers and pairs, in an order that anybody can compute again."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialimg.core.errors import ReadingError
from trialimg.core.reading import Seat
from trialimg.review.assignment import OpenCase, Turn, Workload, adjudicators, pairs, reading_order, repeats_due, turns
from trialimg.review.design import ReadOrder

BOTH = (Seat.FIRST, Seat.SECOND)
CASES = tuple(f"C{number:04d}" for number in range(60))


def open_cases(seats=BOTH, **more):
    return [OpenCase(name, seats, **more) for name in CASES]


@given(st.integers(0, 10**6), st.integers(2, 6))
def test_pairs_and_loads_are_balanced(seed, readers):
    people = [f"reader {number}" for number in range(readers)]
    given_out = pairs(open_cases(), people, Workload(), seed=seed)
    met = Counter(frozenset(seats.values()) for seats in given_out.values())
    loads = Counter(person for seats in given_out.values() for person in seats.values())
    assert len(met) == len(list(combinations(people, 2)))
    assert max(met.values()) - min(met.values()) <= 1
    assert max(loads.values()) - min(loads.values()) <= readers
    assert all(len(set(seats.values())) == 2 for seats in given_out.values())


def test_both_seats_are_shared_out_among_a_pair():
    firsts = Counter(seats[Seat.FIRST] for seats in pairs(open_cases(), ["ann", "bob"], Workload(), seed=3).values())
    assert min(firsts.values()) > len(CASES) // 4


def test_what_people_have_already_counts():
    workload = Workload(reads=Counter({"ann": 30}))
    given_out = pairs(open_cases((Seat.FIRST,)), ["ann", "bob"], workload, seed=1)
    assert Counter(seats[Seat.FIRST] for seats in given_out.values()) == {"ann": 15, "bob": 45}


@pytest.mark.requirement("P11-08")
def test_nobody_gets_a_second_seat_of_a_case_or_one_that_they_may_not_see():
    cases = open_cases((Seat.SECOND,), held=("ann",), barred=frozenset({"bob"}))
    given_out = pairs(cases, ["ann", "bob", "cat"], Workload(), seed=1)
    assert {seats[Seat.SECOND] for seats in given_out.values()} == {"cat"}
    chosen = adjudicators([OpenCase("C1", (), ("ann", "bob"))], ["ann", "bob", "cat"], Workload(), seed=1)
    assert chosen == {"C1": "cat"}


def test_every_case_that_lacks_a_reader_is_named():
    with pytest.raises(ReadingError) as refused:
        pairs([OpenCase("C1", BOTH), OpenCase("C2", BOTH)], ["ann"], Workload(), seed=1)
    assert [fault.where for fault in refused.value.faults] == ["C1", "C2"]


@pytest.mark.requirement("FDA-07")
def test_the_order_comes_from_the_seed_and_differs_between_readers():
    orders = {
        (seed, reader): reading_order(CASES, ReadOrder.RANDOMISED, seed=seed, reader=reader)
        for seed in (1, 2)
        for reader in ("ann", "bob")
    }
    assert len(set(orders.values())) == 4
    assert all(sorted(order) == list(CASES) for order in orders.values())
    assert reading_order(reversed(CASES), ReadOrder.RANDOMISED, seed=1, reader="ann") == orders[1, "ann"]
    assert orders[1, "ann"][:3] == ("C0017", "C0028", "C0012")  # written down: another release must give the same
    assert reading_order(CASES, ReadOrder.AS_RECEIVED, seed=1, reader="ann") == CASES


@given(st.integers(2, 40), st.integers(0, 40), st.integers(0, 99))
def test_repeats_come_once_each_and_well_after_the_first_time(cases, repeats, seed):
    sequence = turns(CASES[:cases], repeats, seed=seed, reader="ann")
    again = [turn.case for turn in sequence if turn.is_repeat]
    assert len(again) == len(set(again)) == min(repeats, cases)
    assert [turn.case for turn in sequence if not turn.is_repeat] == list(CASES[:cases])
    for case in again[: 1 if repeats == 1 else 0]:
        first, second = sequence.index(Turn(case)), sequence.index(Turn(case, is_repeat=True))
        assert second - first >= (cases - first) // 2 > 0
    assert all(sequence.index(Turn(case)) < sequence.index(Turn(case, is_repeat=True)) for case in again)


def test_a_lone_case_is_not_repeated_at_once():
    assert turns(("C1",), 1, seed=1, reader="ann") == (Turn("C1"),)


@pytest.mark.parametrize(
    ("cases", "had", "pct", "due"), [(100, 0, 5, 5), (100, 5, 5, 0), (19, 0, 5, 0), (20, 0, 5, 1), (10, 0, 0, 0)]
)
def test_repeats_are_counted_over_everything_a_reader_was_given(cases, had, pct, due):
    assert repeats_due(cases, had, pct) == due
