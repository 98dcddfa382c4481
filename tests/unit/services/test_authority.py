"""What is granted may be done, there and then; everything else is refused and kept; blinding wins over grants."""

from __future__ import annotations

from itertools import product

import pytest

from tests.fakes.records import granted, memory_records
from trialimg.core.access import BLINDED_SIGHT, PERMISSIONS, Action, Actor, Role
from trialimg.core.errors import AccessError
from trialimg.services.authority import GRANT, case_refusal, record_refusal, refusal
from trialimg.services.journal import Journal
from trialimg.services.records import EntryQuery, Place

PERSONS = [role for role in Role if role is not Role.DEVICE]
KNOWING = [Role.ANALYST, Role.SPONSOR, Role.SITE, Role.INSPECTOR]
READING = [(Role.RADIOLOGIST, Action.READ), (Role.ADJUDICATOR, Action.ADJUDICATE)]


def may(records, actor, action, trial, *, site=""):
    """By both ways to the records, which have to agree."""
    ways = []
    for way in (records.change, records.look):
        try:
            with way(actor, action, trial=trial, site=site):
                ways.append(True)
        except AccessError:
            ways.append(False)
    assert ways[0] is ways[1]
    return ways[0]


@pytest.mark.requirement("P11-04")
@pytest.mark.parametrize("role", PERSONS, ids=lambda role: role.value)
def test_every_action_that_is_not_granted_is_refused_and_kept(role):
    records = memory_records()
    actor = granted(records, "pat", role, trial="T1")
    expected = []
    for action, trial in product(Action, ("T1", "T2", "")):
        is_granted = action in PERMISSIONS[role] and (trial == "T1" or action is Action.OWN_ACCOUNT)
        assert may(records, actor, action, trial) is is_granted, (action, trial)
        expected += [] if is_granted else [(action.value, trial, "pat", role.value)] * 2
    with records.store.reading() as transaction:
        kept = transaction.entries(EntryQuery(action="refuse_access"))
        assert [(entry.object_id, entry.trial, entry.who, entry.role) for entry in kept] == expected
    assert len(expected) > len(Action)


@pytest.mark.requirement("P11-04")
@pytest.mark.parametrize(("claimed", "action"), product(PERSONS, Action), ids=lambda one: one.value)
def test_a_role_that_somebody_only_claims_gives_nothing(claimed, action):
    records = memory_records()
    granted(records, "pat", next(role for role in PERSONS if role is not claimed), trial="T1")
    assert not may(records, Actor("pat", claimed), action, "T1")
    assert not may(records, Actor("nobody", claimed), action, "T1")


@pytest.mark.parametrize("action", Action, ids=lambda one: one.value)
def test_the_software_proposes_and_never_reads_signs_or_judges(action):
    records = memory_records()
    granted(records, "pat", Role.ADMINISTRATOR)
    allowed = may(records, Actor("trialimg", Role.DEVICE), action, "T1")
    assert allowed is (action in {Action.PROPOSE_READ, Action.RECEIVE_CASES, Action.OPEN_MODEL_TASK})


def test_a_grant_for_one_site_is_none_for_another():
    records = memory_records()
    actor = granted(records, "sam", Role.SITE, trial="T1", site="S1")
    assert may(records, actor, Action.UPLOAD_IMAGES, "T1", site="S1")
    assert not may(records, actor, Action.UPLOAD_IMAGES, "T1", site="S2")
    assert not may(records, actor, Action.UPLOAD_IMAGES, "T1")


@pytest.mark.parametrize(("role", "action"), READING, ids=lambda one: one.value)
@pytest.mark.parametrize("knows", KNOWING, ids=lambda one: one.value)
def test_deny_wins_for_whoever_holds_or_held_a_role_that_knows_more(role, action, knows):
    records = memory_records()
    reader = granted(records, "rita", role, trial="T1")
    assert may(records, reader, action, "T1")
    granted(records, "rita", knows, trial="T1")
    assert not may(records, reader, action, "T1")
    revoke(records, "rita", f"rita/{knows.value}/T1/")
    assert not may(records, reader, action, "T1")


def revoke(records, user, key):
    with records.store.changing() as transaction:
        journal = Journal(transaction, Actor("root", Role.ADMINISTRATOR), records)
        body = {**transaction.current(GRANT, key).body, "until": journal.at}
        journal.write(GRANT, key, body, action="revoke", place=Place(person=user, state="revoked"))


def test_what_is_known_of_another_trial_denies_nothing():
    records = memory_records()
    reader = granted(records, "rita", Role.RADIOLOGIST, trial="T1")
    granted(records, "rita", Role.ANALYST, trial="T2")
    assert may(records, reader, Action.READ, "T1")


def test_a_grant_revoked_before_it_began_denies_nothing():
    records = memory_records()
    reader = granted(records, "rita", Role.RADIOLOGIST, trial="T1")
    with records.store.changing() as transaction:
        journal = Journal(transaction, Actor("root", Role.ADMINISTRATOR), records)
        body = {"user": "rita", "role": "analyst", "trial": "T1", "site": "", "since": "2026-01-02", "until": ""}
        journal.write(GRANT, "rita/analyst/T1/", body, action="grant", place=Place(person="rita", state="valid"))
    assert may(records, reader, Action.READ, "T1")
    revoke(records, "rita", "rita/analyst/T1/")
    records.clock.moment = records.clock.moment.replace(month=2)
    assert may(records, reader, Action.READ, "T1")


@pytest.mark.parametrize("by", ["doing it", "being told"])
def test_deny_wins_for_whoever_was_unblinded_in_the_trial(by):
    records = memory_records()
    reader = granted(records, "rita", Role.RADIOLOGIST, trial="T1")
    granted(records, "rita", Role.RADIOLOGIST, trial="T2")
    with records.store.changing() as transaction:
        who = "rita" if by == "doing it" else "ana"
        journal = Journal(transaction, Actor(who, Role.ANALYST), records)
        body = {"recipients": ["rita"] if by == "being told" else ["ana"]}
        journal.write("unblinding", "T1/1", body, action="unblind", place=Place("T1", state="done"))
    assert not may(records, reader, Action.READ, "T1")
    assert may(records, reader, Action.READ, "T2")


@pytest.mark.requirement("P11-08")
@pytest.mark.parametrize("seat", ["first", "second"])
def test_a_reader_of_a_case_is_not_its_adjudicator(seat):
    records = memory_records()
    granted(records, "rita", Role.RADIOLOGIST, trial="T1")
    actor = granted(records, "rita", Role.ADJUDICATOR, trial="T1")
    assign(records, "rita", "C1", seat)
    with records.store.reading() as transaction:
        assert seat in case_refusal(transaction, actor, Action.ADJUDICATE, "C1")
        assert not case_refusal(transaction, actor, Action.ADJUDICATE, "C2")
        assert not case_refusal(transaction, Actor("rita", Role.RADIOLOGIST), Action.READ, "C1")


def test_a_seat_taken_back_counts_once_something_was_read_in_it():
    records = memory_records()
    actor = granted(records, "rita", Role.ADJUDICATOR, trial="T1")
    assign(records, "rita", "C1", "first", state="revoked")
    with records.store.reading() as transaction:
        assert not case_refusal(transaction, actor, Action.ADJUDICATE, "C1")
    kept(records, "read", "C1", person="rita")
    with records.store.reading() as transaction:
        assert case_refusal(transaction, actor, Action.ADJUDICATE, "C1")


def test_an_adjudicator_of_a_case_does_not_read_it():
    records = memory_records()
    actor = granted(records, "ada", Role.RADIOLOGIST, trial="T1")
    assign(records, "ada", "C1", "adjudicator")
    with records.store.reading() as transaction:
        assert case_refusal(transaction, actor, Action.READ, "C1")


def assign(records, user, case, seat, *, state="assigned"):
    with records.store.changing() as transaction:
        journal = Journal(transaction, Actor("ana", Role.ANALYST), records)
        place = Place(trial="T1", case=case, person=user, state=state)
        journal.write("assignment", f"{case}/{seat}", {"seat": seat, "reader": user}, action="assign_read", place=place)


def kept(records, kind, case, *, person=""):
    with records.store.changing() as transaction:
        journal = Journal(transaction, Actor("ana", Role.ANALYST), records)
        key = case if kind == "case" else f"{case}/{person}"
        return journal.write(kind, key, {}, action="make", place=Place(trial="T1", case=case, person=person))


@pytest.fixture
def reviewed():
    """Rita and Bob read C1, Ada adjudicates it; C2 is another's."""
    records = memory_records()
    for user, seat in (("rita", "first"), ("bob", "second"), ("ada", "adjudicator")):
        assign(records, user, "C1", seat)
    made = {
        f"{kind} {case} {person}".strip(): kept(records, kind, case, person=person)
        for kind, case, person in [
            ("read", "C1", "rita"), ("read", "C1", "bob"), ("read", "C2", "bob"), ("verdict", "C1", "ada"),
            ("case", "C1", ""), ("case", "C2", ""), ("arm", "C1", ""), ("site_response", "C1", ""),
            ("site", "C1", ""), ("invoice", "C1", ""), ("unblinding", "C1", ""), ("signature", "C1", "bob"),
        ]
    }  # fmt: skip
    return records, made


@pytest.mark.parametrize(
    ("actor", "sees"),
    [
        (Actor("rita", Role.RADIOLOGIST), {"read C1 rita", "case C1"}),
        (Actor("bob", Role.RADIOLOGIST), {"read C1 bob", "read C2 bob", "case C1", "signature C1 bob"}),
        (Actor("ada", Role.ADJUDICATOR), {"verdict C1 ada", "case C1"}),
        (Actor("ada", Role.RADIOLOGIST), set()),
    ],
    ids=["first reader", "second reader", "adjudicator", "adjudicator as a reader"],
)
def test_a_blinded_reader_sees_no_read_of_another_no_arm_and_no_site_response(reviewed, actor, sees):
    records, made = reviewed
    with records.store.reading() as transaction:
        seen = {name for name, version in made.items() if not record_refusal(transaction, actor, version)}
    assert seen == sees


def test_only_readers_are_blinded_by_sight():
    assert set(BLINDED_SIGHT) == {role for role, actions in PERMISSIONS.items() if actions & {a for _, a in READING}}


def test_a_grant_holds_from_its_beginning_to_before_its_end():
    records = memory_records()
    actor = granted(records, "ana", Role.ANALYST, trial="T1")
    with records.store.changing() as transaction:
        journal = Journal(transaction, actor, records)
        body = {"user": "ana", "role": "analyst", "trial": "T1", "site": "", "since": "2026-02", "until": "2026-03"}
        journal.write(GRANT, "ana/analyst/T1/", body, action="grant", place=Place(person="ana", state="valid"))
        times = {
            at: not refusal(transaction, actor, Action.CUT_DATA, trial="T1", at=at)
            for at in ("2026-01", "2026-02", "2026-02-28", "2026-03", "2026-04")
        }
    assert times == {"2026-01": False, "2026-02": True, "2026-02-28": True, "2026-03": False, "2026-04": False}


@pytest.mark.parametrize("way", ["change", "look"])
def test_what_a_use_case_itself_refuses_is_kept_too_and_nothing_that_it_wrote_before(way):
    records = memory_records()
    actor = granted(records, "rita", Role.RADIOLOGIST, trial="T1")
    with pytest.raises(AccessError), getattr(records, way)(actor, Action.READ, trial="T1") as desk:
        if way == "change":
            desk.write("read", "C1/first", {}, action="save_draft", place=Place(trial="T1"))
        raise AccessError("this case is another's")
    with records.store.reading() as transaction:
        assert transaction.current("read", "C1/first") is None
        (entry,) = transaction.entries(EntryQuery(action="refuse_access"))
        assert (entry.who, entry.object_id, entry.trial) == ("rita", "read", "T1")
        assert transaction.detail(entry.sequence).value() == {"reason": "this case is another's"}
