"""The private halves of an installation's keys: made, kept under a passphrase, and used to sign."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from trialimg.core.errors import IntegrityError
from trialimg.ledger.keys import KEYS_PURPOSE, EndorsedKeys, PublicKeys, Signatures, signed_bytes

__all__ = ["KeyPair"]

_END = b"-----END ENCRYPTED PRIVATE KEY-----\n"


@dataclass(frozen=True)
class KeyPair:
    """An Ed25519 and an ML-DSA-65 key that always sign together."""

    _ed25519: Ed25519PrivateKey = field(repr=False)
    _mldsa65: MLDSA65PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> KeyPair:
        """A new pair from the system's random numbers."""
        return cls(Ed25519PrivateKey.generate(), MLDSA65PrivateKey.generate())

    @property
    def public(self) -> PublicKeys:
        """The public halves."""
        keys = (self._ed25519.public_key(), self._mldsa65.public_key())
        return PublicKeys(*(key.public_bytes_raw().hex() for key in keys))

    def sign(self, purpose: str, message: bytes) -> Signatures:
        """Both signatures over the message for that purpose."""
        data = signed_bytes(purpose, message)
        return Signatures(self.public.id, self._ed25519.sign(data).hex(), self._mldsa65.sign(data).hex())

    def endorse(self, successor: PublicKeys, *, from_size: int, at: str) -> EndorsedKeys:
        """The next pair, vouched for by this one; it signs trees of ``from_size`` leaves and larger."""
        pair = EndorsedKeys(successor, from_size, at)
        return replace(pair, endorsement=self.sign(KEYS_PURPOSE, pair.statement()))

    def to_pem(self, passphrase: bytes) -> bytes:
        """Both private keys as PEM (PKCS #8), encrypted by the passphrase."""
        locked = BestAvailableEncryption(passphrase)
        keys = (self._ed25519, self._mldsa65)
        return b"".join(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked) for key in keys)

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes) -> KeyPair:
        """The pair that `to_pem` wrote.

        Raises
        ------
        IntegrityError
            If the passphrase is another one, or the text does not hold one key of each kind.
        """
        parts = [part + _END for part in pem.split(_END) if part.strip()]
        try:
            first, second = (load_pem_private_key(part, passphrase) for part in parts)
        except ValueError:
            raise IntegrityError("the signing keys cannot be read: wrong passphrase, or not two keys in PEM") from None
        if not isinstance(first, Ed25519PrivateKey) or not isinstance(second, MLDSA65PrivateKey):
            raise IntegrityError("the signing keys are not an Ed25519 and an ML-DSA-65 key, in this order")
        return cls(first, second)
