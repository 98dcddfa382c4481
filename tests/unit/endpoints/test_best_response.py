"""Best overall response: a line of words at intervals of six weeks, and what it comes to."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from trialimg.core.errors import ReadingError
from trialimg.core.responses import OverallResponse
from trialimg.core.trial import Subject
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.sequence import DatedResponse
from trialimg.endpoints.settings import PROFILES, CrLost, EndpointSettings
from trialimg.endpoints.summary import summarise_responses

START = dt.date(2024, 1, 1)
TABLE3 = PROFILES["recist11_table3"]


def subject_with(
    words: str, settings: EndpointSettings = TABLE3, *, every_days: int = 42, therapy_day: int | None = None
) -> SubjectEndpoints:
    """A subject assessed at regular intervals; the first word stands ``every_days`` after the reference date."""
    therapy = START + dt.timedelta(days=therapy_day) if therapy_day is not None else None
    responses = [
        DatedResponse(OverallResponse(word), day, day)
        for number, word in enumerate(words.split(), start=1)
        for day in [START + dt.timedelta(days=every_days * number)]
    ]
    return summarise_responses(
        Subject("S1", reference_date=START, new_therapy_date=therapy), responses, baseline=None, settings=settings
    )


@pytest.mark.parametrize(
    ("words", "best", "number"),
    [
        ("SD PR CR", "CR", 3),
        ("PR PR SD", "PR", 1),
        ("SD SD PD CR", "SD", 1),
        ("PD CR CR", "PD", 1),
        ("NE SD", "SD", 2),
        ("NE NE", "NE", 1),
        ("NON-CR/NON-PD PD", "NON-CR/NON-PD", 1),
        ("NED NED", "NED", 1),
        ("NED PD", "PD", 2),
        ("ND NE", "NE", 2),
    ],
)
def test_best_response_and_its_date(words: str, best: str, number: int) -> None:
    found = subject_with(words).best
    assert (found.response.value, found.date) == (best, START + dt.timedelta(days=42 * number))


@pytest.mark.parametrize(
    ("words", "settings", "confirmed"),
    [
        ("CR CR", TABLE3, "CR"),
        ("PR PR", TABLE3, "PR"),
        ("PR CR", TABLE3, "PR"),
        ("PR CR CR", TABLE3, "CR"),
        ("PR SD", TABLE3, "SD"),
        ("PR PD", TABLE3, "SD"),
        ("PR NE PR", TABLE3, "PR"),
        ("PR NE PR", replace(TABLE3, max_ne=0), "SD"),
        ("PR NE NE PR", TABLE3, "SD"),
        ("PR NE NE PR", replace(TABLE3, max_ne=2), "PR"),
        ("PR SD PR", TABLE3, "SD"),
        ("PR SD PR", replace(TABLE3, accept_sd=True), "PR"),
        ("PR SD SD PR", replace(TABLE3, accept_sd=True), "SD"),
        ("CR NE CR", TABLE3, "CR"),
        ("CR PR PR", TABLE3, "SD"),
        ("CR PR PR", PROFILES["eortc"], "PR"),
        ("CR PR PR", PROFILES["admiralonco"], "PR"),
        ("PR CR PR", TABLE3, "PR"),
        ("CR SD", TABLE3, "SD"),
        ("NON-CR/NON-PD NON-CR/NON-PD", TABLE3, "NON-CR/NON-PD"),
    ],
)
def test_confirmed_best_response(words: str, settings: EndpointSettings, confirmed: str) -> None:
    assert subject_with(words, settings).confirmed.response.value == confirmed


@pytest.mark.parametrize(("days", "confirmed"), [(27, "SD"), (28, "PR")])
def test_a_confirmation_needs_its_interval(days: int, confirmed: str) -> None:
    settings = replace(TABLE3, min_sd_days=0)
    assert subject_with("PR PR", settings, every_days=days).confirmed.response.value == confirmed


@pytest.mark.parametrize(("days", "best"), [(41, "NE"), (42, "SD")])
def test_sd_needs_its_duration(days: int, best: str) -> None:
    assert subject_with("SD", every_days=days).best.response.value == best


def test_an_early_sd_before_progression_is_pd() -> None:
    assert subject_with("SD PD", every_days=20).best.response.value == "PD"


def test_nothing_after_progression_counts() -> None:
    found = subject_with("SD PD PR PR CR CR")
    assert (found.best.response.value, found.confirmed.response.value) == ("SD", "SD")


def test_nothing_after_a_new_therapy_counts() -> None:
    assert subject_with("SD PR", therapy_day=50).best.response.value == "SD"
    assert subject_with("SD PR", therapy_day=84).best.response.value == "PR"
    assert subject_with("SD PR", replace(TABLE3, stop_at_new_therapy=False), therapy_day=50).best.response.value == "PR"


def test_nothing_after_the_cutoff_is_known() -> None:
    found = subject_with("SD SD PD", replace(TABLE3, cutoff_date=START + dt.timedelta(days=100)))
    assert found.progression_date is None


def test_no_assessment_is_missing_or_by_setting_ne() -> None:
    assert subject_with("").best.response.value == "MISSING"
    assert subject_with("").best.date is None
    assert subject_with("", replace(TABLE3, missing_as_ne=True)).confirmed.response.value == "NE"


def test_assessments_not_done_are_no_assessments() -> None:
    assert subject_with("ND ND").best.response.value == "MISSING"


def test_without_a_reference_date_sd_cannot_be_shown_to_have_lasted() -> None:
    day = START + dt.timedelta(days=200)
    response = DatedResponse(OverallResponse.SD, day, day)
    found = summarise_responses(Subject("S1"), [response], baseline=None, settings=TABLE3)
    assert found.best.response.value == "NE"
    assert found.progression_free_survival is None


def test_two_responses_on_one_day_are_refused() -> None:
    same = DatedResponse(OverallResponse.SD, START, START)
    with pytest.raises(ReadingError, match="two responses on one date"):
        summarise_responses(Subject("S1", reference_date=START), [same, same], baseline=None, settings=TABLE3)


def test_the_order_in_which_responses_come_does_not_matter() -> None:
    days = [START + dt.timedelta(days=42 * n) for n in (1, 2, 3)]
    responses = [DatedResponse(OverallResponse(w), d, d) for w, d in zip(("PR", "PR", "PD"), days, strict=True)]
    subject = Subject("S1", reference_date=START)
    forward = summarise_responses(subject, responses, baseline=None, settings=TABLE3)
    assert forward == summarise_responses(subject, responses[::-1], baseline=None, settings=TABLE3)


@pytest.mark.parametrize(
    ("words", "confirmation_required", "responder", "control"),
    [
        ("PR SD", False, True, True),
        ("PR SD", True, False, True),
        ("PR PR", True, True, True),
        ("SD PD", False, False, True),
        ("PD", False, False, False),
        ("NE", False, False, False),
    ],
)
def test_flags(words: str, confirmation_required: bool, responder: bool, control: bool) -> None:
    found = subject_with(words, replace(TABLE3, confirmation_required=confirmation_required))
    assert (found.responder, found.disease_control) == (responder, control)
    assert (found.time_to_response is not None) == responder
    assert (found.disease_control_date is not None) == control


def test_a_lost_cr_says_why_it_is_a_progression() -> None:
    found = subject_with("CR PR")
    assert found.progression_date == START + dt.timedelta(days=84)
    survival = found.progression_free_survival
    assert survival is not None
    assert "no baseline" in survival.rule.sentence
    as_read = subject_with("CR PR", replace(TABLE3, cr_lost=CrLost.AS_READ))
    assert as_read.progression_date is None


def test_every_setting_in_force_is_printed() -> None:
    printed = dict(subject_with("SD", PROFILES["eortc"]).settings)
    assert printed["profile"] == "eortc"
    assert printed["cr_lost"] == "amend_to_pr"
    assert set(printed) == set(EndpointSettings.__dataclass_fields__)
