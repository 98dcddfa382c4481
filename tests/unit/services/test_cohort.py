"""Arms compared."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from trialimg.core.responses import BestOverallResponse, Firing
from trialimg.core.trial import Subject
from trialimg.endpoints.results import BestResponse, SubjectEndpoints, TimeToEvent, TumourBurden
from trialimg.protocol.analysis import Statistics
from trialimg.services.cohort import compare_arms
from trialimg.services.results import SubjectResult

PLAN = Statistics(compare_arms=("A", "B"))
WHY = Firing("R", "because")
DAY = dt.date(2025, 1, 1)


def subject(name: str, arm: str, *, responder: bool = False, days: int | None = None, event: bool = True):
    best = BestResponse(BestOverallResponse.PR if responder else BestOverallResponse.SD, DAY, WHY)
    survival = None if days is None else TimeToEvent(days, event, DAY, WHY)
    burden = TumourBurden(None, None, None, None)
    endpoints = SubjectEndpoints(best, best, responder, True, burden, survival, None, None)
    return SubjectResult(Subject(name, "01", arm), (), endpoints, ())


def without_baseline(name: str, arm: str) -> SubjectResult:
    return SubjectResult(Subject(name, "01", arm), (), None, ())


def test_all_subjects_first_then_each_arm_in_the_protocols_order():
    trial = [
        subject("S1", "B", responder=True, days=100),
        subject("S2", "A", days=50),
        subject("S3", "A", responder=True, days=80),
    ]
    cohort = compare_arms(trial, ("A", "B"), PLAN)
    assert [(arm, e.events, e.n) for arm, e in cohort.objective_response] == [("all", 2, 3), ("A", 1, 2), ("B", 1, 1)]
    assert [(arm, c.n, c.events) for arm, c in cohort.progression_free] == [("all", 3, 3), ("A", 2, 2), ("B", 1, 1)]
    assert cohort.log_rank is not None
    assert cohort.log_rank.n == 3


def test_who_has_no_baseline_stays_in_the_denominator_and_is_named():
    cohort = compare_arms([subject("S1", "A", responder=True, days=9), without_baseline("S2", "A")], ("A",), PLAN)
    estimate = dict(cohort.objective_response)["A"]
    assert (estimate.events, estimate.n) == (1, 2)
    assert dict(cohort.progression_free)["A"].n == 1
    assert any("S2" in note and "non-responders" in note for note in cohort.notes)


def test_one_arm_is_not_compared_and_the_reason_is_given():
    cohort = compare_arms([subject("S1", "A", days=9)], ("A",), PLAN)
    assert cohort.log_rank is None
    assert any(note.startswith("no log-rank test: ") for note in cohort.notes)


def test_an_arm_that_the_protocol_does_not_name_counts_only_under_all():
    cohort = compare_arms([subject("S1", "A", days=9), subject("S2", "", days=3)], ("A",), PLAN)
    assert [arm for arm, _ in cohort.objective_response] == ["all", "A"]
    assert any("S2" in note for note in cohort.notes)


@pytest.mark.parametrize("arms", [(), ("A", "B")])
def test_no_subject_at_all_is_no_rate(arms):
    cohort = compare_arms([], arms, PLAN)
    assert cohort.objective_response == ()
    assert cohort.progression_free == ()


def test_the_interval_and_the_compared_arms_are_the_protocols():
    trial = [subject("S1", "A", responder=True, days=9), subject("S2", "B", days=3), subject("S3", "C", days=3)]
    plan = Statistics(rate_interval="wilson", confidence=Decimal("0.9"), compare_arms=("A", "C"))
    cohort = compare_arms(trial, ("A", "B", "C"), plan)
    estimate = dict(cohort.objective_response)["all"]
    assert estimate.confidence == 0.9
    assert "wilson" in estimate.method.lower()
    assert cohort.log_rank is not None
    assert cohort.log_rank.n == 2


def test_no_arms_to_compare_is_no_test_and_no_complaint():
    cohort = compare_arms([subject("S1", "A", days=9), subject("S2", "B", days=3)], ("A", "B"), Statistics())
    assert (cohort.log_rank, cohort.notes) == (None, ())
