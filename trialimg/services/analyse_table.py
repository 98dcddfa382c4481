"""A table to be analysed: any columns, the wanted ones checked cell by cell, every fault with its line at once."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ReadingError

__all__ = ["AnalysisTable", "Kind", "Selection", "Wanted", "read_analysis_table", "select"]

MISSING_WORDS = frozenset({"", ".", "NA", "N/A", "NaN", "nan", "null"})
SHOWN_COLUMNS = 30


class Kind(Enum):
    """What the cells of a column have to be."""

    TIME = "a time of 0 or more"
    NUMBER = "a number"
    EVENT = "1 (event) or 0 (none)"
    STATE = "0 (censored) or the whole number of a cause"
    COUNT = "a whole number of 0 or more"
    WORD = "a word"
    COVARIATE = "numbers or words throughout"
    OPEN_ENDED = "a number, or blank where it is not known"


@dataclass(frozen=True)
class Wanted:
    """One column that an analysis needs."""

    column: str
    kind: Kind


@dataclass(frozen=True)
class AnalysisTable:
    """The cells of a file as text."""

    source: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """Line in the file, cells."""


@dataclass(frozen=True)
class Selection:
    """The rows that are analysed, column by column, with what was left out."""

    source: str
    lines: tuple[int, ...]
    columns: dict[str, tuple[Any, ...]]
    warnings: tuple[str, ...]

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.lines)

    @property
    def digest(self) -> str:
        """Names the analysed cells, in the order of the file."""
        return digest_of([list(self.columns), [list(cells) for cells in self.columns.values()]])

    def where(self, keep: Sequence[bool]) -> Selection:
        """Only the rows marked."""
        lines = tuple(line for line, kept in zip(self.lines, keep, strict=True) if kept)
        columns = {
            name: tuple(cell for cell, kept in zip(cells, keep, strict=True) if kept)
            for name, cells in self.columns.items()
        }
        return Selection(self.source, lines, columns, self.warnings)


def read_analysis_table(text: str, source: str) -> AnalysisTable:
    """The cells of a CSV with a header line.

    Raises
    ------
    ReadingError
        Names every doubled column and every line whose cells do not fit the header; and a table without rows.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    faults: list[Fault] = []
    rows: list[tuple[int, tuple[str, ...]]] = []
    try:
        header = tuple(name.strip() for name in next(reader, []))
        for cells in reader:
            if not cells:  # an empty line; a row of empty cells is a row with everything missing
                continue
            if len(cells) != len(header):
                said = f"{len(cells)} cells where the header has {len(header)}"
                faults.append(Fault(f"{source}:{reader.line_num}", "cells", said))
                continue
            rows.append((reader.line_num, tuple(cell.strip() for cell in cells)))
    except csv.Error as broken:
        raise ReadingError(f"{source}:{reader.line_num}: not a CSV: {broken}") from broken
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    faults += [Fault(f"{source}:1", "double_column", f"column {name} stands twice") for name in doubled]
    if faults:
        raise ReadingError(f"{source}: {len(faults)} fault(s); nothing was analysed", tuple(faults))
    if not rows:
        raise ReadingError(f"{source}: the table has no rows")
    return AnalysisTable(source, header, tuple(rows))


def select(table: AnalysisTable, wanted: Sequence[Wanted], *, drop_missing: bool = False) -> Selection:
    """The wanted columns as numbers and words.

    Parameters
    ----------
    drop_missing
        Leave out rows in which a wanted cell is missing, and count them in a warning; otherwise they are faults.

    Raises
    ------
    ReadingError
        Names every column that is not there and every cell that cannot be used, with its line.
    """
    unknown = [item.column for item in wanted if item.column not in table.header]
    if unknown:
        known = ", ".join(table.header[:SHOWN_COLUMNS]) + (" ..." if len(table.header) > SHOWN_COLUMNS else "")
        faults = [
            Fault(f"{table.source}:1", "unknown_column", f"there is no column {name!r}; there are {known}")
            for name in dict.fromkeys(unknown)
        ]
        raise ReadingError(f"{table.source}: {len(faults)} column(s) are not there", tuple(faults))
    places = {item.column: table.header.index(item.column) for item in wanted}
    required = [item.column for item in wanted if item.kind is not Kind.OPEN_ENDED]
    lacking = {line: [name for name in required if cells[places[name]] in MISSING_WORDS] for line, cells in table.rows}
    rows = [(line, cells) for line, cells in table.rows if not (drop_missing and lacking[line])]
    faults = [] if drop_missing else _missing_faults(table, lacking)
    columns: dict[str, tuple[Any, ...]] = {}
    for item in wanted:
        filled = [(line, cells[places[item.column]]) for line, cells in rows]
        columns[item.column], wrong = _parsed(table.source, item, filled)
        faults += wrong
    if faults:
        faults.sort(key=lambda fault: int(fault.where.rpartition(":")[2]))
        raise ReadingError(f"{table.source}: {len(faults)} fault(s); nothing was analysed", tuple(faults))
    if not rows:
        raise ReadingError(f"{table.source}: every row has a missing cell; nothing is left to analyse")
    return Selection(table.source, tuple(line for line, _ in rows), columns, _dropped(table, lacking, drop_missing))


def _missing_faults(table: AnalysisTable, lacking: dict[int, list[str]]) -> list[Fault]:
    return [
        Fault(
            f"{table.source}:{line}",
            "missing",
            f"{name} is missing; fill it in, or leave such rows out with --missing drop",
        )
        for line, names in lacking.items()
        for name in names
    ]


def _dropped(table: AnalysisTable, lacking: dict[int, list[str]], drop_missing: bool) -> tuple[str, ...]:
    lines = [line for line, names in lacking.items() if names] if drop_missing else []
    if not lines:
        return ()
    by_column = {name: sum(name in names for names in lacking.values()) for names in lacking.values() for name in names}
    causes = ", ".join(f"{name} {count}" for name, count in by_column.items())
    shown = ", ".join(map(str, lines[:10])) + (" ..." if len(lines) > 10 else "")
    return (f"dropped: {len(lines)} of {len(table.rows)} rows have a missing cell ({causes}); lines {shown}",)


def _parsed(source: str, wanted: Wanted, cells: Sequence[tuple[int, str]]) -> tuple[tuple[Any, ...], list[Fault]]:
    if wanted.kind is Kind.COVARIATE:
        return _covariate(source, wanted.column, cells)
    values: list[Any] = []
    faults = []
    for line, cell in cells:
        value = None if cell in MISSING_WORDS else _READERS[wanted.kind](cell)
        if value is None and cell not in MISSING_WORDS:
            said = f"{wanted.column} {cell!r} is not {wanted.kind.value}"
            faults.append(Fault(f"{source}:{line}", f"bad_{wanted.kind.name.lower()}", said))
        values.append(value)
    return tuple(values), faults


def _covariate(source: str, column: str, cells: Sequence[tuple[int, str]]) -> tuple[tuple[Any, ...], list[Fault]]:
    """Numbers if every cell is one, words if none is; a mixture is a fault of the cells that are not numbers."""
    present = [(line, cell) for line, cell in cells if cell not in MISSING_WORDS]
    words = [(line, cell) for line, cell in present if _number(cell) is None]
    if len(words) == len(present):
        return tuple(cell for _, cell in cells), []
    faults = [
        Fault(
            f"{source}:{line}",
            "not_numeric",
            f"{column} {cell!r} is not a number though other cells are; for categories say --factor {column}",
        )
        for line, cell in words
    ]
    return tuple(_number(cell) for _, cell in cells), faults


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None


def _time(cell: str) -> float | None:
    value = _number(cell)
    return value if value is not None and value >= 0 else None


def _event(cell: str) -> int | None:
    value = _number(cell)
    return int(value) if value in (0, 1) else None


def _count(cell: str) -> int | None:
    value = _number(cell)
    return int(value) if value is not None and value >= 0 and value == int(value) else None


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.TIME: _time,
    Kind.NUMBER: _number,
    Kind.OPEN_ENDED: _number,
    Kind.EVENT: _event,
    Kind.STATE: _count,
    Kind.COUNT: _count,
    Kind.WORD: str,
}
