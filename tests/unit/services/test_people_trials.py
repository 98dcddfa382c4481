"""The trials of somebody are those in which they hold their present role now."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.central_review import TRIAL, Trial
from tests.fakes.people import at_desk
from tests.fakes.records import granted
from trialimg.core.access import Role
from trialimg.services.journal import Journal
from trialimg.services.people_trials import trials_of
from trialimg.services.records import Place


@pytest.fixture
def trial():
    return Trial()


def test_a_reader_of_the_trial_has_it_and_a_reader_of_another_does_not(trial):
    rita, _ = at_desk(trial.records, "rita", Role.RADIOLOGIST, trial=TRIAL)
    other, _ = at_desk(trial.records, "olga", Role.RADIOLOGIST, trial="T-9")
    everywhere, _ = at_desk(trial.records, "eva", Role.INSPECTOR)
    assert trials_of(trial.records, rita) == (TRIAL,)
    assert trials_of(trial.records, other) == ()
    assert trials_of(trial.records, everywhere) == (TRIAL,)


def test_another_role_in_the_trial_gives_nothing_to_the_present_one(trial):
    granted(trial.records, "rita", Role.ANALYST, trial=TRIAL)
    reader, _ = at_desk(trial.records, "rita", Role.RADIOLOGIST, trial="T-9")
    assert trials_of(trial.records, reader) == ()


@pytest.mark.parametrize(("since", "until"), [("", "2000-01-01"), ("2999-01-01", "")])
def test_a_right_that_is_over_or_has_not_begun_gives_nothing(trial, since, until):
    actor, _ = at_desk(trial.records, "rita", Role.RADIOLOGIST, trial="T-9")
    body = {"user": "rita", "role": "radiologist", "trial": TRIAL, "site": "", "since": since, "until": until}
    with trial.records.store.changing() as transaction:
        journal = Journal(transaction, actor, trial.records)
        journal.write("grant", "rita/x", body, action="grant", place=Place(person="rita", state="valid"))
    assert trials_of(trial.records, actor) == ()
    assert dt.date.fromisoformat(trial.records.now()[:10]).year < 2999
