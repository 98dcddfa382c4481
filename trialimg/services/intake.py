"""One received file, judged: what it is, whether it tells who the subject is, and why it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from trialimg.core.errors import Fault

__all__ = ["Examined", "FileExaminer", "Receipt", "Scanner", "Unpacked", "Unpacker"]


@dataclass(frozen=True)
class Scanner:
    """What made an image, as far as its header says."""

    modality: str = ""
    manufacturer: str = ""
    model: str = ""
    software: str = ""

    @property
    def named(self) -> str:
        """In words; empty where the header says nothing."""
        return " ".join(word for word in (self.manufacturer, self.model, self.software) if word)


@dataclass(frozen=True)
class Examined:
    """What a file says of itself, and everything that speaks against taking it."""

    sop_uid: str = ""
    study_uid: str = ""
    series_uid: str = ""
    subject: str = ""
    """Patient ID; not yet known to be a blinded code."""
    scanner: Scanner = Scanner()
    faults: tuple[Fault, ...] = ()
    """Empty: it may be taken."""
    zeroed_preamble: bool = False
    """Whether something stood in front of the DICOM data, and has to be wiped."""

    @classmethod
    def parse(cls, said: Mapping[str, Any]) -> Examined:
        """From the plain form.

        Raises
        ------
        KeyError, TypeError
            If it is not that of an examination.
        """
        scanner = Scanner(**{field.name: str(said["scanner"][field.name]) for field in fields(Scanner)})
        faults = tuple(Fault(str(one["where"]), str(one["code"]), str(one["message"])) for one in said["faults"])
        words = {name: str(said[name]) for name in ("sop_uid", "study_uid", "series_uid", "subject")}
        return cls(**words, scanner=scanner, faults=faults, zeroed_preamble=bool(said["zeroed_preamble"]))


@dataclass(frozen=True)
class Receipt:
    """One file as it was received; no name of a file stands in it, for names of files name people."""

    number: int
    received: str
    """Digest of the bytes that came."""
    size: int
    at: str
    by: str
    is_accepted: bool
    sop_uid: str = ""
    series_uid: str = ""
    scanner: str = ""
    kept: str = ""
    """Digest of the bytes that are kept: those that came, with the preamble wiped; empty for a refused file."""
    codes: tuple[str, ...] = ()
    """Why it was refused."""

    def plain(self) -> dict[str, Any]:
        """As it stands in the record of the upload."""
        return asdict(self) | {"codes": list(self.codes)}

    @classmethod
    def parse(cls, said: Mapping[str, Any]) -> Receipt:
        """From the plain form."""
        return cls(**{**said, "codes": tuple(said["codes"])})


@dataclass(frozen=True)
class Unpacked:
    """One file of an archive."""

    name: str
    """As the archive calls it; nothing is ever written under it, and nothing keeps it."""
    path: Path | None
    """Where it was put; None for one that was refused."""
    fault: Fault | None = None


Unpacker = Callable[[Path, Path], Iterator[Unpacked]]
"""Takes an archive apart into a folder, one file at a time; gives nothing for a file that is no archive."""


class FileExaminer(Protocol):
    """Looks into a file that nobody trusts."""

    def examine(self, path: Path) -> Examined:
        """What the file is; whatever its bytes do, an answer comes back within limits of time and memory."""
