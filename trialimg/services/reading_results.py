"""What the review has come to: each person's worklist, the state of every case, the answer of a final one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from typing import Any

from trialimg.core.access import Action, Actor, Role
from trialimg.core.errors import ReadingError
from trialimg.core.reading import CaseKind, ReadStage, Seat, Stage
from trialimg.review.design import Resolution
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_due import due_at, due_first
from trialimg.services.reading_file import ASSIGNMENT, CASE, VERDICT, CaseFile, case_id, load_case, protocol_under
from trialimg.services.records import EntryQuery, Place, RecordVersion
from trialimg.services.trials import PROTOCOL

__all__ = ["case_result", "final_results", "review_status", "worklist"]

_ACTION = {Role.ADJUDICATOR: Action.ADJUDICATE}
_SECONDS_OF_DAY = 86400


def worklist(records: Records, actor: Actor, trial: str, *, limit: int | None = None) -> list[dict[str, Any]]:
    """What somebody has still to read or to settle, overdue and due first; nothing of anybody else or of later visits.

    What is due on one day, or on none, stands in the order that was drawn for its reader.

    Parameters
    ----------
    limit
        How many rows are wanted; None for all.

    Raises
    ------
    AccessError
        If this person reads nothing in the trial.
    """
    now = dt.datetime.fromisoformat(records.now())
    with records.look(actor, _ACTION.get(actor.role, Action.READ), trial=trial) as transaction:
        places = [Place(trial=trial, person=actor.user, state=state) for state in _states_due(transaction, trial)]
        own = [one for at in places for one in transaction.find(ASSIGNMENT, at) if _concerns(one, actor)]
        due = (_row(transaction, assignment, now) for assignment in due_first(transaction, trial, own, now))
        return list(islice((row for row in due if row is not None), limit))


def _concerns(assignment: RecordVersion, actor: Actor) -> bool:
    is_adjudication = assignment.body["seat"] == Seat.ADJUDICATOR.value
    return is_adjudication is (actor.role is Role.ADJUDICATOR)


def _states_due(transaction: Transaction, trial: str) -> tuple[str, ...]:
    """States of assignments in which something may be due; a signed read is done, but for a consensus about it."""
    open_ones = ("assigned", "in_progress", "locked")
    digests = {version.body["digest"] for version in transaction.versions(PROTOCOL, trial)}
    designs = (protocol_under(transaction, trial, digest).reading for digest in digests)
    is_consensus = any(design.resolution is Resolution.CONSENSUS for design in designs)
    return (*open_ones, "signed") if is_consensus else open_ones


def _row(transaction: Transaction, assignment: RecordVersion, now: dt.datetime) -> dict[str, Any] | None:
    is_reading = assignment.body["seat"] != Seat.ADJUDICATOR.value
    if assignment.place.state == "signed" and not (is_reading and assignment.body["by_consensus"]):
        return None
    file = load_case(transaction, assignment.place.case)
    if file.review.is_withdrawn:
        return None
    waiting = (now - dt.datetime.fromisoformat(assignment.body["since"])).total_seconds()
    due = due_at(transaction, assignment, file.protocol.oversight.reading_days)
    row = {
        "alias": assignment.body["alias"],
        "order": assignment.body["order"],
        "visit": "",
        "type": "adjudication",
        "state": assignment.place.state,
        "days_in_state": str(round(waiting / _SECONDS_OF_DAY, 1)),
        "due_on": due.date().isoformat() if due else "",
        "is_overdue": due is not None and now > due,
    }
    if not is_reading:
        return row if file.review.stage is Stage.ADJUDICATION else None
    if _must_agree(file, assignment):
        return {**row, "type": "consensus"}
    read = next(r for r in file.of_seat(assignment).reads.values() if r.reader.id == assignment.body["reader"])
    if read.stage is ReadStage.SIGNED and not read.reopened_from:
        return None
    next_steps = [step for step in read.visible if step not in read.locked]
    return {
        **row,
        "visit": next_steps[0] if next_steps else "",
        "type": _type(file, read.number, bool(read.reopened_from)),
        "state": "reopened" if read.reopened_from else assignment.place.state,
    }


def _must_agree(file: CaseFile, assignment: RecordVersion) -> bool:
    is_consensus = file.protocol.reading.resolution is Resolution.CONSENSUS and not assignment.body["repeat"]
    return is_consensus and file.review.stage is Stage.ADJUDICATION


def _type(file: CaseFile, number: int, is_reopened: bool) -> str:
    if number > 1 or is_reopened:
        return "re-read"
    kind = CaseKind(file.body["kind"])
    return "read" if kind is CaseKind.EFFICACY else kind.value


def review_status(records: Records, actor: Actor, trial: str) -> list[dict[str, Any]]:
    """Every case with who reads it and how far they are; for those who lead the trial, never for readers.

    Raises
    ------
    AccessError
        If this person may not see who reads.
    """
    with records.look(actor, Action.VIEW_READERS, trial=trial) as transaction:
        return [_status(load_case(transaction, one.id)) for one in transaction.find(CASE, Place(trial=trial))]


def _status(file: CaseFile) -> dict[str, Any]:
    return {
        "case": file.body["code"],
        "subject": file.body["subject"],
        "kind": file.body["kind"],
        "state": file.record.place.state,
        "reads": [
            {
                "seat": one.body["seat"],
                "repeat": one.body["repeat"],
                "reader": one.body["reader"],
                "alias": one.body["alias"],
                "order": one.body["order"],
                "number": one.body["number"],
                "state": one.place.state,
                "locked": list(file.reads[key].body["locked"]) if key in file.reads else [],
            }
            for key, one in sorted(file.assignments.items())
        ],
        "reopened": dict(file.body["reopened"]),
        "result": file.body["result"],
    }


def case_result(records: Records, actor: Actor, trial: str, code: str) -> dict[str, Any]:
    """The answer of a final case: which read it is, which verdict chose it, and every ledger entry behind it.

    Raises
    ------
    ReadingError
        If the case is not final, or consent was withdrawn: then no value is given out.
    """
    with records.look(actor, _seeing(actor), trial=trial) as transaction:
        file = load_case(transaction, case_id(trial, code))
        if file.review.stage is not Stage.FINAL or file.body["result"] is None:
            raise ReadingError(f"{code} is {file.review.stage.value}, so it has no result that may be given out")
        return _result(transaction, file)


def final_results(records: Records, actor: Actor, trial: str) -> list[dict[str, Any]]:
    """The answers of all final cases of a trial, in order of their codes; those withdrawn are left out."""
    with records.look(actor, _seeing(actor), trial=trial) as transaction:
        final = transaction.find(CASE, Place(trial=trial, state=Stage.FINAL.value))
        return [_result(transaction, load_case(transaction, one.id)) for one in final]


def _seeing(actor: Actor) -> Action:
    return Action.VIEW_REPORTS if actor.role is Role.SPONSOR else Action.VIEW_COHORT


def _result(transaction: Transaction, file: CaseFile) -> dict[str, Any]:
    result = file.body["result"]
    read = next(one for one in file.reads.values() if one.id == result["read"])
    verdicts = [
        {
            "id": one.id,
            "version": one.version,
            "digest": one.digest,
            "chosen": one.body["chosen"],
            "because": dict(one.body["because"]),
            "entry": one.entry,
        }
        for one in file.verdicts
    ]
    return {
        "case": file.body["code"],
        "subject": file.body["subject"],
        "kind": file.body["kind"],
        "answer": read.body["answer"],
        "timepoints": read.body["timepoints"],
        "read": {"id": read.id, "version": read.version, "digest": read.digest, "seat": result["seat"]},
        "by": result["by"],
        "discordant": result["discordant"],
        "verdicts": verdicts,
        "protocol_digest": file.body["protocol_digest"],
        "entries": list(_entries(transaction, file)),
    }


def _entries(transaction: Transaction, file: CaseFile) -> Iterator[dict[str, Any]]:
    """What the ledger says of the case, its assignments, reads and verdicts, in its sequence."""
    names = {(CASE, file.id), *((ASSIGNMENT, key) for key in file.assignments)}
    names |= {("read", read.id) for read in file.reads.values()} | {(VERDICT, one.id) for one in file.verdicts}
    found = [
        entry
        for kind, key in names
        for entry in transaction.entries(EntryQuery(trial=file.trial, object_kind=kind, object_id=key))
    ]
    for entry in sorted(found, key=lambda one: one.sequence):
        yield {"sequence": entry.sequence, "at": entry.at, "action": entry.action, "record": entry.object_id}
