"""Results are locked under one hash, and opened only by a signature."""

from __future__ import annotations

import pytest

from tests.fakes.people import at_desk
from tests.fakes.records import memory_records
from tests.fakes.trials import PROTOCOL, TRIAL, case_id, kept_case, opened
from trialimg.core.access import Action, Role
from trialimg.core.digest import digest_of
from trialimg.core.errors import AccessError, IntegrityError, ReadingError
from trialimg.services.records import EntryQuery, Place
from trialimg.services.signatures import signature_of
from trialimg.services.trials_data_cut import (
    CutOrder,
    cut_data,
    cut_of,
    lock_on,
    moved_since,
    results_of,
    unlock_data,
)

FIRST = CutOrder(TRIAL, "IA1", "first interim analysis")
CUT = f"{TRIAL}/IA1"


@pytest.fixture
def records():
    return memory_records()


@pytest.fixture
def desk(records):
    return opened(records)


@pytest.mark.requirement("E6-08")
def test_a_cut_locks_every_final_result_under_one_hash_and_is_signed(records, desk):
    for code in ("C1", "C2"):
        kept_case(records, desk[0], code)
    kept_case(records, desk[0], "C3", state="adjudication")
    kept_case(records, desk[0], "C4", state="withdrawn")
    cut = cut_data(records, *desk, FIRST)
    body = cut.body
    assert [result["case"] for result in body["cases"]] == [case_id("C1"), case_id("C2")]
    assert body["left_out"] == [[case_id("C3"), "adjudication"], [case_id("C4"), "withdrawn"]]
    assert body["hash"] == digest_of(body["cases"])
    with records.store.reading() as transaction:
        kinds = [name[0] for name in body["cases"][0]["records"]]
        assert kinds == ["case", "read", "read", "verdict"]
        for kind, key, number, digest in body["cases"][0]["records"]:
            assert transaction.versions(kind, key)[int(number) - 1].digest == digest
        signed = signature_of(transaction, cut)
        assert (signed.user, signed.meaning) == ("ana", "I lock these results for analysis")
        assert lock_on(transaction, TRIAL, case_id("C1")) == CUT
        assert lock_on(transaction, TRIAL, case_id("C3")) == ""


@pytest.mark.requirement("E6-08")
def test_opening_a_cut_is_signed_with_its_reason_and_what_was_locked_stays_readable(records, desk):
    kept_case(records, desk[0], "C1")
    locked = cut_data(records, *desk, FIRST)
    with pytest.raises(ReadingError, match="reason"):
        unlock_data(records, *desk, CUT, reason=" ")
    other = at_desk(records, "bea", Role.ANALYST)
    opened_again = unlock_data(records, *other, CUT, reason="a site sent better images")
    with records.store.reading() as transaction:
        assert signature_of(transaction, opened_again).user == "bea"
        assert signature_of(transaction, locked).void
        assert transaction.versions("data_cut", CUT)[0].body == locked.body
        entry = next(transaction.entries(EntryQuery(start=opened_again.entry, limit=1)))
        assert entry.action == "unlock_data"
        assert transaction.detail(entry.sequence).value() == {"reason": "a site sent better images"}
        assert lock_on(transaction, TRIAL, case_id("C1")) == ""
    with pytest.raises(ReadingError, match="open already"):
        unlock_data(records, *desk, CUT, reason="again")


def test_a_result_that_moved_after_the_cut_is_named(records, desk):
    for code in ("C1", "C2"):
        kept_case(records, desk[0], code)
    cut = cut_data(records, *desk, FIRST)
    with records.store.reading() as transaction:
        assert moved_since(transaction, cut) == ()
    with records.change(desk[0], Action.RECEIVE_CASES, trial=TRIAL) as journal:
        place = Place(TRIAL, case_id("C2"), "reader-first", "signed")
        journal.write("read", f"{case_id('C2')}/first", {"answer": {}}, action="supersede_read", place=place)
    with records.store.reading() as transaction:
        assert moved_since(transaction, cut_of(transaction, CUT)) == (case_id("C2"),)


def test_a_cut_whose_hash_is_not_that_of_its_cases_is_found(records, desk):
    kept_case(records, desk[0], "C1")
    cut = cut_data(records, *desk, FIRST)
    with records.change(desk[0], Action.CUT_DATA, trial=TRIAL) as journal:
        body = {**cut.body, "cases": []}
        journal.write("data_cut", CUT, body, action="cut_data", place=cut.place)
    with records.store.reading() as transaction, pytest.raises(IntegrityError, match="hash"):
        moved_since(transaction, cut_of(transaction, CUT))


@pytest.mark.requirement("FDA-12")
def test_a_cohort_read_with_several_versions_is_refused_unless_somebody_says_why(records, desk):
    kept_case(records, desk[0], "C1", software="trialimg 1")
    kept_case(records, desk[0], "C2", software="trialimg 2")
    with pytest.raises(ReadingError, match="mixes versions") as refused:
        cut_data(records, *desk, FIRST)
    assert [(fault.where, fault.code) for fault in refused.value.faults] == [("software", "mixed_versions")]
    assert "trialimg 1, trialimg 2" in refused.value.faults[0].message
    order = CutOrder(TRIAL, "IA1", "first interim analysis", "2 computes the same, see the validation report")
    body = cut_data(records, *desk, order).body
    assert body["mixed"] == {"software": ["trialimg 1", "trialimg 2"]}
    assert body["mixed_because"] == order.mixed_because
    assert body["versions"]["protocol_digest"] == [PROTOCOL.digest]


def test_a_withdrawn_case_mixes_nothing(records, desk):
    kept_case(records, desk[0], "C1", software="trialimg 1")
    kept_case(records, desk[0], "C2", software="trialimg 2", state="withdrawn")
    assert cut_data(records, *desk, FIRST).body["mixed"] == {}


@pytest.mark.parametrize("order", [CutOrder(TRIAL, "", "x"), CutOrder(TRIAL, "IA1", " "), FIRST])
def test_a_cut_without_name_reason_or_final_case_is_refused(records, desk, order):
    with pytest.raises(ReadingError):
        cut_data(records, *desk, order)
    with records.store.reading() as transaction:
        assert transaction.count("data_cut", Place()) == 0


def test_a_name_is_used_once(records, desk):
    kept_case(records, desk[0], "C1")
    cut_data(records, *desk, FIRST)
    with pytest.raises(ReadingError, match="of its own"):
        cut_data(records, *desk, FIRST)


def test_without_the_password_nothing_is_locked(records, desk):
    kept_case(records, desk[0], "C1")
    actor, proof = desk
    wrong = type(proof)("not the password", proof.code, proof.identity)
    with pytest.raises(AccessError):
        cut_data(records, actor, wrong, FIRST)
    with records.store.reading() as transaction:
        assert transaction.current("data_cut", CUT) is None
        assert len(results_of(transaction, TRIAL)) == 1


def test_a_reader_locks_nothing(records, desk):
    kept_case(records, desk[0], "C1")
    with pytest.raises(AccessError):
        cut_data(records, *at_desk(records, "rita", Role.RADIOLOGIST), FIRST)
