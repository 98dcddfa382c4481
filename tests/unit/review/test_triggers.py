"""Adjudication fires if and only if a trigger of the design is true of the two reads."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialimg.core.reading import CaseKind
from trialimg.review.answers import ChosenLesion, ReadAnswer, unmatched
from trialimg.review.design import ReadingDesign, Trigger, TriggerVariable
from trialimg.review.triggers import discordances

START = date(2026, 1, 1)
T = TriggerVariable

days = st.none() | st.integers(0, 40).map(lambda n: START + timedelta(days=n))
places = st.none() | st.tuples(*[st.integers(0, 30).map(Decimal)] * 3)
lesions = st.builds(
    ChosenLesion,
    name=st.sampled_from(["T01", "T02", "T03"]),
    organ=st.sampled_from(["liver", "Liver ", "lung"]),
    kind=st.sampled_from(["nodal", "non_nodal"]),
    diameter_mm=st.integers(10, 40).map(Decimal),
    centre_lps_mm=places,
)
answers = st.builds(
    ReadAnswer,
    best_response=st.sampled_from(["CR", "PR", "SD"]),
    responses=st.lists(st.sampled_from(["PR", "SD"]), max_size=2).map(
        lambda words: tuple((f"W{n}", w) for n, w in enumerate(words))
    ),
    progression_date=days,
    response_date=days,
    targets=st.lists(lesions, max_size=3).map(tuple),
    evaluable=st.booleans(),
    conclusion=st.sampled_from(["eligible", "not_eligible"]),
)
triggers = st.lists(
    st.one_of(
        st.builds(Trigger, st.sampled_from([v for v in T if not v.is_date])),
        st.builds(Trigger, st.sampled_from([v for v in T if v.is_date]), st.integers(0, 30)),
    ),
    min_size=1,
    unique_by=lambda trigger: trigger.variable,
)


def apart(one: date | None, other: date | None, most: int) -> bool:
    if one is None or other is None:
        return one is not other
    return not timedelta(-most) <= one - other <= timedelta(most)


def differ(trigger: Trigger, one: ReadAnswer, other: ReadAnswer) -> bool:
    """The same question, asked naively: every pairing of lesions is tried."""
    match trigger.variable:
        case T.BEST_RESPONSE:
            return one.best_response != other.best_response
        case T.TIMEPOINT_RESPONSE:
            return set(one.responses) != set(other.responses)
        case T.PROGRESSION_DATE:
            return apart(one.progression_date, other.progression_date, trigger.tolerance_days)
        case T.RESPONSE_DATE:
            return apart(one.response_date, other.response_date, trigger.tolerance_days)
        case T.EVALUABILITY:
            return one.evaluable is not other.evaluable
        case T.LESION_CHOICE:
            pairings = permutations(other.targets)
            same = (
                any(all(a.may_be(b) for a, b in zip(one.targets, p, strict=True)) for p in pairings)
                if (len(one.targets) == len(other.targets))
                else False
            )
            return not same


@pytest.mark.requirement("FDA-03")
@given(triggers, answers, answers)
def test_adjudication_fires_exactly_when_a_trigger_is_true(chosen, one, other):
    design = ReadingDesign(readers=2, adjudication=tuple(chosen))
    found = discordances("C1", CaseKind.EFFICACY, design, first=one, second=other)
    expected = [trigger.variable.value for trigger in chosen if differ(trigger, one, other)]
    assert [discordance.variable for discordance in found] == expected
    assert all(d.first != d.second for d in found if d.variable != T.LESION_CHOICE.value)
    assert all(discordance.rule.rule == f"A/{discordance.variable}" for discordance in found)


@given(triggers, answers)
def test_a_read_never_differs_from_itself(chosen, one):
    design = ReadingDesign(readers=2, adjudication=tuple(chosen))
    assert discordances("C1", CaseKind.EFFICACY, design, first=one, second=one) == ()


@pytest.mark.parametrize("kind", [CaseKind.ELIGIBILITY, CaseKind.PROGRESSION])
@given(one=answers, other=answers)
def test_other_kinds_of_case_are_compared_by_their_conclusion_alone(kind, one, other):
    design = ReadingDesign(readers=2, adjudication=(Trigger(T.BEST_RESPONSE),))
    found = discordances("C1", kind, design, first=one, second=other)
    assert [d.variable for d in found] == (["conclusion"] if one.conclusion != other.conclusion else [])


def read(**words) -> ReadAnswer:
    said = {"best_response": "PR", "responses": (), "progression_date": None, "response_date": None, "targets": ()}
    return ReadAnswer(**{**said, "evaluable": True, **words})


@pytest.mark.parametrize(
    ("trigger", "one", "other", "says"),
    [
        (
            Trigger(T.PROGRESSION_DATE, 14),
            read(progression_date=date(2026, 3, 1)),
            read(progression_date=date(2026, 3, 16)),
            ("2026-03-01", "2026-03-16", "15 days apart, more than 14"),
        ),
        (
            Trigger(T.PROGRESSION_DATE, 14),
            read(progression_date=date(2026, 3, 1)),
            read(),
            ("2026-03-01", "none", "only one of the reads has this date"),
        ),
        (
            Trigger(T.TIMEPOINT_RESPONSE),
            read(responses=(("W06", "PR"), ("W12", "PR"))),
            read(responses=(("W06", "PR"), ("W12", "PD"))),
            ("W12 PR", "W12 PD", "responses differ at W12"),
        ),
        (
            Trigger(T.LESION_CHOICE),
            read(targets=(ChosenLesion("T01", "liver", "non_nodal"), ChosenLesion("T02", "lung", "non_nodal"))),
            read(targets=(ChosenLesion("T09", "liver", "non_nodal"),)),
            ("T02 (lung)", "none", "1 target(s) of one read and 0 of the other have no counterpart"),
        ),
    ],
)
def test_a_discordance_says_both_values_and_the_comparison(trigger, one, other, says):
    design = ReadingDesign(readers=2, adjudication=(trigger,))
    (found,) = discordances("C1", CaseKind.EFFICACY, design, first=one, second=other)
    assert (found.first, found.second, found.rule.sentence) == says


def test_fourteen_days_are_within_a_window_of_fourteen():
    design = ReadingDesign(readers=2, adjudication=(Trigger(T.PROGRESSION_DATE, 14),))
    reads = (read(progression_date=date(2026, 3, 1)), read(progression_date=date(2026, 3, 15)))
    assert discordances("C1", CaseKind.EFFICACY, design, first=reads[0], second=reads[1]) == ()


def at(name: str, x: int, diameter: int = 20) -> ChosenLesion:
    return ChosenLesion(name, "liver", "non_nodal", Decimal(diameter), (Decimal(x), Decimal(0), Decimal(0)))


@pytest.mark.parametrize(
    ("first", "second", "alone"),
    [
        ((at("T01", 0),), (at("T01", 10),), ((), ())),  # one lies on the other's edge
        ((at("T01", 0),), (at("T01", 11),), (("T01 (liver)",), ("T01 (liver)",))),  # the same name, another lesion
        ((at("a", 0), at("b", 9)), (at("x", -9), at("y", 1)), ((), ())),  # only one of two pairings fits all
        ((at("a", 0),), (ChosenLesion("x", "lung", "non_nodal"),), (("a (liver)",), ("x (lung)",))),
    ],
)
def test_lesions_are_the_same_by_where_they_lie_not_by_their_name(first, second, alone):
    assert unmatched(first, second) == alone
