"""What has come of an upload under way: accepted files and every receipt, in a folder apart until it is handed over."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from trialimg.core.digest import file_digest
from trialimg.core.errors import IntakeError
from trialimg.services.intake import Receipt

__all__ = ["UploadFolder"]

_PREAMBLE = slice(0, 128)
_CHUNK_BYTES = 1 << 20


@dataclass(eq=False)
class UploadFolder:
    """One upload's files, each under its digest, and one line for every file that came."""

    root: Path
    _known: list[Receipt] = field(default_factory=list, repr=False)
    _read_bytes: int = 0
    """How far the list of receipts was read: others may add to it, nobody changes it."""

    @property
    def files(self) -> Path:
        """Where the accepted files lie."""
        return self.root / "files"

    @property
    def incoming(self) -> Path:
        """Where files lie until they are judged; on the same file system."""
        return self.root / "incoming"

    def make(self) -> None:
        """Make the folders, for their owner alone."""
        for folder in (self.root, self.files, self.incoming):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def receipts(self) -> tuple[Receipt, ...]:
        """Every file that came, in its order; a line that was cut off by a crash is no receipt."""
        if self._list.exists():
            with self._list.open("rb") as file:
                file.seek(self._read_bytes)
                *lines, _ = file.read().split(b"\n")
            self._known += [Receipt.parse(json.loads(line)) for line in lines]
            self._read_bytes += sum(len(line) + 1 for line in lines)
        return tuple(self._known)

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """While one file is judged and noted, no other is."""
        self.make()
        with (self.root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def note(self, receipt: Receipt) -> None:
        """Keep a receipt, behind the last whole line."""
        self.receipts()
        self._list.touch(mode=0o600)
        with self._list.open("r+b") as file:
            file.truncate(self._read_bytes)
            file.seek(self._read_bytes)
            file.write(json.dumps(receipt.plain()).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def keep(self, path: Path, *, wipes_preamble: bool) -> str:
        """Move an accepted file in, with nothing in front of its DICOM data; the digest under which it lies.

        The file is whole or it is not there.
        """
        if wipes_preamble:
            with path.open("r+b") as file:
                file.write(bytes(_PREAMBLE.stop))
        with path.open("rb") as file:
            os.fsync(file.fileno())
        digest = file_digest(path)
        path.replace(self.files / f"{digest.partition(':')[2]}.dcm")
        return digest

    def remove(self) -> None:
        """Forget everything that came."""
        shutil.rmtree(self.root, ignore_errors=True)

    def require_room(self, size: int) -> None:
        """Refuse what would fill the disk.

        Raises
        ------
        IntakeError
            If less than twice the size is free.
        """
        self.make()
        free = shutil.disk_usage(self.root).free
        if free < 2 * size:
            raise IntakeError(f"{size} bytes are too many for the {free} that are free; ask for more room")

    @property
    def _list(self) -> Path:
        return self.root / "receipts.jsonl"
