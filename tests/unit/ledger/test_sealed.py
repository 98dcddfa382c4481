"""Content behind a salted digest, and what is left of it once it is gone."""

from __future__ import annotations

import hashlib

import pytest

from trialimg.core.errors import InvalidValueError
from trialimg.ledger.sealed import Redacted, Sealed, seal

SALT = "5a" * 32


def test_the_digest_covers_purpose_salt_and_content():
    sealed = seal({"b": 1, "a": "ü"}, SALT)
    content = '{"a":"ü","b":1}'
    assert sealed.content == content
    expected = hashlib.sha256(b"trialimg sealed content v1\0" + bytes.fromhex(SALT) + content.encode()).hexdigest()
    assert sealed.digest == expected
    assert sealed.value() == {"a": "ü", "b": 1}


def test_another_salt_hides_the_same_content_behind_another_digest():
    assert seal("male", SALT).digest != seal("male", "5b" * 32).digest


def test_a_tombstone_keeps_the_digest_and_nothing_else():
    sealed = seal("Jane Doe", SALT)
    tombstone = sealed.redacted(by=12)
    assert tombstone == Redacted(sealed.digest, 12)
    assert "Jane" not in repr(tombstone)


@pytest.mark.parametrize("salt", ["", "5a" * 31, "5A" * 32, "zz" * 32])
def test_a_salt_is_32_bytes_in_lower_case_hexadecimal_digits(salt):
    with pytest.raises(InvalidValueError, match="bad_hex"):
        seal("x", salt)


@pytest.mark.parametrize(
    "build", [lambda: Sealed(SALT, ""), lambda: Redacted("00", 1), lambda: Redacted("00" * 32, -1)]
)
def test_what_cannot_be_true_is_refused(build):
    with pytest.raises(InvalidValueError):
        build()


def test_content_that_is_not_canonical_can_be_looked_at_and_is_no_value():
    """Whoever verifies asks for the value; a page that shows thousands of records does not compare each with itself."""
    loose = Sealed(SALT, '{"b":1, "a":"ü"}')
    assert loose.shown() == {"a": "ü", "b": 1}
    with pytest.raises(InvalidValueError, match="not_canonical"):
        loose.value()


@pytest.mark.parametrize("content", ["{", "1.5", "NaN", "9007199254740992"])
def test_what_no_canonical_form_can_say_is_not_shown_either(content):
    with pytest.raises(InvalidValueError, match="not_json"):
        Sealed(SALT, content).shown()
