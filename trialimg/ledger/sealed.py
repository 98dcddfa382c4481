"""Content that the ledger knows by a salted digest only, so that it can be taken away without breaking the chain."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from trialimg.core.errors import Fault, InvalidValueError
from trialimg.ledger.canonical import canonical, decoded, hex_faults, parse

__all__ = ["SALT_BYTES", "Redacted", "Sealed", "seal"]

SALT_BYTES = 32

_PURPOSE = b"trialimg sealed content v1\x00"


@dataclass(frozen=True)
class Sealed:
    """Content and the salt that keeps its digest from being guessed once the content is gone."""

    salt: str
    """32 random bytes in hexadecimal digits, never used twice."""
    content: str
    """Canonical JSON."""

    def __post_init__(self) -> None:
        faults = hex_faults("salt", self.salt, SALT_BYTES)
        if not self.content:
            faults += (Fault("content", "empty", "is empty"),)
        if faults:
            raise InvalidValueError(*faults)

    @property
    def digest(self) -> str:
        """What an entry says of this content."""
        return hashlib.sha256(_PURPOSE + bytes.fromhex(self.salt) + self.content.encode()).hexdigest()

    def value(self) -> Any:
        """The value that was sealed.

        Raises
        ------
        InvalidValueError
            If the content is not the canonical form of any value.
        """
        return parse(self.content.encode())

    def shown(self) -> Any:
        """The same for whoever looks at it; whether the content is canonical is left to who verifies it."""
        return decoded(self.content.encode())

    def redacted(self, by: int) -> Redacted:
        """The tombstone that takes this content's place, justified by the entry with that sequence."""
        return Redacted(self.digest, by)


@dataclass(frozen=True)
class Redacted:
    """What is left of content that was taken away: its digest, and which entry says why."""

    digest: str
    by: int
    """Sequence of the entry with the action `REDACT`."""

    def __post_init__(self) -> None:
        faults = hex_faults("digest", self.digest, 32)
        if self.by < 0:
            faults += (Fault("by", "out_of_range", "is negative"),)
        if faults:
            raise InvalidValueError(*faults)


def seal(value: object, salt: str) -> Sealed:
    """The value's canonical JSON under a salt.

    Raises
    ------
    InvalidValueError
        If the value has no canonical form, or the salt is not 32 bytes in hexadecimal digits.
    """
    return Sealed(salt, canonical(value).decode())
