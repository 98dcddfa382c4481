"""Every change of a record is one entry of the ledger, made here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trialimg.core.access import Action, Actor
from trialimg.core.errors import AccessError, IntegrityError
from trialimg.ledger.entry import DETAIL_KIND, REDACT, Entry
from trialimg.ledger.merkle import Frontier, nodes_added
from trialimg.ledger.sealed import Redacted, seal
from trialimg.services.authority import require
from trialimg.services.ports import Clock, Store, Transaction
from trialimg.services.records import EntryQuery, Place, RecordVersion, said

__all__ = ["Journal", "Records", "UnprovenError"]

_CLOCK_SLACK = timedelta(seconds=5)
"""How far a corrected clock may lie behind the last entry."""


@dataclass(frozen=True)
class Records:
    """The records of an installation, and what is needed to change them."""

    store: Store
    clock: Clock
    salt: Callable[[], str]
    """32 fresh random bytes, as hex."""
    software: str
    """Name and version of the software, written into every entry."""

    @contextmanager
    def change(self, actor: Actor, action: Action, *, trial: str = "", site: str = "") -> Iterator[Journal]:
        """A journal for one action; what it writes is kept whole or not at all.

        Raises
        ------
        AccessError
            If the actor may not do this here, or what was done in the block refuses it; the attempt is in the ledger.
        """
        try:
            with self.store.changing() as transaction:
                journal = Journal(transaction, actor, self)
                require(transaction, actor, action, trial=trial, site=site, at=journal.at)
                yield journal
        except AccessError as refused:
            self._keep(refused, actor, action, trial)
            raise

    @contextmanager
    def look(self, actor: Actor, action: Action, *, trial: str = "", site: str = "") -> Iterator[Transaction]:
        """The records at one moment, for someone who may see them.

        Raises
        ------
        AccessError
            If the actor may not see this, or what was done in the block refuses it; the attempt is in the ledger.
        """
        try:
            with self.store.reading() as transaction:
                require(transaction, actor, action, trial=trial, site=site, at=self.now())
                yield transaction
        except AccessError as refused:
            self._keep(refused, actor, action, trial)
            raise

    def refuse(self, actor: Actor, kind: str, key: str, *, trial: str = "") -> AccessError:
        """Keep that somebody asked for a thing that their role does not have, such as a page; what to tell them."""
        refused = AccessError(f"a {actor.role.value} may not open the {kind} {key}; the attempt is in the audit trail")
        with self.store.changing() as transaction:
            journal = Journal(transaction, actor, self)
            journal.note("refuse_access", kind=kind, key=key, trial=trial, reason=str(refused))
        return refused

    def _keep(self, refused: AccessError, actor: Actor, action: Action, trial: str) -> None:
        with self.store.changing() as transaction:
            journal = Journal(transaction, actor, self)
            if isinstance(refused, UnprovenError):
                refused.keep(journal)
            journal.note("refuse_access", kind="action", key=action.value, trial=trial, reason=str(refused))

    def now(self) -> str:
        """The moment in UTC, ISO 8601 with microseconds and offset."""
        return self.clock.now().astimezone(UTC).isoformat(timespec="microseconds")


class UnprovenError(AccessError):
    """Somebody did not prove who they are; what is kept of the attempt outlives the change that it was part of."""

    def __init__(self, message: str, keep: Callable[[Journal], None]) -> None:
        super().__init__(message)
        self.keep = keep


class Journal:
    """What one actor changes in one transaction."""

    def __init__(self, transaction: Transaction, actor: Actor, records: Records) -> None:
        self.transaction = transaction
        self.actor = actor
        self._records = records
        self._tree = Frontier.read(transaction.size(), transaction.node)
        self.at = _not_before_the_last(transaction, records.now())
        """The moment of everything in this journal."""

    def write(
        self,
        kind: str,
        key: str,
        body: Mapping[str, object],
        *,
        action: str,
        place: Place,
        reason: str = "",
    ) -> RecordVersion:
        """Keep the next version of a record, with its entry.

        Parameters
        ----------
        body
            What the record says: text, whole numbers, truth values, None, lists and mappings of these.
        action
            What was done, as a verb: ``sign_read``.
        reason
            Why, in the actor's words; sealed apart, so that it can be redacted.
        """
        before = self.transaction.current(kind, key)
        number = before.version + 1 if before else 1
        content = seal(said(kind, key, number, place, body=body), self._records.salt())
        version = RecordVersion(kind, key, number, place, content, self._tree.size)
        old = before.digest if before else ""
        self._append(_Subject(kind, key, number, place.trial, old, content.digest), action, reason, version)
        return version

    def note(self, action: str, *, kind: str, key: str, trial: str = "", reason: str = "") -> Entry:
        """Keep that something happened that changed no record: images were opened, access was refused."""
        return self._append(_Subject(kind, key, 0, trial, "", ""), action, reason, None)

    def redact(self, version: RecordVersion, *, reason: str) -> Entry:
        """Take away what a version says and leave its tombstone; which version it was, and its digest, stay."""
        subject = _Subject(
            version.kind, version.id, version.version, version.place.trial, version.digest, version.digest
        )
        entry = self._append(subject, REDACT, reason, None)
        self.transaction.tombstone(version.entry, detail=None, content=Redacted(version.digest, entry.sequence))
        return entry

    def redact_reason(self, entry: Entry, *, reason: str) -> Entry:
        """Take away the reason that an entry gives and leave its tombstone."""
        subject = _Subject(DETAIL_KIND, str(entry.sequence), 0, entry.trial, entry.detail, entry.detail)
        why = self._append(subject, REDACT, reason, None)
        self.transaction.tombstone(entry.sequence, detail=Redacted(entry.detail, why.sequence), content=None)
        return why

    def _append(self, subject: _Subject, action: str, reason: str, version: RecordVersion | None) -> Entry:
        detail = seal({"reason": reason}, self._records.salt()) if reason else None
        before = self.transaction.last(subject.trial)
        entry = Entry(
            sequence=self._tree.size,
            trial=subject.trial,
            trial_sequence=before.trial_sequence + 1 if before else 0,
            previous=before.hash if before else "",
            at=self.at,
            who=self.actor.user,
            role=self.actor.role.value,
            action=action,
            object_kind=subject.kind,
            object_id=subject.id,
            object_version=subject.version,
            old=subject.old,
            new=subject.new,
            detail=detail.digest if detail else "",
            software=self._records.software,
        )
        leaf = bytes.fromhex(entry.hash)
        nodes = nodes_added(self._tree, leaf)
        self._tree = self._tree.append(leaf)
        self.transaction.append(entry, detail=detail, nodes=nodes, version=version)
        return entry


@dataclass(frozen=True)
class _Subject:
    """What an entry is about, and its digests before and after."""

    kind: str
    id: str
    version: int
    trial: str
    old: str
    new: str


def _not_before_the_last(transaction: Transaction, now: str) -> str:
    """The moment to write: a clock that was set back a little waits, one that was set back far is refused."""
    size = transaction.size()
    if size == 0:
        return now
    last = next(transaction.entries(EntryQuery(start=size - 1))).at
    behind = datetime.fromisoformat(last) - datetime.fromisoformat(now)
    if behind > _CLOCK_SLACK:
        raise IntegrityError(
            f"the clock says {now}, but the ledger's last entry was made at {last}; set the clock right, then try again"
        )
    return max(now, last)
