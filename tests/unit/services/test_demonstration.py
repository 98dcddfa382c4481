"""A demonstration is made by the ways that real people go, and only where nobody works yet."""

from __future__ import annotations

import json
import stat

import pytest

from tests.fakes.dashboard import PROTOCOL
from tests.fakes.people import FakeIdentity, period
from tests.fakes.records import memory_records
from trialimg.core.access import Role
from trialimg.core.errors import TrialimgError
from trialimg.services import demonstration
from trialimg.services.people_trials import trials_of
from trialimg.services.records import EntryQuery, Place
from trialimg.services.sign_in import Proof, sign_in


@pytest.fixture(scope="module")
def made():
    kept = memory_records()
    return kept, demonstration.prepare(kept, FakeIdentity(), PROTOCOL, code_at=lambda _, at: str(period(at)))


def test_everybody_of_the_list_can_sign_in_in_their_role_with_their_own_password(made):
    kept, found = made
    passwords = set()
    for key, (_, role) in demonstration.PEOPLE.items():
        account = found.accounts[key]
        passwords.add(account.password)
        kept.clock.moment = kept.clock.now().replace(microsecond=0)
        proof = Proof(account.password, str(period(kept.clock.now()) + 1), FakeIdentity())
        signed = sign_in(kept, account.user, proof)
        assert signed.actor.role is role
        assert trials_of(kept, signed.actor) == (found.trial,)
    assert len(passwords) == len(demonstration.PEOPLE)


def test_every_step_is_in_the_ledger_under_the_name_of_who_took_it(made):
    kept, found = made
    with kept.store.reading() as transaction:
        entries = list(transaction.entries(EntryQuery()))
        users = list(transaction.find("user", Place()))
    who = {entry.action: entry.who for entry in entries}
    assert who["open_trial"] == found.analyst.user
    assert who["grant"] == "demo-administrator"
    assert all("demonstration" in user.body["identity_proof"] for user in users)


def test_readers_and_adjudicator_are_trained_and_nobody_else(made):
    kept, _ = made
    with kept.store.reading() as transaction:
        trained = {one.place.person for one in transaction.find("training", Place())}
    expected = {f"demo-{key}" for key, (_, role) in demonstration.PEOPLE.items() if role in READING}
    assert trained == expected


READING = (Role.RADIOLOGIST, Role.ADJUDICATOR)


def test_it_never_mixes_with_real_people(made):
    kept, _ = made
    before = kept.store.tables
    with pytest.raises(TrialimgError, match="has users already"):
        demonstration.prepare(kept, FakeIdentity(), PROTOCOL, code_at=lambda _, at: str(period(at)))
    assert kept.store.tables is before


def test_the_accounts_are_kept_for_their_owner_alone(made, tmp_path):
    _, found = made
    path = tmp_path / "demo-accounts.json"
    found.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(json.loads(path.read_text())) == set(demonstration.PEOPLE)
    assert found.accounts["analyst"].password not in repr(found)
    assert found.accounts["analyst"].seed not in repr(found)
