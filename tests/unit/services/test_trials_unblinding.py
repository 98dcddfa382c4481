"""Unblinding is a step of its own: signed, assessed, in the ledger, and never towards somebody who still reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.people import at_desk
from tests.fakes.records import granted, memory_records
from tests.fakes.trials import TRIAL, kept_case, opened
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.services.records import EntryQuery, Place
from trialimg.services.signatures import signature_of
from trialimg.services.trials_unblinding import Unblinding, unblind

STEP = Unblinding(
    TRIAL,
    subjects=("S2", "S1"),
    reveals="treatment arm",
    recipients=("sam",),
    planned=False,
    reason="a serious adverse event",
    assessment="both subjects were read before; the reads stand",
)


@pytest.fixture
def records():
    records = memory_records()
    granted(records, "sam", Role.SPONSOR, trial=TRIAL)
    return records


@pytest.fixture
def desk(records):
    return opened(records)


@pytest.mark.requirement("E6-01")
def test_an_unblinding_says_what_to_whom_why_and_what_it_does_and_is_signed(records, desk):
    kept = unblind(records, *desk, STEP)
    assert kept.body == {
        "subjects": ["S1", "S2"],
        "reveals": "treatment arm",
        "recipients": ["sam"],
        "planned": False,
        "assessment": STEP.assessment,
        "authorised_by": "ana",
    }
    with records.store.reading() as transaction:
        assert signature_of(transaction, kept).meaning == "I authorise this unblinding"
        entry = next(transaction.entries(EntryQuery(start=kept.entry, limit=1)))
        assert (entry.action, entry.who) == ("unblind", "ana")
        assert transaction.detail(entry.sequence).value() == {"reason": STEP.reason}
        assert transaction.current("trial", TRIAL).body["blinded"]


def test_unblinding_the_whole_trial_ends_its_blinding(records, desk):
    unblind(records, *desk, replace(STEP, subjects=()))
    with records.store.reading() as transaction:
        assert not transaction.current("trial", TRIAL).body["blinded"]
        assert [entry.action for entry in transaction.entries(EntryQuery(object_kind="trial"))][-1] == "end_blinding"


@pytest.mark.requirement("E6-01")
@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ADJUDICATOR])
def test_who_reads_in_the_trial_learns_nothing_while_a_case_is_to_be_read(records, desk, role):
    granted(records, "rita", role, trial=TRIAL)
    kept_case(records, desk[0], "C1", state="reading")
    with pytest.raises(ReadingError) as refused:
        unblind(records, *desk, replace(STEP, recipients=("sam", "rita")))
    assert [(fault.where, fault.code) for fault in refused.value.faults] == [("recipients.rita", "reader")]
    kept_case(records, desk[0], "C2")
    unblind(records, *desk, STEP)
    with records.store.reading() as transaction:
        assert transaction.count("unblinding", Place(TRIAL)) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reveals": ""}, "empty"),
        ({"reason": " "}, "empty"),
        ({"assessment": ""}, "empty"),
        ({"recipients": ()}, "empty"),
        ({"recipients": ("nobody",)}, "unknown_user"),
    ],
)
def test_what_is_not_said_is_not_unblinded(records, desk, change, code):
    with pytest.raises(ReadingError) as refused:
        unblind(records, *desk, replace(STEP, **change))
    assert [fault.code for fault in refused.value.faults] == [code]


def test_two_unblindings_are_two_records(records, desk):
    assert [unblind(records, *desk, STEP).id for _ in range(2)] == [f"{TRIAL}/1", f"{TRIAL}/2"]


def test_only_an_analyst_unblinds(records, desk):
    for role in (Role.ADMINISTRATOR, Role.SPONSOR, Role.RADIOLOGIST):
        with pytest.raises(AccessError):
            unblind(records, *at_desk(records, f"u-{role.value}", role), STEP)
