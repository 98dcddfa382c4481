"""What a conformance check is: its rule, what it found, and how rows are looked through."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from trialimg.services.cdisc.delivery import Delivered, Delivery
from trialimg.services.cdisc.specification import Row, Value

__all__ = [
    "DOMAINS",
    "Check",
    "Issue",
    "Rule",
    "day_of",
    "each",
    "grouped",
    "is_iso_date",
    "number_of",
    "reader_of",
    "text_of",
]

DOMAINS = ("TU", "TR", "RS")
_ISO = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?")
_WHOLE_DAY = 10


@dataclass(frozen=True)
class Issue:
    """One thing that is not as it should be."""

    dataset: str
    record: int | None
    """Row, from 1; None where it is of the whole dataset."""
    variable: str
    value: str
    message: str


Check = Callable[[Delivery], Iterator[Issue]]


@dataclass(frozen=True)
class Rule:
    """One check: what must hold, and whether the datasets may leave the house where it does not."""

    id: str
    statement: str
    is_error: bool
    """False: a warning, to be explained in the reviewer's guide."""
    check: Check


def each(delivery: Delivery, *names: str) -> Iterator[tuple[str, int, Row]]:
    """Every row of these datasets, with its number; a dataset that is not there has none."""
    for name in names:
        table: Delivered | None = delivery.tables.get(name)
        for number, row in enumerate(table.rows if table else (), start=1):
            yield name, number, row


def grouped(rows: Iterator[tuple[str, int, Row]], *variables: str) -> Mapping[tuple[str, ...], list[tuple[int, Row]]]:
    """Rows by the text of these variables, in order."""
    found: dict[tuple[str, ...], list[tuple[int, Row]]] = {}
    for _, number, row in rows:
        found.setdefault(tuple(text_of(row, name) for name in variables), []).append((number, row))
    return found


def text_of(row: Row, name: str) -> str:
    """A cell as text; empty where it is missing."""
    value: Value = row.get(name)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def number_of(row: Row, name: str) -> Decimal | None:
    """A cell as an exact number; None where it is missing or none."""
    value = row.get(name)
    return Decimal(repr(value)) if isinstance(value, int | float) else None


def reader_of(row: Row, domain: str) -> tuple[str, str, str]:
    """Subject, evaluator and evaluator's role."""
    return text_of(row, "USUBJID"), text_of(row, f"{domain}EVAL"), text_of(row, f"{domain}EVALID")


def is_iso_date(text: str) -> bool:
    """Whether a text is a date of ISO 8601, whole or partial, that exists."""
    if not _ISO.fullmatch(text):
        return False
    padded = text + "0001-01-01"[len(text) :]
    try:
        dt.date.fromisoformat(padded[:_WHOLE_DAY])
    except ValueError:
        return False
    return True


def day_of(row: Row, name: str) -> dt.date | None:
    """A date of a row; None where it is missing, partial or none."""
    value = row.get(name)
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value)[:_WHOLE_DAY]) if value is not None else None
    except ValueError:
        return None
