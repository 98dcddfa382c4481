"""What a page works out is worked out once for each person, trial, state of the ledger, and hour."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from apps.trialimg_dashboard.views import kept
from trialimg.core.access import Action, Actor, Role
from trialimg.core.errors import AccessError

ANA, SAM = Actor("ana", Role.ANALYST, "s1"), Actor("ana", Role.SPONSOR, "s2")


@pytest.fixture
def worked(monkeypatch):
    """Asks for an answer at a desk; how often it was worked out is its value."""
    size = {"ledger": 10}
    count = iter(range(1, 100))
    monkeypatch.setattr(kept.st, "session_state", {})

    def measured(records, actor, trial, *, right):
        if right is Action.VIEW_READERS:
            raise AccessError("not for you")
        return size["ledger"]

    monkeypatch.setattr(kept, "ledger_size", measured)
    shown = []
    monkeypatch.setattr("apps.trialimg_dashboard.desk.st.error", shown.append)

    def ask(actor=ANA, trial="T-1", hour="2026-01-01T09", right=Action.VIEW_COHORT, grown=0):
        size["ledger"] += grown
        records = SimpleNamespace(now=lambda: f"{hour}:30:00")
        at = SimpleNamespace(actor=actor, trial=trial, records=records)
        return kept.worked_out(at, "cohort", right, lambda: next(count))

    return ask


def test_the_same_question_is_worked_out_once(worked):
    assert [worked(), worked(), worked()] == [1, 1, 1]


OTHERS = {"role": {"actor": SAM}, "trial": {"trial": "T-2"}, "hour": {"hour": "2026-01-01T10"}, "ledger": {"grown": 1}}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_person_trial_hour_or_entry_asks_anew(worked, other):
    assert [worked(), worked(**other)] == [1, 2]


def test_who_lost_the_right_is_not_given_what_was_kept(worked):
    worked()
    assert worked(right=Action.VIEW_READERS) is None
