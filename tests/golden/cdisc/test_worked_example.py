"""The datasets of one published subject come out cell by cell: two readers, a split lesion, a verdict."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from tests.fakes.cdisc import worked_example
from trialimg.services.cdisc.datasets import datasets
from trialimg.services.cdisc.specification import Value
from trialimg.services.cdisc.tables import Table

pytestmark = pytest.mark.reference

TABLES = {table.name: table for table in datasets(worked_example())}
OURS_ALONE = {
    "TR": {"TRREFID"},  # placeholders that no rule gives
    "RS": {"RSDRVFL"},  # responses follow from the measurements; the example has readers state them
    "ADSL": {"EOSSTT"},  # the sponsor's
}
ROUNDED_TO = 1e-4
"""The example prints percentages to four decimals."""


def rows_of(reference: Path, name: str) -> list[dict[str, str]]:
    with (reference / "cdisc" / "example" / f"{name.lower()}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def same(ours: Value, theirs: str) -> bool:
    if ours is None or theirs == "":
        return ours is None and theirs == ""
    if isinstance(ours, int | float):
        return abs(float(ours) - float(theirs)) <= ROUNDED_TO
    return (ours.isoformat() if isinstance(ours, dt.date) else ours) == theirs


def differences(table: Table, expected: list[dict[str, str]]) -> list[str]:
    left_out = OURS_ALONE.get(table.name, set())
    return [
        f"{table.name} {number} {name}: {row.get(name)!r}, not {text!r}"
        for number, (row, wanted) in enumerate(zip(table.rows, expected, strict=True), start=1)
        for name, text in wanted.items()
        if name not in left_out and not same(row.get(name), text)
    ]


@pytest.mark.parametrize("name", ["TU", "TR", "RS", "RELREC", "DM", "ADSL", "ADTR", "ADTTE"])
def test_every_cell_is_as_published(reference: Path, name: str) -> None:
    expected = rows_of(reference, name)
    assert len(TABLES[name].rows) == len(expected)
    assert differences(TABLES[name], expected) == []


def test_response_analysis_is_as_published(reference: Path) -> None:
    assert differences(TABLES["ADRS"], rows_of(reference, "ADRS")) == []
