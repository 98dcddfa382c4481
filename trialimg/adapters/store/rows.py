"""Rows of the tables to the words of the records, and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Row

from trialimg.core.errors import IntegrityError, InvalidValueError
from trialimg.ledger.bundle_format import DETAILS, ENTRIES, DetailLine, RecordLine
from trialimg.ledger.bundle_reader import Line
from trialimg.ledger.canonical import canonical
from trialimg.ledger.entry import Entry
from trialimg.ledger.sealed import Redacted, Sealed
from trialimg.services.records import Place, RecordVersion

__all__ = [
    "content_row",
    "current_row",
    "entry_row",
    "line_of",
    "read_content",
    "read_entry",
    "read_version",
    "version_row",
]

ENTRY_FIELDS = tuple(field.name for field in fields(Entry))
"""Also the columns of `entry`, in this order."""


def entry_row(entry: Entry) -> dict[str, Any]:
    """As a row of `entry`."""
    return {name: getattr(entry, name) for name in ENTRY_FIELDS}


def read_entry(row: Row[Any]) -> Entry:
    """From a row of `entry`.

    Raises
    ------
    IntegrityError
        If the row cannot be what was kept.
    """
    try:
        return Entry(**dict(zip(ENTRY_FIELDS, row, strict=True)))
    except InvalidValueError as fault:
        raise IntegrityError(f"entry {row.sequence} was altered: {fault}") from fault


def content_row(content: Sealed | Redacted) -> dict[str, Any]:
    """The columns that hold sealed content or its tombstone."""
    if isinstance(content, Redacted):
        return {"salt": None, "content": None, "digest": content.digest, "redacted_by": content.by}
    return {"salt": content.salt, "content": content.content, "digest": None, "redacted_by": None}


def read_content(row: Row[Any], name: str) -> Sealed | Redacted:
    """From the columns of `content_row`.

    Raises
    ------
    IntegrityError
        If the row cannot be what was kept.
    """
    sealed, tombstone = (row.salt, row.content), (row.digest, row.redacted_by)
    try:
        if tombstone == (None, None) and None not in sealed:
            return Sealed(*sealed)
        if sealed == (None, None) and None not in tombstone:
            return Redacted(*tombstone)
    except InvalidValueError as fault:
        raise IntegrityError(f"{name} was altered: {fault}") from fault
    raise IntegrityError(f"{name} was altered: neither whole content nor a tombstone")


def version_row(version: RecordVersion) -> dict[str, Any]:
    """As a row of `version`."""
    return {**current_row(version), "entry": version.entry, **content_row(version.content)}


def read_version(row: Row[Any]) -> RecordVersion:
    """From a row of `version`.

    Raises
    ------
    IntegrityError
        If the row cannot be what was kept.
    """
    place = Place(row.trial, row.case_id, row.person, row.state)
    content = read_content(row, f"{row.kind} {row.id} version {row.version}")
    return RecordVersion(row.kind, row.id, row.version, place, content, row.entry)


def current_row(version: RecordVersion) -> dict[str, Any]:
    """As a row of `current`."""
    place = version.place
    return {
        "kind": version.kind,
        "id": version.id,
        "version": version.version,
        "trial": place.trial,
        "case_id": place.case,
        "person": place.person,
        "state": place.state,
    }


def line_of(name: str, row: Row[Any]) -> Line:
    """The row as a line of a bundle's file; of a row that cannot be one, what is wrong with it."""
    where = _name_of(name, row)
    try:
        if name == ENTRIES:
            return Line(where, canonical(dict(zip(ENTRY_FIELDS, row, strict=True))))
        if name == DETAILS:
            return Line(where, DetailLine(row.sequence, read_content(row, where)).bytes())
        content = read_content(row, where)
        return Line(where, RecordLine(row.entry, row.kind, row.id, row.version, row.trial, content).bytes())
    except (IntegrityError, InvalidValueError) as fault:
        return Line(where, b"", str(fault))


def _name_of(name: str, row: Row[Any]) -> str:
    if name == ENTRIES:
        return f"row of entry {row.sequence}"
    if name == DETAILS:
        return f"detail of entry {row.sequence}"
    return f"record {row.kind} {row.id} version {row.version}"
