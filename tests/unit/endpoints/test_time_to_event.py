"""Progression-free survival, response times and tumour burden of one subject, with the reason of each answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.readings import BASELINE, readings
from trialimg.core.responses import OverallResponse
from trialimg.core.trial import Subject, Timepoint
from trialimg.endpoints.results import SubjectEndpoints, TumourBurden
from trialimg.endpoints.sequence import DatedResponse
from trialimg.endpoints.settings import Censoring, EndpointSettings, PlannedVisit
from trialimg.endpoints.summary import summarise, summarise_responses

START = dt.date(2024, 1, 1)
BEFORE = Timepoint("BL", 0, dt.date(2023, 12, 28))
EVERY_SIX_WEEKS = tuple(PlannedVisit(f"W{w:02d}", 7 * w + 1, 7 * w - 6, 7 * w + 8) for w in range(6, 60, 6))
FDA = EndpointSettings(schedule=EVERY_SIX_WEEKS)
EMA = replace(FDA, censoring=Censoring.EMA)


def day(number: int) -> dt.date:
    """Study day; day 1 is the reference date."""
    return START + dt.timedelta(days=number - 1)


def outcome(
    course: dict[int, str],
    settings: EndpointSettings = FDA,
    *,
    death: int | None = None,
    therapy: int | None = None,
    baseline: Timepoint | None = BEFORE,
) -> tuple[int, bool, str]:
    """Days, event and rule of the PFS of a subject assessed on the study days of ``course``."""
    survival = endpoints(course, settings, death=death, therapy=therapy, baseline=baseline).progression_free_survival
    assert survival is not None
    return survival.days, survival.event, survival.rule.rule


def endpoints(
    course: dict[int, str],
    settings: EndpointSettings = FDA,
    *,
    death: int | None = None,
    therapy: int | None = None,
    baseline: Timepoint | None = BEFORE,
) -> SubjectEndpoints:
    subject = Subject(
        "S1",
        reference_date=START,
        death_date=None if death is None else day(death),
        new_therapy_date=None if therapy is None else day(therapy),
    )
    responses = [DatedResponse(OverallResponse(word), day(n), day(n)) for n, word in course.items()]
    return summarise_responses(subject, responses, baseline=baseline, settings=settings)


def test_progression_is_the_event() -> None:
    assert outcome({43: "SD", 85: "PD"}) == (85, True, "E/PFS-E")


def test_death_before_progression_is_the_event() -> None:
    assert outcome({43: "SD"}, death=60) == (60, True, "E/PFS-E")
    assert outcome({43: "SD", 85: "PD"}, death=100) == (85, True, "E/PFS-E")


def test_without_event_the_last_evaluable_assessment_censors() -> None:
    assert outcome({43: "SD", 85: "PR", 127: "NE"}) == (85, False, "E/PFS-C0")


def test_no_baseline_censors_on_day_one_under_fda_only() -> None:
    assert outcome({43: "SD", 85: "PD"}, baseline=None) == (1, False, "E/PFS-C1")
    assert outcome({43: "SD", 85: "PD"}, EMA, baseline=None) == (85, True, "E/PFS-E")


@pytest.mark.parametrize("settings", [FDA, EMA])
def test_nothing_after_baseline_censors_on_day_one(settings: EndpointSettings) -> None:
    assert outcome({}, settings) == (1, False, "E/PFS-C2")
    assert outcome({43: "NE"}, settings) == (1, False, "E/PFS-C2")


def test_death_before_the_first_assessment_is_an_event() -> None:
    assert outcome({}, death=30) == (30, True, "E/PFS-E")


def test_one_missed_assessment_is_tolerated_two_censor() -> None:
    assert outcome({43: "SD", 127: "PD"}) == (127, True, "E/PFS-E")
    assert outcome({43: "SD", 169: "PD"}) == (43, False, "E/PFS-C4")
    assert outcome({43: "SD", 169: "PD"}, EMA) == (169, True, "E/PFS-E")


def test_an_assessment_that_could_not_be_evaluated_is_missed() -> None:
    assert outcome({43: "SD", 85: "NE", 127: "NE", 169: "PD"}) == (43, False, "E/PFS-C4")


def test_death_after_two_missed_assessments_censors() -> None:
    assert outcome({43: "SD"}, death=300) == (43, False, "E/PFS-C4")
    assert outcome({}, death=300) == (1, False, "E/PFS-C4")


def test_an_assessment_late_in_its_window_is_not_missed() -> None:
    assert outcome({36: "SD", 78: "SD", 134: "PD"}) == (134, True, "E/PFS-E")


def test_how_many_missed_assessments_censor_is_a_setting() -> None:
    assert outcome({43: "SD", 169: "PD"}, replace(FDA, missed_visits=3))[1] is True
    assert outcome({43: "SD", 400: "PD"}, replace(FDA, missed_visits=0))[1] is True


def test_without_a_schedule_missed_assessments_cannot_be_seen() -> None:
    assert outcome({43: "SD", 400: "PD"}, replace(FDA, schedule=())) == (400, True, "E/PFS-E")


def test_a_new_therapy_before_progression_censors_before_it() -> None:
    course = {43: "SD", 85: "SD", 127: "PD"}
    assert outcome(course, therapy=100) == (85, False, "E/PFS-C3")
    assert outcome(course, therapy=20) == (1, False, "E/PFS-C3")
    assert outcome(course, EMA, therapy=100) == (127, True, "E/PFS-E")


def test_a_new_therapy_with_or_after_progression_changes_nothing() -> None:
    assert outcome({43: "SD", 85: "PD"}, therapy=85) == (85, True, "E/PFS-E")
    assert outcome({43: "SD", 85: "PD"}, therapy=90) == (85, True, "E/PFS-E")


def test_what_happens_after_the_cutoff_is_not_known() -> None:
    settings = replace(FDA, cutoff_date=day(100))
    course = {43: "SD", 85: "SD", 127: "PD"}
    assert outcome(course, settings, death=150, therapy=110) == (85, False, "E/PFS-C0")


def test_progression_is_dated_at_the_earliest_image_and_response_at_the_latest() -> None:
    responses = [
        DatedResponse(OverallResponse.PR, day(50), day(43)),
        DatedResponse(OverallResponse.PD, day(92), day(85)),
    ]
    found = summarise_responses(Subject("S1", reference_date=START), responses, baseline=BEFORE, settings=FDA)
    assert found.progression_date == day(85)
    assert found.response_date == day(50)
    assert found.progression_free_survival is not None
    assert found.progression_free_survival.days == 85


def test_times_of_response() -> None:
    found = endpoints({43: "SD", 85: "PR", 127: "CR", 169: "PD"})
    assert found.time_to_response is not None
    assert found.duration_of_response is not None
    assert (found.time_to_response.days, found.time_to_response.event) == (85, True)
    assert (found.duration_of_response.days, found.duration_of_response.event) == (85, True)


def test_a_response_that_goes_on_is_censored() -> None:
    found = endpoints({43: "PR", 85: "PR"})
    assert found.duration_of_response is not None
    assert (found.duration_of_response.days, found.duration_of_response.event) == (43, False)


def test_only_responders_have_times_of_response() -> None:
    found = endpoints({43: "SD", 85: "PD"})
    assert (found.time_to_response, found.duration_of_response) == (None, None)


def test_every_time_gives_its_reason_with_dates() -> None:
    survival = endpoints({43: "SD", 169: "PD"}).progression_free_survival
    assert survival is not None
    assert survival.rule.sentence == (
        "censored on day 43 (2024-02-12): progression on 2024-06-17 after 2 missed assessments (W12, W18); "
        "last evaluable assessment"
    )


class TestTumourBurden:
    def test_best_change_and_nadir_up_to_and_with_progression(self) -> None:
        burden = self.of("""
                        BL   W06  W12  W18  W24
            T1 liver    100  70   60   80   20
        """)
        assert burden.best_change_pct == Decimal(-40)
        assert burden.best_change_date == BASELINE + dt.timedelta(weeks=12)
        assert (burden.nadir_mm, burden.time_to_nadir_days) == (Decimal(60), 84)

    def test_a_tumour_that_only_grew_has_its_nadir_at_baseline(self) -> None:
        burden = self.of("""
                        BL   W06  W12
            T1 liver    50   55   59
        """)
        assert burden.best_change_pct == Decimal(10)
        assert (burden.nadir_mm, burden.nadir_date) == (Decimal(50), BASELINE)

    def test_a_timepoint_with_a_missing_target_takes_no_part(self) -> None:
        burden = self.of("""
                        BL   W06  W12
            T1 liver    50   10   45
            T2 lung     50   NE   45
        """)
        assert burden.best_change_pct == Decimal(-10)

    def test_nothing_measured_after_baseline_leaves_it_unknown(self) -> None:
        burden = self.of("""
                        BL   W06
            T1 liver    50   NE
        """)
        assert (burden.best_change_pct, burden.nadir_mm) == (None, None)

    @staticmethod
    def of(table: str) -> TumourBurden:
        record = readings(table)
        subject = Subject("S1", reference_date=BASELINE)
        settings = EndpointSettings()
        return summarise(subject, record.assess(), baseline=record.timepoints[0], settings=settings).burden


def test_a_death_without_progression_is_no_progression() -> None:
    found = endpoints({43: "SD", 85: "SD"}, death=100).time_to_progression
    assert found is not None
    assert (found.days, found.event, found.rule.rule) == (85, False, "E/TTP-C0")
    found = endpoints({43: "SD", 85: "PD"}, death=100).time_to_progression
    assert found is not None
    assert (found.days, found.event, found.rule.rule) == (85, True, "E/TTP-E")


@pytest.mark.parametrize(
    ("course", "weeks", "benefit"),
    [
        ({43: "PR"}, 24, True),
        ({43: "SD", 168: "SD"}, 24, False),
        ({43: "SD", 169: "SD"}, 24, True),
        ({43: "SD", 85: "SD"}, 12, True),
        ({43: "SD", 85: "PD", 169: "SD"}, 24, False),
    ],
)
def test_clinical_benefit_lasts_as_long_as_it_is_asked_to(course: dict[int, str], weeks: int, benefit: bool) -> None:
    settings = replace(FDA, clinical_benefit_weeks=weeks)
    assert endpoints(course, settings).clinical_benefit is benefit
