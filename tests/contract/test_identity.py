"""What passwords and codes promise, kept by the adapter and by the fake alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from tests.fakes.people import FakeIdentity, period
from trialimg.adapters.identity.local import LocalIdentity

NOW = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
PERIOD = timedelta(seconds=30)


def code_of_local(identity, seed, at):
    return pyotp.parse_uri(identity.enrolment(seed, "rita")).at(at)


def code_of_fake(identity, seed, at):
    return str(period(at))


@pytest.fixture(params=["local", "fake"])
def made(request):
    """The identity, one with stronger parameters, and what an authenticator shows."""
    if request.param == "local":
        weak = LocalIdentity(time_cost=1, memory_kib=8, lanes=1)
        return weak, LocalIdentity(time_cost=2, memory_kib=8, lanes=1), code_of_local
    return FakeIdentity(), FakeIdentity(generation=2), code_of_fake


def test_a_password_is_known_by_its_hash_and_by_no_other(made):
    identity, _, _ = made
    kept = identity.password_hash("quiet tulip harbour")
    assert identity.is_password("quiet tulip harbour", kept)
    assert not identity.is_password("quiet tulip harbou", kept)
    assert not identity.is_password("quiet tulip harbour", None)
    assert not identity.is_password("", kept)


def test_one_password_has_another_hash_each_time_and_none_shows_it(made):
    identity, _, _ = made
    first, second = (identity.password_hash("quiet tulip harbour") for _ in range(2))
    assert first != second
    assert b"tulip" not in first + second


def test_a_hash_by_weaker_parameters_is_outdated_and_still_holds(made):
    identity, stronger, _ = made
    kept = identity.password_hash("quiet tulip harbour")
    assert stronger.is_password("quiet tulip harbour", kept)
    assert stronger.is_outdated(kept)
    assert not identity.is_outdated(kept)


@pytest.mark.parametrize(("drift", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_taken_one_period_early_or_late_and_names_its_own_period(made, drift, is_taken):
    identity, _, code_at = made
    seed, at = identity.new_seed(), NOW + drift * PERIOD
    assert identity.code_step(code_at(identity, seed, at), seed, NOW) == (period(at) if is_taken else None)


@pytest.mark.parametrize("code", ["", "abcdef", "12345", "٣٣٣٣٣٣", "x" * 10_000], ids=len)
def test_what_is_no_code_is_refused(made, code):
    identity, _, _ = made
    assert identity.code_step(code, identity.new_seed(), NOW) is None


def test_nobody_has_no_code(made):
    identity, _, code_at = made
    seed = identity.new_seed()
    assert identity.code_step(code_at(identity, seed, NOW), None, NOW) is None


def test_tokens_are_long_and_never_the_same(made):
    identity, _, _ = made
    tokens = {identity.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43
