"""What a store keeps: every version of every record, and the words by which a record is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trialimg.core.errors import IntegrityError
from trialimg.ledger.sealed import Redacted, Sealed

__all__ = ["EntryQuery", "Place", "RecordVersion", "said"]


@dataclass(frozen=True)
class Place:
    """Where a record belongs and how far it has come; in a search, an empty word matches everything."""

    trial: str = ""
    """Code of the trial; empty for what belongs to the installation."""
    case: str = ""
    person: str = ""
    """User whose record it is, such as the reader of an assignment."""
    state: str = ""


@dataclass(frozen=True)
class RecordVersion:
    """One version of one record; versions are numbered from 1, and none is ever changed."""

    kind: str
    """What it is: ``read``, ``invoice``, ``user``."""
    id: str
    version: int
    place: Place
    content: Sealed | Redacted
    """The sealed `said`, or the tombstone of a redaction."""
    entry: int
    """Sequence of the ledger entry that made this version."""

    @property
    def digest(self) -> str:
        """What the ledger knows this version by; the same before and after a redaction."""
        return self.content.digest

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """What the record says.

        Raises
        ------
        IntegrityError
            If this version was redacted, or its text is not that of this record.
        """
        if isinstance(self.content, Redacted):
            raise IntegrityError(f"{self.kind} {self.id} version {self.version} was redacted; the ledger says why")
        text: dict[str, Any] = self.content.shown()
        body: Mapping[str, Any] = text.get("body", {})
        if text != said(self.kind, self.id, self.version, self.place, body=body):
            raise IntegrityError(f"{self.kind} {self.id} version {self.version}: the text belongs to another record")
        return body


@dataclass(frozen=True)
class EntryQuery:
    """Which ledger entries are asked for; an empty word matches everything."""

    trial: str | None = None
    """Code of the trial, empty for the installation's own; None for all."""
    who: str = ""
    action: str = ""
    object_kind: str = ""
    object_id: str = ""
    case: str = ""
    """Id of the case that the entry's record belongs to."""
    since: str = ""
    """First moment, ISO 8601 in UTC."""
    until: str = ""
    """Moment before which."""
    start: int = 0
    """First sequence."""
    limit: int | None = None


def said(kind: str, key: str, version: int, place: Place, *, body: Mapping[str, object]) -> dict[str, object]:
    """What is sealed: what the record says, and which record says it."""
    return {"kind": kind, "id": key, "version": version, **vars(place), "body": body}
