"""Timepoints without images: those that a table of assessments dates, such as of a blood sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date

from trialimg.core.errors import ReadingError
from trialimg.core.lesions import Track
from trialimg.core.trial import Timepoint
from trialimg.criteria.registry import Criterion
from trialimg.services.respond_lesions import BASELINE_NAME, SubjectReading
from trialimg.services.tables import Row, Table, read_table

__all__ = ["with_assessed_dates"]


def with_assessed_dates(
    text: str, source: str, criterion: Criterion, readings: Sequence[SubjectReading], *, baseline: str | None = None
) -> tuple[SubjectReading, ...]:
    """The readings with the timepoints, and for criteria without lesions the subjects, that only assessments name.

    Parameters
    ----------
    text, source
        A CSV as `trialimg.services.respond_facts.read_facts` takes it. A line with a ``date`` may name a timepoint
        at which no lesion was read; there every lesion is missing.
    baseline
        Name of the baseline timepoint of subjects without lesions; None: the one that is called so, else the earliest.

    Raises
    ------
    ReadingError
        Naming every line whose date contradicts another, lies before baseline or is that of another timepoint.
    """
    names = tuple(field.name for field in fields(criterion.facts))
    table = read_table(text, source, required=("subject", "timepoint"), optional=("reader", "date", *names))
    dated = [(row, day) for row in table.rows if (day := row.day("date")) is not None]
    known = list(readings)
    if not criterion.needs_lesions:
        strangers = dict.fromkeys(row.text("subject") for row, _ in dated if row.text("subject"))
        known += [_without_lesions(name) for name in strangers if all(r.subject != name for r in readings)]
    completed = tuple(_completed(reading, dated, table, baseline) for reading in known)
    if table.faults:
        raise ReadingError(f"{source}: {len(table.faults)} fault(s), nothing was judged", tuple(table.faults))
    return completed


def _without_lesions(subject: str) -> SubjectReading:
    return SubjectReading(subject, "", (), (), ())


def _completed(
    reading: SubjectReading, dated: Sequence[tuple[Row, date]], table: Table, baseline: str | None
) -> SubjectReading:
    """One reading with the dated timepoints it lacks."""
    timepoints = {timepoint.id: timepoint for timepoint in reading.timepoints}
    first = reading.timepoints[0].id if reading.timepoints else None
    for row, day in dated:
        name = row.text("timepoint")
        if row.text("subject") != reading.subject or row.text("reader") not in ("", reading.reader) or not name:
            continue
        known = timepoints.setdefault(name, Timepoint(name, len(timepoints), day))
        if day != known.date and not (known.first_date is not None and known.first_date <= day <= known.date):
            table.fault(row.line, "other_date", f"{name} of {reading.subject} is dated {known.date}, not {day}")
        elif name not in {t.id for t in reading.timepoints}:
            _check_day(row, day, timepoints, name)
    if len(timepoints) == len(reading.timepoints):
        return reading
    return _in_order(reading, timepoints, first or _baseline(timepoints, baseline), table)


def _check_day(row: Row, day: date, timepoints: Mapping[str, Timepoint], name: str) -> None:
    twin = next((t.id for t in timepoints.values() if t.id != name and t.date == day), None)
    if twin is not None:
        row.table.fault(row.line, "same_date", f"{name} has the date of {twin}, {day}; their order cannot be told")


def _baseline(timepoints: Mapping[str, Timepoint], wanted: str | None) -> str:
    if wanted is not None and wanted in timepoints:
        return wanted
    named = [name for name in timepoints if BASELINE_NAME.fullmatch(name)]
    return named[0] if named else min(timepoints.values(), key=lambda t: t.date).id


def _in_order(reading: SubjectReading, timepoints: Mapping[str, Timepoint], first: str, table: Table) -> SubjectReading:
    """The reading with its timepoints numbered anew, baseline first."""
    for timepoint in timepoints.values():
        if timepoint.date < timepoints[first].date:
            text = f"{timepoint.id} of {reading.subject} on {timepoint.date} lies before baseline"
            table.fault(1, "before_baseline", f"{text} on {timepoints[first].date}")
    ordered = sorted(timepoints.values(), key=lambda t: (t.id != first, t.date))
    numbered = {t.id: replace(t, order=order) for order, t in enumerate(ordered)}
    tracks = tuple(_renumbered(track, numbered) for track in reading.tracks)
    return replace(reading, tracks=tracks, timepoints=tuple(numbered.values()))


def _renumbered(track: Track, numbered: Mapping[str, Timepoint]) -> Track:
    seen = tuple(replace(o, timepoint=numbered[o.timepoint.id]) for o in track.observations)
    return Track(track.lesion, seen)
