"""A trial's cases as a whole: how far each is, what waits, how often readers differ, how long it takes."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.reading import CaseKind, Seat, Stage
from trialimg.ledger.sealed import Redacted
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.queries_seen import open_by_subject
from trialimg.services.reading_due import due_at
from trialimg.services.reading_file import ASSIGNMENT, CASE, protocol_in_force
from trialimg.services.records import EntryQuery, Place, RecordVersion
from trialimg.services.visits_due import ExpectedVisits, VisitCounts, visit_counts

__all__ = ["PUBLISHED_ADJUDICATION_PCT", "CaseLine", "Cohort", "cohort_of"]

PUBLISHED_ADJUDICATION_PCT = 42
"""Share of 23,476 cases of 79 trials that were adjudicated, in percent."""

_SECONDS_OF_DAY = 86400
_READING = (Seat.FIRST.value, Seat.SECOND.value)


@dataclass(frozen=True)
class CaseLine:
    """One case, as those who lead the trial see it."""

    code: str
    subject: str
    kind: str
    state: str
    visits: int
    reads: Mapping[str, int]
    """State of an assignment to how many reads of the case are in it, repeats included."""
    is_read_twice: bool
    """Whether two people have signed their reads."""
    differs: tuple[str, ...] | None
    """In what the two reads differ; empty: in nothing; None while the answer is not there."""
    received_on: str
    days: float
    """From receipt to the final result, or to now while there is none."""
    open_queries: int = 0
    """Queries about the subject that wait."""
    due: tuple[str, ...] = ()
    """Visits whose window is open, and which have not come."""
    overdue: tuple[str, ...] = ()
    """Visits whose window has closed, and which have not come."""
    overdue_reads: int = 0
    """Reads and adjudications of the case that were not signed in time."""


@dataclass(frozen=True)
class Cohort:
    """Every case of a trial."""

    trial: str
    lines: tuple[CaseLine, ...]
    """In order of code; cases whose records were purged are left out."""
    expected: VisitCounts
    """Visits received, due and overdue."""

    @property
    def states(self) -> Counter[str]:
        """Stage to number of cases."""
        return Counter(line.state for line in self.lines)

    @property
    def reads(self) -> Counter[str]:
        """State of an assignment to number of reads."""
        counted: Counter[str] = Counter()
        for line in self.lines:
            counted.update(line.reads)
        return counted

    @property
    def adjudicated(self) -> tuple[int, int]:
        """Cases that went to an adjudicator, of the efficacy cases that two people have signed."""
        twice = [one for one in self.lines if one.is_read_twice and one.kind == CaseKind.EFFICACY.value]
        used = [one for one in twice if one.state != Stage.WITHDRAWN.value]
        return sum(1 for one in used if one.differs), len(used)

    @property
    def turnaround_days(self) -> tuple[float, int] | None:
        """Median of days from receipt to the final result, and of how many cases; None as long as none is final."""
        days = [one.days for one in self.lines if one.state == Stage.FINAL.value]
        return (median(days), len(days)) if days else None


def cohort_of(records: Records, actor: Actor, trial: str) -> Cohort:
    """Every case in one pass over the records.

    Raises
    ------
    AccessError
        If the actor may not see the trial as a whole.
    """
    now = dt.datetime.fromisoformat(records.now())
    with records.look(actor, Action.VIEW_COHORT, trial=trial) as transaction:
        seats = _seats(transaction, trial)
        ends = {entry.object_id: entry.at for entry in transaction.entries(_final(trial))}
        cases = tuple(transaction.find(CASE, Place(trial=trial)))
        lines = tuple(_lines(cases, seats, ends, now))
        expected, counts = visit_counts(transaction, trial, now.date(), cases)
        queries, late = open_by_subject(transaction, trial), _late_reads(transaction, trial, now)
        due = {one.case: one for one in expected}
    told = [_told(line, due.get(line.code), queries[line.subject], late[f"{trial}/{line.code}"]) for line in lines]
    return Cohort(trial, tuple(told), counts)


def _told(line: CaseLine, visits: ExpectedVisits | None, queries: int, late: int) -> CaseLine:
    """A line with what needs attention."""
    due, overdue = (visits.due, visits.overdue) if visits else ((), ())
    return replace(line, open_queries=queries, due=due, overdue=overdue, overdue_reads=late)


def _late_reads(transaction: Transaction, trial: str, now: dt.datetime) -> Counter[str]:
    """Case to the number of its reads that were not signed in time."""
    days = protocol_in_force(transaction, trial).oversight.reading_days
    late: Counter[str] = Counter()
    for state in ("assigned", "in_progress", "locked") if days is not None else ():
        for one in transaction.find(ASSIGNMENT, Place(trial=trial, state=state)):
            due = due_at(transaction, one, days)
            late[one.place.case] += due is not None and now > due
    return late


def _final(trial: str) -> EntryQuery:
    return EntryQuery(trial=trial, action="finalise_case", object_kind=CASE)


def _seats(transaction: Transaction, trial: str) -> Mapping[str, Mapping[str, str]]:
    """Case to seat, as the assignment's id has it behind the case, to state."""
    seats: dict[str, dict[str, str]] = defaultdict(dict)
    for one in transaction.find(ASSIGNMENT, Place(trial=trial)):
        seats[one.place.case][one.id.removeprefix(f"{one.place.case}/")] = one.place.state
    return seats


def _lines(
    cases: Iterable[RecordVersion],
    seats: Mapping[str, Mapping[str, str]],
    ends: Mapping[str, str],
    now: dt.datetime,
) -> Iterator[CaseLine]:
    for case in cases:
        if isinstance(case.content, Redacted):
            continue
        state, body = case.place.state, case.body
        own = seats.get(case.id, {})
        end = dt.datetime.fromisoformat(ends[case.id]) if state == Stage.FINAL.value and case.id in ends else now
        days = (end - dt.datetime.fromisoformat(body["received_at"])).total_seconds() / _SECONDS_OF_DAY
        yield CaseLine(
            code=body["code"],
            subject=body["subject"],
            kind=body["kind"],
            state=state,
            visits=len(body["timepoints"]),
            reads=Counter(at for seat, at in own.items() if at != "revoked" and seat != Seat.ADJUDICATOR.value),
            is_read_twice=all(own.get(seat) == "signed" for seat in _READING),
            differs=_differs(state, own, body),
            received_on=body["received_at"][:10],
            days=round(days, 1),
        )


def _differs(state: str, seats: Mapping[str, str], body: Mapping[str, Any]) -> tuple[str, ...] | None:
    if body["result"] is not None:
        return tuple(body["result"]["discordant"])
    waits = state == Stage.ADJUDICATION.value or seats.get(Seat.ADJUDICATOR.value, "revoked") != "revoked"
    return ("adjudication",) if waits else None
