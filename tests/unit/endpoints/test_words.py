"""Responses in a criterion's own words: when a progression stands, and the best response around it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.fakes.readings import readings
from trialimg.core.errors import ReadingError
from trialimg.core.responses import (
    BoneResponse,
    CriterionAssessment,
    ImmuneResponse,
    MetabolicResponse,
    WhoResponse,
)
from trialimg.core.trial import Subject, Timepoint
from trialimg.criteria import irecist
from trialimg.criteria.registry import CRITERIA as BUILT
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.settings import PROFILES, Censoring, EndpointSettings, MinorResponse, PduBor
from trialimg.endpoints.summary import summarise, summarise_readings
from trialimg.endpoints.vocabulary import CRITERIA
from trialimg.endpoints.words import Reading

START = dt.date(2024, 1, 1)
BASELINE = Timepoint("BL", 0, START)
NO_WAIT = replace(PROFILES["recist11_table3"], min_sd_days=0, censoring=Censoring.EMA)


def found(words: str, settings: EndpointSettings = NO_WAIT, **about: dt.date) -> SubjectEndpoints:
    """Endpoints of words six weeks apart."""
    days = [START + dt.timedelta(weeks=6 * n) for n in range(1, 20)]
    own = [Reading(ImmuneResponse(w), d, d) for w, d in zip(words.split(), days, strict=False)]
    return summarise_readings(Subject("S1", reference_date=START, **about), own, baseline=BASELINE, settings=settings)


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
    answer = found(words).own_best
    assert answer is not None
    assert answer.response.value == best


def test_stable_disease_needs_its_time_and_nothing_counts_after_a_new_therapy() -> None:
    late = replace(NO_WAIT, min_sd_days=43)
    assert [found(words, late).own_best.response.value for words in ("iSD", "iSD iSD")] == ["NE", "iSD"]  # type: ignore[union-attr]
    therapy = found("iSD iPR", new_therapy_date=START + dt.timedelta(weeks=7))
    assert therapy.own_best.response.value == "iSD"  # type: ignore[union-attr]
    assert found("").own_best is None


def test_a_confirmation_after_the_cut_off_is_not_known() -> None:
    settings = replace(NO_WAIT, cutoff_date=START + dt.timedelta(weeks=13))
    assert week_of(found("iUPD iSD iUPD iCPD", settings).progression_date) is None


def test_assessments_of_a_criterion_come_to_the_same() -> None:
    record = readings("BL W06 W12 W18 W24 W30\nT1 liver 100 60 75 77 79 80")
    answers = irecist.assess(record.tracks, record.designations, record.timepoints)
    endpoints = summarise(Subject("S1", reference_date=START), answers, baseline=BASELINE, settings=NO_WAIT)
    assert endpoints.progression_date == START + dt.timedelta(weeks=12)
    assert endpoints.own_best is not None
    assert endpoints.own_best.response is ImmuneResponse.PR
    assert str(endpoints.burden.best_change_pct) == "-40"


def test_words_that_are_no_overall_response_are_refused_and_so_are_mixed_ones() -> None:
    record = readings("BL W06\nT1 liver 100 60")
    (answer,) = irecist.assess(record.tracks, record.designations, record.timepoints)
    for stranger in (BoneResponse.NON_PD, ImmuneResponse.NOT_APPLICABLE):
        with pytest.raises(ReadingError, match=stranger.value):
            summarise(Subject("S1"), [replace(answer, overall=stranger)], baseline=BASELINE, settings=NO_WAIT)
    with pytest.raises(ReadingError, match="one family"):
        mixed: list[CriterionAssessment] = [answer, replace(answer, overall=MetabolicResponse.SMD)]
        summarise(Subject("S1"), mixed, baseline=BASELINE, settings=NO_WAIT)


def test_no_change_of_who_is_stable_disease() -> None:
    record = readings("BL W06\nT1 liver 100 60")
    (answer,) = irecist.assess(record.tracks, record.designations, record.timepoints)
    no_change: CriterionAssessment = replace(answer, overall=WhoResponse.NC)
    found = summarise(Subject("S1"), [no_change], baseline=BASELINE, settings=NO_WAIT)
    assert (found.best.response.value, found.own_best) == ("SD", None)


def summed(criterion: str, words: str, settings: EndpointSettings = NO_WAIT) -> SubjectEndpoints:
    """Endpoints of words six weeks apart, by a criterion and what its paper asks for."""
    named = CRITERIA[criterion]
    days = [START + dt.timedelta(weeks=6 * n) for n in range(1, 20)]
    values = (word.replace("_", " ") for word in words.split())
    own = [Reading(named.vocabulary.words(w), d, d) for w, d in zip(values, days, strict=False)]
    asked = replace(settings, **named.changes)
    return summarise_readings(Subject("S1", reference_date=START), own, baseline=BASELINE, settings=asked)


@pytest.mark.parametrize(
    ("criterion", "words", "best", "own", "response", "progression"),
    [
        ("percist", "SMD PMR CMR PMD", "CR", "CMR", 12, 24),
        ("percist", "SMD SMD PMD CMR", "SD", "SMD", None, 18),
        ("eortc_pet", "PMD PMR", "PD", "PMD", None, 6),
        ("lugano2014", "NMR PMR CMR PMD", "CR", "CMR", 12, 24),
        ("lugano2014", "SAD PAR PAD", "PR", "PAR", 12, 18),
        ("lugano2014", "CAR NE", "CR", "CAR", 6, None),
        ("lugano2014", "ND PMR", "PR", "PMR", 12, None),
        ("lugano2014", "ND", "MISSING", "ND", None, None),
        ("lyric", "IR1", "NE", "IR1", None, None),
        ("lyric", "IR2 PMR", "PR", "PMR", 12, None),
        ("lyric", "IR1 IR1 PAD", "PD", "IR1", None, 18),
        ("lyric", "SAD IR3 NE", "SD", "SAD", None, None),
        ("recil", "MR MR PD", "SD", "MR", None, 18),
        ("recil", "SD PR MR CR", "CR", "CR", 12, None),
        ("rano2", "PR PR PD", "PR", "PR", 6, 18),
        ("rano2", "preliminary_PD PD", "PD", "preliminary PD", None, 6),
        ("rano2", "preliminary_PD SD", "SD", "SD", None, None),
        ("rano2", "SD preliminary_PD", "SD", "SD", None, 12),
        ("rano2", "SD hold", "SD", "SD", None, None),
        ("rano2", "hold PD", "PD", "hold", None, 12),
        ("rano_lgg", "MR PD", "SD", "MR", None, 12),
        ("pcwg3", "PDu", "SD", "PDu", None, None),
        ("pcwg3", "PDu NON-CR/NON-PD", "NON-CR/NON-PD", "NON-CR/NON-PD", None, None),
        ("pcwg3", "PDu PD", "SD", "PDu", None, 12),
        ("pcwg3", "PR PR PDu", "PR", "PR", 6, None),
        ("psa", "NON-PD PSA50 PSA90 PD", "PR", "PSA90", 12, 24),
        ("gcig", "PR PD", "PR", None, 6, 12),
        ("recil", "NE", "NE", "NE", None, None),
    ],
)
def test_the_words_of_every_criterion(
    criterion: str, words: str, best: str, own: str | None, response: int | None, progression: int | None
) -> None:
    found = summed(criterion, words)
    assert found.best.response.value == best
    assert (found.own_best.response.value if found.own_best else None) == own
    assert (week_of(found.response_date), week_of(found.progression_date)) == (response, progression)
    survival = found.progression_free_survival
    assert survival is not None
    assert survival.event is (progression is not None)
    if progression is not None:
        assert survival.days == 7 * progression + 1


def test_every_overall_response_of_every_criterion_has_its_place() -> None:
    for name, named in CRITERIA.items():
        vocabulary = named.vocabulary
        placed = {*vocabulary.counts_as, *vocabulary.waits}
        assert {m.name for m in vocabulary.words} - placed <= {"NOT_APPLICABLE"}, name
        assert not set(vocabulary.counts_as) & set(vocabulary.waits), name
        assert set(vocabulary.best_first) in (set(), placed), name
        for word in vocabulary.known:
            assert summed(name, word.replace(" ", "_")).best.response is not None


def test_every_criterion_can_be_summed_up() -> None:
    assert set(BUILT) | {"psa"} == set(CRITERIA)


@pytest.mark.parametrize(
    ("criterion", "words", "confirmed", "responder"),
    [
        ("rano2", "PR PR", "PR", True),
        ("rano2", "PR SD", "SD", False),
        ("who", "PR NC", "SD", False),
        ("recist10", "CR", "SD", False),
        ("irrc", "irPR irSD", "SD", False),
        ("percist", "PMR SMD", "SD", True),
        ("psa", "PSA50 NON-PD", "PR", True),
    ],
)
def test_confirmation_is_asked_for_where_the_paper_does(
    criterion: str, words: str, confirmed: str, responder: bool
) -> None:
    found = summed(criterion, words)
    assert (found.confirmed.response.value, found.responder) == (confirmed, responder)


def test_unresolved_pdu_is_what_the_setting_says_in_the_best_response_alone() -> None:
    conservative = replace(NO_WAIT, pdu_bor=PduBor.PD)
    found = summed("pcwg3", "PDu NE", conservative)
    assert (found.best.response.value, found.confirmed.response.value) == ("PD", "PD")
    assert (found.progression_date, found.disease_control) == (None, False)
    assert dict(found.settings)["pdu_bor"] == "pd"
    assert "pdu_bor" in found.best.rule.sentence
    lenient = summed("pcwg3", "PDu NE")
    assert (lenient.best.response.value, lenient.disease_control) == ("SD", True)
    assert summed("pcwg3", "PDu NON-CR/NON-PD", conservative).best.response.value == "NON-CR/NON-PD"


def test_unresolved_pdu_needs_the_minimum_duration_of_stable_disease() -> None:
    late = replace(NO_WAIT, min_sd_days=43)
    assert [summed("pcwg3", w, late).best.response.value for w in ("PDu", "PDu PDu")] == ["NE", "SD"]
    assert summed("gcig", "SD", late).best.response.value == "SD"


def test_a_minor_response_counts_as_partial_where_the_setting_says_so() -> None:
    found = summed("rano_lgg", "MR MR", replace(NO_WAIT, minor_response=MinorResponse.PR))
    assert (found.best.response.value, found.responder, week_of(found.response_date)) == ("PR", True, 6)


def test_a_lost_complete_response_is_a_progression_by_recist_alone() -> None:
    assert week_of(summed("recist11", "CR PR").progression_date) == 12
    assert summed("percist", "CMR PMR").progression_date is None
