"""A dataset while it is made: rows in delivery order, numbered, with the columns that are delivered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.services.cdisc.specification import DatasetSpec, Kind, Row, Value, Variable

__all__ = ["Table", "common_lengths", "number_text", "numbered", "ordered", "plain_number", "study_day", "table_of"]

_ALWAYS = ("Req", "Exp")


@dataclass(frozen=True)
class Table:
    """One dataset as it is delivered."""

    spec: DatasetSpec
    variables: tuple[Variable, ...]
    """Columns, in order."""
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        return self.spec.name

    def values(self, variable: str) -> Iterator[Value]:
        """One column."""
        return (row.get(variable) for row in self.rows)

    def longest(self, variable: Variable) -> int:
        """Bytes of the longest text, at least 1; 8 for a number."""
        if not variable.kind.is_text:
            return 8
        return max((len(str(value).encode()) for value in self.values(variable.name) if value is not None), default=1)


def table_of(spec: DatasetSpec, rows: Sequence[Row]) -> Table:
    """The delivered dataset: a column that is not asked for and blank throughout is left out."""
    filled = {name for row in rows for name, value in row.items() if value not in (None, "")}
    unknown = filled - {variable.name for variable in spec.variables}
    if unknown:
        raise ValueError(f"{spec.name} has no variable {', '.join(sorted(unknown))}")
    variables = tuple(v for v in spec.variables if v.core in _ALWAYS or v.name in filled | spec.keep)
    return Table(spec, variables, tuple({v.name: _typed(v, row.get(v.name)) for v in variables} for row in rows))


def _typed(variable: Variable, value: Value) -> Value:
    """The value in the variable's own type; text without blanks around it, and never empty."""
    if isinstance(value, str):
        return value.strip() or None
    if value is None or variable.kind is not Kind.FLOAT or isinstance(value, dt.date):
        return value
    return float(value)


def ordered(rows: Iterable[Row], keys: Sequence[str]) -> list[Row]:
    """Rows by these variables, blank first."""
    return sorted(rows, key=lambda row: tuple(_rank(row.get(key)) for key in keys))


def _rank(value: Value) -> tuple[int, float, str]:
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, int | float):
        return (1, float(value), "")
    return (1, 0.0, value if isinstance(value, str) else value.isoformat())


def numbered(rows: Iterable[Row], variable: str) -> list[Row]:
    """The rows with a number that counts from 1 within each subject."""
    last: dict[Value, int] = {}
    answer: list[Row] = []
    for row in rows:
        last[row["USUBJID"]] = last.get(row["USUBJID"], 0) + 1
        answer.append({**row, variable: last[row["USUBJID"]]})
    return answer


def study_day(day: dt.date | None, start: dt.date | None) -> int | None:
    """Day 1 is the start, day -1 the day before; there is no day 0. None where either is not known."""
    if day is None or start is None:
        return None
    distance = (day - start).days
    return distance + 1 if distance >= 0 else distance


def number_text(value: Decimal) -> str:
    """A number without padding: 90, 47.6, 0."""
    return format(value.normalize(), "f")


def plain_number(row: Mapping[str, Value], variable: str) -> Decimal | None:
    """A number of a row as an exact decimal; None where it is missing."""
    value = row.get(variable)
    return Decimal(repr(value)) if isinstance(value, int | float) else None


def common_lengths(tables: Sequence[Table]) -> dict[str, int]:
    """Variable to bytes: as long as its longest value in any of the datasets, and so the same in all."""
    lengths: dict[str, int] = {}
    for table in tables:
        for variable in table.variables:
            lengths[variable.name] = max(lengths.get(variable.name, 1), table.longest(variable))
    return lengths
