"""Tables that people fill in: read strictly, with everything wrong reported at once."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TypeVar

from trialimg.core.errors import Fault

__all__ = ["Row", "Table", "plain_date", "plain_decimal", "read_table"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})", re.ASCII)

Answer = TypeVar("Answer")
Word = TypeVar("Word", bound=Enum)


@dataclass
class Table:
    """The rows of one file and the faults found in it so far."""

    source: str
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int, code: str, message: str) -> None:
        """Note something wrong in a line."""
        self.faults.append(Fault(f"{self.source}:{line}", code, message))


@dataclass(frozen=True)
class Row:
    """One line of a table; every access that fails is noted, so that all faults come out together."""

    table: Table
    line: int
    cells: dict[str, str]

    def text(self, column: str, *, required: bool = False) -> str:
        value = self.cells.get(column, "").strip()
        if required and not value:
            self.table.fault(self.line, "blank", f"{column} is blank")
        return value

    def day(self, column: str, *, required: bool = False) -> date | None:
        return self._parsed(column, plain_date, "not a date (YYYY-MM-DD)", required=required)

    def number(self, column: str, *, required: bool = False) -> float | None:
        return self._parsed(column, _finite, "not a number", required=required)

    def word(self, column: str, words: type[Word], *, required: bool = False) -> Word | None:
        allowed = ", ".join(str(word.value) for word in words)
        return self._parsed(column, words, f"not one of {allowed}", required=required)

    def _parsed(self, column: str, parse: Callable[[str], Answer], complaint: str, *, required: bool) -> Answer | None:
        value = self.text(column, required=required)
        if not value:
            return None
        try:
            return parse(value)
        except ValueError:
            self.table.fault(self.line, "bad_value", f"{column} {value!r} is {complaint}")
            return None


def read_table(text: str, source: str, *, required: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """The rows of a CSV with a header line; unknown, missing and doubled columns are faults.

    Parameters
    ----------
    source
        File name, as the user knows it, for the messages.
    """
    table = Table(source)
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [name.strip() for name in next(lines, [])]
    _check_header(table, header, required, optional)
    if table.faults:
        return table
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            table.fault(lines.line_num, "cells", f"{len(cells)} cells where the header has {len(header)}")
            continue
        table.rows.append(Row(table, lines.line_num, dict(zip(header, cells, strict=True))))
    return table


def plain_date(text: str) -> date:
    """A date written as YYYY-MM-DD, and in no other way.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def plain_decimal(text: str) -> Decimal:
    """A number in plain digits with a decimal point, at most 20 digits on each side of it.

    Raises
    ------
    ValueError
        If it is not: a comma, an exponent, digits of another script.
    """
    if not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def _check_header(table: Table, header: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    separator = next((sign for sign in (";", "\t") if len(header) == 1 < len(required) and sign in header[0]), "")
    if separator:
        table.fault(1, "separator", f"columns are separated by {separator!r}; save the table with commas")
        return
    for name in required:
        if name not in header:
            table.fault(1, "missing_column", f"column {name} is missing")
    for name in dict.fromkeys(header):
        if name not in required and name not in optional:
            table.fault(1, "unknown_column", f"column {name!r} is not known")
        if header.count(name) > 1:
            table.fault(1, "double_column", f"column {name} stands twice")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")) or value != value:
        raise ValueError(text)
    return value
