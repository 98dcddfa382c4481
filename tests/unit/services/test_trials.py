"""Every version of a trial's protocol: who put it in force, why, from when, what changed, and what it reopens."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.records import granted, memory_records
from tests.unit.protocol.texts import VALID, broken
from trialimg.core.access import Action, Role
from trialimg.core.errors import AccessError, ProtocolError
from trialimg.protocol.load import read_protocol
from trialimg.services.records import EntryQuery, Place
from trialimg.services.trials import (
    Change,
    amend_protocol,
    open_trial,
    protocol_of,
    text_difference,
)

TRIAL = read_protocol(VALID).trial.id
FIRST = Change("the charter is approved", dt.date(2026, 1, 1))
NEW_TEXT = broken('version: "1.0"', 'version: "1.1"').replace("pr_decrease: 0.30", "pr_decrease: 0.35")
AMENDED = Change("the sponsor asked for it", dt.date(2026, 1, 1))


@pytest.fixture
def records():
    return memory_records()


@pytest.fixture
def analyst(records):
    return granted(records, "ana", Role.ANALYST)


def read_begun(records, case: str, state: str, by: str = "rita") -> None:
    analyst = granted(records, "ana", Role.ANALYST)
    with records.change(analyst, Action.RECEIVE_CASES, trial=TRIAL) as journal:
        place = Place(TRIAL, f"{TRIAL}/{case}", by, state)
        journal.write("read", f"{TRIAL}/{case}/first", {}, action="save_draft", place=place)


@pytest.mark.requirement("P11-12")
@pytest.mark.requirement("A11-08")
def test_each_change_of_a_protocol_is_a_version_with_author_reason_date_and_what_differs(records, analyst):
    open_trial(records, analyst, VALID, FIRST)
    bea = granted(records, "bea", Role.ANALYST)
    amend_protocol(records, bea, NEW_TEXT, AMENDED)
    with records.look(analyst, Action.VIEW_COHORT, trial=TRIAL) as transaction:
        former, now = (protocol_of(transaction, TRIAL, number).body for number in (1, 2))
        assert protocol_of(transaction, TRIAL).body == now
        entries = [e for e in transaction.entries(EntryQuery(trial=TRIAL)) if e.action == "put_protocol_in_force"]
    assert (former["text"], now["text"]) == (VALID, NEW_TEXT)
    assert (former["author"], now["author"]) == ("ana", "bea") == tuple(entry.who for entry in entries)
    assert (former["reason"], now["reason"]) == (FIRST.reason, AMENDED.reason)
    assert (former["effective"], now["effective"]) == ("2026-01-01", "2026-01-01")
    assert former["digest"] == read_protocol(VALID).digest != now["digest"]
    assert now["changes"] == [["trial.version", "1.0", "1.1"], ["response.rules.pr_decrease", "0.3", "0.35"]]
    assert former["changes"] == []


def test_the_lines_that_differ_are_shown():
    shown = text_difference(VALID, NEW_TEXT, names=("1.0", "1.1"))
    assert "-    pr_decrease: 0.30\n+    pr_decrease: 0.35\n" in shown
    assert text_difference(VALID, VALID, names=("1.0", "1.0")) == ""


@pytest.mark.requirement("FDA-01")
@pytest.mark.parametrize(
    ("rule", "reopened"),
    [("none", []), ("unsigned", ["C2"]), ("all", ["C1", "C2"])],
)
def test_an_amendment_after_the_first_read_is_flagged_and_says_which_reads_it_reopens(records, analyst, rule, reopened):
    open_trial(records, analyst, VALID, FIRST)
    read_begun(records, "C1", "signed")
    read_begun(records, "C2", "draft")
    text = NEW_TEXT.replace("readers: 2", f"readers: 2\n  amendment: {rule}")
    amended = amend_protocol(records, analyst, text, AMENDED)
    assert amended.body["after_first_read"]
    assert amended.body["reopens"] == [f"{TRIAL}/{case}/first" for case in reopened]


def test_an_amendment_names_single_reads_too_but_none_that_does_not_stand(records, analyst):
    open_trial(records, analyst, VALID, FIRST)
    read_begun(records, "C1", "signed")
    read_begun(records, "C2", "superseded")
    with pytest.raises(ProtocolError) as refused:
        amend_protocol(records, analyst, NEW_TEXT, AMENDED, reopens=[f"{TRIAL}/C2/first", "x"])
    assert [fault.where for fault in refused.value.faults] == [f"{TRIAL}/C2/first", "x"]
    amended = amend_protocol(records, analyst, NEW_TEXT, AMENDED, reopens=[f"{TRIAL}/C1/first"])
    assert amended.body["reopens"] == [f"{TRIAL}/C1/first"]


def test_an_amendment_before_the_first_read_of_a_person_is_not_flagged(records, analyst):
    open_trial(records, analyst, VALID, FIRST)
    read_begun(records, "C1", "draft", by="device")
    assert not amend_protocol(records, analyst, NEW_TEXT, AMENDED).body["after_first_read"]


@pytest.mark.parametrize(
    ("text", "change", "because"),
    [
        (VALID, AMENDED, "nothing differs"),
        (VALID.replace("pr_decrease: 0.30", "pr_decrease: 0.35"), AMENDED, "was used before"),
        (NEW_TEXT, Change("", dt.date(2026, 1, 1)), "reason"),
        (NEW_TEXT, Change("soon", dt.date(2026, 1, 2)), "put it in force on that day"),
        (NEW_TEXT, Change("late", dt.date(2025, 12, 31)), "before the version it replaces"),
        (NEW_TEXT.replace(f"id: {TRIAL}", "id: OTHER"), AMENDED, "no trial 'OTHER'"),
        ("trial: 1", AMENDED, "fault"),
    ],
)
def test_an_amendment_that_cannot_be_is_refused_and_leaves_nothing(records, analyst, text, change, because):
    open_trial(records, analyst, VALID, FIRST)
    with pytest.raises(ProtocolError, match=because):
        amend_protocol(records, analyst, text, change)
    with records.store.reading() as transaction:
        assert len(transaction.versions("protocol", TRIAL)) == 1


def test_a_trial_is_opened_once_and_only_by_an_analyst(records, analyst):
    open_trial(records, analyst, VALID, FIRST)
    with pytest.raises(ProtocolError, match="there already"):
        open_trial(records, analyst, VALID, FIRST)
    sponsor = granted(records, "sam", Role.SPONSOR)
    with pytest.raises(AccessError):
        amend_protocol(records, sponsor, NEW_TEXT, AMENDED)


def test_a_version_that_was_never_there_is_refused(records, analyst):
    open_trial(records, analyst, VALID, FIRST)
    with records.store.reading() as transaction, pytest.raises(ProtocolError, match="versions 1 to 1"):
        protocol_of(transaction, TRIAL, 2)
