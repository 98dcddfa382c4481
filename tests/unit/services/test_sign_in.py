"""Who signs in proves it by two components, once a code; failures are kept, lock, and tell nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.people import ALWAYS, FakeIdentity, at_desk, period
from tests.fakes.records import memory_records
from trialimg.core.access import Action, Role
from trialimg.core.errors import AccessError, FaultsError, IntegrityError
from trialimg.services.people import (
    Grant,
    Person,
    add_user,
    bind_identity,
    disable_user,
    grant_role,
    reset_password,
    unlock_user,
)
from trialimg.services.people_credentials import CREDENTIAL, Proof
from trialimg.services.people_history import users
from trialimg.services.records import EntryQuery
from trialimg.services.sign_in import change_password, resume, sign_in, sign_in_by_provider, sign_out
from trialimg.services.signatures import signature_of
from trialimg.services.training import ACCOUNTABILITY

NEW = "green ladder umbrella"
READER = Grant(Role.RADIOLOGIST, "T1")
VERSION = ACCOUNTABILITY.version
MINUTE = timedelta(minutes=1)


class House:
    """An installation with an administrator, and Rita, who reads T1."""

    def __init__(self):
        self.records = memory_records()
        self.identity = FakeIdentity()
        self.root, _ = at_desk(self.records, "root", Role.ADMINISTRATOR)
        person = Person("rita", "Rita Reader", "passport seen by root")
        self.one_time = add_user(self.records, self.root, person, self.identity)
        grant_role(self.records, self.root, "rita", READER, reason="reads T1")

    def proof(self, password=NEW, code=ALWAYS):
        return Proof(password, code, self.identity)

    def settle(self):
        """Rita has her own password, an authenticator, and signed the policy."""
        change_password(self.records, "rita", self.proof(self.one_time, ""), NEW)
        opened = sign_in(self.records, "rita", self.proof(), accepts=VERSION)
        self.wait(MINUTE)
        return opened

    def wait(self, by):
        self.records.clock.moment += by

    def entries(self, action):
        with self.records.store.reading() as transaction:
            return [entry.object_id for entry in transaction.entries(EntryQuery(action=action))]

    def credential(self, user="rita"):
        with self.records.store.reading() as transaction:
            return transaction.current(CREDENTIAL, user)


@pytest.fixture
def house():
    return House()


@pytest.fixture
def settled(house):
    house.settle()
    return house


def refusal(house, user="rita", **words):
    with pytest.raises(AccessError) as refused:
        sign_in(house.records, user, house.proof(**words))
    return str(refused.value)


def fail(house, times, **words):
    for _ in range(times):
        refusal(house, password="not it at all", **words)


def test_who_proves_it_has_a_session_in_the_one_role_they_hold(settled):
    opened = sign_in(settled.records, "rita", settled.proof())
    assert (opened.actor.user, opened.actor.role) == ("rita", Role.RADIOLOGIST)
    assert resume(settled.records, opened.token) == opened.actor
    with settled.records.look(opened.actor, Action.READ, trial="T1"):
        pass


def test_a_one_time_password_does_nothing_but_be_replaced_and_enrols_the_second_factor(house):
    assert "replace it first" in refusal(house, password=house.one_time)
    address = change_password(house.records, "rita", house.proof(house.one_time, ""), NEW)
    assert address.startswith("otpauth://totp/")
    assert change_password(house.records, "rita", house.proof(), "blue ladder umbrella") is None
    assert "do not match" in refusal(house, password=house.one_time)


def test_a_one_time_password_waits_three_days(house):
    house.wait(timedelta(days=3))
    assert "do not match" in refusal(house, password=house.one_time)
    with pytest.raises(AccessError):
        change_password(house.records, "rita", house.proof(house.one_time, ""), NEW)


@pytest.mark.requirement("P11-11")
def test_no_session_opens_before_the_accountability_policy_is_signed(house):
    change_password(house.records, "rita", house.proof(house.one_time, ""), NEW)
    assert "accountability policy" in refusal(house)
    with pytest.raises(AccessError, match="accountability policy"):
        sign_in(house.records, "rita", house.proof(), accepts="0")
    sign_in(house.records, "rita", house.proof(), accepts=VERSION)
    with house.records.store.reading() as transaction:
        kept = transaction.current("acknowledgement", f"rita/{VERSION}")
        signature = signature_of(transaction, kept)
    assert kept.body["text"] == ACCOUNTABILITY.text
    assert (signature.user, signature.meaning, signature.is_valid) == ("rita", ACCOUNTABILITY.meaning, True)
    house.wait(MINUTE)
    sign_in(house.records, "rita", house.proof())


@pytest.mark.requirement("P11-17")
@pytest.mark.parametrize("words", [{"password": ""}, {"code": ""}, {"password": NEW.upper()}, {"code": "123"}], ids=str)
def test_signing_in_takes_both_components(settled, words):
    assert "do not match" in refusal(settled, **words)


def test_a_code_serves_once_even_with_the_right_password(settled):
    code = str(period(settled.records.clock.moment + timedelta(seconds=3)))
    sign_in(settled.records, "rita", settled.proof(code=code))
    assert "do not match" in refusal(settled, code=code)
    assert "do not match" in refusal(settled, code=str(int(code) - 1))


@pytest.mark.requirement("P11-19")
def test_five_failures_lock_the_account_and_raise_an_alarm_until_an_administrator_unlocks_it(settled):
    fail(settled, 4)
    assert settled.entries("lock_out") == []
    fail(settled, 1)
    assert settled.entries("lock_out") == ["rita"]
    settled.wait(timedelta(hours=6))
    assert "do not match" in refusal(settled)
    unlock_user(settled.records, settled.root, "rita", reason="she called; identity checked")
    assert settled.entries("unlock") == ["rita"]
    sign_in(settled.records, "rita", settled.proof())


@pytest.mark.requirement("P11-19")
def test_a_lock_ends_open_sessions(settled):
    opened = sign_in(settled.records, "rita", settled.proof())
    fail(settled, 5)
    with pytest.raises(AccessError, match="ended"):
        resume(settled.records, opened.token)


def test_failures_further_apart_than_a_quarter_of_an_hour_lock_nothing(settled):
    for _ in range(12):
        fail(settled, 1)
        settled.wait(4 * MINUTE)
    assert settled.entries("lock_out") == []
    assert settled.entries("fail_sign_in") == ["rita"] * 12


def test_a_locked_one_time_password_stays_one_after_unlocking(house):
    fail(house, 5)
    unlock_user(house.records, house.root, "rita", reason="identity checked")
    assert house.credential().place.state == "must_change"


@pytest.mark.requirement("P11-19")
def test_a_password_ages(settled):
    settled.wait(timedelta(days=90))
    assert "expired" in refusal(settled)
    assert "do not match" in refusal(settled, password="not it at all")
    assert change_password(settled.records, "rita", settled.proof(), "blue ladder umbrella") is None
    settled.wait(MINUTE)
    sign_in(settled.records, "rita", settled.proof("blue ladder umbrella"))


@pytest.mark.requirement("P11-19")
def test_none_of_the_last_five_passwords_comes_back(settled):
    words = [NEW, *(f"ladder umbrella {word}" for word in ("green", "brown", "black", "white", "amber"))]
    for old, new in pairwise(words):
        for used in words[: words.index(old) + 1]:
            with pytest.raises(FaultsError, match="last 5"):
                change_password(settled.records, "rita", settled.proof(old), used)
        change_password(settled.records, "rita", settled.proof(old), new)
        settled.wait(MINUTE)
    change_password(settled.records, "rita", settled.proof(words[-1]), words[0])


def test_a_reset_does_not_bring_old_passwords_back(settled):
    one_time = reset_password(settled.records, settled.root, "rita", settled.identity, reason="lost")
    with pytest.raises(FaultsError, match="last 5"):
        change_password(settled.records, "rita", settled.proof(one_time, ""), NEW)


@pytest.mark.requirement("P11-19")
def test_a_reset_voids_password_codes_and_sessions(settled):
    opened = sign_in(settled.records, "rita", settled.proof())
    one_time = reset_password(settled.records, settled.root, "rita", settled.identity, reason="phone lost")
    settled.wait(MINUTE)
    assert "do not match" in refusal(settled)
    with pytest.raises(AccessError, match="ended"):
        resume(settled.records, opened.token)
    assert change_password(settled.records, "rita", settled.proof(one_time, ""), "blue ladder umbrella")


@pytest.mark.requirement("P11-19")
def test_the_second_factor_is_tested_by_its_first_code_and_at_every_sign_in(house):
    change_password(house.records, "rita", house.proof(house.one_time, ""), NEW)
    assert house.credential().body["tested_at"] == ""
    sign_in(house.records, "rita", house.proof(), accepts=VERSION)
    assert house.credential().body["tested_at"] != ""


@pytest.mark.requirement("P11-18")
@pytest.mark.parametrize("secret", ["password", "totp", "former"])
def test_a_secret_altered_in_the_database_lets_nobody_in_and_raises_an_alarm(settled, secret):
    tables = settled.records.store.tables
    tables.secrets[f"{secret}:rita"] = settled.identity.password_hash("the administrators choice")
    for password in (NEW, "the administrators choice"):
        with pytest.raises(IntegrityError, match=secret):
            sign_in(settled.records, "rita", settled.proof(password))
    assert settled.entries("raise_alarm") == ["rita", "rita"]


@pytest.mark.requirement("P11-18")
def test_a_credential_set_back_to_an_earlier_one_lets_nobody_in(house):
    house.settle()
    tables = house.records.store.tables
    before = dict(tables.secrets)
    change_password(house.records, "rita", house.proof(), "blue ladder umbrella")
    house.wait(MINUTE)
    tables = house.records.store.tables
    tables.secrets.update({name: kept for name, kept in before.items() if name.endswith(":rita")})
    tables.versions[CREDENTIAL, "rita"].pop()
    with pytest.raises(IntegrityError, match="record"):
        sign_in(house.records, "rita", house.proof())


@pytest.mark.requirement("P11-18")
def test_an_administrator_who_resets_the_password_cannot_do_so_unseen(settled):
    one_time = reset_password(settled.records, settled.root, "rita", settled.identity, reason="to sign as her")
    change_password(settled.records, "rita", settled.proof(one_time, ""), "the administrators choice")
    assert settled.entries("reset_password")[-1] == "rita"
    assert "do not match" in refusal(settled)


def test_a_name_that_nobody_has_gets_the_same_answer_after_the_same_work(settled):
    answers, works = set(), set()
    for user in ("rita", "nobody", ""):
        settled.identity.checked.clear()
        answers.add(refusal(settled, user, password="not it at all"))
        works.add(tuple(settled.identity.checked))
    fail(settled, 4)
    answers.add(refusal(settled))
    disable_user(settled.records, settled.root, "rita", reason="left")
    answers.add(refusal(settled))
    assert len(answers) == 1
    assert works == {("password", "code")}


def test_what_was_typed_as_a_name_is_not_kept(settled):
    refusal(settled, "my password by mistake")
    assert settled.entries("fail_sign_in") == ["unknown"]
    assert "by mistake" not in repr(settled.records.store.tables)


def test_a_hash_by_weaker_parameters_is_made_anew_at_the_next_sign_in(settled):
    before = settled.records.store.tables.secrets["password:rita"]
    settled.identity.generation = 2
    sign_in(settled.records, "rita", settled.proof())
    assert settled.records.store.tables.secrets["password:rita"] != before
    settled.wait(MINUTE)
    sign_in(settled.records, "rita", settled.proof())
    assert settled.entries("rehash") == ["rita"]


def test_somebody_with_several_roles_says_which(settled):
    grant_role(settled.records, settled.root, "rita", Grant(Role.ADJUDICATOR, "T2"), reason="needed")
    assert "adjudicator, radiologist" in refusal(settled)
    opened = sign_in(settled.records, "rita", settled.proof(), role=Role.ADJUDICATOR)
    assert opened.actor.role is Role.ADJUDICATOR
    settled.wait(MINUTE)
    with pytest.raises(AccessError, match="hold at this time"):
        sign_in(settled.records, "rita", settled.proof(), role=Role.ANALYST)


def test_a_session_ends_after_half_an_hour_without_use_and_twelve_hours_at_all(settled):
    opened = sign_in(settled.records, "rita", settled.proof())
    for _ in range(11 * 3):
        settled.wait(20 * MINUTE)
        resume(settled.records, opened.token)
    settled.wait(31 * MINUTE)
    with pytest.raises(AccessError, match="ended"):
        resume(settled.records, opened.token)
    with pytest.raises(AccessError, match="ended"):
        resume(settled.records, opened.token)
    opened = sign_in(settled.records, "rita", settled.proof())
    for _ in range(12 * 3 - 1):
        settled.wait(20 * MINUTE)
        resume(settled.records, opened.token)
    settled.wait(20 * MINUTE)
    with pytest.raises(AccessError, match="ended"):
        resume(settled.records, opened.token)
    with pytest.raises(AccessError, match="ended"), settled.records.look(opened.actor, Action.READ, trial="T1"):
        pass


def test_a_session_never_outlives_the_grant(house):
    soon = (house.records.clock.moment + timedelta(hours=2)).isoformat(timespec="microseconds")
    grant_role(house.records, house.root, "rita", replace(READER, until=soon), reason="until then")
    opened = house.settle()
    house.wait(timedelta(minutes=25))
    resume(house.records, opened.token)
    for _ in range(5):
        house.wait(timedelta(minutes=18))
        with house.records.store.reading() as transaction:
            is_over = transaction.current("session", opened.actor.session).body["expires_at"] <= house.records.now()
        if not is_over:
            resume(house.records, opened.token)
    assert opened.actor.session
    house.wait(timedelta(minutes=10))
    with pytest.raises(AccessError, match="ended"):
        resume(house.records, opened.token)


@pytest.mark.parametrize("token", ["", ".", "x.y", "{key}.", "{key}.wrong", "{key}"])
def test_a_token_that_is_not_the_one_opens_nothing(settled, token):
    opened = sign_in(settled.records, "rita", settled.proof())
    with pytest.raises(AccessError, match="not known"):
        resume(settled.records, token.format(key=opened.actor.session))


def test_signing_out_ends_the_session_for_good(settled):
    opened = sign_in(settled.records, "rita", settled.proof())
    sign_out(settled.records, opened.actor.session + ".wrong")
    resume(settled.records, opened.token)
    sign_out(settled.records, opened.token)
    sign_out(settled.records, opened.token)
    with pytest.raises(AccessError, match="ended"):
        resume(settled.records, opened.token)


def test_the_token_itself_is_kept_nowhere(settled):
    opened = sign_in(settled.records, "rita", settled.proof())
    secret = opened.token.partition(".")[2]
    assert secret not in repr(settled.records.store.tables) + repr(opened)


class Provider:
    """A sign-in server whose tokens read ``subject nonce``."""

    issuer = "https://id.example.org"

    def subject(self, id_token, *, nonce, at):
        subject, _, made_for = id_token.partition(" ")
        if made_for != nonce:
            raise AccessError("it was made for another sign-in")
        return subject


def by_provider(house, token="s-1 n-1", nonce="n-1", **words):
    return sign_in_by_provider(house.records, Provider(), house.identity, id_token=token, nonce=nonce, **words)


def test_a_sign_in_server_says_who_somebody_is_and_we_what_they_may(settled):
    with pytest.raises(AccessError, match="no open account"):
        by_provider(settled)
    bind_identity(settled.records, settled.root, "rita", issuer=Provider.issuer, subject="s-1", reason="HR list")
    opened = by_provider(settled)
    assert (opened.actor.user, opened.actor.role) == ("rita", Role.RADIOLOGIST)
    assert resume(settled.records, opened.token) == opened.actor
    with pytest.raises(AccessError, match="hold at this time"):
        by_provider(settled, "s-1 n-2", "n-2", role=Role.ADMINISTRATOR)


def test_a_servers_token_opens_one_session_only(settled):
    bind_identity(settled.records, settled.root, "rita", issuer=Provider.issuer, subject="s-1", reason="HR list")
    sign_out(settled.records, by_provider(settled).token)
    with pytest.raises(AccessError, match="used before"):
        by_provider(settled)
    with pytest.raises(AccessError, match="another sign-in"):
        by_provider(settled, nonce="n-2")
    assert settled.entries("fail_sign_in") == ["rita", "unknown"]


def test_a_server_does_not_open_a_disabled_account_nor_sign_the_policy(house):
    bind_identity(house.records, house.root, "rita", issuer=Provider.issuer, subject="s-1", reason="HR list")
    with pytest.raises(AccessError, match="password and code"):
        by_provider(house)
    disable_user(house.records, house.root, "rita", reason="left")
    with pytest.raises(AccessError, match="no open account"):
        by_provider(house)


def test_one_subject_is_one_user(settled):
    bind_identity(settled.records, settled.root, "rita", issuer=Provider.issuer, subject="s-1", reason="HR list")
    add_user(settled.records, settled.root, Person("bob", "Bob", "passport seen"), settled.identity)
    with pytest.raises(AccessError, match="is rita"):
        bind_identity(settled.records, settled.root, "bob", issuer=Provider.issuer, subject="s-1", reason="HR list")


@settings(max_examples=30, deadline=None)
@given(typed=st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=16, max_size=40).map("§ {}".format))
def test_no_password_is_ever_kept_in_the_clear(typed):
    house = House()
    change_password(house.records, "rita", house.proof(house.one_time, ""), NEW)
    refusal(house, password=typed, code=typed)
    refusal(house, typed, password=typed)
    with pytest.raises(AccessError):
        change_password(house.records, "rita", house.proof(typed), typed)
    try:
        change_password(house.records, "rita", house.proof(), typed)
    except FaultsError as refused:
        assert typed not in str(refused)
    users(house.records, house.root)
    kept = repr(house.records.store.tables)
    for secret in (typed, NEW, house.one_time):
        assert secret not in kept
        assert repr(secret)[1:-1] not in kept


@pytest.mark.requirement("E6-03")
def test_coming_going_and_failing_are_entries_of_whoever_it_was(settled):
    opened = sign_in(settled.records, "rita", settled.proof())
    refusal(settled, password="not it at all")
    with pytest.raises(AccessError), settled.records.look(opened.actor, Action.VIEW_AUDIT, trial="T1"):
        pass
    sign_out(settled.records, opened.token)
    with settled.records.store.reading() as transaction:
        last = list(transaction.entries(EntryQuery(start=transaction.size() - 4)))
    assert [(entry.action, entry.who, entry.role, entry.object_id) for entry in last] == [
        ("sign_in", "rita", "radiologist", opened.actor.session),
        ("fail_sign_in", "trialimg", "device", "rita"),
        ("refuse_access", "rita", "radiologist", "view_audit"),
        ("sign_out", "rita", "radiologist", opened.actor.session),
    ]


def test_a_proof_checked_before_the_password_changed_is_worth_nothing_after(settled):
    """The slow check is done before the records are held: what changes in between counts."""
    check = settled.identity.is_password

    def while_the_password_is_replaced(password, kept):
        settled.identity.is_password = check
        reset_password(settled.records, settled.root, "rita", settled.identity, reason="stolen")
        return check(password, kept)

    settled.identity.is_password = while_the_password_is_replaced
    assert "do not match" in refusal(settled)


def test_one_code_opens_one_session_even_if_two_come_at_once(settled):
    check, opened = settled.identity.is_password, []

    def while_another_comes_first(password, kept):
        settled.identity.is_password = check
        opened.append(sign_in(settled.records, "rita", settled.proof()))
        return check(password, kept)

    settled.identity.is_password = while_another_comes_first
    assert "do not match" in refusal(settled)
    assert len(opened) == 1
