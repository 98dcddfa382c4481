"""The plan of a trial's reading, held to what can be worked out without chance."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from trialimg.core.errors import InvalidValueError
from trialimg.review.design import ReadingDesign, Trigger, TriggerVariable
from trialimg.review.simulation import PUBLISHED_ADJUDICATION_RATE, Effort, TrialPlan, plan_workload

DOUBLE = ReadingDesign(readers=2, adjudication=(Trigger(TriggerVariable.BEST_RESPONSE),), repeat_pct=10)
PLAN = TrialPlan((20.0,) * 6, (4, 4), DOUBLE, Effort(30, 10, 15))


def test_the_same_seed_gives_the_same_plan_and_another_does_not():
    assert plan_workload(PLAN, seed=1, replicates=50) == plan_workload(PLAN, seed=1, replicates=50)
    assert plan_workload(PLAN, seed=1, replicates=50) != plan_workload(PLAN, seed=2, replicates=50)


def test_the_middle_is_what_the_rates_say():
    """120 cases: 240 reads and 12 repeats of an hour each; 42 % of 120 adjudications of a quarter of an hour."""
    whole = plan_workload(replace(PLAN, rate_weight_cases=math.inf), seed=3, replicates=2000)[0]
    assert whole.cases.median == pytest.approx(120, abs=2)
    assert whole.reads.median == pytest.approx(252, abs=4)
    assert whole.reader_hours.median == pytest.approx(252, abs=4)
    assert whole.adjudications.median == pytest.approx(120 * PUBLISHED_ADJUDICATION_RATE, abs=2)
    assert whole.adjudicator_hours.median == pytest.approx(120 * PUBLISHED_ADJUDICATION_RATE / 4, abs=0.5)
    # nine of ten Poisson draws of mean 120 lie within 1.645 standard deviations; half a case for whole numbers
    assert whole.cases.lower == pytest.approx(120 - 1.645 * math.sqrt(120), abs=2)
    assert whole.cases.upper == pytest.approx(120 + 1.645 * math.sqrt(120), abs=2)


def test_trials_that_differ_from_one_another_spread_the_adjudications_but_not_the_reads():
    alike = plan_workload(replace(PLAN, rate_weight_cases=math.inf), seed=4, replicates=1000)[0]
    unlike = plan_workload(PLAN, seed=4, replicates=1000)[0]
    width = lambda span: span.upper - span.lower  # noqa: E731
    assert width(unlike.adjudications) > 1.8 * width(alike.adjudications)
    assert width(unlike.cases) == pytest.approx(width(alike.cases), rel=0.2)


def test_repeats_come_a_month_later():
    months = plan_workload(replace(PLAN, cases_per_month=(50.0,), design=replace(DOUBLE, repeat_pct=100)), seed=5)
    assert [month.month for month in months] == [0, 1, 2]
    assert months[2].cases.upper == 0
    assert months[2].reads.median == months[1].cases.median


def test_a_single_reader_is_never_adjudicated():
    months = plan_workload(replace(PLAN, design=ReadingDesign()), seed=6, replicates=100)
    assert all(month.adjudications.upper == 0 for month in months)
    assert months[0].reads == months[0].cases


def test_a_month_of_many_cases_keeps_its_mean_and_spread():
    whole = plan_workload(replace(PLAN, cases_per_month=(2000.0,), timepoints=(1, 1)), seed=7, replicates=100)[0]
    assert whole.cases.median == pytest.approx(2000, rel=0.01)
    assert whole.cases.upper - whole.cases.lower == pytest.approx(2 * 1.645 * math.sqrt(2000), rel=0.3)


@pytest.mark.parametrize(
    "change",
    [
        {"cases_per_month": ()},
        {"cases_per_month": (-1.0,)},
        {"timepoints": (3, 2)},
        {"adjudication_rate": 1.1},
        {"rate_weight_cases": 0.0},
    ],
)
def test_an_impossible_plan_is_refused(change):
    with pytest.raises(InvalidValueError):
        replace(PLAN, **change)


def test_minutes_are_above_nothing_and_a_handful_of_trials_gives_no_limits():
    with pytest.raises(InvalidValueError, match="followup_min"):
        Effort(30, 0, 15)
    with pytest.raises(InvalidValueError, match="replicates"):
        plan_workload(PLAN, seed=1, replicates=5)
