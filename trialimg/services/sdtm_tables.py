"""Tables that others made, row by row as text, whatever kind of file they came in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from trialimg.core.trial import Finding, Severity
from trialimg.services.cdisc.delivery import Delivered
from trialimg.services.cdisc.specification import Value
from trialimg.services.tables import plain_date

__all__ = ["DOMAINS", "SourceTable", "SourceTables", "excluded", "full_date", "source_table"]

DOMAINS = ("DM", "DS", "EX", "ADSL", "TU", "TR", "RS", "SUPPTU", "SUPPDM")
"""What is read where it is there."""
_DATE_LENGTH = 10

Cells = Mapping[str, str]
"""Variable to text; blank where it is missing."""


@dataclass(frozen=True)
class SourceTable:
    """One dataset, and the file that it came in."""

    name: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[Cells, ...]

    def placed(self) -> Iterator[tuple[str, Cells]]:
        """Every row with its place: file and number of the row, the first below the heading being 1."""
        return ((f"{self.source} row {number}", row) for number, row in enumerate(self.rows, start=1))


@dataclass(frozen=True)
class SourceTables:
    """The tables of one delivery, and what can be said of them before they are read."""

    tables: Mapping[str, SourceTable]
    digests: Mapping[str, str]
    """File to the digest of its bytes."""
    findings: tuple[Finding, ...] = field(default=())

    def of(self, name: str) -> SourceTable:
        """A dataset; one without rows where it is not there."""
        return self.tables.get(name, SourceTable(name, name, (), ()))

    def has(self, name: str) -> bool:
        return bool(self.of(name).rows)


def source_table(found: Delivered, name: str) -> SourceTable:
    """A dataset as its rows say it, numbers in their shortest exact form.

    Parameters
    ----------
    name
        What it is taken for; the file may call it otherwise.
    """
    columns = found.names
    rows = tuple({column: _text(row.get(column)) for column in columns} for row in found.rows)
    return SourceTable(name, found.source, columns, rows)


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value.isoformat() if isinstance(value, dt.date) else str(value).strip()


def full_date(text: str) -> dt.date | None:
    """The day of an ISO 8601 date or moment; None where the day is not known."""
    try:
        return plain_date(text[:_DATE_LENGTH])
    except ValueError:
        return None


def excluded(code: str, where: str, message: str, *, subject: str = "", timepoint: str = "") -> Finding:
    """Something of a table that is not used."""
    return Finding(code, Severity.EXCLUDED, where, message, subject, timepoint)
