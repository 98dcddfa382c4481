"""Passwords by Argon2id and one-time codes by TOTP.

References
----------
Biryukov, Dinu, Khovratovich, Josefsson. Argon2 Memory-Hard Function. RFC 9106, 2021.
M'Raihi, Machani, Pei, Rydell. TOTP: Time-Based One-Time Password Algorithm. RFC 6238, 2011.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from functools import cached_property

import argon2
import pyotp
from pyotp.exceptions import OTPVerificationError

__all__ = ["LocalIdentity"]

_ISSUER = "trialimg"
_SEED_BYTES = 20
"""As long as the HMAC that uses it (RFC 4226, section 4, R6)."""
_NEIGHBOURS = 1
"""Periods of 30 s before and after the present one whose code is taken."""


class LocalIdentity:
    """Checks passwords and codes without any other server."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65536, lanes: int = 4) -> None:
        self._hasher = argon2.PasswordHasher(time_cost, memory_kib, lanes)

    def password_hash(self, password: str) -> bytes:
        """PHC string of Argon2id."""
        return self._hasher.hash(password).encode()

    def is_password(self, password: str, kept: bytes | None) -> bool:
        """True if the hash is that of the password; as slow where there is no hash as where there is one."""
        try:
            is_right = self._hasher.verify(kept or self._nobodys, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return is_right and kept is not None

    def is_outdated(self, kept: bytes) -> bool:
        """True if the hash was made with other parameters than those in force."""
        return self._hasher.check_needs_rehash(kept.decode())

    def new_seed(self) -> bytes:
        """160 random bits."""
        return secrets.token_bytes(_SEED_BYTES)

    def enrolment(self, seed: bytes, user: str) -> str:
        """The ``otpauth`` address by which an authenticator takes the seed over."""
        return _codes(seed).provisioning_uri(name=user, issuer_name=_ISSUER)

    def code_step(self, code: str, seed: bytes | None, at: datetime) -> int | None:
        """Number of the period of 30 s that the code belongs to; None if it is no code of about this time."""
        try:
            step = _codes(seed or bytes(_SEED_BYTES)).verify_and_get_timecode(
                code.strip().replace(" ", ""), for_time=at, valid_window=_NEIGHBOURS
            )
        except OTPVerificationError:
            return None
        return step if seed else None

    def new_token(self) -> str:
        """256 random bits as text that fits into an address."""
        return secrets.token_urlsafe(32)

    @cached_property
    def _nobodys(self) -> bytes:
        return self.password_hash(self.new_token())


def _codes(seed: bytes) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(seed).decode())
