"""Datasets as they are found in files: what their columns say of themselves, and their rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from trialimg.services.cdisc.specification import DatasetSpec, Kind, Row, Value, specification
from trialimg.services.cdisc.tables import Table

__all__ = ["SAS_EPOCH", "Column", "Delivered", "Delivery", "Described", "delivered", "typed"]

SAS_EPOCH = dt.date(1960, 1, 1)


@dataclass(frozen=True)
class Column:
    """One column, as a file describes it; None where its format says nothing."""

    name: str
    label: str | None = None
    is_text: bool | None = None
    length: int | None = None
    form: str | None = None
    """Name of the display format, e.g. DATE."""


@dataclass(frozen=True)
class Delivered:
    """One dataset in one file."""

    name: str
    label: str | None
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    source: str = ""
    """Name of the file."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def spec(self) -> DatasetSpec | None:
        """What a dataset of this name should be; None where it is none of ours."""
        return specification(self.name)


@dataclass(frozen=True)
class Described:
    """What a Define-XML says: datasets with their variables, lengths and the values that it lists."""

    lengths: Mapping[str, Mapping[str, int | None]] = field(default_factory=dict)
    """Dataset to variable to length; None where none is given."""
    values: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    """Dataset to variable to the values of its code list; a variable without one is not there."""
    extensions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Code list to the values that are the sponsor's own."""
    dangling: tuple[str, ...] = ()
    """References to something that is not there."""


@dataclass(frozen=True)
class Delivery:
    """Everything that lies in a folder."""

    tables: Mapping[str, Delivered]
    """By name: each dataset in the first of its files."""
    twins: tuple[Delivered, ...] = ()
    """The same datasets in further formats."""
    described: Mapping[str, Described] = field(default_factory=dict)
    """Define-XML by standard, sdtm and adam."""
    altered: tuple[str, ...] = ()
    """Files that are not what the manifest says."""
    faults: tuple[tuple[str, str], ...] = ()
    """File and why it cannot be read."""


def delivered(table: Table, source: str = "") -> Delivered:
    """A dataset that was just made, as a file of it would be found."""
    columns = tuple(
        Column(v.name, v.label, v.kind.is_text, table.longest(v), "DATE" if v.kind is Kind.SAS_DATE else "")
        for v in table.variables
    )
    return Delivered(table.name, table.spec.label, columns, table.rows, source)


def typed(dataset: str, column: str, value: Value) -> Value:
    """A value of a file in the type of its variable; as it stands where it does not fit, for the checks to name."""
    spec = specification(dataset)
    variable = spec.variable(column) if spec is not None else None
    if value is None or value == "":
        return None
    if variable is None or variable.kind.is_text:
        return value if isinstance(value, str) or variable is None else _plain(value)
    if variable.kind is Kind.SAS_DATE:
        return _as_date(value)
    number = _as_number(value)
    if variable.kind is Kind.INTEGER and isinstance(number, float) and number.is_integer():
        return int(number)
    return float(number) if variable.kind is Kind.FLOAT and isinstance(number, int) else number


def _plain(value: Value) -> str:
    return str(value)


def _as_date(value: Value) -> Value:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, int | float) and float(value).is_integer() and abs(value) < _MOST_DAYS:
        return SAS_EPOCH + dt.timedelta(days=int(value))
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            return value
    return value


_MOST_DAYS = 700_000


def _as_number(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return value
