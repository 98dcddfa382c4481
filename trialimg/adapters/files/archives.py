"""Archives taken apart within limits: no path of theirs is followed, and nothing grows beyond what was agreed."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from trialimg.core.errors import Fault, IntakeError
from trialimg.services.intake import Unpacked

__all__ = ["ArchiveLimits", "is_archive", "unpacked"]

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class ArchiveLimits:
    """How much is taken out of one archive."""

    files: int = 20_000
    file_bytes: int = 1 << 30
    all_bytes: int = 16 << 30
    ratio: int = 200
    """How many times larger than packed a file may be, beyond its first megabyte: CT packs to a half or a third."""


_LIMITS = ArchiveLimits()


def is_archive(path: Path) -> bool:
    """Whether a file is a ZIP archive, by what it holds."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def unpacked(archive: Path, into: Path, limits: ArchiveLimits = _LIMITS) -> Iterator[Unpacked]:
    """Every file of a ZIP archive, put under a number into a folder, one at a time; nothing for any other file.

    Raises
    ------
    IntakeError
        If it is no whole archive, has too many files, or holds more than is taken out of one.
    """
    if not is_archive(archive):
        return
    into.mkdir(mode=0o700)
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = [one for one in opened.infolist() if not one.is_dir()]
            if len(infos) > limits.files:
                raise _whole("too_many_files", f"{len(infos)} files; at most {limits.files} are taken from one archive")
            left = limits.all_bytes
            for number, info in enumerate(infos):
                member, size = _member(opened, info, into / str(number), limits, left)
                left -= size
                yield member
    except (zipfile.BadZipFile, NotImplementedError) as fault:
        raise _whole("bad_archive", f"is not a whole archive ({fault})") from fault


def _member(
    opened: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, limits: ArchiveLimits, left: int
) -> tuple[Unpacked, int]:
    fault = _of_its_name(info)
    if fault is not None:
        return Unpacked(info.filename, None, fault), 0
    try:
        with opened.open(info) as packed, path.open("xb") as file:
            size = _copied(packed, file, info, limits, left)  # type: ignore[arg-type]
    except (RuntimeError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as wrong:
        path.unlink(missing_ok=True)
        return Unpacked(info.filename, None, Fault("file", "bad_member", f"cannot be unpacked ({wrong})")), 0
    except _TooMuch as much:
        path.unlink(missing_ok=True)
        if much.is_whole:
            raise _whole("too_large", f"holds more than {limits.all_bytes} bytes") from None
        return Unpacked(info.filename, None, Fault("file", "archive_bomb", str(much))), much.size
    return Unpacked(info.filename, path), size


class _TooMuch(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, message: str, size: int, *, is_whole: bool = False) -> None:
        super().__init__(message)
        self.size, self.is_whole = size, is_whole


def _copied(packed: BinaryIO, file: BinaryIO, info: zipfile.ZipInfo, limits: ArchiveLimits, left: int) -> int:
    """How many bytes came out; they are counted, not believed."""
    most = min(limits.file_bytes, max(_CHUNK_BYTES, limits.ratio * info.compress_size))
    size = 0
    while chunk := packed.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > left:
            raise _TooMuch("", size, is_whole=True)
        if size > most:
            raise _TooMuch(f"{info.compress_size} packed bytes give more than {most}", size)
        file.write(chunk)
    return size


def _of_its_name(info: zipfile.ZipInfo) -> Fault | None:
    parts = PurePosixPath(info.filename.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or (len(info.filename) > 1 and info.filename[1] == ":"):
        return Fault("file", "outside_the_archive", "its name leads out of the archive")
    if stat.S_ISLNK(info.external_attr >> 16):
        return Fault("file", "link", "is a link, not a file")
    if info.flag_bits & 1:
        return Fault("file", "encrypted", "is encrypted")
    return None


def _whole(code: str, message: str) -> IntakeError:
    return IntakeError(f"the archive {message}", (Fault("archive", code, message),))
