"""A query goes from its opening to its end step by step, by those who may, and every word of it stays."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import TRIAL, Trial
from tests.fakes.people import at_desk
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.services.audit import AuditFilter, browse
from trialimg.services.queries import (
    Answer,
    Question,
    answer_query,
    cancel_query,
    close_query,
    identifiers_in,
    open_query,
    question_of,
    reopen_query,
)
from trialimg.services.queries_seen import ageing, queries_of

THICK = Question("01", "slice_thickness", "slices of 7 mm; the protocol allows 5 mm", "S-C0001", "C0001", "W06")
BY_MAIL = Answer("reconstructed again at 2 mm, sent today", "e-mail of 2026-03-04, study coordinator")
FIRST = f"{TRIAL}/Q0001"
FINDING = {"code": "missed_visit", "severity": "warning", "where": "S-C0001 W12", "message": "no images for W12",
           "subject": "S-C0001", "timepoint": "W12"}  # fmt: skip


@pytest.fixture
def trial() -> Trial:
    made = Trial()
    made.receive("C0001")
    return made


@pytest.fixture
def ana(trial):
    return trial.actor("ana")


def state(trial: Trial, name: str = FIRST) -> str:
    with trial.records.store.reading() as transaction:
        return transaction.current("query", name).place.state


def test_a_query_is_opened_answered_and_closed_and_its_thread_says_who_when_and_what(trial, ana):
    open_query(trial.records, ana, TRIAL, THICK)
    assert state(trial) == "open"
    answer_query(trial.records, ana, FIRST, BY_MAIL)
    assert state(trial) == "answered"
    close_query(trial.records, ana, FIRST, reason="the thin series is here")
    (line,) = queries_of(trial.records, ana, TRIAL)
    assert (line.state, line.is_waiting, line.case, line.timepoint) == ("closed", False, "C0001", "W06")
    said = [(one["action"], one["by"], one["source"]) for one in line.thread]
    assert said == [("open_query", "ana", ""), ("answer_query", "ana", BY_MAIL.source), ("close_query", "ana", "")]
    assert [one["at"] for one in line.thread] == sorted(one["at"] for one in line.thread)


def test_every_step_is_an_entry_of_the_ledger_that_belongs_to_the_case(trial, ana):
    open_query(trial.records, ana, TRIAL, THICK)
    answer_query(trial.records, ana, FIRST, BY_MAIL)
    cancel_query(trial.records, ana, FIRST, reason="asked of the wrong subject")
    reopen_query(trial.records, ana, FIRST, reason="it was the right one")
    lines = [one for one in browse(trial.records, ana, AuditFilter(TRIAL)) if one.entry.object_kind == "query"]
    assert [one.entry.action for one in lines] == ["open_query", "answer_query", "cancel_query", "reopen_query"]
    assert {one.case for one in lines} == {f"{TRIAL}/C0001"}
    assert lines[2].reason == "asked of the wrong subject"


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ((), "reopen"),
        (("close",), "close"),
        (("close",), "cancel"),
        (("close",), "answer"),
        (("cancel",), "answer"),
        (("answer", "close"), "answer"),
        (("close", "reopen"), "reopen"),
    ],
)
def test_a_step_out_of_order_is_refused_and_changes_nothing(trial, ana, steps, refused):
    open_query(trial.records, ana, TRIAL, THICK)
    for step in steps:
        take(trial, ana, step)
    before = state(trial)
    with pytest.raises(ReadingError, match=f"is {before}"):
        take(trial, ana, refused)
    assert state(trial) == before


def take(trial, ana, step: str) -> None:
    if step == "answer":
        answer_query(trial.records, ana, FIRST, BY_MAIL)
    else:
        {"close": close_query, "cancel": cancel_query, "reopen": reopen_query}[step](
            trial.records, ana, FIRST, reason="because"
        )


def test_a_closed_query_is_asked_again_and_answered_again(trial, ana):
    open_query(trial.records, ana, TRIAL, THICK)
    for step in ("answer", "close", "reopen", "answer", "close"):
        take(trial, ana, step)
    (line,) = queries_of(trial.records, ana, TRIAL)
    assert len(line.thread) == 6


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (Question("99", "x", "why?"), "unknown_site"),
        (Question("01", " ", "why?"), "empty"),
        (Question("01", "x", "  "), "empty"),
        (Question("01", "x", "why?", case="C9999"), "unknown_case"),
        (Question("01", "x", "y" * 2001), "too_long"),
        (Question("01", "x", "is it Mrs Zhang?"), "identifies"),
    ],
)
def test_a_question_that_will_not_do_is_refused_with_the_reason(trial, ana, question, code):
    with pytest.raises(ReadingError) as refused:
        open_query(trial.records, ana, TRIAL, question)
    assert [fault.code for fault in refused.value.faults] == [code]
    assert queries_of(trial.records, ana, TRIAL) == ()


@pytest.mark.parametrize(
    "text",
    [
        "ask zhang@hospital.example", "tel. +86 138 1234 5678", "MRN 00123456", "ID 11010519491231002X",
        "born in spring", "DOB is wrong", "Mr Smith moved", "出生日期不符", "王女士的影像",
    ],
)  # fmt: skip
def test_what_looks_like_an_identity_is_found(text):
    assert identifiers_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "slices of 7 mm; the protocol allows 5 mm", "no images for W12 (day 85)", "scan of 2026-03-04 lacks 12 slices",
        "series 1.2.840.113619.2.55.3.604688119.969.1268071029.320 has no date", "subject S-0001, site 01",
    ],
)  # fmt: skip
def test_what_queries_usually_say_is_no_identity(text):
    assert identifiers_in(text) == ()


def test_a_finding_asks_once_and_knows_its_subject(trial, ana):
    question = question_of(FINDING, "01", case="C0001")
    open_query(trial.records, ana, TRIAL, question)
    with pytest.raises(ReadingError, match="asked about in T-1/Q0001"):
        open_query(trial.records, ana, TRIAL, question)
    (line,) = queries_of(trial.records, ana, TRIAL)
    assert (line.code, line.subject, line.timepoint, line.text) == (
        "missed_visit",
        "S-C0001",
        "W12",
        "no images for W12",
    )


def test_whoever_writes_down_a_sites_answer_names_its_source(trial, ana):
    open_query(trial.records, ana, TRIAL, THICK)
    with pytest.raises(ReadingError, match="where the site's answer comes from"):
        answer_query(trial.records, ana, FIRST, Answer("sent again"))


def test_a_site_answers_and_sees_its_own_queries_and_no_others(trial, ana):
    open_query(trial.records, ana, TRIAL, THICK)
    open_query(trial.records, ana, TRIAL, Question("02", "no_date", "which date?", "S-0002"))
    mine, _ = at_desk(trial.records, "sid", Role.SITE, trial=TRIAL, site="01")
    assert [line.site for line in queries_of(trial.records, mine, TRIAL)] == ["01"]
    answer_query(trial.records, mine, FIRST, Answer("sent again today"))
    assert state(trial) == "answered"
    with pytest.raises(AccessError):
        answer_query(trial.records, mine, f"{TRIAL}/Q0002", Answer("2026-03-04"))
    for attempt in (close_query, cancel_query, reopen_query):
        with pytest.raises(AccessError, match="site may not raise queries"):
            attempt(trial.records, mine, FIRST, reason="done")
    assert state(trial, f"{TRIAL}/Q0002") == "open"


@pytest.mark.parametrize(
    "role", [role for role in Role if role not in (Role.ANALYST, Role.SITE, Role.DEVICE, Role.INSPECTOR)]
)
def test_everybody_else_sees_no_queries_and_opens_none_and_the_attempt_is_kept(trial, ana, role):
    open_query(trial.records, ana, TRIAL, THICK)
    other, _ = at_desk(trial.records, "otto", role, trial=TRIAL)
    attempts = (
        lambda: queries_of(trial.records, other, TRIAL),
        lambda: open_query(trial.records, other, TRIAL, THICK),
        lambda: answer_query(trial.records, other, FIRST, BY_MAIL),
        lambda: close_query(trial.records, other, FIRST, reason="x"),
    )
    for attempt in attempts:
        with pytest.raises(AccessError):
            attempt()
    refused = [name for name, _ in trial.entries() if name == "refuse_access"]
    assert len(refused) == len(attempts)


def test_an_inspector_sees_queries_and_changes_none(trial, ana):
    open_query(trial.records, ana, TRIAL, THICK)
    ines, _ = at_desk(trial.records, "ines", Role.INSPECTOR)
    assert [line.id for line in queries_of(trial.records, ines, TRIAL)] == [FIRST]
    with pytest.raises(AccessError):
        close_query(trial.records, ines, FIRST, reason="x")


@pytest.mark.requirement("FDA-06")
@pytest.mark.parametrize(
    ("days", "band"), [(0, "0-7"), (7, "0-7"), (8, "8-14"), (14, "8-14"), (15, "15-30"), (30, "15-30"), (31, "31+")]
)
def test_queries_that_wait_are_counted_by_age(trial, ana, days, band):
    import datetime as dt

    open_query(trial.records, ana, TRIAL, THICK)
    trial.records.clock.moment += dt.timedelta(days=days)
    ana, _ = at_desk(trial.records, "ann", Role.ANALYST)
    lines = queries_of(trial.records, ana, TRIAL)
    assert {name: count for name, count in ageing(lines).items() if count} == {band: 1}
    close_query(trial.records, ana, FIRST, reason="settled")
    assert sum(ageing(queries_of(trial.records, ana, TRIAL)).values()) == 0
    trial.records.clock.moment += dt.timedelta(days=90)
    anna, _ = at_desk(trial.records, "anna", Role.ANALYST)
    assert queries_of(trial.records, anna, TRIAL)[0].days == days
