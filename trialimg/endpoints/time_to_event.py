"""Progression-free survival, time to response and duration of response, with the reason of every event and censoring.

References
----------
FDA. Clinical trial endpoints for the approval of cancer drugs and biologics, guidance for industry, 2018.
EMA. Methodological consideration for using progression-free survival or disease-free survival, 2012.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trialimg.core.responses import Firing
from trialimg.core.trial import Subject, Timepoint
from trialimg.endpoints.results import TimeToEvent
from trialimg.endpoints.sequence import DatedResponse, first_progression
from trialimg.endpoints.settings import Censoring, EndpointSettings, PlannedVisit

__all__ = ["duration_of_response", "progression_free_survival", "time_to_progression", "time_to_response"]


@dataclass(frozen=True)
class _Event:
    date: dt.date
    what: str


def progression_free_survival(
    subject: Subject,
    responses: Sequence[DatedResponse],
    *,
    baseline: Timepoint | None,
    settings: EndpointSettings,
) -> TimeToEvent | None:
    """Days from the reference date to the first progression or death; None without a reference date.

    Parameters
    ----------
    responses
        Everything known up to the cut-off, in order of date; also what lies after a new therapy.
    baseline
        None where there is no usable baseline; under FDA rules that censors on day 1.
    """
    start = subject.reference_date
    if start is None:
        return None
    event = _first_event(subject, responses, settings)
    before = [r.date for r in responses if r.evaluated and (event is None or r.progression_date < event.date)]
    if settings.censoring is Censoring.FDA:
        censored = _fda_censoring(subject, before, event, baseline=baseline, settings=settings)
        if censored is not None:
            return censored
    if event is not None:
        return _outcome(start, event.date, True, "PFS-E", event.what)
    if not any(date >= start for date in before):
        return _outcome(start, start, False, "PFS-C2", "no evaluable assessment after baseline and no event")
    return _censored(start, before, "PFS-C0", "no event")


def time_to_progression(
    subject: Subject,
    responses: Sequence[DatedResponse],
    *,
    baseline: Timepoint | None,
    settings: EndpointSettings,
) -> TimeToEvent | None:
    """Days from the reference date to the first progression; a death without one is censored, as no event.

    Parameters as for `progression_free_survival`, whose rules censor it too.
    """
    alive = replace(subject, death_date=None)
    found = progression_free_survival(alive, responses, baseline=baseline, settings=settings)
    if found is None:
        return None
    return replace(found, rule=replace(found.rule, rule=found.rule.rule.replace("E/PFS-", "E/TTP-", 1)))


def time_to_response(subject: Subject, response_date: dt.date | None) -> TimeToEvent | None:
    """Days from the reference date to the first response; None for a non-responder."""
    if subject.reference_date is None or response_date is None:
        return None
    return _outcome(subject.reference_date, response_date, True, "TTR", "first response")


def duration_of_response(response_date: dt.date | None, progression_free: TimeToEvent | None) -> TimeToEvent | None:
    """Days from the first response to progression or death, censored as PFS is; None for a non-responder."""
    if response_date is None or progression_free is None or progression_free.date < response_date:
        return None
    why = f"end of progression-free survival ({progression_free.rule.rule})"
    return _outcome(response_date, progression_free.date, progression_free.event, "DOR", why)


def _first_event(subject: Subject, responses: Sequence[DatedResponse], settings: EndpointSettings) -> _Event | None:
    events: list[_Event] = []
    progression = first_progression(responses)
    if progression is not None:
        events.append(_Event(progression.progression_date, progression.note or "progression"))
    death = _known(subject.death_date, settings)
    if death is not None:
        events.append(_Event(death, "death"))
    return min(events, key=lambda event: event.date, default=None)


def _known(day: dt.date | None, settings: EndpointSettings) -> dt.date | None:
    """The date, unless it lies after the data cut-off."""
    cutoff = settings.cutoff_date
    return day if day is None or cutoff is None or day <= cutoff else None


def _fda_censoring(
    subject: Subject,
    before: Sequence[dt.date],
    event: _Event | None,
    *,
    baseline: Timepoint | None,
    settings: EndpointSettings,
) -> TimeToEvent | None:
    """The first FDA reason to censor; None if there is none. ``before`` are the adequate assessments."""
    start = subject.reference_date
    if start is None:
        return None
    if baseline is None:
        return _outcome(start, start, False, "PFS-C1", "no baseline")
    therapy = _known(subject.new_therapy_date, settings)
    if therapy is not None and (event is None or therapy < event.date):
        up_to_therapy = [day for day in before if day <= therapy]
        why = f"new therapy on {therapy}"
        return _censored(start, up_to_therapy, "PFS-C3", why)
    if event is None:
        return None
    missed = _missed_before(start, before, event.date, settings.schedule)
    if settings.missed_visits and len(missed) >= settings.missed_visits:
        why = f"{event.what} on {event.date} after {len(missed)} missed assessments ({', '.join(missed)})"
        return _censored(start, before, "PFS-C4", why)
    return None


def _missed_before(
    start: dt.date, adequate: Sequence[dt.date], event_date: dt.date, schedule: Sequence[PlannedVisit]
) -> list[str]:
    """Planned assessments between the last adequate one and the event that nobody attended."""
    attended = [(day - start).days + 1 for day in adequate]
    last_day = max(attended, default=1)
    event_day = (event_date - start).days + 1
    return [
        visit.id
        for visit in schedule
        if visit.day > last_day
        and visit.last_day < event_day
        and not any(visit.first_day <= day <= visit.last_day for day in attended)
    ]


def _censored(start: dt.date, adequate: Sequence[dt.date], rule: str, why: str) -> TimeToEvent:
    """Censored at the last adequate assessment, or on day 1 where there is none after the start."""
    last = max(adequate, default=None)
    if last is None or last < start:
        return _outcome(start, start, False, rule, f"{why}; no evaluable assessment before it")
    return _outcome(start, last, False, rule, f"{why}; last evaluable assessment")


def _outcome(start: dt.date, day: dt.date, event: bool, rule: str, why: str) -> TimeToEvent:
    days = (day - start).days + 1
    word = "event" if event else "censored"
    numbers = {"start": str(start), "date": str(day), "days": str(days)}
    return TimeToEvent(days, event, day, Firing(f"E/{rule}", f"{word} on day {days} ({day}): {why}", numbers))
