"""What lies in an installation's folder beside the records: keys and blobs."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from trialimg.adapters.store.blobs import DirectoryBlobStore
from trialimg.adapters.store.key_files import KeyFiles, write_private
from trialimg.adapters.store.remote_blobs import RemoteBlobStore
from trialimg.adapters.store.sealed_blobs import KEYS_VARIABLE, KeyEncryptionKeys, SealedBlobStore
from trialimg.adapters.store.sealed_secrets import SecretSeal
from trialimg.adapters.store.sql import SqlStore, migrate
from trialimg.core.errors import TrialimgError
from trialimg.services.journal import Records
from trialimg.services.ports import KeptBlobs
from trialimg.services.store_backup import Storage

__all__ = [
    "BLOBS_VARIABLE",
    "encoded_slices",
    "new_blob_key",
    "open_storage",
    "readable_blobs",
    "secret_seal",
    "stored_blobs",
]

BLOBS_VARIABLE = "TRIALIMG_BLOBS"
"""Environment variable: where blobs are kept instead of the folder, such as ``s3://bucket/folder``."""

_RECORDS, _BLOBS, _KEYS, _BLOB_KEYS = "records.sqlite", "blobs", "keys", "blobs.keys"
_SLICES = "images"
_SECRET_KEYS = "secrets.keys"  # noqa: S105 - the name of a file, not a secret


def open_storage(records: Records, home: Path) -> Storage:
    """The whole installation whose records these are."""
    if not isinstance(records.store, SqlStore):
        raise TrialimgError("these records are not kept in a database")
    return Storage(
        records=records,
        store=records.store,
        blobs=stored_blobs(home),
        ring=KeyFiles(home / _KEYS),
        open_store=partial(_open_snapshot, seal=secret_seal(home)),
        open_blobs=DirectoryBlobStore,
    )


def stored_blobs(home: Path) -> KeptBlobs:
    """Images and masks as they lie."""
    address = os.environ.get(BLOBS_VARIABLE)
    return RemoteBlobStore(address) if address else DirectoryBlobStore(home / _BLOBS)


def secret_seal(home: Path) -> SecretSeal:
    """What seals the secrets of an installation's people."""
    return SecretSeal(home / _KEYS / _SECRET_KEYS)


def readable_blobs(home: Path) -> KeptBlobs:
    """Images and masks as they are read, decrypted where there are keys; there are none: kept in the clear."""
    keys = KeyEncryptionKeys.find(home / _KEYS / _BLOB_KEYS)
    return SealedBlobStore(stored_blobs(home), keys) if keys else stored_blobs(home)


def encoded_slices(home: Path) -> KeptBlobs:
    """Slices as viewers get them, encrypted by the same keys as the blobs; they can be made again from their source."""
    slices = DirectoryBlobStore(home / _SLICES)
    keys = KeyEncryptionKeys.find(home / _KEYS / _BLOB_KEYS)
    return SealedBlobStore(slices, keys) if keys else slices


def new_blob_key(home: Path) -> int:
    """Make the next key-encryption key and wrap every blob's key under it; how many were wrapped anew.

    Slices that viewers get follow; those that were kept in the clear are encrypted.

    Raises
    ------
    TrialimgError
        If the keys come from the environment, or blobs were kept in the clear before.
    """
    if os.environ.get(KEYS_VARIABLE):
        raise TrialimgError(f"the keys come from {KEYS_VARIABLE}: add the new one there, as the last")
    path = home / _KEYS / _BLOB_KEYS
    former = path.read_text() if path.exists() else ""
    if not former and next(stored_blobs(home).every_key(), None):
        raise TrialimgError("blobs were kept in the clear before; encryption begins in an empty store")
    added = path.with_suffix(".new")
    added.unlink(missing_ok=True)
    write_private(added, f"{former}{os.urandom(32).hex()}\n".encode())
    added.replace(path)
    keys = KeyEncryptionKeys.parse(path.read_text(), str(path))
    slices = SealedBlobStore(DirectoryBlobStore(home / _SLICES), keys)
    slices.seal_all()
    slices.wrap_anew()
    return SealedBlobStore(stored_blobs(home), keys).wrap_anew()


def _open_snapshot(path: Path, *, seal: SecretSeal) -> SqlStore:
    if path.exists():
        migrate(path, seal)
    return SqlStore(path, seal)
