"""Which planned visits of which subjects should have come by today, and which are late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.reading import CaseKind, Stage
from trialimg.ledger.sealed import Redacted
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_file import CASE, READ, protocol_in_force
from trialimg.services.records import Place, RecordVersion
from trialimg.services.response import schedule
from trialimg.services.visits import Schedule, study_day

__all__ = ["ExpectedVisits", "VisitCounts", "expected_visits", "visit_counts", "visits_due_now"]


@dataclass(frozen=True)
class ExpectedVisits:
    """The visits of one subject that are to come or should be there."""

    subject: str
    case: str
    """Code of the case."""
    due: tuple[str, ...]
    """Their window is open, and nothing was received."""
    overdue: tuple[str, ...]
    """Their window has closed, and nothing was received."""
    next_on: dt.date | None
    """Last day of the earliest of them, the overdue ones included; None where none is."""


@dataclass(frozen=True)
class VisitCounts:
    """The visits of a trial."""

    received: int
    due: int
    overdue: int
    unknown: int
    """Subjects of whom nobody said when day 1 was: of their visits nothing can be told."""


def visits_due_now(records: Records, actor: Actor, trial: str) -> tuple[tuple[ExpectedVisits, ...], VisitCounts]:
    """What should have come by today of every subject, in order of case, and the counts of the trial.

    Raises
    ------
    AccessError
        If the actor may not see the trial as a whole.
    """
    today = dt.datetime.fromisoformat(records.now()).date()
    with records.look(actor, Action.VIEW_COHORT, trial=trial) as transaction:
        return visit_counts(transaction, trial, today)


def visit_counts(
    transaction: Transaction, trial: str, today: dt.date, cases: Iterable[RecordVersion] | None = None
) -> tuple[tuple[ExpectedVisits, ...], VisitCounts]:
    """The same, within a look at the records.

    Parameters
    ----------
    cases
        Every case of the trial, where they were found already; None: they are looked up.
    """
    planned = schedule(protocol_in_force(transaction, trial))
    found, received, unknown = [], 0, 0
    for case in transaction.find(CASE, Place(trial)) if cases is None else cases:
        if isinstance(case.content, Redacted) or case.body["kind"] != CaseKind.EFFICACY.value:
            continue
        received += len(case.body["timepoints"])
        if not case.body["reference_date"]:
            unknown += 1
        elif (last := _last_day(transaction, case, today)) is not None:
            found.append(expected_visits(case.body, planned, today, last))
    due, overdue = (sum(len(getattr(one, name)) for one in found) for name in ("due", "overdue"))
    return tuple(found), VisitCounts(received, due, overdue, unknown)


def expected_visits(
    case: Mapping[str, Any], planned: Schedule, today: dt.date, last: dt.date | None = None
) -> ExpectedVisits:
    """The planned visits of one case that should have come by a day.

    Parameters
    ----------
    case
        Body of the case record; it names the reference date.
    last
        Day after which no visit is expected any more, such as that of a progression; None: `today`.
    """
    reference = dt.date.fromisoformat(case["reference_date"])
    day, final_day = (study_day(one, reference) for one in (today, min(last or today, today)))
    there = {one["id"] for one in case["timepoints"]}
    visits = [one for one in (planned.baseline, *planned.followups) if one.id not in there]
    wanted = [one for one in visits if one.first_day <= min(day, final_day)]
    due = tuple(one.id for one in wanted if day <= one.last_day)
    overdue = tuple(one.id for one in wanted if day > one.last_day)
    ends = [_date(one.last_day, reference) for one in wanted]
    return ExpectedVisits(case["subject"], case["code"], due, overdue, min(ends, default=None))


def _last_day(transaction: Transaction, case: RecordVersion, today: dt.date) -> dt.date | None:
    """Until when visits are expected: for ever, until the progression that the central read holds, or not at all."""
    if case.place.state == Stage.WITHDRAWN.value:
        return None
    result = case.body["result"]
    read = transaction.current(READ, result["read"]) if result else None
    if read is None or isinstance(read.content, Redacted):
        return today
    progressed = read.body["answer"]["compared"]["progression_date"]
    return dt.date.fromisoformat(progressed) if progressed else today


def _date(day: int, reference: dt.date) -> dt.date:
    """The date of a study day; there is no day 0."""
    return reference + dt.timedelta(days=day - 1 if day > 0 else day)
