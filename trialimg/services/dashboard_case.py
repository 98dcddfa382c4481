"""One case as those who lead the trial see it: who reads it, what they came to, what the ledger says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.reading import Stage
from trialimg.services.journal import Records
from trialimg.services.lesion_warnings import Warned, warnings_of
from trialimg.services.ports import Transaction
from trialimg.services.reading_file import ASSIGNMENT, CASE, VERDICT, CaseFile, case_id, load_case
from trialimg.services.records import EntryQuery

__all__ = ["CasePage", "CaseRead", "CaseStep", "case_page"]


@dataclass(frozen=True)
class CaseRead:
    """Who sits in a seat and how far they are."""

    seat: str
    repeat: bool
    reader: str
    number: int
    state: str
    locked: tuple[str, ...]
    """Visits that are locked."""


@dataclass(frozen=True)
class CaseStep:
    """One entry of the ledger that concerns the case."""

    sequence: int
    at: str
    who: str
    action: str
    record: str


@dataclass(frozen=True)
class CasePage:
    """Everything that the page of a case shows."""

    code: str
    subject: str
    kind: str
    state: str
    visits: tuple[tuple[str, str], ...]
    """Name and date, baseline first."""
    reads: tuple[CaseRead, ...]
    result: Mapping[str, Any] | None
    """Which read holds and by what; None while the case is not final, or consent was withdrawn."""
    answer: Mapping[str, Any] | None
    """What that read says."""
    verdicts: tuple[Mapping[str, Any], ...]
    warnings: tuple[Warned, ...]
    """That a lesion was measured elsewhere than expected, in the reads that are signed."""
    history: tuple[CaseStep, ...]


def case_page(records: Records, actor: Actor, trial: str, code: str) -> CasePage:
    """A case with its reads, its result where it has one, and its history.

    Raises
    ------
    AccessError
        If the actor may not see who reads.
    ReadingError
        If there is no such case.
    """
    with records.look(actor, Action.VIEW_READERS, trial=trial) as transaction:
        file = load_case(transaction, case_id(trial, code))
        body = file.body
        result = body["result"] if file.review.stage is Stage.FINAL else None
        read = next((one for one in file.reads.values() if result and one.id == result["read"]), None)
        return CasePage(
            body["code"],
            body["subject"],
            body["kind"],
            file.record.place.state,
            tuple((one["id"], one["date"]) for one in body["timepoints"]),
            tuple(_reads(file)),
            result,
            read.body["answer"] if read is not None else None,
            tuple(one.body for one in file.verdicts) if result else (),
            tuple(warnings_of(transaction, file)),
            tuple(_history(transaction, file)),
        )


def _reads(file: CaseFile) -> Iterator[CaseRead]:
    for key, one in sorted(file.assignments.items()):
        locked = tuple(file.reads[key].body["locked"]) if key in file.reads else ()
        said = one.body
        yield CaseRead(said["seat"], said["repeat"], said["reader"], said["number"], one.place.state, locked)


def _history(transaction: Transaction, file: CaseFile) -> Iterator[CaseStep]:
    names = {(CASE, file.id), *((ASSIGNMENT, key) for key in file.assignments)}
    names |= {("read", read.id) for read in file.reads.values()} | {(VERDICT, one.id) for one in file.verdicts}
    found = {
        entry.sequence: entry
        for kind, key in names
        for entry in transaction.entries(EntryQuery(trial=file.trial, object_kind=kind, object_id=key))
    }
    for sequence, entry in sorted(found.items()):
        yield CaseStep(sequence, entry.at, entry.who, entry.action, f"{entry.object_kind} {entry.object_id}")
