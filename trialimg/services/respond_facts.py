"""What is known of a timepoint beside its lesions, read from a table whose columns the criterion names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, get_args, get_type_hints

from trialimg.core.errors import ReadingError
from trialimg.core.settings import overridden
from trialimg.criteria.registry import Criterion
from trialimg.services.respond_lesions import SubjectReading
from trialimg.services.tables import Row, plain_decimal, read_table

__all__ = ["read_facts"]


def read_facts(
    text: str, source: str, criterion: Criterion, readings: Sequence[SubjectReading]
) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """Facts by (subject, reader) and timepoint; a line without reader holds for every reader.

    Parameters
    ----------
    text, source
        A CSV with ``subject, timepoint``, optionally ``reader``, and a column per fact of the criterion.
    readings
        Whose subjects and timepoints the lines must name.

    Raises
    ------
    ReadingError
        With every fault of the table and its line.
    """
    names = tuple(field.name for field in fields(criterion.facts))
    table = read_table(text, source, required=("subject", "timepoint"), optional=("reader", "date", *names))
    decimals = _decimals(criterion.facts)
    known: dict[tuple[str, str], dict[str, Any]] = {}
    for row in table.rows:
        subject, timepoint = row.text("subject", required=True), row.text("timepoint", required=True)
        reader, facts = row.text("reader"), _facts(row, criterion, names, decimals)
        matching = [r for r in readings if r.subject == subject and reader in ("", r.reader)]
        if not any(timepoint == t.id for r in matching for t in r.timepoints):
            row.table.fault(row.line, "unknown_timepoint", f"no lesion of {subject} was read at {timepoint!r}")
        for reading in matching:
            own = known.setdefault((reading.subject, reading.reader), {})
            if timepoint in own:
                row.table.fault(row.line, "double_row", f"{timepoint} of {subject} stands twice")
            own[timepoint] = facts
    if table.faults:
        raise ReadingError(f"{source}: {len(table.faults)} fault(s), nothing was judged", tuple(table.faults))
    return known


def _facts(row: Row, criterion: Criterion, names: Sequence[str], decimals: frozenset[str]) -> Any:
    given = {name: row.text(name) for name in names if row.text(name)}
    for name in decimals & given.keys():
        try:
            plain_decimal(given[name])
        except ValueError:
            row.table.fault(row.line, "bad_value", f"{name} {given.pop(name)!r} is not a number in plain digits (40.5)")
    try:
        facts = overridden(criterion.facts, given)
    except ReadingError as refused:
        for fault in refused.faults:
            row.table.fault(row.line, "bad_value", f"{fault.where}: {fault.message}")
        return criterion.facts
    for name in given:
        value = getattr(facts, name)
        if isinstance(value, Decimal | int) and value < 0:
            row.table.fault(row.line, "negative", f"{name} is {value}; it cannot be negative")
    return facts


def _decimals(facts: Any) -> frozenset[str]:
    """The facts that are numbers with a fraction."""
    hints = get_type_hints(type(facts))
    return frozenset(name for name, hint in hints.items() if Decimal in (hint, *get_args(hint)))
