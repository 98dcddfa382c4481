"""When a progression stands that has to be confirmed, and the best response around it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.fakes.readings import readings
from trialimg.core.errors import ReadingError
from trialimg.core.responses import CriterionAssessment, ImmuneResponse, MetabolicResponse, WhoResponse
from trialimg.core.trial import Subject, Timepoint
from trialimg.criteria import irecist
from trialimg.endpoints.immune import ImmuneReading
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.settings import PROFILES, Censoring, EndpointSettings
from trialimg.endpoints.summary import summarise, summarise_immune

START = dt.date(2024, 1, 1)
BASELINE = Timepoint("BL", 0, START)
NO_WAIT = replace(PROFILES["recist11_table3"], min_sd_days=0, censoring=Censoring.EMA)


def found(words: str, settings: EndpointSettings = NO_WAIT, **about: dt.date) -> SubjectEndpoints:
    """Endpoints of words six weeks apart."""
    days = [START + dt.timedelta(weeks=6 * n) for n in range(1, 20)]
    own = [ImmuneReading(ImmuneResponse(w), d, d) for w, d in zip(words.split(), days, strict=False)]
    return summarise_immune(Subject("S1", reference_date=START, **about), own, baseline=BASELINE, settings=settings)


def week_of(day: dt.date | None) -> int | None:
    return None if day is None else (day - START).days // 7


@pytest.mark.parametrize(
    ("words", "week", "why"),
    [
        ("iSD iUPD iCPD", 12, "confirmed"),
        ("iSD iUPD NE iUPD iCPD", 12, "same block: nothing ended it"),
        ("iUPD iSD iUPD iCPD", 18, "ended, then a block of its own"),
        ("iUPD iPR iPR", None, "ended by a response"),
        ("iSD iUPD", 12, "neither confirmed nor ended"),
        ("iSD iUPD NE NE", 12, "nothing came after it"),
        ("iSD iCPD", 12, "confirmed without an iUPD of its own"),
        ("iUPD iUPD iCPD iSD iUPD", 6, "what follows a confirmed progression does not count"),
    ],
)
def test_the_date_of_progression(words: str, week: int | None, why: str) -> None:
    endpoints = found(words)
    assert week_of(endpoints.progression_date) == week, why
    survival = endpoints.progression_free_survival
    assert survival is not None
    assert survival.event is (week is not None)


def test_an_ended_progression_is_an_adequate_assessment() -> None:
    survival = found("iUPD iSD").progression_free_survival
    assert survival is not None
    assert (survival.event, week_of(survival.date)) == (False, 12)
    assert found("iCR iUPD iPR").progression_date is None


def test_the_duration_of_response_runs_to_the_first_iupd_of_the_block() -> None:
    duration = found("iPR iPR iUPD iUPD iCPD").duration_of_response
    assert duration is not None
    assert (duration.days, duration.event) == (12 * 7 + 1, True)


@pytest.mark.parametrize(
    ("words", "best"),
    [
        ("iUPD iPR iCR iUPD iCPD", "iCR"), ("iUPD iCPD iCR", "iCPD"), ("iUPD NE NE", "iUPD"), ("NE NE", "NE"),
        ("iUPD NON-iCR/NON-iUPD", "NON-iCR/NON-iUPD"),
    ],
)  # fmt: skip
def test_the_best_response_in_its_own_words(words: str, best: str) -> None:
    answer = found(words).immune_best
    assert answer is not None
    assert answer.response.value == best


def test_stable_disease_needs_its_time_and_nothing_counts_after_a_new_therapy() -> None:
    late = replace(NO_WAIT, min_sd_days=43)
    assert [found(words, late).immune_best.response.value for words in ("iSD", "iSD iSD")] == ["NE", "iSD"]  # type: ignore[union-attr]
    therapy = found("iSD iPR", new_therapy_date=START + dt.timedelta(weeks=7))
    assert therapy.immune_best.response.value == "iSD"  # type: ignore[union-attr]
    assert found("").immune_best is None


def test_a_confirmation_after_the_cut_off_is_not_known() -> None:
    settings = replace(NO_WAIT, cutoff_date=START + dt.timedelta(weeks=13))
    assert week_of(found("iUPD iSD iUPD iCPD", settings).progression_date) is None


def test_assessments_of_a_criterion_come_to_the_same() -> None:
    record = readings("BL W06 W12 W18 W24 W30\nT1 liver 100 60 75 77 79 80")
    answers = irecist.assess(record.tracks, record.designations, record.timepoints)
    endpoints = summarise(Subject("S1", reference_date=START), answers, baseline=BASELINE, settings=NO_WAIT)
    assert endpoints.progression_date == START + dt.timedelta(weeks=12)
    assert endpoints.immune_best is not None
    assert endpoints.immune_best.response is ImmuneResponse.PR
    assert str(endpoints.burden.best_change_pct) == "-40"


def test_words_of_another_family_are_refused_and_those_of_who_are_not() -> None:
    record = readings("BL W06\nT1 liver 100 60")
    (answer,) = irecist.assess(record.tracks, record.designations, record.timepoints)
    stranger: CriterionAssessment = replace(answer, overall=MetabolicResponse.SMD)
    with pytest.raises(ReadingError, match="SMD"):
        summarise(Subject("S1"), [stranger], baseline=BASELINE, settings=NO_WAIT)
    no_change: CriterionAssessment = replace(answer, overall=WhoResponse.NC)
    found = summarise(Subject("S1"), [no_change], baseline=BASELINE, settings=NO_WAIT)
    assert found.best.response.value == "SD"
