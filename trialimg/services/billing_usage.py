"""What a trial's ledger says that can be charged, and the records of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from trialimg.billing.usage import STEPS, Step, Usage, usage_of
from trialimg.core.digest import canonical_json, plain
from trialimg.core.errors import BillingError
from trialimg.ledger.entry import Entry
from trialimg.ledger.sealed import Redacted
from trialimg.services.journal import Journal
from trialimg.services.ports import Transaction
from trialimg.services.records import EntryQuery, Place, RecordVersion
from trialimg.services.signatures import signature_of

__all__ = ["USAGE", "record_usage", "trial_usage"]

USAGE = "usage"
"""Kind of a record: one thing that was done; its id is the key of `Usage`. It is written once."""

_CASE = "case"
_SIGNED = ("read", "verdict")


def trial_usage(transaction: Transaction, trial: str) -> tuple[Usage, ...]:
    """Everything of a trial that can be charged: what is recorded, and what the ledger has had since.

    Raises
    ------
    BillingError
        If an entry says that something was signed, and no signature is under it.
    """
    recorded = {found.id: _usage(found) for found in transaction.find(USAGE, Place(trial=trial))}
    since = 1 + max((usage.entry for usage in recorded.values()), default=-1)
    derived = usage_of(_steps(transaction, trial, since))
    return (*recorded.values(), *(usage for usage in derived if usage.key not in recorded))


def record_usage(journal: Journal, trial: str) -> tuple[Usage, ...]:
    """Keep what the ledger has had since the last time; all usage of the trial. Doing it twice is doing it once."""
    everything = trial_usage(journal.transaction, trial)
    for usage in everything:
        if journal.transaction.current(USAGE, usage.key) is None:
            place = Place(trial=trial, case=usage.case, state="rated")
            body = {**plain(usage), "quantity": 1}
            journal.write(USAGE, usage.key, body, action="record_usage", place=place)
    return everything


def _usage(version: RecordVersion) -> Usage:
    return _adapter().validate_json(canonical_json(version.body))


@cache
def _adapter() -> TypeAdapter[Usage]:
    return TypeAdapter(Usage)


def _steps(transaction: Transaction, trial: str, since: int) -> Iterator[Step]:
    """Every step of the cases that the ledger has had steps of since: a case's earlier steps say what a later costs."""
    cases: dict[str, dict[str, Any]] = {}
    for kind, action in sorted(STEPS):
        fresh = transaction.entries(EntryQuery(trial=trial, action=action, object_kind=kind, start=since))
        for entry in fresh:
            if entry.makes_version:
                cases.setdefault(_case_of(entry), {})
    for case, said in cases.items():
        found = transaction.current(_CASE, case)
        said.update(_said(found) if found else {})
        for entry in _entries_of(transaction, trial, case):
            yield _step(transaction, entry, said)


def _entries_of(transaction: Transaction, trial: str, case: str) -> Iterator[Entry]:
    """The entries of `STEPS` that a case has."""
    names = [(_CASE, case), *((kind, one.id) for kind in _SIGNED for one in transaction.find(kind, Place(case=case)))]
    for kind, key in names:
        for entry in transaction.entries(EntryQuery(trial=trial, object_kind=kind, object_id=key)):
            if entry.makes_version and (kind, entry.action) in STEPS:
                yield entry


def _case_of(entry: Entry) -> str:
    return "/".join(entry.object_id.split("/")[:2])


def _step(transaction: Transaction, entry: Entry, case: dict[str, Any]) -> Step:
    version = transaction.versions(entry.object_kind, entry.object_id)[entry.object_version - 1]
    if entry.object_kind in _SIGNED and signature_of(transaction, version) is None:
        message = f"entry {entry.sequence} says that {entry.object_kind} {entry.object_id} was signed"
        raise BillingError(f"{message}, but no signature is under it; have the records verified")
    return Step(entry.sequence, entry.at, entry.action, entry.who, entry.object_id, _said(version), case)


def _said(version: RecordVersion) -> dict[str, Any]:
    """What the record says; nothing where it was redacted."""
    return {} if isinstance(version.content, Redacted) else dict(version.body)
