"""The support and incident log, from report to closure."""

from __future__ import annotations

import pytest

from tests.fakes.records import granted, memory_records
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, TrialimgError
from trialimg.services.records import EntryQuery
from trialimg.services.trials_incidents import (
    Closure,
    Report,
    ReportKind,
    close_incident,
    open_incidents,
    report_incident,
)

HELP = Report(ReportKind.SUPPORT, "a site cannot sign in", trial="T1")
FAILURE = Report(ReportKind.INCIDENT, "the disk was full", critical=True)


@pytest.fixture
def records():
    return memory_records()


@pytest.fixture
def analyst(records):
    return granted(records, "ana", Role.ANALYST)


@pytest.mark.requirement("A11-10")
@pytest.mark.requirement("E6-11")
def test_a_line_of_the_log_keeps_who_reported_what_when_and_how_it_ended(records, analyst):
    assert report_incident(records, analyst, HELP).id == "T1/1"
    assert report_incident(records, analyst, FAILURE).id == "_/1"
    assert report_incident(records, analyst, FAILURE).id == "_/2"
    with records.store.reading() as transaction:
        assert [one.id for one in open_incidents(transaction)] == ["T1/1", "_/1", "_/2"]
    admin = granted(records, "adi", Role.ADMINISTRATOR)
    ended = close_incident(records, admin, "_/1", Closure("space made", "no alarm", "alarm at 80 %"))
    assert ended.body["reported_by"] == "ana"
    assert ended.body["closure"] == {
        "answer": "space made",
        "root_cause": "no alarm",
        "measure": "alarm at 80 %",
        "closed_by": "adi",
        "closed_at": ended.body["closure"]["closed_at"],
    }
    with records.store.reading() as transaction:
        assert [one.id for one in open_incidents(transaction)] == ["T1/1", "_/2"]
        assert [one.id for one in open_incidents(transaction, "T1")] == ["T1/1"]
        actions = [entry.action for entry in transaction.entries(EntryQuery(object_kind="incident"))]
        assert actions == ["report_incident"] * 3 + ["close_incident"]


@pytest.mark.parametrize("closure", [Closure(""), Closure("fixed"), Closure("fixed", "cause"), Closure("", "a", "b")])
def test_a_critical_incident_is_not_closed_without_cause_and_measure(records, analyst, closure):
    report_incident(records, analyst, FAILURE)
    with pytest.raises(TrialimgError):
        close_incident(records, analyst, "_/1", closure)


def test_a_plain_question_is_closed_by_its_answer_once(records, analyst):
    report_incident(records, analyst, HELP)
    close_incident(records, analyst, "T1/1", Closure("password reset"))
    with pytest.raises(TrialimgError, match="no open incident"):
        close_incident(records, analyst, "T1/1", Closure("again"))


def test_nothing_is_reported_without_words_or_right(records, analyst):
    with pytest.raises(TrialimgError, match="what happened"):
        report_incident(records, analyst, Report(ReportKind.BREACH, " "))
    with pytest.raises(AccessError):
        report_incident(records, granted(records, "sam", Role.SPONSOR), HELP)
