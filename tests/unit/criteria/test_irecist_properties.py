"""What holds of iRECIST, irRECIST and volumes for every subject, on thousands of random ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest

from tests.oracle.histories import random_table, record_of
from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import CriterionAssessment, ImmuneResponse, NewLesionResponse, OverallResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria import imrecist, irecist, irrecist, recist11

I = ImmuneResponse  # noqa: E741 - the letter that iRECIST puts before its words
Record = tuple[Sequence[Track], Sequence[Designation], Sequence[Timepoint]]


def records(count: int, seed: int) -> Iterator[Record]:
    rng = random.Random(seed)
    for _ in range(count):
        tracks, roles, visits, _ = record_of(random_table(rng))
        yield tracks, roles, visits


@pytest.fixture(scope="module")
def subjects() -> list[tuple[Record, tuple[CriterionAssessment, ...]]]:
    return [(record, irecist.assess(*record)) for record in records(3000, seed=5)]


def test_recist_11_stays_beside_it(subjects: list[tuple[Record, tuple[CriterionAssessment, ...]]]) -> None:
    for record, answers in subjects:
        assert [a.parts["recist11"] for a in answers] == [a.overall for a in recist11.assess(*record)]


def test_without_a_progression_it_is_recist_11_in_other_words(
    subjects: list[tuple[Record, tuple[CriterionAssessment, ...]]],
) -> None:
    for _, answers in subjects:
        for answer in answers:
            if answer.parts["recist11"] is OverallResponse.PD:
                break
            assert answer.overall.name == answer.parts["recist11"].name


def test_the_first_progression_is_unconfirmed_and_only_four_weeks_confirm_it(
    subjects: list[tuple[Record, tuple[CriterionAssessment, ...]]],
) -> None:
    seen: Counter[ImmuneResponse] = Counter()
    for _, answers in subjects:
        since: Timepoint | None = None
        confirmed = False
        for answer in answers:
            seen[I[answer.overall.name]] += 1
            if answer.overall is I.UNCONFIRMED_PD:
                since = since or answer.timepoint
            elif answer.overall is I.PD:
                assert since is not None
                assert confirmed or (answer.timepoint.date - since.date).days >= 28
                confirmed = True
            elif answer.overall is not I.NE:
                since, confirmed = None, False
    assert all(seen[word] > 100 for word in (I.CR, I.PR, I.SD, I.UNCONFIRMED_PD, I.PD, I.NE)), seen


def test_no_complete_response_with_a_new_lesion(
    subjects: list[tuple[Record, tuple[CriterionAssessment, ...]]],
) -> None:
    for _, answers in subjects:
        for answer in answers:
            assert answer.overall is not I.CR or answer.new_lesion is not NewLesionResponse.UNEQUIVOCAL


@pytest.mark.parametrize("criterion", [irecist, irrecist, imrecist])
def test_the_order_of_lesions_does_not_matter(criterion: type[irecist]) -> None:  # type: ignore[valid-type]
    for tracks, roles, visits in records(500, seed=6):
        one = criterion.assess(tracks, roles, visits)
        other = criterion.assess(tuple(reversed(tuple(tracks))), roles, visits)
        assert [(a.overall, a.target, a.sums) for a in one] == [(a.overall, a.target, a.sums) for a in other]


@pytest.mark.parametrize("criterion", [irrecist, imrecist])
def test_a_progression_is_confirmed_only_by_another_one(criterion: type[irrecist]) -> None:  # type: ignore[valid-type]
    confirmed = 0
    for record in records(2000, seed=7):
        evaluable = [a for a in criterion.assess(*record) if a.overall.name != "NE"]
        for before, answer in pairwise(evaluable):
            if answer.overall.name == "PD":
                confirmed += 1
                assert before.overall.name in ("UNCONFIRMED_PD", "PD")
        assert not evaluable or evaluable[0].overall.name != "PD"
    assert confirmed > 50
