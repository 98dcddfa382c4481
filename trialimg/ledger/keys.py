"""Public keys of an installation: two algorithms that both have to agree, and how one pair hands over to the next.

References
----------
Josefsson, Liusvaara. Edwards-Curve Digital Signature Algorithm (EdDSA). RFC 8032, 2017.
NIST. Module-Lattice-Based Digital Signature Standard. FIPS 204, 2024.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

from trialimg.core.errors import Fault, IntegrityError, InvalidValueError
from trialimg.ledger.canonical import canonical, hex_faults, shaped
from trialimg.ledger.entry import time_faults

__all__ = ["KEYS_PURPOSE", "EndorsedKeys", "KeyHistory", "PublicKeys", "Signatures", "signed_bytes"]

KEYS_PURPOSE = "trialimg keys v1"

_ED25519_KEY_BYTES, _ED25519_SIGNATURE_BYTES = 32, 64
_MLDSA65_KEY_BYTES, _MLDSA65_SIGNATURE_BYTES = 1952, 3309


def signed_bytes(purpose: str, message: bytes) -> bytes:
    """What is signed: a signature for one purpose never serves for another."""
    return purpose.encode() + b"\x00" + message


@dataclass(frozen=True)
class Signatures:
    """Two signatures over the same bytes, in hexadecimal digits, and who made them."""

    key: str
    """Id of the pair."""
    ed25519: str
    mldsa65: str

    def __post_init__(self) -> None:
        faults = (
            *hex_faults("key", self.key, 32),
            *hex_faults("ed25519", self.ed25519, _ED25519_SIGNATURE_BYTES),
            *hex_faults("mldsa65", self.mldsa65, _MLDSA65_SIGNATURE_BYTES),
        )
        if faults:
            raise InvalidValueError(*faults)

    @classmethod
    def from_plain(cls, value: object) -> Signatures:
        """From its JSON form."""
        return cls(**shaped(value, {"key": str, "ed25519": str, "mldsa65": str}))

    def plain(self) -> dict[str, str]:
        """As JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class PublicKeys:
    """The public halves of one pair of keys, in hexadecimal digits."""

    ed25519: str
    mldsa65: str

    def __post_init__(self) -> None:
        faults = (
            *hex_faults("ed25519", self.ed25519, _ED25519_KEY_BYTES),
            *hex_faults("mldsa65", self.mldsa65, _MLDSA65_KEY_BYTES),
        )
        if faults:
            raise InvalidValueError(*faults)

    @cached_property
    def id(self) -> str:
        """The pair's fingerprint: what a person compares."""
        raw = bytes.fromhex(self.ed25519) + bytes.fromhex(self.mldsa65)
        return hashlib.sha256(signed_bytes(KEYS_PURPOSE, raw)).hexdigest()

    def verify(self, purpose: str, message: bytes, signatures: Signatures) -> None:
        """Demand both signatures.

        Raises
        ------
        IntegrityError
            Naming each signature that does not fit.
        """
        data = signed_bytes(purpose, message)
        wrong = [] if signatures.key == self.id else ["key id"]
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.ed25519)).verify(
                bytes.fromhex(signatures.ed25519), data
            )
        except (InvalidSignature, ValueError):
            wrong.append("Ed25519 signature")
        try:
            MLDSA65PublicKey.from_public_bytes(bytes.fromhex(self.mldsa65)).verify(
                bytes.fromhex(signatures.mldsa65), data
            )
        except (InvalidSignature, ValueError):
            wrong.append("ML-DSA-65 signature")
        if wrong:
            raise IntegrityError(f"{' and '.join(wrong)} not by key {self.id[:16]}")


@dataclass(frozen=True)
class EndorsedKeys:
    """A pair of keys, from when it signs, and the word of the pair before it."""

    keys: PublicKeys
    from_size: int
    """The pair signs trees of this size and larger, until the next pair does."""
    at: str
    """Time of the hand-over, ISO 8601 in UTC."""
    endorsement: Signatures | None = None
    """By the pair before it over `statement`; None for an installation's first pair."""

    def __post_init__(self) -> None:
        faults = time_faults("at", self.at)
        if self.from_size < 0:
            faults += (Fault("from_size", "out_of_range", "is negative"),)
        if faults:
            raise InvalidValueError(*faults)

    def statement(self) -> bytes:
        """What the pair before it signs."""
        return canonical(
            {
                "at": self.at,
                "ed25519": self.keys.ed25519,
                "from_size": self.from_size,
                "mldsa65": self.keys.mldsa65,
            }
        )

    def plain(self) -> dict[str, Any]:
        """As JSON types."""
        endorsement = None if self.endorsement is None else self.endorsement.plain()
        return {
            "at": self.at,
            "ed25519": self.keys.ed25519,
            "endorsement": endorsement,
            "from_size": self.from_size,
            "mldsa65": self.keys.mldsa65,
        }

    @classmethod
    def from_plain(cls, value: object) -> EndorsedKeys:
        """From its JSON form."""
        endorsement = value.get("endorsement") if isinstance(value, dict) else None
        kind = type(None) if endorsement is None else dict
        shape = {"at": str, "ed25519": str, "endorsement": kind, "from_size": int, "mldsa65": str}
        given = shaped(value, shape)
        signatures = None if endorsement is None else Signatures.from_plain(endorsement)
        return cls(PublicKeys(given["ed25519"], given["mldsa65"]), given["from_size"], given["at"], signatures)


@dataclass(frozen=True)
class KeyHistory:
    """Every pair an installation has had, oldest first; each but the first is endorsed by the one before it."""

    pairs: tuple[EndorsedKeys, ...]

    def __post_init__(self) -> None:
        if not self.pairs:
            raise InvalidValueError(Fault("pairs", "empty", "is empty"))

    def in_force(self, size: int) -> PublicKeys | None:
        """The pair that has to sign a tree of this size; None if no pair was there yet."""
        found = [pair.keys for pair in self.pairs if pair.from_size <= size]
        return found[-1] if found else None

    def position(self, key: str) -> int | None:
        """Place of a pair by its id."""
        return next((number for number, pair in enumerate(self.pairs) if pair.keys.id == key), None)

    def check(self) -> None:
        """Demand that every hand-over is endorsed and that pairs follow one another.

        Raises
        ------
        IntegrityError
            Naming the first pair that the one before it did not endorse.
        """
        if self.pairs[0].endorsement is not None:
            raise IntegrityError(f"key {self.pairs[0].keys.id[:16]} is endorsed by a pair that is not in the history")
        for before, pair in zip(self.pairs, self.pairs[1:], strict=False):
            name = f"key {pair.keys.id[:16]}"
            if pair.from_size <= before.from_size:
                raise IntegrityError(f"{name} signs from size {pair.from_size}, not after the pair before it")
            if pair.endorsement is None:
                raise IntegrityError(f"{name} is not endorsed by the pair before it")
            try:
                before.keys.verify(KEYS_PURPOSE, pair.statement(), pair.endorsement)
            except IntegrityError as wrong:
                raise IntegrityError(f"{name} is not endorsed by the pair before it: {wrong}") from None

    def plain(self) -> dict[str, Any]:
        """As JSON types."""
        return {"keys": [pair.plain() for pair in self.pairs]}

    @classmethod
    def from_plain(cls, value: object) -> KeyHistory:
        """From its JSON form."""
        pairs = shaped(value, {"keys": list})["keys"]
        return cls(tuple(EndorsedKeys.from_plain(pair) for pair in pairs))
