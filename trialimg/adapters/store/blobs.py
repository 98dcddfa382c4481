"""Finished work on disk: one file per key, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trialimg.core.errors import IntegrityError

__all__ = ["DirectoryBlobStore"]

_DIGEST_BYTES = hashlib.sha256().digest_size
_TEMPORARY = ".partial-"


class DirectoryBlobStore:
    """Blobs below a folder; each file starts with the SHA-256 of what follows.

    A file appears under its name only when its bytes are on the disk (write, fsync, rename), so a process that is
    killed at any moment leaves either the whole blob or none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            stored = path.read_bytes()
        except FileNotFoundError:
            return None
        digest, data = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
        if hashlib.sha256(data).digest() != digest:
            raise IntegrityError(
                f"{path}: stored work was altered; delete this file to compute it again, or put it back"
            )
        return data

    def put(self, key: str, data: bytes) -> None:
        if not self._path(key).exists():
            self.replace(key, data)

    def replace(self, key: str, data: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_TEMPORARY)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(data).digest() + data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def remove(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def every_key(self) -> Iterator[str]:
        for path in sorted(self._folder.glob("??/*")):
            if not path.name.startswith(_TEMPORARY):
                yield f"sha256:{path.parent.name}{path.name}"

    def keys(self) -> Iterator[str]:
        """Keys of all blobs, in no order."""
        for path in self._folder.glob("??/*"):
            if not path.name.startswith(_TEMPORARY):
                yield f"sha256:{path.parent.name}{path.name}"

    def sweep(self) -> int:
        """Remove what killed processes left half-written; how many files went. Only while nobody else writes."""
        leftovers = list(self._folder.glob(f"*/{_TEMPORARY}*"))
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def _path(self, key: str) -> Path:
        name = key.removeprefix("sha256:")
        if not name.isalnum() or len(name) < 3:
            raise IntegrityError(f"{key!r} is not a key of stored work")
        return self._folder / name[:2] / name[2:]
