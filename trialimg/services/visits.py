"""Which scan belongs to which visit of the schedule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.core.trial import Finding, Severity, Timepoint
from trialimg.endpoints.settings import PlannedVisit
from trialimg.services.images import SeriesRecord

__all__ = ["Schedule", "Visit", "match_visits", "study_day", "visit_on"]


@dataclass(frozen=True)
class Schedule:
    """The planned visits of a trial; a window takes in both of its ends."""

    baseline: PlannedVisit
    followups: tuple[PlannedVisit, ...]


@dataclass(frozen=True)
class Visit:
    """One assessment that took place."""

    timepoint: Timepoint
    day: int
    series: tuple[SeriesRecord, ...]


def study_day(day: dt.date, reference: dt.date) -> int:
    """Day 1 is the reference date, day -1 the day before; there is no day 0."""
    distance = (day - reference).days
    return distance + 1 if distance >= 0 else distance


def match_visits(
    series: Sequence[SeriesRecord], reference: dt.date, schedule: Schedule, subject: str
) -> tuple[tuple[Visit, ...], tuple[Finding, ...]]:
    """The visits of one subject, baseline first, then by date.

    A series outside of every window makes an unscheduled visit ``UNS-<date>`` of its own; a planned visit without
    images, and a series without a date, become findings.
    """
    groups: dict[str, list[SeriesRecord]] = {}
    findings: list[Finding] = []
    for record in series:
        if record.acquisition_date is None:
            findings.append(_finding("no_date", Severity.EXCLUDED, subject, f"series {record.series_uid} has no date"))
            continue
        groups.setdefault(visit_on(record.acquisition_date, reference, schedule), []).append(record)
    baseline = schedule.baseline.id
    ordered = sorted(groups, key=lambda name: (name != baseline, _dates(groups[name])[-1], name))
    visits: list[Visit] = []
    for name in ordered:
        dates = _dates(groups[name])
        order = 0 if name == baseline else 1 + len([v for v in visits if v.timepoint.order > 0])
        first = dates[0] if dates[0] != dates[-1] else None
        timepoint = Timepoint(name, order, dates[-1], first)
        visits.append(Visit(timepoint, study_day(dates[-1], reference), tuple(groups[name])))
        if name.startswith("UNS-"):
            message = f"day {visits[-1].day} lies in no window of the schedule; kept as an unscheduled visit"
            findings.append(_finding("off_schedule", Severity.WARNING, subject, message, name))
    findings += _missed(groups, visits, schedule, subject)
    return tuple(visits), tuple(findings)


def _missed(
    groups: dict[str, list[SeriesRecord]], visits: Sequence[Visit], schedule: Schedule, subject: str
) -> list[Finding]:
    """A planned visit with no images, where a later one has some."""
    last = max((visit.day for visit in visits), default=0)
    return [
        _finding(
            "missed_visit", Severity.WARNING, subject, f"no images for {planned.id} (day {planned.day})", planned.id
        )
        for planned in (schedule.baseline, *schedule.followups)
        if planned.id not in groups and planned.last_day < last
    ]


def visit_on(day: dt.date, reference: dt.date, schedule: Schedule) -> str:
    """Name of the visit that a day belongs to: the planned one whose window holds it, else ``UNS-<date>``."""
    number = study_day(day, reference)
    planned_visits = (schedule.baseline, *schedule.followups)
    inside = [planned for planned in planned_visits if planned.first_day <= number <= planned.last_day]
    if not inside:
        return f"UNS-{day.isoformat()}"
    return min(inside, key=lambda planned: abs(planned.day - number)).id


def _dates(series: Sequence[SeriesRecord]) -> list[dt.date]:
    return sorted(record.acquisition_date for record in series if record.acquisition_date is not None)


def _finding(code: str, severity: Severity, subject: str, message: str, timepoint: str = "") -> Finding:
    where = " ".join(part for part in (subject, timepoint) if part)
    return Finding(code, severity, where, message, subject, timepoint)
