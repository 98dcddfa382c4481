"""The files of an exported bundle and the lines in them; written and read through here."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any

from trialimg.core.errors import Fault, InvalidValueError
from trialimg.ledger.canonical import canonical, hex_faults, parse, shaped
from trialimg.ledger.sealed import Redacted, Sealed

__all__ = [
    "BUNDLE_PURPOSE",
    "CHECKPOINTS",
    "DATA_FILES",
    "DETAILS",
    "ENTRIES",
    "FORMAT",
    "KEYS",
    "MANIFEST",
    "MANIFEST_SIGNATURES",
    "RECORDS",
    "VERIFIER",
    "DetailLine",
    "ListedFile",
    "Manifest",
    "RecordLine",
    "Withheld",
]

FORMAT = "trialimg bundle 1"
BUNDLE_PURPOSE = "trialimg bundle v1"

ENTRIES = "entries.jsonl"
RECORDS = "records.jsonl"
DETAILS = "details.jsonl"
CHECKPOINTS = "checkpoints.jsonl"
KEYS = "keys.json"
VERIFIER = "verify_offline.py"
MANIFEST = "files.json"
MANIFEST_SIGNATURES = "files.signatures.json"
DATA_FILES = (ENTRIES, RECORDS, DETAILS, CHECKPOINTS, KEYS)


@dataclass(frozen=True)
class Withheld:
    """The place of an entry of another trial: the tree needs its hash, nobody here its words."""

    sequence: int
    leaf: str
    """Leaf hash in hexadecimal digits."""

    def __post_init__(self) -> None:
        if faults := hex_faults("leaf", self.leaf, 32):
            raise InvalidValueError(*faults)

    def bytes(self) -> builtins.bytes:
        """Canonical JSON; one line."""
        return canonical({"leaf": self.leaf, "sequence": self.sequence})

    @classmethod
    def parse(cls, data: builtins.bytes) -> Withheld:
        """From its line."""
        return cls(**shaped(parse(data), {"leaf": str, "sequence": int}))


@dataclass(frozen=True)
class RecordLine:
    """One version of one record, or the tombstone in its place."""

    sequence: int
    """The entry that made it."""
    kind: str
    id: str
    version: int
    trial: str
    content: Sealed | Redacted

    @property
    def name(self) -> str:
        """How a finding calls it."""
        return f"record {self.kind} {self.id} version {self.version}"

    def bytes(self) -> builtins.bytes:
        """Canonical JSON; one line."""
        place = {
            "id": self.id,
            "kind": self.kind,
            "sequence": self.sequence,
            "trial": self.trial,
            "version": self.version,
        }
        return canonical({**place, **_content_plain(self.content)})

    @classmethod
    def parse(cls, data: builtins.bytes) -> RecordLine:
        """From its line."""
        value = parse(data)
        shape = {"id": str, "kind": str, "sequence": int, "trial": str, "version": int}
        given = shaped(value, {**shape, **_content_shape(value)})
        return cls(**{key: given[key] for key in shape}, content=_content(given))


@dataclass(frozen=True)
class DetailLine:
    """What the ``detail`` of an entry commits to, or the tombstone in its place."""

    sequence: int
    """The entry."""
    content: Sealed | Redacted

    @property
    def name(self) -> str:
        """How a finding calls it."""
        return f"detail of entry {self.sequence}"

    def bytes(self) -> builtins.bytes:
        """Canonical JSON; one line."""
        return canonical({"sequence": self.sequence, **_content_plain(self.content)})

    @classmethod
    def parse(cls, data: builtins.bytes) -> DetailLine:
        """From its line."""
        value = parse(data)
        given = shaped(value, {"sequence": int, **_content_shape(value)})
        return cls(given["sequence"], _content(given))


@dataclass(frozen=True)
class ListedFile:
    """One file of a bundle."""

    path: str
    """Relative to the bundle, with forward slashes."""
    size_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        faults = hex_faults("sha256", self.sha256, 32)
        parts = self.path.split("/")
        if "\\" in self.path or ":" in self.path or any(part in ("", ".", "..") for part in parts):
            faults += (Fault("path", "bad_path", f"{self.path!r} does not stay within the bundle"),)
        if faults:
            raise InvalidValueError(*faults)


@dataclass(frozen=True)
class Manifest:
    """Every file of a bundle with its digest; signed, so that the bundle as a whole is."""

    installation: str
    size: int
    """Entries of the ledger at the export."""
    root: str
    files: tuple[ListedFile, ...]

    def bytes(self) -> builtins.bytes:
        """Canonical JSON; the whole file."""
        files = [{"path": file.path, "sha256": file.sha256, "size_bytes": file.size_bytes} for file in self.files]
        head = {"format": FORMAT, "installation": self.installation, "root": self.root, "size": self.size}
        return canonical({**head, "files": files})

    @classmethod
    def parse(cls, data: builtins.bytes) -> Manifest:
        """From the whole file.

        Raises
        ------
        InvalidValueError
            If it is not exactly a manifest of this format.
        """
        shape = {"files": list, "format": str, "installation": str, "root": str, "size": int}
        given = shaped(parse(data), shape)
        if given["format"] != FORMAT:
            raise InvalidValueError(Fault("format", "bad_format", f"{given['format']!r} is not {FORMAT!r}"))
        row = {"path": str, "sha256": str, "size_bytes": int}
        files = tuple(ListedFile(**shaped(file, row)) for file in given["files"])
        return cls(given["installation"], given["size"], given["root"], files)


def _content_plain(content: Sealed | Redacted) -> dict[str, Any]:
    if isinstance(content, Redacted):
        return {"digest": content.digest, "redacted_by": content.by}
    return {"content": content.content, "salt": content.salt}


def _content_shape(value: object) -> dict[str, type]:
    if isinstance(value, dict) and "redacted_by" in value:
        return {"digest": str, "redacted_by": int}
    return {"content": str, "salt": str}


def _content(given: dict[str, Any]) -> Sealed | Redacted:
    if "redacted_by" in given:
        return Redacted(given["digest"], given["redacted_by"])
    return Sealed(given["salt"], given["content"])
