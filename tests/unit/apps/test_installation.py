"""What the environment says of an installation, and what it may not say."""

from __future__ import annotations

import datetime as dt

import pytest

from apps.trialimg_dashboard.installation import installation
from trialimg.core.errors import TrialimgError
from trialimg.services.people_sessions import SESSIONS


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIALIMG_HOME", str(tmp_path))
    installation.cache_clear()
    yield installation
    installation.cache_clear()


def test_a_sign_in_ends_after_the_minutes_without_use_that_are_set(opened, monkeypatch):
    monkeypatch.setenv("TRIALIMG_IDLE_MINUTES", "12.5")
    found = opened().sessions
    assert found.idle == dt.timedelta(minutes=12, seconds=30)
    assert found.noticed <= found.idle / 10  # a use is not forgotten for longer than that
    assert found.lasts == SESSIONS.lasts


def test_without_a_setting_it_is_half_an_hour(opened, monkeypatch):
    monkeypatch.delenv("TRIALIMG_IDLE_MINUTES", raising=False)
    assert opened().sessions.idle == dt.timedelta(minutes=30)


@pytest.mark.parametrize("wrong", ["0", "-5", "721", "nan", "half an hour"])
def test_what_is_no_time_is_refused_by_name(opened, monkeypatch, wrong):
    monkeypatch.setenv("TRIALIMG_IDLE_MINUTES", wrong)
    with pytest.raises(TrialimgError, match="TRIALIMG_IDLE_MINUTES"):
        opened()
