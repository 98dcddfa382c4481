"""What people prove themselves by, encrypted where it lies: whoever reads the database cannot make their codes.

References
----------
Dworkin. Recommendation for Block Cipher Modes of Operation: Galois/Counter Mode (GCM) and GMAC. NIST SP 800-38D, 2007.
"""

from __future__ import annotations

import os
from pathlib import Path

from trialimg.adapters.store.key_files import write_private
from trialimg.adapters.store.sealed_blobs import KeyEncryptionKeys
from trialimg.core.errors import IntegrityError, TrialimgError

__all__ = ["SECRET_KEYS_VARIABLE", "SecretSeal", "is_sealed", "needs_seal", "unopened"]

SECRET_KEYS_VARIABLE = "TRIALIMG_SECRET_KEYS"  # noqa: S105 - the name of a variable, not a secret
"""Environment variable with the keys, oldest first, as the file has them."""

_PROOFS = ("totp:", "password:", "former:")
"""Seeds of one-time codes and hashes of passwords; the other secrets are moments and numbers."""
_MARK = b"TIS1"
_KEY_BYTES = 32


def needs_seal(name: str) -> bool:
    """Whether a secret of this name proves who somebody is."""
    return name.startswith(_PROOFS)


def is_sealed(stored: bytes) -> bool:
    """Whether stored bytes are sealed."""
    return stored.startswith(_MARK)


def unopened(name: str) -> TrialimgError:
    """The refusal of somebody who has no keys."""
    return TrialimgError(f"{name}: is sealed, and these records were opened without the keys of the installation")


class SecretSeal:
    """The keys of one installation; a sealed secret opens under its own name only.

    The keys come from the environment, else from a file, which is made when the first secret is sealed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def has_keys(self) -> bool:
        """Whether the keys are here."""
        return self._keys() is not None

    def sealed(self, name: str, secret: bytes, *, may_make_keys: bool) -> bytes:
        """The secret under the last key.

        Parameters
        ----------
        may_make_keys
            Whether keys may be made where there are none: not where secrets were sealed before.

        Raises
        ------
        TrialimgError
            If the keys are not here.
        """
        keys = self._keys()
        if keys is None and may_make_keys:
            write_private(self._path, f"{os.urandom(_KEY_BYTES).hex()}\n".encode())
            keys = self._keys()
        return _MARK + self._required(keys).wrap(secret, _bound(name))

    def opened(self, name: str, stored: bytes) -> bytes:
        """The secret.

        Raises
        ------
        IntegrityError
            If it was altered, belongs under another name, or was never sealed.
        TrialimgError
            If the keys are not here.
        """
        if not is_sealed(stored):
            raise IntegrityError(f"{name}: was kept by something that does not seal secrets")
        return self._required(self._keys()).unwrap(stored[len(_MARK) :], _bound(name))

    def _keys(self) -> KeyEncryptionKeys | None:
        return KeyEncryptionKeys.find(self._path, SECRET_KEYS_VARIABLE)

    def _required(self, keys: KeyEncryptionKeys | None) -> KeyEncryptionKeys:
        if keys is None:
            raise TrialimgError(
                f"{self._path}: the keys of people's secrets are not here; put the folder of keys back, "
                f"or set {SECRET_KEYS_VARIABLE}"
            )
        return keys


def _bound(name: str) -> str:
    return f"secret {name}"
