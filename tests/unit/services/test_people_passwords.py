"""Long passwords are taken; what is tried first is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialimg.core.errors import FaultsError
from trialimg.services.people_passwords import password_faults, require_good

NAMES = ("rita.reader", "Rita Reader")


@pytest.mark.parametrize(
    "password",
    [
        "quiet tulip harbour",
        "tulipharbour",
        "all lower case words",
        "кит летит над морем",
        "一二三四五六七八九十百千",
        "x7!kQ2#mZ9pLw4",
        "correct horse cucumber staple",
    ],
)
def test_no_kind_of_character_is_asked_for(password):
    require_good(password, NAMES)


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("tulipharbou", "11 characters, fewer than 12"),
        ("", "fewer than 12"),
        ("x7!kQ2#mZ9pLw4" * 30, "more than 256"),
        ("aaaaaaaaaaaaaaaa", "different"),
        ("abababababababab", "different"),
        ("password1234567", "little more"),
        ("Passw0rd!Passw0rd!", "little more"),
        ("qwertyuiopasdf", "little more"),
        ("1qaz2wsx3edc4rfv", "little more"),
        ("abcdefghijklmnop", "little more"),
        ("0123456789012345", "little more"),
        ("RitaReader2026", "little more"),
        ("reader.rita.reader", "little more"),
        ("trialimgtrialimg", "little more"),
        ("correcthorsebatterystaple", "little more"),
    ],
)
def test_what_is_tried_first_is_not_taken(password, says):
    with pytest.raises(FaultsError, match=says):
        require_good(password, NAMES)


@given(st.text(max_size=300))
def test_the_refusal_never_repeats_the_password(password):
    said = " ".join(password_faults(password, NAMES))
    assert len(password) < 12 or password not in said
