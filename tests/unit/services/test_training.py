"""Cases go to those who were trained for the charter in force and answer for what they do."""

from __future__ import annotations

import pytest

from tests.fakes.people import at_desk
from tests.fakes.records import granted, memory_records
from trialimg.core.access import Action, Role
from trialimg.core.errors import AccessError
from trialimg.services.people import disable_user
from trialimg.services.training import record_training, require_fit_to_read

WHAT = "Charter 2, slides of 2026-01-05, passed"


@pytest.fixture
def records():
    return memory_records()


@pytest.fixture
def analyst(records):
    return granted(records, "ana", Role.ANALYST, trial="T1")


def trained(records, actor, user="rita", *, trial="T1", version="2"):
    return record_training(records, actor, user, trial=trial, charter_version=version, what=WHAT)


def require_fit(records, user="rita", *, trial="T1", version="2"):
    with records.store.reading() as transaction:
        require_fit_to_read(transaction, user, trial, version)


@pytest.mark.requirement("P11-10")
def test_training_counts_for_its_own_user_trial_and_charter_version(records, analyst):
    for user in ("rita", "bob"):
        at_desk(records, user, Role.RADIOLOGIST, trial="T1")
    with pytest.raises(AccessError, match="no training for version 2"):
        require_fit(records)
    trained(records, analyst)
    require_fit(records)
    for other in ({"user": "bob"}, {"trial": "T2"}, {"version": "3"}):
        with pytest.raises(AccessError, match="no training"):
            require_fit(records, **other)


@pytest.mark.requirement("P11-11")
def test_training_without_the_signed_policy_is_not_enough(records, analyst):
    granted(records, "rita", Role.RADIOLOGIST, trial="T1")
    trained(records, analyst)
    with pytest.raises(AccessError, match="accountability policy"):
        require_fit(records)


def test_an_acknowledgement_whose_signature_is_void_is_none(records, analyst):
    rita, _ = at_desk(records, "rita", Role.RADIOLOGIST, trial="T1")
    trained(records, analyst)
    with records.change(rita, Action.OWN_ACCOUNT) as journal:
        kept = journal.transaction.current("acknowledgement", "rita/1")
        journal.write("acknowledgement", "rita/1", {**kept.body, "text": "less"}, action="edit", place=kept.place)
    with pytest.raises(AccessError, match="accountability policy"):
        require_fit(records)


def test_training_is_recorded_by_somebody_who_may_and_not_by_the_trained(records, analyst):
    rita, _ = at_desk(records, "rita", Role.RADIOLOGIST, trial="T1")
    with pytest.raises(AccessError, match="may not record training"):
        trained(records, rita)
    with pytest.raises(AccessError, match="their own training"):
        trained(records, analyst, "ana")
    with pytest.raises(AccessError, match="T2"):
        trained(records, analyst, trial="T2")
    with pytest.raises(AccessError, match="say what"):
        record_training(records, analyst, "rita", trial="T1", charter_version="2", what=" ")


def test_nobody_is_trained_who_is_not_here(records, analyst):
    root = granted(records, "root", Role.ADMINISTRATOR)
    granted(records, "rita", Role.RADIOLOGIST, trial="T1")
    disable_user(records, root, "rita", reason="left")
    for user in ("rita", "nobody"):
        with pytest.raises(AccessError, match="not an active user"):
            trained(records, analyst, user)


def test_the_record_says_who_trained_whom_in_what(records, analyst):
    granted(records, "rita", Role.RADIOLOGIST, trial="T1")
    version = trained(records, analyst)
    assert version.body == {"user": "rita", "charter_version": "2", "what": WHAT, "trainer": "ana"}
    assert (version.place.trial, version.place.person) == ("T1", "rita")
