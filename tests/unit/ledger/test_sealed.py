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
