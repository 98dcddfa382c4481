"""Survival free of progression by the read that holds, counted by hand beside it."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import DATES, TRIAL, Trial, single
from trialimg.services.dashboard_courses import courses_of_reads
from trialimg.services.figures.courses import Outcome
from trialimg.services.figures.kaplan_meier import survival_of_trial

SIZES = {
    "C0001": {"BL": "30", "W06": "20", "W12": "50"},
    "C0002": {"BL": "30", "W06": "20", "W12": "21"},
    "C0003": {"BL": "30", "W06": "45", "W12": "50"},
}
"""Progression at W12, none, progression at W06."""


@pytest.fixture(scope="module")
def trial() -> Trial:
    made = Trial(text=single())
    made.trained("rita")
    made.receive(*SIZES, timepoints=("BL", "W06", "W12"))
    made.assign()
    for code, sizes in SIZES.items():
        made.read("rita", made.alias(code, "rita"), sizes)
    return made


def days(step: str) -> int:
    """Study days: the reference date is day 1."""
    return (DATES[step] - DATES["BL"]).days + 1


def test_each_subject_ends_at_its_progression_or_is_censored_at_the_last_assessment(trial):
    found = courses_of_reads(trial.records, trial.actor("ana"), TRIAL)
    assert {one.case: one.progression_free for one in found.courses} == {
        "C0001": Outcome(days("W12"), is_event=True),
        "C0002": Outcome(days("W12"), is_event=False),
        "C0003": Outcome(days("W06"), is_event=True),
    }


def test_the_curve_falls_by_the_product_limit_and_says_what_it_leaves_out(trial):
    figure = survival_of_trial(courses_of_reads(trial.records, trial.actor("ana"), TRIAL))
    said = str(figure)
    assert "deaths are not among their records" in said
    assert figure.name
