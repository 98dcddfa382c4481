"""Blobs encrypted where they lie: a key of its own for each blob, which a key-encryption key wraps.

References
----------
Dworkin. Recommendation for Block Cipher Modes of Operation: Galois/Counter Mode (GCM) and GMAC. NIST SP 800-38D, 2007.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trialimg.core.errors import IntegrityError, TrialimgError
from trialimg.services.ports import KeptBlobs

__all__ = ["KEYS_VARIABLE", "KeyEncryptionKeys", "SealedBlobStore"]

KEYS_VARIABLE = "TRIALIMG_BLOB_KEYS"
"""Environment variable with key-encryption keys, oldest first, as a file has them."""

_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES, _ID_BYTES = 32, 12, 16, 8
_MARK = b"TIB1"
_WRAPPED_BYTES = _NONCE_BYTES + _KEY_BYTES + _TAG_BYTES
_HEAD_BYTES = len(_MARK) + _ID_BYTES + _WRAPPED_BYTES


@dataclass(frozen=True)
class KeyEncryptionKeys:
    """Keys that wrap the keys of the blobs; the last one wraps, all of them unwrap."""

    keys: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str, where: str) -> KeyEncryptionKeys:
        """From text: 64 hexadecimal digits each, oldest first, between blanks or on lines of their own.

        Raises
        ------
        TrialimgError
            If it holds no key, or something that is none.
        """
        words = text.split()
        if not words or not all(re.fullmatch(f"[0-9a-f]{{{2 * _KEY_BYTES}}}", word) for word in words):
            raise TrialimgError(f"{where}: not key-encryption keys of {2 * _KEY_BYTES} hexadecimal digits each")
        return cls(tuple(bytes.fromhex(word) for word in words))

    @classmethod
    def find(cls, path: Path, variable: str = KEYS_VARIABLE) -> KeyEncryptionKeys | None:
        """From the environment, else from a file; None where there is neither.

        Raises
        ------
        TrialimgError
            If what is there holds something else.
        """
        if given := os.environ.get(variable):
            return cls.parse(given, variable)
        return cls.parse(path.read_text(), str(path)) if path.exists() else None

    def wrap(self, data_key: bytes, blob: str) -> bytes:
        """The data key under the last key-encryption key, with the id of that."""
        last = self.keys[-1]
        nonce = os.urandom(_NONCE_BYTES)
        return _id(last) + nonce + AESGCM(last).encrypt(nonce, data_key, _bound_to("key", blob))

    def unwrap(self, wrapped: bytes, blob: str) -> bytes:
        """The data key.

        Raises
        ------
        IntegrityError
            If none of the keys wrapped it, or it was altered, or it belongs to another blob.
        """
        name, sealed = wrapped[:_ID_BYTES], wrapped[_ID_BYTES:]
        found = next((key for key in self.keys if _id(key) == name), None)
        if found is None:
            raise IntegrityError(f"{blob}: none of the key-encryption keys here (id {name.hex()}) opens it")
        return _opened(found, sealed, _bound_to("key", blob), blob)


class SealedBlobStore:
    """Encrypts before another store keeps, and decrypts what it gives back."""

    def __init__(self, inner: KeptBlobs, keys: KeyEncryptionKeys) -> None:
        self._inner = inner
        self._keys = keys

    def get(self, key: str) -> bytes | None:
        stored = self._inner.get(key)
        if stored is None:
            return None
        wrapped, sealed = _parts(stored, key)
        return _opened(self._keys.unwrap(wrapped, key), sealed, _bound_to("blob", key), key)

    def put(self, key: str, data: bytes) -> None:
        self._inner.put(key, self._sealed(key, data))

    def replace(self, key: str, data: bytes) -> None:
        self._inner.replace(key, self._sealed(key, data))

    def remove(self, key: str) -> None:
        self._inner.remove(key)

    def every_key(self) -> Iterator[str]:
        return self._inner.every_key()

    def seal_all(self) -> int:
        """Encrypt what was kept in the clear; how many blobs were."""
        changed = 0
        for key in self._inner.every_key():
            stored = self._inner.get(key)
            if stored is not None and not stored.startswith(_MARK):
                self.replace(key, stored)
                changed += 1
        return changed

    def wrap_anew(self) -> int:
        """Wrap every blob's key under the last key-encryption key, the blobs as they are; how many were changed.

        Raises
        ------
        IntegrityError
            If a blob's key cannot be unwrapped.
        """
        last = _id(self._keys.keys[-1])
        changed = 0
        for key in self._inner.every_key():
            stored = self._inner.get(key)
            if stored is None or stored[len(_MARK) :].startswith(last):
                continue
            wrapped, sealed = _parts(stored, key)
            data_key = self._keys.unwrap(wrapped, key)
            self._inner.replace(key, _MARK + self._keys.wrap(data_key, key) + sealed)
            changed += 1
        return changed

    def _sealed(self, key: str, data: bytes) -> bytes:
        data_key, nonce = AESGCM.generate_key(8 * _KEY_BYTES), os.urandom(_NONCE_BYTES)
        sealed = AESGCM(data_key).encrypt(nonce, data, _bound_to("blob", key))
        return _MARK + self._keys.wrap(data_key, key) + nonce + sealed


def _parts(stored: bytes, key: str) -> tuple[bytes, bytes]:
    if not stored.startswith(_MARK) or len(stored) < _HEAD_BYTES + _NONCE_BYTES + _TAG_BYTES:
        raise IntegrityError(f"{key}: is not an encrypted blob; it was altered, or kept before encryption began")
    return stored[len(_MARK) : _HEAD_BYTES], stored[_HEAD_BYTES:]


def _opened(key: bytes, sealed: bytes, bound_to: bytes, blob: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except InvalidTag:
        raise IntegrityError(f"{blob}: was altered, or belongs under another name") from None


def _bound_to(what: str, blob: str) -> bytes:
    return f"trialimg {what} v1\x00{blob}".encode()


def _id(key: bytes) -> bytes:
    return hashlib.sha256(b"trialimg key-encryption key v1\x00" + key).digest()[:_ID_BYTES]
