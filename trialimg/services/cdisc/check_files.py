"""Checks of the files: what Define-XML describes is what is delivered, and every format says the same."""

from __future__ import annotations

from collections.abc import Iterator

from trialimg.services.cdisc.check import Issue, Rule, text_of
from trialimg.services.cdisc.delivery import Delivered, Delivery, Described
from trialimg.services.cdisc.specification import Row

__all__ = ["FILE_RULES"]


def _described(delivery: Delivery) -> Iterator[Issue]:
    for standard, found in delivery.described.items():
        yield from (Issue(f"define-{standard}", None, "", text, "leads nowhere") for text in found.dangling)
        tables = {t.name: t for t in delivery.tables.values() if t.spec and t.spec.standard.value == standard}
        for name in sorted(found.lengths.keys() - tables.keys()):
            yield Issue(name, None, "", "", "is described in Define-XML, but not delivered")
        for name, table in tables.items():
            if name not in found.lengths:
                yield Issue(name, None, "", "", "is not described in Define-XML")
            else:
                yield from _against(table, found)


def _against(table: Delivered, found: Described) -> Iterator[Issue]:
    lengths, values = found.lengths[table.name], found.values.get(table.name, {})
    for name in sorted(lengths.keys() ^ set(table.names)):
        where = "delivered" if name in lengths else "described in Define-XML"
        yield Issue(table.name, None, name, "", f"is not {where}")
    for number, row in enumerate(table.rows, start=1):
        for name in table.names:
            value, length = row.get(name), lengths.get(name)
            if isinstance(value, str) and length is not None and len(value.encode()) > length:
                yield Issue(table.name, number, name, value, f"is longer than the {length} bytes of Define-XML")
            if value is not None and name in values and text_of(row, name) not in values[name]:
                yield Issue(table.name, number, name, text_of(row, name), "is not in its code list in Define-XML")


def _same(delivery: Delivery) -> Iterator[Issue]:
    for file in delivery.altered:
        yield Issue(file, None, "", "", "is not what the manifest says")
    for file, why in delivery.faults:
        yield Issue(file, None, "", "", f"cannot be read: {why}")
    for twin in delivery.twins:
        table = delivery.tables[twin.name]
        if (twin.names, len(twin.rows)) != (table.names, len(table.rows)):
            yield Issue(twin.name, None, "", twin.source, f"has other columns or records than {table.source}")
            continue
        for number, (row, other) in enumerate(zip(twin.rows, table.rows, strict=True), start=1):
            yield from _differences(twin, number, row, other)


def _differences(twin: Delivered, number: int, row: Row, other: Row) -> Iterator[Issue]:
    for name in twin.names:
        if row.get(name) != other.get(name):
            message = f"{twin.source} says something else than the other format, {text_of(other, name)!r}"
            yield Issue(twin.name, number, name, text_of(row, name), message)


FILE_RULES = (
    Rule("TI-C062", "Define-XML describes what is delivered, and nothing else", True, _described),
    Rule("TI-C063", "Every format says the same, and every file is what was written", True, _same),
)
