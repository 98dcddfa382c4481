"""A table of lesions, one row per lesion and timepoint, read strictly into what the criteria judge."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from trialimg.core.errors import ReadingError
from trialimg.core.lesions import (
    Designation,
    Lesion,
    LesionKind,
    LesionNature,
    LesionStatus,
    NewLesionStatus,
    NonTargetStatus,
    Observation,
    Quantities,
    Role,
    Seen,
    Track,
)
from trialimg.core.trial import Timepoint
from trialimg.services.respond_checks import LesionRow, check_rows
from trialimg.services.tables import Row, plain_decimal, read_table

__all__ = ["BASELINE_NAME", "SubjectReading", "lesion_row", "read_lesions", "subject_reading"]

_REQUIRED = ("subject", "timepoint", "date", "lesion", "role", "kind", "organ", "seen", "diameter_mm")
_LENGTHS = ("short_mm", "volume_ml", "mean_hu", "sul_peak", "slice_mm")
_OPTIONAL = (
    *("reader", "reason", "status", *_LENGTHS, "split_from", "merged_into", "local_therapy"),
    *("nature", "treated_before"),
)
_NO, _YES = ("", "no", "n", "false", "0"), ("yes", "y", "true", "1")
BASELINE_NAME = re.compile(r"bl|base.*|scr.*|(tp|t|v|visit|w|wk|week|d|day|c|cycle)?[ _-]*0+", re.IGNORECASE)


@dataclass(frozen=True)
class SubjectReading:
    """Everything one reader recorded of one subject."""

    subject: str
    reader: str
    tracks: tuple[Track, ...]
    designations: tuple[Designation, ...]
    timepoints: tuple[Timepoint, ...]
    slice_mm: Mapping[str, Decimal] = field(default_factory=dict)
    """Slice thickness at baseline by lesion, where it was given."""
    baseline_assumed: bool = False
    """No name said which timepoint is baseline; the earliest was taken."""
    visit_numbers: Mapping[str, float] = field(default_factory=dict)
    """Timepoint to its VISITNUM, where the record is of SDTM tables."""
    sums_mm: Mapping[float, tuple[str, Decimal]] = field(default_factory=dict)
    """Sum of the targets as somebody else recorded it, by VISITNUM, with its place."""


def read_lesions(
    text: str, source: str, *, baseline: str | None = None, may_be_empty: bool = False
) -> tuple[SubjectReading, ...]:
    """The subjects of a lesion table, in the order of the file, each reader apart.

    Parameters
    ----------
    text, source
        The CSV and the name that the user knows it by. A blank ``reason`` of a lesion that is not evaluable reads
        "reason not recorded"; a new lesion without ``status`` is unequivocal (a node: by its size).
    baseline
        Name of the baseline timepoint. None: the one called BL, baseline, screening, 0, week 0 or the like; where
        no name says so, the earliest, if it also stands first.
    may_be_empty
        A table without rows is no fault: the criterion can do without lesions.

    Raises
    ------
    ReadingError
        With every fault of the table and its line: unknown words, lengths that are negative or zero, dates before
        baseline, rows that stand twice, lesions that change their role, and whatever contradicts itself.
    """
    table = read_table(text, source, required=_REQUIRED, optional=_OPTIONAL)
    rows = [row for row in map(lesion_row, table.rows) if row is not None]
    if not table.rows and not table.faults and not may_be_empty:
        table.fault(1, "empty", "the table has no rows")
    by_subject: dict[tuple[str, str], list[LesionRow]] = {}
    for row in rows:
        by_subject.setdefault((row.subject, row.reader), []).append(row)
    timepoints: dict[tuple[str, str], tuple[Timepoint, ...]] = {}
    if baseline is None:
        _check_baselines(list(by_subject.values()))
    for key, own in by_subject.items():
        timepoints[key] = _timepoints(own, baseline)
        check_rows(own, timepoints[key])
    if table.faults:
        table.faults.sort(key=lambda fault: int(fault.where.rpartition(":")[2]))
        raise ReadingError(f"{source}: {len(table.faults)} fault(s), nothing was judged", tuple(table.faults))
    readings = (subject_reading(key, own, timepoints[key]) for key, own in by_subject.items())
    return tuple(replace(r, baseline_assumed=baseline is None and not _named(r.timepoints[:1])) for r in readings)


def _named(timepoints: Sequence[Timepoint] | Sequence[LesionRow]) -> bool:
    """Whether a timepoint is called baseline."""
    names = {t.id if isinstance(t, Timepoint) else t.timepoint for t in timepoints}
    return any(BASELINE_NAME.fullmatch(name) for name in names)


def _check_baselines(subjects: Sequence[list[LesionRow]]) -> None:
    """Where some subjects have a timepoint called baseline, all must: else a follow-up would be taken for one."""
    named = [_named(rows) for rows in subjects]
    if not any(named):
        return
    for rows, has in zip(subjects, named, strict=True):
        if not has:
            text = f"subject {rows[0].subject} has no timepoint called baseline, as others have; leave the subject out"
            rows[0].fault("no_baseline", f"{text}, or say which it is with --baseline")


def _timepoints(rows: list[LesionRow], baseline: str | None) -> tuple[Timepoint, ...]:
    """Baseline first, then by the latest date of each."""
    dates: dict[str, list[date]] = {}
    for row in rows:
        dates.setdefault(row.timepoint, []).append(row.date)
    first = _baseline(rows, dates, baseline)
    ordered = sorted(dates, key=lambda name: (name != first, max(dates[name])))
    return tuple(_timepoint(name, order, dates[name]) for order, name in enumerate(ordered))


def _baseline(rows: list[LesionRow], dates: Mapping[str, list[date]], wanted: str | None) -> str:
    """The name of the baseline timepoint; where that is unclear, a fault is noted."""
    if wanted is not None:
        if wanted not in dates:
            rows[0].fault("no_baseline", f"subject {rows[0].subject} has no timepoint {wanted!r}")
            return rows[0].timepoint
        return wanted
    named = [name for name in dates if BASELINE_NAME.fullmatch(name)]
    if len(named) > 1:
        rows[0].fault("baseline_unclear", f"{', '.join(named)} could all be baseline; say which with --baseline")
    if named:
        return named[0]
    earliest = min(dates, key=lambda name: max(dates[name]))
    if rows[0].timepoint != earliest:
        text = f"no timepoint is called baseline, and {earliest} is the earliest but {rows[0].timepoint} comes first"
        rows[0].fault("baseline_unclear", f"{text}; say which with --baseline")
    return earliest


def _timepoint(name: str, order: int, dates: list[date]) -> Timepoint:
    first, last = min(dates), max(dates)
    return Timepoint(name, order, last, first if first != last else None)


def lesion_row(row: Row) -> LesionRow | None:
    """One line of a table of lesions; None where it cannot be understood, its faults noted."""
    before = len(row.table.faults)
    role, seen = row.word("role", Role, required=True), row.word("seen", Seen, required=True)
    kind, day = row.word("kind", LesionKind, required=True), row.day("date", required=True)
    subject, timepoint, lesion = (row.text(name, required=True) for name in ("subject", "timepoint", "lesion"))
    diameter_mm = _number(row, "diameter_mm")
    numbers = {column: _number(row, column) for column in _LENGTHS}
    status = _status(row, role)
    nature = row.word("nature", LesionNature)
    treated, treated_before = _truth(row, "local_therapy"), _truth(row, "treated_before")
    if len(row.table.faults) > before or role is None or seen is None or kind is None or day is None:
        return None
    return LesionRow(
        row, subject, timepoint, lesion, row.text("reader"), day, role, kind, row.text("organ"), seen, diameter_mm,
        row.text("reason"), status, row.text("split_from"), row.text("merged_into"), treated,
        numbers["slice_mm"],
        Quantities(numbers["short_mm"], numbers["volume_ml"], numbers["mean_hu"], numbers["sul_peak"]),
        nature, treated_before,
    )  # fmt: skip


def _truth(row: Row, column: str) -> bool:
    said = row.text(column).lower()
    if said not in (*_NO, *_YES):
        row.table.fault(row.line, "bad_value", f"{column} {said!r} is not one of yes, no")
    return said in _YES


def _status(row: Row, role: Role | None) -> LesionStatus | None:
    if role is Role.NON_TARGET:
        return row.word("status", NonTargetStatus)
    if role is Role.NEW:
        return row.word("status", NewLesionStatus)
    if row.text("status"):
        row.table.fault(row.line, "bad_value", "status is for non-target and new lesions; a target is seen or measured")
    return None


def _number(row: Row, column: str) -> Decimal | None:
    """A quantity that cannot be negative (Hounsfield units can)."""
    text = row.text(column)
    if not text:
        return None
    try:
        value = plain_decimal(text)
    except ValueError:
        row.table.fault(row.line, "bad_value", f"{column} {text!r} is not a number in plain digits (40.5)")
        return None
    if value < 0 and column != "mean_hu":
        row.table.fault(row.line, "negative", f"{column} is {text}; it cannot be negative")
        return None
    return value


def subject_reading(
    key: tuple[str, str], rows: Sequence[LesionRow], timepoints: tuple[Timepoint, ...]
) -> SubjectReading:
    """What a (subject, reader) recorded in lines that were checked, at timepoints of which baseline stands first."""
    at = {timepoint.id: timepoint for timepoint in timepoints}
    lesions = {name: _lesion(own) for name, own in _by_lesion(rows).items()}
    seen: dict[str, list[Observation]] = {name: [] for name in lesions}
    for row in rows:
        seen[row.lesion].append(Observation(lesions[row.lesion], at[row.timepoint], **_said(row)))
    roles = {row.lesion: row.role for row in rows}
    return SubjectReading(
        subject=key[0],
        reader=key[1],
        tracks=tuple(Track(lesion, tuple(seen[name])) for name, lesion in lesions.items()),
        designations=tuple(Designation(key[1], lesion, roles[name]) for name, lesion in lesions.items()),
        timepoints=timepoints,
        slice_mm={
            row.lesion: row.slice_mm for row in rows if row.slice_mm is not None and at[row.timepoint].order == 0
        },
    )


def _by_lesion(rows: Sequence[LesionRow]) -> dict[str, list[LesionRow]]:
    found: dict[str, list[LesionRow]] = {}
    for row in rows:
        found.setdefault(row.lesion, []).append(row)
    return found


def _lesion(rows: Sequence[LesionRow]) -> Lesion:
    """One lesion by all of its rows; what only some of them say holds for it."""
    return Lesion(
        rows[0].lesion,
        rows[0].kind,
        rows[0].organ,
        split_from=next((row.split_from for row in reversed(rows) if row.split_from), None),
        prior_local_therapy=any(row.treated_before for row in rows),
        nature=next((row.nature for row in rows if row.nature is not None), None),
    )


def _said(row: LesionRow) -> dict[str, Any]:
    """What a row says of its lesion, in the words of an observation."""
    status = row.status
    if status is None and row.seen is Seen.MEASURED and row.diameter_mm is None and row.role is not Role.TARGET:
        status = NonTargetStatus.PRESENT if row.role is Role.NON_TARGET else NewLesionStatus.UNEQUIVOCAL
    return {
        "seen": row.seen,
        "diameter_mm": row.diameter_mm,
        "reason": (row.reason or "reason not recorded") if row.seen is Seen.NOT_EVALUABLE else row.reason,
        "status": status,
        "local_therapy": row.local_therapy,
        "merged_into": row.merged_into or None,
        "quantities": row.quantities,
    }
