"""The inspection copy of a case or a trial: every version of every record, every audit line, every signature.

The copy is complete by construction: it is made from the ledger's entries, and every version of a record has one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.errors import Fault, InvalidValueError, ReadingError
from trialimg.ledger.bundle import Item, Withheld
from trialimg.ledger.canonical import canonical, shaped
from trialimg.ledger.entry import Entry
from trialimg.ledger.sealed import Redacted
from trialimg.services.audit import AuditLine, line_of, version_made
from trialimg.services.differences import Difference
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import Transaction
from trialimg.services.records import EntryQuery, RecordVersion
from trialimg.services.signatures import signature_of

__all__ = [
    "COPY_SCHEMA",
    "CopiedRecord",
    "CopiedSignature",
    "CopiedVersion",
    "InspectionCopy",
    "Scope",
    "bundle_items",
    "copy_of",
    "copy_within",
    "electronic",
    "read_copy",
]

COPY_SCHEMA = "trialimg/inspection-copy/v1"


@dataclass(frozen=True)
class Scope:
    """What is copied: a whole trial, or one case of it."""

    trial: str
    case: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.case or self.trial


@dataclass(frozen=True)
class CopiedSignature:
    """A signature as it stands under a version of a record."""

    user: str
    printed_name: str
    at: str
    meaning: str
    void: str
    """Why it holds no more; empty while it holds."""


@dataclass(frozen=True)
class CopiedVersion:
    """One version of a record with the audit line that made it."""

    version: int
    state: str
    person: str
    digest: str
    body: Mapping[str, Any] | None
    """None: it was redacted."""
    entry: Entry
    reason: str
    redacted: str
    """What was taken away, and which entry says why; empty for nothing."""
    changed: tuple[Difference, ...]
    """What this version says and the one before did not."""
    signature: CopiedSignature | None


@dataclass(frozen=True)
class CopiedRecord:
    """Every version of one record, oldest first."""

    kind: str
    id: str
    case: str
    versions: tuple[CopiedVersion, ...]

    @property
    def latest(self) -> CopiedVersion:
        """What the record says now."""
        return self.versions[-1]

    @property
    def changed_since_entry(self) -> frozenset[str]:
        """Values that are no longer as they were first entered, by their path of keys."""
        return frozenset(difference.key for later in self.versions[1:] for difference in later.changed)


@dataclass(frozen=True)
class InspectionCopy:
    """A case or a trial as its records tell it, complete."""

    scope: Scope
    made_at: str
    made_by: str
    software: str
    records: tuple[CopiedRecord, ...]
    notes: tuple[AuditLine, ...]
    """Audit lines that changed no record: images were opened, access was refused."""

    @property
    def lines(self) -> int:
        """How many audit lines it holds."""
        return sum(len(record.versions) for record in self.records) + len(self.notes)


def copy_of(records: Records, actor: Actor, scope: Scope) -> InspectionCopy:
    """Everything that the records say of a case or a trial; that a copy was made is an entry, and part of it.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail of this trial.
    ReadingError
        If there is no such trial or case.
    """
    with records.change(actor, Action.VIEW_AUDIT, trial=scope.trial) as journal:
        return copy_within(journal, scope, records.software)


def copy_within(journal: Journal, scope: Scope, software: str) -> InspectionCopy:
    """The copy of what the records say at the moment of a journal, as `copy_of`."""
    transaction = journal.transaction
    _require_there(transaction, scope)
    kind = "case" if scope.case else "trial"
    journal.note("copy_for_inspection", kind=kind, key=scope.name, trial=scope.trial)
    made: dict[tuple[str, str], list[CopiedVersion]] = {}
    cases: dict[tuple[str, str], str] = {}
    notes = []
    for line in _lines(transaction, scope):
        version = version_made(transaction, line.entry)
        if version is None:
            notes.append(line)
        else:
            name = (version.kind, version.id)
            cases[name] = line.case
            made.setdefault(name, []).append(_copied(transaction, version, line))
    copied = (CopiedRecord(*name, cases[name], tuple(its)) for name, its in sorted(made.items()))
    return InspectionCopy(scope, journal.at, journal.actor.user, software, tuple(copied), tuple(notes))


def electronic(copy: InspectionCopy) -> bytes:
    """The copy as canonical JSON; `read_copy` gives it back."""
    return canonical({"schema": COPY_SCHEMA, **asdict(copy)}) + b"\n"


def read_copy(data: bytes) -> InspectionCopy:
    """The copy whose JSON form this is.

    Raises
    ------
    InvalidValueError
        If it is not an inspection copy of this form.
    """
    try:
        value = json.loads(data)
        if not isinstance(value, dict) or value.pop("schema", None) != COPY_SCHEMA:
            raise InvalidValueError(Fault("schema", "bad_schema", f"not {COPY_SCHEMA}"))
        given = shaped(value, _SHAPE)
        return InspectionCopy(
            Scope(**given["scope"]),
            given["made_at"],
            given["made_by"],
            given["software"],
            tuple(_record(record) for record in given["records"]),
            tuple(_note(note) for note in given["notes"]),
        )
    except (TypeError, KeyError, ValueError) as wrong:
        if isinstance(wrong, InvalidValueError):
            raise
        raise InvalidValueError(Fault("$", "bad_copy", f"not an inspection copy: {wrong}")) from wrong


def bundle_items(transaction: Transaction, trial: str, size: int) -> Iterator[Item | Withheld]:
    """The ledger up to a size for a bundle: a trial with its contents, of the others only the hashes.

    A trial's chain of entries can only be checked whole, so a copy of one case rests on the ledger of its trial.
    """
    for entry in transaction.entries(EntryQuery(limit=size)):
        if entry.trial == trial:
            version = version_made(transaction, entry)
            yield Item(entry, version.content if version else None, transaction.detail(entry.sequence))
        else:
            yield Withheld(entry.sequence, entry.hash)


_SHAPE = {"scope": dict, "made_at": str, "made_by": str, "software": str, "records": list, "notes": list}


def _require_there(transaction: Transaction, scope: Scope) -> None:
    found = transaction.current("case", scope.case) if scope.case else transaction.current("trial", scope.trial)
    if found is None or found.place.trial not in ("", scope.trial):
        raise ReadingError(f"there is no {'case' if scope.case else 'trial'} {scope.name!r} here")


def _lines(transaction: Transaction, scope: Scope) -> Iterator[AuditLine]:
    lines = (line_of(transaction, entry) for entry in transaction.entries(EntryQuery(trial=scope.trial)))
    return (line for line in lines if scope.case in ("", line.case))


def _copied(transaction: Transaction, version: RecordVersion, line: AuditLine) -> CopiedVersion:
    signed = signature_of(transaction, version)
    under = None
    if signed:
        under = CopiedSignature(signed.user, signed.printed_name, signed.at, signed.meaning, signed.void)
    body = None if isinstance(version.content, Redacted) else dict(version.body)
    place = version.place
    return CopiedVersion(
        version.version, place.state, place.person, version.digest, body,
        line.entry, line.reason, line.redacted, line.changed, under,
    )  # fmt: skip


def _record(value: Mapping[str, Any]) -> CopiedRecord:
    return CopiedRecord(value["kind"], value["id"], value["case"], tuple(_version(one) for one in value["versions"]))


def _version(value: Mapping[str, Any]) -> CopiedVersion:
    signature = value["signature"]
    parts = {
        "entry": Entry(**value["entry"]),
        "changed": _differences(value["changed"]),
        "signature": CopiedSignature(**signature) if signature else None,
    }
    return CopiedVersion(**{**value, **parts})


def _note(value: Mapping[str, Any]) -> AuditLine:
    return AuditLine(**{**value, "entry": Entry(**value["entry"]), "changed": _differences(value["changed"])})


def _differences(values: Iterable[Mapping[str, Any]]) -> tuple[Difference, ...]:
    return tuple(Difference(**value) for value in values)
