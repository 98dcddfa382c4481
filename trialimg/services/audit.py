"""The audit trail, readable: who did what to which record, why, and what it changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.errors import IntegrityError
from trialimg.ledger.entry import Entry
from trialimg.ledger.sealed import Redacted
from trialimg.services.differences import Difference, differences
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.records import EntryQuery, Place, RecordVersion

__all__ = ["AuditFilter", "AuditLine", "browse", "case_of", "line_of", "version_made"]


@dataclass(frozen=True)
class AuditFilter:
    """Which lines are asked for; an empty word matches everything."""

    trial: str
    subject: str = ""
    """Blinded code of a subject."""
    who: str = ""
    action: str = ""
    since: str = ""
    """First moment, ISO 8601 in UTC."""
    until: str = ""
    """Moment before which."""
    start: int = 0
    """First sequence."""
    limit: int | None = None


@dataclass(frozen=True)
class AuditLine:
    """One entry of the ledger with what only its record can say."""

    entry: Entry
    case: str
    """Case that the entry concerns; empty for none."""
    reason: str
    redacted: str
    """What of it was taken away, and the entry that says why; empty for nothing."""
    changed: tuple[Difference, ...]
    """What the record says now and did not say before."""

    @property
    def sentence(self) -> str:
        """The line in words."""
        entry = self.entry
        what = f"{entry.object_kind} {entry.object_id}"
        version = f" (version {entry.object_version})" if entry.object_version else ""
        because = f": {self.reason}" if self.reason else ""
        return f"{entry.at} {entry.who} ({entry.role}) {entry.action.replace('_', ' ')} {what}{version}{because}"


def browse(records: Records, actor: Actor, asked: AuditFilter) -> tuple[AuditLine, ...]:
    """The lines of a trial's audit trail that answer a filter, in their sequence.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail of this trial.
    """
    query = EntryQuery(
        trial=asked.trial,
        who=asked.who,
        action=asked.action,
        since=asked.since,
        until=asked.until,
        start=asked.start,
        limit=asked.limit,
    )
    with records.look(actor, Action.VIEW_AUDIT, trial=asked.trial) as transaction:
        cases = _cases_of(transaction, asked.trial, asked.subject) if asked.subject else ("",)
        found = [entry for case in cases for entry in transaction.entries(replace(query, case=case))]
        entries = sorted(found, key=lambda entry: entry.sequence)[: asked.limit]
        return tuple(line_of(transaction, entry) for entry in entries)


def line_of(transaction: Transaction, entry: Entry) -> AuditLine:
    """An entry with its reason, its case and what it changed."""
    version = version_made(transaction, entry)
    detail = transaction.detail(entry.sequence)
    taken = [
        f"{what} (entry {content.by})"
        for what, content in (("reason", detail), ("record", version.content if version else None))
        if isinstance(content, Redacted)
    ]
    reason = "" if detail is None or isinstance(detail, Redacted) else str(detail.value()["reason"])
    changed = _changes(transaction, version) if version else ()
    return AuditLine(entry, case_of(transaction, entry, version), reason, ", ".join(taken), changed)


def version_made(transaction: Transaction, entry: Entry) -> RecordVersion | None:
    """The version of a record that an entry made; None if it made none.

    Raises
    ------
    IntegrityError
        If the records do not have it any more.
    """
    if not entry.makes_version:
        return None
    made = transaction.version(entry.object_kind, entry.object_id, entry.object_version)
    if made is None:
        what = f"{entry.object_kind} {entry.object_id} version {entry.object_version}"
        raise IntegrityError(f"{what}, which entry {entry.sequence} made, is missing; have the records verified")
    return made


def case_of(transaction: Transaction, entry: Entry, version: RecordVersion | None) -> str:
    """The case that an entry concerns; empty for none."""
    if entry.object_kind == "case":
        return entry.object_id
    found = version or transaction.current(entry.object_kind, entry.object_id)
    return found.place.case if found else ""


def _changes(transaction: Transaction, version: RecordVersion) -> tuple[Difference, ...]:
    before: Mapping[str, Any] = {}
    earlier = transaction.version(version.kind, version.id, version.version - 1)
    if earlier is not None and not isinstance(earlier.content, Redacted):
        before = earlier.body
    after = {} if isinstance(version.content, Redacted) else version.body
    return differences(before, after)


def _cases_of(transaction: Transaction, trial: str, subject: str) -> Iterator[str]:
    for case in transaction.find("case", Place(trial)):
        if not isinstance(case.content, Redacted) and case.body.get("subject") == subject:
            yield case.id
