"""Private signing keys in files that only their owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from trialimg.core.errors import TrialimgError
from trialimg.ledger.keypair import KeyPair

__all__ = ["PASSPHRASE", "KeyFiles", "write_private"]

PASSPHRASE = "TRIALIMG_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable, not a passphrase
"""Environment variable that keeps the keys' passphrase out of the folder."""

_BESIDE = "passphrase"
_PASSPHRASE_BYTES = 32


class KeyFiles:
    """One file a pair, named by its id.

    The files are encrypted by the passphrase in the environment. Where there is none, a random one lies beside them:
    then whoever can read the folder can sign.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self) -> KeyPair:
        """A new pair, which is kept."""
        pair = KeyPair.generate()
        write_private(self._path(pair.public.id), pair.to_pem(self._passphrase(may_make=True)))
        return pair

    def pair(self, key: str) -> KeyPair:
        """The pair with this id.

        Raises
        ------
        TrialimgError
            If it is not here, or cannot be opened.
        """
        path = self._path(key)
        try:
            return KeyPair.from_pem(path.read_bytes(), self._passphrase(may_make=False))
        except OSError as fault:
            message = f"{path}: the signing key {key[:16]} is not here ({fault.strerror}); put back the folder of keys"
            raise TrialimgError(message) from fault

    def _path(self, key: str) -> Path:
        return self._folder / f"signing-{key[:16]}.pem"

    def _passphrase(self, *, may_make: bool) -> bytes:
        if given := os.environ.get(PASSPHRASE):
            return given.encode()
        path = self._folder / _BESIDE
        if may_make and not path.exists():
            write_private(path, secrets.token_hex(_PASSPHRASE_BYTES).encode())
        try:
            return path.read_bytes()
        except OSError as fault:
            raise TrialimgError(f"{path}: no passphrase of the signing keys; set {PASSPHRASE}") from fault


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner may read.

    Raises
    ------
    TrialimgError
        If it is there already or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        raise TrialimgError(f"{path}: cannot be written ({fault.strerror})") from fault
