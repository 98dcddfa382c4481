"""A bundle as it was handed over: a folder or a zip file, read in pieces and never unpacked."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from trialimg.core.errors import IntegrityError

__all__ = ["LONGEST_LINE_BYTES", "Bundle", "Line", "LineSource", "bundle_lines", "digest_and_size", "open_bundle"]

LONGEST_LINE_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 20

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError)
_NOT_FOR_US = (NotImplementedError, RuntimeError, ValueError)  # zip files that are encrypted or of an unknown kind


@dataclass(frozen=True)
class Line:
    """One line of a file, or what is wrong with it."""

    where: str
    """File and line, counted from 1."""
    data: bytes
    fault: str = ""


LineSource = Callable[[str], Iterator[Line]]
"""The lines of a file of the bundle by its name; nothing for a file that is not there."""


class Bundle(Protocol):
    """Files by name."""

    def names(self) -> frozenset[str]:
        """Every file, relative, with forward slashes."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """One of the files."""


class _Folder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> frozenset[str]:
        inside = (path for path in self.root.rglob("*") if path.is_symlink() or path.is_file())
        return frozenset(path.relative_to(self.root).as_posix() for path in inside)

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        path = self.root / name
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise IntegrityError(f"{name} leads out of the bundle")
        return path.open("rb")


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        listed = [info.filename for info in archive.infolist() if not info.is_dir()]
        if len(set(listed)) != len(listed):
            raise IntegrityError(f"{archive.filename}: a file stands twice in the zip file")

    def names(self) -> frozenset[str]:
        return frozenset(info.filename for info in self.archive.infolist() if not info.is_dir())

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        try:
            return cast(AbstractContextManager[BinaryIO], self.archive.open(name))
        except _NOT_FOR_US as wrong:
            raise IntegrityError(f"{name} cannot be read from the zip file ({wrong})") from None


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """The bundle in a folder or a zip file.

    Raises
    ------
    IntegrityError
        If there is neither, or it cannot be read.
    """
    with ExitStack() as stack:
        try:
            bundle = _Folder(path) if path.is_dir() else _Zip(stack.enter_context(zipfile.ZipFile(path)))
        except FileNotFoundError:
            raise IntegrityError(f"{path}: there is no such bundle") from None
        except (*_DAMAGED, *_NOT_FOR_US) as wrong:
            raise IntegrityError(f"{path}: neither a folder nor a zip file that can be read ({wrong})") from None
        try:
            yield bundle
        except _DAMAGED as wrong:
            raise IntegrityError(f"{path}: cannot be read ({wrong})") from None


def bundle_lines(bundle: Bundle) -> LineSource:
    """Lines of the bundle's files, without their line ends."""
    present = bundle.names()

    def lines(name: str) -> Iterator[Line]:
        if name not in present:
            return
        with bundle.open(name) as file:
            yield from _lines(file, name)

    return lines


def digest_and_size(file: BinaryIO) -> tuple[str, int]:
    """SHA-256 in hexadecimal digits, and how many bytes."""
    running, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK_BYTES):
        running.update(chunk)
        size += len(chunk)
    return running.hexdigest(), size


def _lines(file: BinaryIO, name: str) -> Iterator[Line]:
    number = 0
    while data := file.readline(LONGEST_LINE_BYTES):
        number += 1
        where = f"{name} line {number}"
        if data.endswith(b"\n"):
            yield Line(where, data[:-1])
        elif len(data) == LONGEST_LINE_BYTES:
            yield Line(where, b"", f"is longer than {LONGEST_LINE_BYTES} bytes; nothing behind it was read")
            return
        else:
            yield Line(where, data, "does not end in a line feed")
