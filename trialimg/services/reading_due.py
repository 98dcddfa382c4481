"""By when reads and adjudications should be signed, and what of somebody's work comes first because of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from trialimg.services.ports import Transaction
from trialimg.services.reading_file import ASSIGNMENT, CASE, protocol_under
from trialimg.services.records import RecordVersion
from trialimg.services.trials import PROTOCOL

__all__ = ["due_at", "due_first"]

_NEVER = dt.date.max


def due_at(transaction: Transaction, assignment: RecordVersion, days: int | None) -> dt.datetime | None:
    """When a read that was given out, or given back for a correction, should be signed; None where nothing says so."""
    if days is None:
        return None
    given = [assignment]
    if assignment.place.state != "assigned":
        versions = transaction.versions(ASSIGNMENT, assignment.id)
        given = [one for one in versions if one.place.state == "assigned"] or given
    return dt.datetime.fromisoformat(given[-1].body["since"]) + dt.timedelta(days=days)


def due_first(
    transaction: Transaction, trial: str, own: Iterable[RecordVersion], now: dt.datetime
) -> list[RecordVersion]:
    """Somebody's assignments: the overdue ones, then by the day on which they are due, then in the charter's order.

    What is due on one day keeps the order that was drawn for its reader; so does all that is due on no day.
    """
    days = _reading_days(transaction, trial)

    def place(assignment: RecordVersion) -> tuple[bool, dt.date, int]:
        due = due_at(transaction, assignment, _days_of(transaction, assignment, days))
        is_overdue = due is not None and now > due
        return not is_overdue, due.date() if due else _NEVER, int(assignment.body["order"])

    return sorted(own, key=place)


def _reading_days(transaction: Transaction, trial: str) -> Mapping[str, int | None]:
    """Digest of each version of the protocol to the days that it gives a reader."""
    digests = {version.body["digest"] for version in transaction.versions(PROTOCOL, trial)}
    return {digest: protocol_under(transaction, trial, digest).oversight.reading_days for digest in digests}


def _days_of(transaction: Transaction, assignment: RecordVersion, days: Mapping[str, int | None]) -> int | None:
    """What an assignment's case gives its reader; the case is asked only where the versions differ."""
    if len(different := set(days.values())) <= 1:
        return next(iter(different), None)
    case = transaction.current(CASE, assignment.place.case)
    return days.get(case.body["protocol_digest"]) if case is not None else None
