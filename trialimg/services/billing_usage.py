"""What a trial's ledger says that can be charged, and the records of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from trialimg.billing.usage import STEPS, Step, Usage, usage_of
from trialimg.core.digest import plain
from trialimg.core.errors import BillingError
from trialimg.ledger.entry import Entry
from trialimg.ledger.sealed import Redacted
from trialimg.services.audit import version_made
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
    return _adapter().validate_json(json.dumps(version.body))


@cache
def _adapter() -> TypeAdapter[Usage]:
    return TypeAdapter(Usage)


def _steps(transaction: Transaction, trial: str, since: int) -> Iterator[Step]:
    """Every step of the cases that the ledger has had steps of since: a case's earlier steps say what a later costs."""
    steps: dict[str, list[Entry]] = defaultdict(list)
    for kind, action in sorted(STEPS):
        for entry in transaction.entries(EntryQuery(trial=trial, action=action, object_kind=kind)):
            if entry.makes_version:
                steps[_case_of(entry)].append(entry)
    for case, entries in steps.items():
        if any(entry.sequence >= since for entry in entries):
            found = transaction.current(_CASE, case)
            said = _said(found) if found else {}
            yield from (_step(transaction, entry, said) for entry in entries)


def _case_of(entry: Entry) -> str:
    return "/".join(entry.object_id.split("/")[:2])


def _step(transaction: Transaction, entry: Entry, case: dict[str, Any]) -> Step:
    version = version_made(transaction, entry)
    if version is None or (entry.object_kind in _SIGNED and signature_of(transaction, version) is None):
        message = f"entry {entry.sequence} says that {entry.object_kind} {entry.object_id} was signed"
        raise BillingError(f"{message}, but no signature is under it; have the records verified")
    return Step(entry.sequence, entry.at, entry.action, entry.who, entry.object_id, _said(version), case)


def _said(version: RecordVersion) -> dict[str, Any]:
    """What the record says; nothing where it was redacted."""
    return {} if isinstance(version.content, Redacted) else dict(version.body)
