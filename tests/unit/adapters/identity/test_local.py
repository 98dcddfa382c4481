"""Passwords by Argon2id, codes by RFC 6238."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from trialimg.adapters.identity.local import LocalIdentity

RFC_SEED = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_rfc_6238_appendix_b_in_six_digits(seconds, code):
    at = datetime.fromtimestamp(seconds, UTC)
    assert LocalIdentity().code_step(code, RFC_SEED, at) == seconds // 30
    assert LocalIdentity().code_step(f"{code[:3]} {code[3:]} ", RFC_SEED, at) == seconds // 30


def test_hashes_are_argon2id_of_64_mib_unless_told_otherwise():
    assert LocalIdentity().password_hash("quiet tulip harbour").startswith(b"$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_stored_text_that_is_no_hash_fits_no_password():
    identity = LocalIdentity(time_cost=1, memory_kib=8, lanes=1)
    assert not identity.is_password("quiet tulip harbour", b"quiet tulip harbour")


def test_the_enrolment_names_the_user_and_carries_160_bits():
    identity = LocalIdentity()
    seed = identity.new_seed()
    address = urlsplit(identity.enrolment(seed, "rita"))
    assert (address.scheme, address.netloc, address.path) == ("otpauth", "totp", "/trialimg:rita")
    assert len(seed) == 20
    assert len(parse_qs(address.query)["secret"][0]) == 32
