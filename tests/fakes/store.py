"""Stores that forget when the test ends."""

from __future__ import annotations

from collections.abc import Iterator


class MemoryBlobStore:
    """Blobs in a dictionary."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.blobs.get(key)

    def put(self, key: str, data: bytes) -> None:
        self.blobs.setdefault(key, data)

    def every_key(self) -> Iterator[str]:
        return iter(sorted(self.blobs))

    def replace(self, key: str, data: bytes) -> None:
        self.blobs[key] = data

    def remove(self, key: str) -> None:
        self.blobs.pop(key, None)
