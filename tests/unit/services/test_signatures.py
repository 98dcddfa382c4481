"""A signature is proved anew, stands under one version of one record, and is void once that changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.fakes.people import ALWAYS, PASSWORD, FakeIdentity, at_desk, period
from tests.fakes.records import granted, memory_records
from trialimg.core.access import Action, Actor, Role
from trialimg.core.errors import AccessError, IntegrityError
from trialimg.services.journal import Journal
from trialimg.services.people_sessions import close_sessions
from trialimg.services.records import EntryQuery, Place
from trialimg.services.sign_in import sign_in
from trialimg.services.signatures import SIGNATURE, Proof, manifest, sign, signature_of

MEANING = "I made this read"
WRONG = "not the password at all"


@pytest.fixture
def records():
    return memory_records()


@pytest.fixture
def desk(records):
    return at_desk(records, "rita", Role.RADIOLOGIST, trial="T1")


def write(records, actor, key="C1/first", *, person="rita", says="PR"):
    with records.change(actor, Action.READ, trial="T1") as journal:
        place = Place(trial="T1", case="C1", person=person, state="locked")
        return journal.write("read", key, {"answer": says}, action="lock_read", place=place)


def signed(records, actor, proof, version, meaning=MEANING):
    with records.change(actor, Action.READ, trial="T1") as journal:
        return sign(journal, proof, version, meaning)


def looked(records, version):
    with records.store.reading() as transaction:
        return signature_of(transaction, version), manifest(transaction, version)


def entries(records, action):
    with records.store.reading() as transaction:
        return list(transaction.entries(EntryQuery(action=action)))


@pytest.mark.requirement("P11-14")
@pytest.mark.requirement("A11-10")
def test_a_signed_record_shows_printed_name_time_with_offset_and_meaning(records, desk):
    version = write(records, desk[0])
    kept = signed(records, *desk, version)
    signature, shown = looked(records, version)
    lines = dict(shown)
    assert lines["Signed by"] == "Rita (rita)"
    assert lines["Date and time"] == kept.body["at"]
    assert lines["Date and time"].endswith("+00:00")
    assert lines["Meaning"] == MEANING
    assert version.digest in lines["Record"]
    assert lines["Standing"] == "valid"
    assert signature.is_valid


def test_a_record_that_nobody_signed_shows_nothing(records, desk):
    assert looked(records, write(records, desk[0])) == (None, ())


@pytest.mark.requirement("P11-15")
def test_a_change_of_the_record_voids_the_signature_and_says_who_and_when(records, desk):
    version = write(records, desk[0])
    signed(records, *desk, version)
    later = write(records, desk[0], says="SD")
    signature, shown = looked(records, version)
    change = entries(records, "lock_read")[-1]
    assert not signature.is_valid
    assert dict(shown)["Standing"] == f"VOID: rita changed the record at {change.at} (lock_read)"
    assert looked(records, later) == (None, ())


@pytest.mark.requirement("P11-15")
def test_a_signature_put_under_another_record_is_found_out(records, desk):
    version, other = write(records, desk[0]), write(records, desk[0], "C2/first")
    body = signed(records, *desk, version).body
    with records.change(desk[0], Action.READ, trial="T1") as journal:
        place = Place(trial="T1", case="C1", person="rita", state="valid")
        journal.write(SIGNATURE, "read:C2/first@1", body, action="sign", place=place)
    with pytest.raises(IntegrityError, match="another record"):
        looked(records, other)


@pytest.mark.requirement("P11-15")
def test_a_signature_row_copied_in_the_database_is_found_out(records, desk):
    version, other = write(records, desk[0]), write(records, desk[0], "C2/first")
    kept = signed(records, *desk, version)
    copied = replace(kept, id="read:C2/first@1")
    records.store.tables.versions[SIGNATURE, copied.id] = [copied]
    with pytest.raises(IntegrityError, match="another record"):
        looked(records, other)


def test_a_signature_written_in_the_name_of_another_is_found_out(records, desk):
    version = write(records, desk[0])
    root = granted(records, "root", Role.ADMINISTRATOR)
    names = {"kind": "read", "id": version.id, "version": 1, "digest": version.digest}
    with records.store.changing() as transaction:
        journal = Journal(transaction, root, records)
        body = {"user": "rita", "printed_name": "Rita", "at": journal.at, "meaning": MEANING, "record": names}
        body["components"] = ["password", "code"]
        place = Place(trial="T1", case="C1", person="rita", state="valid")
        journal.write(SIGNATURE, "read:C1/first@1", body, action="sign", place=place)
    with pytest.raises(IntegrityError, match="not made by rita"):
        looked(records, version)


@pytest.mark.requirement("P11-17")
def test_the_first_signature_takes_all_components_later_ones_the_password_and_all_again_after_a_break(records, desk):
    actor, proof = desk
    only_password = replace(proof, code="")
    only_code = replace(proof, password="")
    versions = [write(records, actor, f"C{number}/first") for number in range(5)]
    with pytest.raises(AccessError, match="nothing was signed"):
        signed(records, actor, only_password, versions[0])
    assert signed(records, actor, proof, versions[0]).body["components"] == ["password", "code"]
    assert signed(records, actor, only_password, versions[1]).body["components"] == ["password"]
    with pytest.raises(AccessError, match="nothing was signed"):
        signed(records, actor, only_code, versions[2])
    with records.store.changing() as transaction:
        close_sessions(Journal(transaction, actor, records), "rita", reason="the session broke")
    with pytest.raises(AccessError, match="ended"):
        signed(records, actor, proof, versions[2])
    records.clock.moment = records.clock.moment.replace(minute=30)
    again, proof = at_desk_again(records, proof)
    with pytest.raises(AccessError, match="nothing was signed"):
        signed(records, again, only_password, versions[3])
    assert signed(records, again, proof, versions[3]).body["components"] == ["password", "code"]


def at_desk_again(records, proof):
    opened = sign_in(records, "rita", proof, role=Role.RADIOLOGIST)
    records.clock.moment = records.clock.moment.replace(minute=31)
    return opened.actor, proof


@pytest.mark.requirement("P11-08")
def test_nobody_signs_the_record_of_another(records, desk):
    bob, proof = at_desk(records, "bob", Role.RADIOLOGIST, trial="T1")
    version = write(records, desk[0])
    with pytest.raises(AccessError, match="rita's; nobody else"):
        signed(records, bob, proof, version)
    assert looked(records, version)[0] is None
    assert [entry.who for entry in entries(records, "refuse_access")] == ["bob"]


@pytest.mark.requirement("P11-08")
@pytest.mark.parametrize(("seat", "is_refused"), [("first", True), ("second", True), ("adjudicator", False)])
def test_a_reader_of_the_case_does_not_sign_its_verdict(records, seat, is_refused):
    ada, proof = at_desk(records, "ada", Role.ADJUDICATOR, trial="T1")
    with records.change(ada, Action.ADJUDICATE, trial="T1") as journal:
        place = Place(trial="T1", case="C1", person="ada", state="signed")
        journal.write("assignment", f"C1/{seat}", {"seat": seat}, action="assign_read", place=place)
        verdict = journal.write("verdict", "C1", {"chosen": "first"}, action="write_verdict", place=place)
    try:
        with records.change(ada, Action.ADJUDICATE, trial="T1") as journal:
            sign(journal, proof, verdict, "I chose this read")
    except AccessError as refused:
        assert f"{seat} reader of C1" in str(refused)
    assert (looked(records, verdict)[0] is None) is is_refused


def test_the_proof_of_another_signs_nothing(records, desk):
    version = write(records, desk[0])
    stranger = Proof("another password 9", ALWAYS, FakeIdentity())
    with pytest.raises(AccessError, match="nothing was signed"):
        signed(records, desk[0], stranger, version)


def test_a_device_never_signs(records, desk):
    version = write(records, desk[0])
    device = Actor("trialimg", Role.DEVICE, desk[0].session)
    with pytest.raises(AccessError), records.change(device, Action.PROPOSE_READ, trial="T1") as journal:
        sign(journal, desk[1], version, MEANING)
    assert looked(records, version)[0] is None


def test_what_has_changed_since_it_was_looked_at_is_not_signed(records, desk):
    version = write(records, desk[0])
    write(records, desk[0], says="SD")
    with pytest.raises(AccessError, match="look again"):
        signed(records, *desk, version)


def test_a_version_is_signed_once_and_never_without_a_meaning(records, desk):
    version = write(records, desk[0])
    with pytest.raises(AccessError, match="what it means"):
        signed(records, *desk, version, " ")
    signed(records, *desk, version)
    with pytest.raises(AccessError, match="signed already"):
        signed(records, *desk, version)


@pytest.mark.requirement("P11-19")
def test_wrong_proofs_at_signing_lock_the_account_raise_an_alarm_and_end_its_sessions(records, desk):
    actor, proof = desk
    version = write(records, actor)
    for _ in range(5):
        with pytest.raises(AccessError, match="nothing was signed"):
            signed(records, actor, replace(proof, password=WRONG), version)
    assert [entry.object_id for entry in entries(records, "lock_out")] == ["rita"]
    with pytest.raises(AccessError, match="ended"):
        signed(records, actor, proof, version)


@pytest.mark.requirement("P11-18")
def test_an_administrator_who_resets_the_password_in_the_database_cannot_sign_as_the_user(records, desk):
    actor, proof = desk
    version = write(records, actor)
    tables = records.store.tables
    chosen = "the administrators choice"
    tables.secrets["password:rita"] = proof.identity.password_hash(chosen)
    with pytest.raises(AccessError, match="altered outside"):
        signed(records, actor, replace(proof, password=chosen), version)
    assert looked(records, version)[0] is None
    assert [entry.object_id for entry in entries(records, "raise_alarm")] == ["rita"]


def test_the_password_is_kept_nowhere(records, desk):
    version = write(records, desk[0])
    signed(records, *desk, version)
    assert PASSWORD not in repr(records.store.tables)
    assert PASSWORD not in repr(desk)


def test_the_proof_that_opened_a_session_for_one_command_serves_its_first_signature_and_no_other_session(records, desk):
    actor, proof = desk
    versions = [write(records, actor, f"C{number}/first") for number in range(3)]
    code = str(period(records.clock.moment + timedelta(seconds=3)))
    given = replace(proof, code=code)
    opened = sign_in(records, "rita", given, role=Role.RADIOLOGIST, is_command=True)
    assert signed(records, opened.actor, given, versions[0]).body["components"] == ["password", "code"]
    assert signed(records, opened.actor, given, versions[1]).body["components"] == ["password"]
    with pytest.raises(AccessError, match="used before"):
        signed(records, actor, given, versions[2])


def test_a_session_opened_to_stay_asks_for_another_code_at_its_first_signature(records, desk):
    actor, proof = desk
    version = write(records, actor)
    given = replace(proof, code=str(period(records.clock.moment + timedelta(seconds=3))))
    opened = sign_in(records, "rita", given, role=Role.RADIOLOGIST)
    with pytest.raises(AccessError, match="used before"):
        signed(records, opened.actor, given, version)


def test_an_expired_password_signs_nothing(records, desk):
    version = write(records, desk[0])
    with records.store.changing() as transaction:
        expiry = transaction.current("credential", "rita").body["expires_at"]
        journal = Journal(transaction, desk[0], records)
        session = transaction.current("session", desk[0].session)
        body = {**session.body, "expires_at": "2027"}
        journal.write("session", session.id, body, action="extend", place=session.place)
    records.clock.moment = datetime.fromisoformat(expiry)
    with pytest.raises(AccessError, match="expired"):
        signed(records, *desk, version)
