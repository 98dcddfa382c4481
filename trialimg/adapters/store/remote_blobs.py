"""Blobs in a bucket: S3, or any other file system that fsspec reaches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from trialimg.core.errors import IntegrityError, TrialimgError

__all__ = ["RemoteBlobStore"]

_DIGEST_BYTES = hashlib.sha256().digest_size


class RemoteBlobStore:
    """One object per key; each starts with the SHA-256 of what follows.

    An object store shows an object only when all of it has arrived, so nothing is ever seen half-written.
    """

    def __init__(self, address: str) -> None:
        """Reach the place.

        Parameters
        ----------
        address
            Such as ``s3://bucket/folder``.

        Raises
        ------
        TrialimgError
            If the address, or the library that it needs, is not known.
        """
        try:
            import fsspec  # type: ignore[import-untyped]  # ships no types
        except ImportError as fault:
            raise TrialimgError("a bucket needs s3fs: pip install 'trialimg[s3]'") from fault
        try:
            files, self._root = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError) as fault:
            raise TrialimgError(f"{address}: blobs cannot be kept there ({fault})") from fault
        self._files: Any = files

    def get(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            stored: bytes = self._files.cat_file(path)
        except FileNotFoundError:
            return None
        digest, data = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
        if hashlib.sha256(data).digest() != digest:
            raise IntegrityError(f"{path}: the stored blob was altered; put it back from a backup")
        return data

    def put(self, key: str, data: bytes) -> None:
        if not self._files.exists(self._path(key)):
            self.replace(key, data)

    def replace(self, key: str, data: bytes) -> None:
        path = self._path(key)
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(path, hashlib.sha256(data).digest() + data)

    def remove(self, key: str) -> None:
        try:
            self._files.rm_file(self._path(key))
        except FileNotFoundError:
            return

    def every_key(self) -> Iterator[str]:
        for path in sorted(self._files.find(self._root)):
            folder, name = str(path).rsplit("/", 2)[-2:]
            yield f"sha256:{folder}{name}"

    def _path(self, key: str) -> str:
        name = key.removeprefix("sha256:")
        if not name.isalnum() or len(name) < 3:
            raise IntegrityError(f"{key!r} is not a key of a blob")
        return f"{self._root}/{name[:2]}/{name[2:]}"
