"""Names are given once, rights with a reason and never to oneself, and what is taken back is gone at once."""

from __future__ import annotations

import pytest

from tests.fakes.people import FakeIdentity, at_desk
from tests.fakes.records import granted, memory_records
from trialimg.core.access import Action, Actor, Role
from trialimg.core.errors import AccessError, FaultsError
from trialimg.services.authority import GRANT, USER
from trialimg.services.journal import Journal
from trialimg.services.people import (
    Grant,
    Person,
    add_user,
    canonical_name,
    disable_user,
    grant_role,
    reset_password,
    revoke_role,
    unlock_user,
    utc_moment,
)
from trialimg.services.people_history import changes_of, review_access, rights_at, sign_access_review, users
from trialimg.services.people_sessions import require_open
from trialimg.services.records import EntryQuery, Place
from trialimg.services.signatures import manifest, signature_of

READER = Grant(Role.RADIOLOGIST, "T1")


@pytest.fixture
def records():
    return memory_records()


@pytest.fixture
def desk(records):
    return at_desk(records, "root", Role.ADMINISTRATOR)


@pytest.fixture
def root(desk):
    return desk[0]


def person(name, **words):
    return Person(name, **{"printed_name": "Rita Reader", "identity_proof": "passport seen by root", **words})


def added(records, root, name, *grants):
    add_user(records, root, person(name), FakeIdentity())
    for grant in grants:
        grant_role(records, root, name, grant, reason="needed")


def rights(records, at, user=""):
    with records.store.reading() as transaction:
        return [(right.user, right.role, right.trial) for right in rights_at(transaction, at, user=user)]


def reviewed(records, *, idle_days=90):
    with records.store.reading() as transaction:
        return review_access(transaction, records.now(), idle_days=idle_days)


def refused(faults):
    return [(fault.where, fault.code) for fault in faults.value.faults]


def test_the_first_user_of_an_empty_installation_is_its_administrator_and_the_second_is_not(records):
    first = Actor("root", Role.ADMINISTRATOR)
    assert add_user(records, first, person("root"), FakeIdentity())
    assert rights(records, records.now()) == [("root", "administrator", "*")]
    add_user(records, first, person("bea"), FakeIdentity())
    assert rights(records, records.now(), "bea") == []
    with pytest.raises(AccessError, match="not an active user"):
        add_user(records, Actor("eve", Role.ADMINISTRATOR), person("eve"), FakeIdentity())


@pytest.mark.requirement("P11-16")
@pytest.mark.parametrize("again", ["rita", "r1ta", "ri.ta", "ri-ta", "rlta"])
def test_a_name_is_never_given_again_nor_one_that_looks_like_it(records, root, again):
    added(records, root, "rita")
    disable_user(records, root, "rita", reason="left")
    with pytest.raises(FaultsError) as faults:
        add_user(records, root, person(again), FakeIdentity())
    assert refused(faults) == [("name", "taken")]


@pytest.mark.requirement("P11-16")
def test_nobody_is_added_without_a_proof_of_identity_and_a_printed_name(records, root):
    with pytest.raises(FaultsError) as faults:
        add_user(records, root, Person("rita", " ", " "), FakeIdentity())
    assert refused(faults) == [("printed_name", "empty"), ("identity_proof", "empty")]


@pytest.mark.parametrize(
    "name",
    ["", "ab", "Rita", "rita ", "1rita", "rita.", "ri..ta", "r\u0456ta", "rit\u00e4", "x" * 33, "rita/x", "a\nb",
     "trialimg", "unknown"],
)  # fmt: skip
def test_names_are_of_a_small_alphabet(records, root, name):
    with pytest.raises(FaultsError) as faults:
        add_user(records, root, person(name), FakeIdentity())
    assert ("name", "bad_name") in refused(faults)


def test_there_is_one_way_to_write_a_name():
    assert canonical_name(" \uff32ITA ") == "rita"


def test_every_change_of_access_needs_a_reason(records, root):
    added(records, root, "rita", READER)
    for change in (
        lambda: disable_user(records, root, "rita", reason=" "),
        lambda: grant_role(records, root, "rita", Grant(Role.RADIOLOGIST, "T2"), reason=""),
        lambda: revoke_role(records, root, "rita", READER, reason=""),
        lambda: reset_password(records, root, "rita", FakeIdentity(), reason=""),
    ):
        with pytest.raises(AccessError, match="say why"):
            change()
    assert rights(records, records.now(), "rita") == [("rita", "radiologist", "T1")]


@pytest.mark.parametrize(
    ("grant", "fault"),
    [
        (Grant(Role.DEVICE, "T1"), ("role", "bad_role")),
        (Grant(Role.ANALYST, ""), ("trial", "bad_trial")),
        (Grant(Role.ANALYST, "T1/x"), ("trial", "bad_trial")),
        (Grant(Role.SITE, "T1"), ("site", "no_site")),
        (Grant(Role.SITE, "*", "S1"), ("site", "bad_site")),
        (Grant(Role.ADMINISTRATOR, "T1"), ("trial", "bad_trial")),
        (Grant(Role.ANALYST, "T1", since="2026-03", until="2026-02"), ("until", "bad_time")),
    ],
)
def test_what_nobody_can_be_granted_is_refused(records, root, grant, fault):
    added(records, root, "rita")
    with pytest.raises(FaultsError) as faults:
        grant_role(records, root, "rita", grant, reason="needed")
    assert refused(faults) == [fault]


def test_nobody_gives_rights_a_password_or_an_unlocking_to_themselves(records, root):
    for change in (
        lambda: grant_role(records, root, "root", READER, reason="mine"),
        lambda: reset_password(records, root, "root", FakeIdentity(), reason="mine"),
        lambda: unlock_user(records, root, "root", reason="mine"),
    ):
        with pytest.raises(AccessError, match=r"themselves|yourself|their own"):
            change()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (READER, Grant(Role.ANALYST, "T1")),
        (READER, Grant(Role.SPONSOR, "*")),
        (Grant(Role.SPONSOR, "*"), READER),
        (Grant(Role.SITE, "T1", "S1"), Grant(Role.ADJUDICATOR, "T1")),
    ],
)
def test_nobody_comes_to_read_and_to_know_in_one_trial(records, root, first, then):
    added(records, root, "rita", first)
    with pytest.raises(AccessError, match="know more"):
        grant_role(records, root, "rita", then, reason="needed")


def test_who_knew_does_not_come_to_read_later_but_who_read_may_come_to_know(records, root):
    added(records, root, "ana", Grant(Role.ANALYST, "T1"))
    revoke_role(records, root, "ana", Grant(Role.ANALYST, "T1"), reason="moved")
    with pytest.raises(AccessError, match="know more"):
        grant_role(records, root, "ana", READER, reason="needed")
    grant_role(records, root, "ana", Grant(Role.RADIOLOGIST, "T2"), reason="another trial")
    added(records, root, "bob", READER)
    revoke_role(records, root, "bob", READER, reason="moved")
    grant_role(records, root, "bob", Grant(Role.ANALYST, "T1"), reason="needed")


def test_there_is_always_an_administrator(records, root):
    with pytest.raises(AccessError, match="nobody would be left"):
        disable_user(records, root, "root", reason="leaving")
    with pytest.raises(AccessError, match="nobody would be left"):
        revoke_role(records, root, "root", Grant(Role.ADMINISTRATOR, "*"), reason="leaving")
    added(records, root, "bea", Grant(Role.ADMINISTRATOR, "*", until="2027"))
    with pytest.raises(AccessError, match="nobody would be left"):
        disable_user(records, root, "root", reason="leaving")
    added(records, root, "cid", Grant(Role.ADMINISTRATOR, "*"))
    disable_user(records, root, "root", reason="leaving")


@pytest.mark.requirement("E6-12")
@pytest.mark.parametrize("how", ["disable", "revoke", "grant", "reset"])
def test_sessions_end_with_the_right_they_were_opened_under(records, root, how):
    rita, _ = at_desk(records, "rita", Role.RADIOLOGIST, trial="T1")
    changes = {
        "disable": lambda: disable_user(records, root, "rita", reason="left"),
        "revoke": lambda: revoke_role(records, root, "rita", READER, reason="left"),
        "grant": lambda: grant_role(records, root, "rita", Grant(Role.RADIOLOGIST, "T2"), reason="needed"),
        "reset": lambda: reset_password(records, root, "rita", FakeIdentity(), reason="lost"),
    }
    changes[how]()
    with pytest.raises(AccessError), records.change(rita, Action.READ, trial="T1"):
        pass
    with records.store.changing() as transaction, pytest.raises(AccessError, match="ended"):
        require_open(Journal(transaction, rita, records))


@pytest.mark.requirement("A11-09")
@pytest.mark.requirement("E6-12")
def test_rights_are_known_at_any_moment_of_the_past(records, root):
    moments = [records.now()]
    for step in (
        lambda: added(records, root, "rita", READER),
        lambda: grant_role(records, root, "rita", Grant(Role.ADJUDICATOR, "T2"), reason="second trial"),
        lambda: revoke_role(records, root, "rita", READER, reason="done there"),
        lambda: disable_user(records, root, "rita", reason="left"),
    ):
        step()
        moments.append(records.now())
    first, second = ("rita", "radiologist", "T1"), ("rita", "adjudicator", "T2")
    assert [rights(records, at, "rita") for at in moments] == [[], [first], [second, first], [second], []]


def test_a_right_never_begins_before_it_was_given(records, root):
    before = records.now()
    added(records, root, "rita", Grant(Role.RADIOLOGIST, "T1", since=utc_moment("2020-01-01")))
    with records.store.reading() as transaction:
        (right,) = rights_at(transaction, records.now(), user="rita")
    assert right.since == right.granted_at > before


def test_a_right_begins_and_ends_when_it_says(records, root):
    since, until = utc_moment("2026-02-01"), utc_moment("2026-03-01")
    added(records, root, "rita", Grant(Role.RADIOLOGIST, "T1", since=since, until=until))
    days = ("2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01")
    assert [bool(rights(records, utc_moment(day), "rita")) for day in days] == [False, True, True, False]


@pytest.mark.requirement("E6-03")
@pytest.mark.requirement("A11-09")
def test_every_step_of_an_account_is_an_entry_with_who_and_why(records, root):
    added(records, root, "rita")
    grant_role(records, root, "rita", READER, reason="reads T1")
    revoke_role(records, root, "rita", READER, reason="stopped reading")
    disable_user(records, root, "rita", reason="left the company")
    with records.store.reading() as transaction:
        changes = changes_of(transaction, "rita")
    assert [(change.action, change.who, change.reason) for change in changes] == [
        ("add_user", "root", ""),
        ("reset_password", "root", "account added"),
        ("grant", "root", "reads T1"),
        ("revoke", "root", "stopped reading"),
        ("disable_user", "root", "left the company"),
    ]


@pytest.mark.parametrize("text", ["2026-03-01T12:00", "yesterday", "", "2026-13-01"])
def test_a_moment_has_an_offset_or_is_a_day(text):
    with pytest.raises(FaultsError, match="offset"):
        utc_moment(text)


def test_moments_are_told_in_utc():
    assert utc_moment("2026-03-01T12:00+08:00") == "2026-03-01T04:00:00.000000+00:00"
    assert utc_moment("2026-03-01") == "2026-03-01T00:00:00.000000+00:00"


@pytest.mark.requirement("E6-12")
def test_the_review_names_every_right_and_every_access_without_a_reason(records, root):
    added(records, root, "rita", READER)
    assert reviewed(records).orphans == ()
    added(records, root, "idle")
    added(records, root, "past", Grant(Role.RADIOLOGIST, "T1", until=utc_moment("2026-02-01")))
    granted(records, "gone", Role.SPONSOR, trial="T1")
    with records.store.changing() as transaction:
        journal = Journal(transaction, root, records)
        gone = transaction.current(USER, "gone")
        journal.write(USER, "gone", gone.body, action="disable_user", place=Place(person="gone", state="disabled"))
    records.clock.moment = records.clock.moment.replace(month=2, day=2)
    found = reviewed(records)
    assert [(one.code, one.user) for one in found.orphans] == [
        ("grant_without_user", "gone"),
        ("user_without_grant", "idle"),
        ("user_without_grant", "past"),
    ]
    assert [right.user for right in found.rights] == ["gone", "rita", "root"]
    records.clock.moment = records.clock.moment.replace(year=2027)
    late = {(one.code, one.user) for one in reviewed(records).orphans}
    assert {("not_signed_in", "rita"), ("not_signed_in", "root")} <= late


@pytest.mark.requirement("E6-12")
@pytest.mark.requirement("P11-14")
def test_the_review_is_kept_and_signed(records, desk):
    added(records, desk[0], "rita", READER)
    version = sign_access_review(records, *desk, idle_days=90)
    with records.store.reading() as transaction:
        assert signature_of(transaction, version).is_valid
        assert dict(manifest(transaction, version))["Meaning"] == "I have reviewed who has access"
    assert [right["user"] for right in version.body["rights"]] == ["rita", "root"]
    rita, proof = at_desk(records, "bob", Role.RADIOLOGIST)
    with pytest.raises(AccessError, match="may not review access"):
        sign_access_review(records, rita, proof, idle_days=90)


def test_users_are_listed_with_the_state_of_their_credential(records, root):
    added(records, root, "rita", READER)
    listed = {user["name"]: (user["state"], user["credential"]) for user in users(records, root)}
    assert listed == {"rita": ("active", "must_change"), "root": ("active", "valid")}
    with pytest.raises(AccessError):
        users(records, granted(records, "rita", Role.RADIOLOGIST))


def test_what_is_refused_changes_nothing(records, root):
    added(records, root, "rita", READER)
    with pytest.raises(AccessError):
        revoke_role(records, root, "rita", Grant(Role.RADIOLOGIST, "T2"), reason="wrong trial")
    with pytest.raises(AccessError):
        disable_user(records, root, "nobody", reason="wrong name")
    with records.store.reading() as transaction:
        assert transaction.current(GRANT, "rita/radiologist/T1/").version == 1
        kept = transaction.entries(EntryQuery(action="refuse_access"))
        assert [entry.who for entry in kept] == ["root", "root"]
