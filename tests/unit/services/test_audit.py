"""The audit trail as a person reads it, found by subject, user and time, and reviewed by plan."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import pytest

from tests.fakes.people import at_desk
from tests.fakes.records import SetClock, granted, memory_records
from tests.fakes.trials import TRIAL, case_id, kept_case, opened
from trialimg.core.access import Action, Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.protocol.oversight import AuditReview
from trialimg.services.audit import AuditFilter, browse
from trialimg.services.audit_review import (
    ReviewFindings,
    open_review,
    periods,
    sample,
    sampled_lines,
    sign_review,
)
from trialimg.services.differences import Difference
from trialimg.services.records import EntryQuery, Place
from trialimg.services.signatures import signature_of

FIRST_DAY = dt.date(2026, 1, 1)


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def records(clock):
    return memory_records(clock=clock)


@pytest.fixture
def desk(records):
    return opened(records)


@pytest.fixture
def inspector(records):
    return granted(records, "ines", Role.INSPECTOR)


@pytest.mark.requirement("P11-06")
def test_an_inspector_finds_lines_by_subject_user_action_and_time(records, desk, inspector, clock):
    kept_case(records, desk[0], "C1", subject="S-1")
    kept_case(records, desk[0], "C2", subject="S-1", state="reading")
    moment = records.now()
    clock.moment += dt.timedelta(days=1)
    bea = granted(records, "bea", Role.ANALYST)
    kept_case(records, bea, "C3", subject="S-2")
    everything = browse(records, inspector, AuditFilter(TRIAL))
    of_subject = browse(records, inspector, AuditFilter(TRIAL, subject="S-1"))
    assert {line.case for line in of_subject} == {case_id("C1"), case_id("C2")}
    assert len(of_subject) == sum(line.case in (case_id("C1"), case_id("C2")) for line in everything) == 9
    assert {line.entry.who for line in browse(records, inspector, AuditFilter(TRIAL, who="bea"))} == {"bea"}
    later = browse(records, inspector, AuditFilter(TRIAL, since=moment))
    assert {line.case for line in later} == {case_id("C3")}
    assert set(later) | set(browse(records, inspector, AuditFilter(TRIAL, until=moment))) == set(everything)
    signed = browse(records, inspector, AuditFilter(TRIAL, subject="S-1", action="sign_read", limit=3))
    assert [line.entry.object_kind for line in signed] == ["read"] * 3


@pytest.mark.requirement("P11-06")
def test_an_inspector_changes_nothing(records, desk, inspector):
    with records.store.reading() as transaction:
        before = transaction.size()
    browse(records, inspector, AuditFilter(TRIAL))
    with records.store.reading() as transaction:
        assert transaction.size() == before
    for action in (Action.REVIEW_AUDIT, Action.REDACT, Action.RECEIVE_CASES, Action.MANAGE_USERS):
        with pytest.raises(AccessError), records.change(inspector, action, trial=TRIAL):
            pytest.fail("the block was entered")


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ADJUDICATOR, Role.SPONSOR, Role.SITE])
def test_who_is_blinded_sees_no_audit_trail(records, desk, role):
    with pytest.raises(AccessError):
        browse(records, granted(records, "x", role), AuditFilter(TRIAL))


@pytest.mark.requirement("E6-05")
@pytest.mark.requirement("A11-07")
def test_a_line_says_in_words_what_was_what_is_and_why_with_the_time_zone(records, desk, inspector):
    for size in ("20.9", "21.3"):
        with records.change(desk[0], Action.RECEIVE_CASES, trial=TRIAL) as journal:
            place = Place(TRIAL, case_id("C1"), state="draft")
            body = {"lesions": [{"id": "T01", "long_axis_mm": size}]}
            journal.write("read", "r", body, action="save_draft", place=place, reason="handle was off by a pixel")
    made, changed = browse(records, inspector, AuditFilter(TRIAL, action="save_draft"))
    assert changed.changed == (Difference("lesions[0].long_axis_mm", "20.9", "21.3"),)
    assert made.changed == (
        Difference("lesions[0].id", None, "T01"),
        Difference("lesions[0].long_axis_mm", None, "20.9"),
    )
    assert changed.entry.at.endswith("+00:00")
    assert changed.sentence == (
        f"{changed.entry.at} ana (analyst) save draft read r (version 2): handle was off by a pixel"
    )


def test_what_was_taken_away_is_said_to_be(records, desk, inspector):
    with records.change(desk[0], Action.RECEIVE_CASES, trial=TRIAL) as journal:
        kept = journal.write("note", "n", {"a": "b"}, action="write", place=Place(TRIAL), reason="Mr Smith called")
    tables = records.store.tables
    tables.details[kept.entry] = tables.details[kept.entry].redacted(99)
    tables.versions["note", "n"] = [replace(kept, content=kept.content.redacted(99))]
    line = browse(records, inspector, AuditFilter(TRIAL, action="write"))[0]
    assert (line.reason, line.redacted, line.changed) == ("", "reason (entry 99), record (entry 99)", ())


def test_a_period_becomes_due_when_it_is_over(records, desk, clock):
    with records.store.reading() as transaction:
        assert [one.state for one in periods(transaction, TRIAL, "2026-03-31T23:00:00+00:00")] == ["running"]
        later = periods(transaction, TRIAL, "2026-07-01T00:00:00+00:00")
    assert [(one.first, one.state) for one in later] == [
        (FIRST_DAY, "due"),
        (dt.date(2026, 4, 1), "due"),
        (dt.date(2026, 6, 30), "running"),
    ]
    with pytest.raises(ReadingError, match="due"):
        open_review(records, desk[0], TRIAL, FIRST_DAY)


@pytest.mark.requirement("A11-07")
@pytest.mark.requirement("E6-06")
def test_a_period_is_sampled_by_the_protocols_plan_looked_at_and_signed(records, desk, inspector, clock):
    for code in ("C1", "C2", "C3"):
        kept_case(records, desk[0], code)
    with records.change(desk[0], Action.RECEIVE_CASES, trial=TRIAL) as journal:
        journal.note("withdraw_consent", kind="case", key=case_id("C1"), trial=TRIAL)
    clock.moment += dt.timedelta(days=90)
    reviewer, proof = at_desk(records, "rob", Role.ANALYST)
    task = open_review(records, reviewer, TRIAL, FIRST_DAY)
    assert task.body["plan"]["sample_pct"] == AuditReview().sample_pct
    lines = sampled_lines(records, reviewer, task.id)
    assert [line.entry.sequence for line in lines] == [number for number, _ in task.body["sample"]]
    always = [line for line in lines if line.entry.action in AuditReview().always]
    assert "withdraw_consent" in [line.entry.action for line in always]
    others = task.body["entries"] - len(always)
    assert len(lines) - len(always) == math.ceil(0.1 * others)
    number = lines[0].entry.sequence
    with pytest.raises(ReadingError, match="conclusion"):
        sign_review(records, reviewer, proof, task.id, seen=ReviewFindings("", {}))
    with pytest.raises(ReadingError) as refused:
        sign_review(records, reviewer, proof, task.id, seen=ReviewFindings("fine", {10**6: "odd"}))
    assert [fault.code for fault in refused.value.faults] == ["not_sampled"]
    signed = sign_review(records, reviewer, proof, task.id, seen=ReviewFindings("one question", {number: "why twice?"}))
    assert (signed.place.state, signed.body["findings"]) == ("signed", [[number, "why twice?"]])
    assert signed.body["made_by_reviewer"] == 0
    with records.store.reading() as transaction:
        assert signature_of(transaction, signed).user == "rob"
        assert [one.state for one in periods(transaction, TRIAL, records.now())] == ["signed", "running"]
    with pytest.raises(ReadingError):
        sign_review(records, reviewer, proof, task.id, seen=ReviewFindings("again", {}))
    with pytest.raises(ReadingError, match="due"):
        open_review(records, reviewer, TRIAL, FIRST_DAY)


@pytest.mark.parametrize(("percent", "drawn"), [(0, 0), (1, 1), (50, 8), (100, 16)])
def test_a_sample_holds_all_of_some_actions_and_a_share_of_the_rest_rounded_up(records, desk, percent, drawn):
    for code in ("C1", "C2", "C3"):
        kept_case(records, desk[0], code)
    with records.store.reading() as transaction:
        entries = list(transaction.entries(EntryQuery(trial=TRIAL)))
    plan = AuditReview(sample_pct=percent, always=("open_trial",))
    others = len(entries) - 1
    assert others == 16
    assert len(sample(entries, plan)) == 1 + drawn
    assert sample(entries, plan) == sample(list(reversed(entries)), plan)


def test_another_seed_draws_another_sample(records, desk):
    for number in range(8):
        kept_case(records, desk[0], f"C{number}")
    with records.store.reading() as transaction:
        entries = list(transaction.entries(EntryQuery(trial=TRIAL)))
    plan = AuditReview(sample_pct=20, always=())
    drawn = {tuple(entry.sequence for entry in sample(entries, plan.model_copy(update={"seed": n}))) for n in range(9)}
    assert len(drawn) == 9
