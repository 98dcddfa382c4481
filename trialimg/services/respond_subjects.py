"""Responses, subjects and schedules as tables, and the endpoints they come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from trialimg.core.errors import ReadingError
from trialimg.core.trial import Finding, Severity, Subject, Timepoint
from trialimg.endpoints.results import SubjectEndpoints, TimeToEvent
from trialimg.endpoints.settings import EndpointSettings, PlannedVisit
from trialimg.endpoints.summary import summarise_readings
from trialimg.endpoints.vocabulary import CRITERIA, VOCABULARIES, Vocabulary
from trialimg.endpoints.words import Reading
from trialimg.services.tables import Row, Table, read_table

__all__ = ["odd_dates", "read_responses", "read_schedule", "subject_rows", "summarise_subjects"]

_REFUSED = "{0}: {1} fault(s), nothing was judged"
Endpoints = tuple[tuple[Subject, SubjectEndpoints], ...]


def read_responses(
    text: str, source: str, subjects: Sequence[Subject] | None = None, *, criterion: str | None = None
) -> Mapping[str, tuple[Reading, ...]]:
    """Responses after baseline by subject, in the order of the file.

    Parameters
    ----------
    text, source
        A CSV with ``subject, date, response``, optionally ``timepoint`` and ``first_date``: the earliest image of the
        assessment, which dates a progression. All responses are the words of one criterion.
    subjects
        Whom the lines may speak of; None: anyone.
    criterion
        Whose words they are, a name of `trialimg.endpoints.vocabulary.CRITERIA`; None: of the family that knows most.

    Raises
    ------
    ReadingError
        With every fault of the table and its line.
    """
    table = read_table(text, source, required=("subject", "date", "response"), optional=("timepoint", "first_date"))
    known = None if subjects is None else {subject.id for subject in subjects}
    seen: dict[tuple[str, dt.date], int] = {}
    responses: dict[str, list[Reading]] = {}
    vocabulary = CRITERIA[criterion].vocabulary if criterion is not None else _family(table)
    for row in table.rows:
        subject = row.text("subject", required=True)
        response, day = _response(row, vocabulary), row.day("date", required=True)
        first = row.day("first_date") or day
        if known is not None and subject and subject not in known:
            table.fault(row.line, "unknown_subject", f"subject {subject!r} is not among the subjects")
        if response is None or day is None or first is None:
            continue
        _check_dates(row, seen, subject, day, first)
        responses.setdefault(subject, []).append(Reading(response, day, first))
    _refuse(table)
    return {subject: tuple(own) for subject, own in responses.items()}


def _family(table: Table) -> Vocabulary:
    """Whose words the responses are: the family that knows most of them, RECIST where several do."""
    given = [row.text("response") for row in table.rows]
    return max(VOCABULARIES, key=lambda vocabulary: sum(word in vocabulary.known for word in given))


def _response(row: Row, vocabulary: Vocabulary) -> Enum | None:
    word = row.text("response", required=True)
    if not word:
        return None
    if word not in vocabulary.known:
        allowed = ", ".join(str(m.value) for m in vocabulary.words if m.value in vocabulary.known)
        row.table.fault(row.line, "bad_value", f"response {word!r} is not one of {allowed}")
        return None
    return vocabulary.words(word)


def _check_dates(row: Row, seen: dict[tuple[str, dt.date], int], subject: str, day: dt.date, first: dt.date) -> None:
    line = seen.setdefault((subject, day), row.line)
    if line != row.line:
        row.table.fault(row.line, "double_row", f"subject {subject} has a response on {day} already in line {line}")
    if first > day:
        row.table.fault(row.line, "bad_value", f"first_date {first} lies after date {day}")


def read_schedule(text: str, source: str) -> tuple[PlannedVisit, ...]:
    """The planned assessments after baseline.

    Parameters
    ----------
    text, source
        A CSV with ``visit, day`` (study day, the reference date is day 1) and optionally ``first_day, last_day``. A
        window that is not given reaches half way to the neighbouring visits.

    Raises
    ------
    ReadingError
        With every fault of the table and its line.
    """
    table = read_table(text, source, required=("visit", "day"), optional=("first_day", "last_day"))
    planned = [(row, row.text("visit", required=True), _day(row, "day")) for row in table.rows]
    days = [day for _, _, day in planned if day is not None]
    if days != sorted(set(days)) or any(day < 1 for day in days):
        table.fault(1, "bad_schedule", "visits must stand in order of time, each on a day of its own from day 1 on")
    _refuse(table)
    visits: list[PlannedVisit] = []
    for number, (row, name, day) in enumerate(planned):
        if day is None:
            row.table.fault(row.line, "blank", "day is blank")
            continue
        first, last = _half_way(days, number)
        first_day, last_day = _day(row, "first_day"), _day(row, "last_day")
        first_day, last_day = first if first_day is None else first_day, last if last_day is None else last_day
        if first_day <= day <= last_day:
            visits.append(PlannedVisit(name, day, first_day, last_day))
        else:
            row.table.fault(row.line, "bad_schedule", f"day {day} lies outside of {first_day} to {last_day}")
    _refuse(table)
    return tuple(visits)


def _half_way(days: Sequence[int], number: int) -> tuple[int, int]:
    """First and last day of a visit's share of the time between its neighbours; no day belongs to two of them."""
    before = days[number - 1] if number else 1
    first = (before + days[number]) // 2 + 1
    if number + 1 < len(days):
        return first, (days[number] + days[number + 1]) // 2
    return first, days[number] + (days[number] - before) // 2


def _day(row: Row, column: str) -> int | None:
    text = row.text(column)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        row.table.fault(row.line, "bad_value", f"{column} {text!r} is not a whole number of days")
        return None


def odd_dates(responses: Mapping[str, Sequence[Reading]], subjects: Sequence[Subject]) -> Iterator[Finding]:
    """Responses before the reference date, where times are counted from, and after death."""
    for subject in subjects:
        start, death = subject.reference_date, subject.death_date
        for reading in responses.get(subject.id, ()):
            if start is not None and reading.date < start:
                text = f"{reading.response.value} on {reading.date} lies before the reference date {start}"
                yield Finding("before_reference", Severity.WARNING, subject.id, text, subject.id)
            if death is not None and reading.date > death:
                text = f"{reading.response.value} on {reading.date} lies after the death on {death}"
                yield Finding("after_death", Severity.WARNING, subject.id, text, subject.id)


def summarise_subjects(
    responses: Mapping[str, Sequence[Reading]], subjects: Sequence[Subject] | None, settings: EndpointSettings
) -> Endpoints:
    """Every subject's endpoints, in the order of ``subjects``, or of the responses where there are none.

    A table of responses says nothing of baseline, so one is taken as given.
    """
    everyone = subjects if subjects is not None else [Subject(name) for name in responses]
    return tuple((subject, _endpoints(subject, responses.get(subject.id, ()), settings)) for subject in everyone)


def _endpoints(subject: Subject, readings: Sequence[Reading], settings: EndpointSettings) -> SubjectEndpoints:
    start = subject.reference_date
    baseline = Timepoint("BL", 0, start) if start is not None else None
    return summarise_readings(subject, readings, baseline=baseline, settings=settings)


def subject_rows(endpoints: Endpoints) -> list[dict[str, Any]]:
    """One line per subject; a date or a time that does not apply is left blank."""
    own = next((found.own_best for _, found in endpoints if found.own_best is not None), None)
    if own is None:
        return [_subject_row(subject, found) for subject, found in endpoints]
    name = "ibor" if own.rule.rule == "E/iBOR" else "own_bor"
    return [{**_subject_row(subject, found), **_own(name, found)} for subject, found in endpoints]


def _own(name: str, found: SubjectEndpoints) -> dict[str, Any]:
    """Best response in the criterion's own words."""
    best = found.own_best
    return {name: best.response.value if best else None, f"{name}_date": best.date if best else None}


def _subject_row(subject: Subject, found: SubjectEndpoints) -> dict[str, Any]:
    return {
        "subject": subject.id,
        "bor": found.best.response.value,
        "bor_date": found.best.date,
        "confirmed_bor": found.confirmed.response.value,
        "confirmed_bor_date": found.confirmed.date,
        "response_date": found.response_date,
        "confirmed_response_date": found.confirmed_response_date,
        "progression_date": found.progression_date,
        "responder": found.responder,
        "disease_control": found.disease_control,
        "disease_control_date": found.disease_control_date,
        "clinical_benefit": found.clinical_benefit,
        **_time("pfs", found.progression_free_survival),
        **_time("ttp", found.time_to_progression),
        **_time("ttr", found.time_to_response),
        **_time("dor", found.duration_of_response),
        "bor_rule": found.best.rule.sentence,
        "confirmed_bor_rule": found.confirmed.rule.sentence,
    }


def _time(name: str, time: TimeToEvent | None) -> dict[str, Any]:
    if time is None:
        return {f"{name}_days": None, f"{name}_event": None, f"{name}_date": None, f"{name}_rule": None}
    return {
        f"{name}_days": time.days,
        f"{name}_event": time.event,
        f"{name}_date": time.date,
        f"{name}_rule": f"{time.rule.rule}: {time.rule.sentence}",
    }


def _refuse(table: Table) -> None:
    if not table.rows and not table.faults:
        table.fault(1, "empty", "the table has no rows")
    if table.faults:
        raise ReadingError(_REFUSED.format(table.source, len(table.faults)), tuple(table.faults))
