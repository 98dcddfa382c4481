"""A table as a list of named columns, and the text of each kind of cell."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Generic, TypeVar

from trialimg.services.spreadsheet import harmless

__all__ = ["Cell", "Column", "csv_bytes", "one_decimal"]

Row = TypeVar("Row")
Cell = str | int | float | Decimal | dt.date | Enum | None


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: its heading, and what it says of a row."""

    name: str
    cell: Callable[[Row], Cell]


def csv_bytes(columns: Sequence[Column[Row]], rows: Iterable[Row]) -> bytes:
    """The table as CSV (RFC 4180, UTF-8, one ``\\n`` per row); a blank cell is a missing value.

    Dates are ISO 8601, truth values Y or N, numbers plain. Text that a spreadsheet would run as a formula gets an
    apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows([_text(column.cell(row)) for column in columns] for row in rows)
    return text.getvalue().encode()


def one_decimal(value: Decimal | None) -> Decimal | None:
    """Rounded half up to one decimal, as printed; never minus zero."""
    if value is None:
        return None
    rounded = value.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "Y" if cell else "N"
    if isinstance(cell, Enum):
        return _text(cell.value)
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, str):
        return harmless(cell)
    return repr(cell) if isinstance(cell, float) else str(cell)
