"""A store of records that forgets when the test ends, and a clock that the test sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice

from trialimg.core.access import Actor, Role
from trialimg.core.errors import IntegrityError
from trialimg.ledger.bundle_format import CHECKPOINTS, DETAILS, ENTRIES, RECORDS, DetailLine, RecordLine
from trialimg.ledger.bundle_reader import Line
from trialimg.ledger.entry import DETAIL_KIND, REDACT, Entry
from trialimg.ledger.findings import Finding
from trialimg.ledger.merkle import Node
from trialimg.ledger.sealed import Redacted, Sealed
from trialimg.services.authority import GRANT, USER
from trialimg.services.journal import Journal, Records
from trialimg.services.records import EntryQuery, Place, RecordVersion


@dataclass
class SetClock:
    """Each look is a second later than the one before."""

    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@dataclass
class Tables:
    versions: dict[tuple[str, str], list[RecordVersion]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    details: dict[int, Sealed | Redacted] = field(default_factory=dict)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    checkpoints: list[str] = field(default_factory=list)
    secrets: dict[str, bytes] = field(default_factory=dict)

    def copied(self) -> Tables:
        """What is kept never changes, so only what holds it is made anew."""
        versions = {key: list(found) for key, found in self.versions.items()}
        return Tables(
            versions,
            list(self.entries),
            dict(self.details),
            dict(self.nodes),
            list(self.checkpoints),
            dict(self.secrets),
        )


class MemoryTransaction:
    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def current(self, kind: str, key: str) -> RecordVersion | None:
        found = self.tables.versions.get((kind, key))
        return found[-1] if found else None

    def version(self, kind: str, key: str, number: int) -> RecordVersion | None:
        return next((one for one in self.versions(kind, key) if one.version == number), None)

    def versions(self, kind: str, key: str) -> Sequence[RecordVersion]:
        return tuple(self.tables.versions.get((kind, key), ()))

    def find(self, kind: str, place: Place, *, after: str = "", limit: int | None = None) -> Iterator[RecordVersion]:
        latest = (
            found[-1] for (its, key), found in sorted(self.tables.versions.items()) if its == kind and key > after
        )
        return islice((version for version in latest if _lies_at(version.place, place)), limit)

    def count(self, kind: str, place: Place) -> int:
        return sum(1 for _ in self.find(kind, place))

    def size(self) -> int:
        return len(self.tables.entries)

    def last(self, trial: str) -> Entry | None:
        return next((entry for entry in reversed(self.tables.entries) if entry.trial == trial), None)

    def entries(self, asked: EntryQuery) -> Iterator[Entry]:
        found = (
            entry
            for entry in self.tables.entries[asked.start :]
            if _is_asked(entry, asked) and asked.case in ("", self._case_of(entry))
        )
        return islice(found, asked.limit)

    def detail(self, sequence: int) -> Sealed | Redacted | None:
        return self.tables.details.get(sequence)

    def node(self, level: int, index: int) -> bytes:
        return self.tables.nodes[level, index]

    def _case_of(self, entry: Entry) -> str | None:
        found = self.current(entry.object_kind, entry.object_id)
        return found.place.case if found else None

    def lines(self, name: str) -> Iterator[Line]:
        made = [version for found in self.tables.versions.values() for version in found]
        rows = {
            ENTRIES: [entry.bytes() for entry in self.tables.entries],
            RECORDS: [record_line(version).bytes() for version in sorted(made, key=lambda version: version.entry)],
            DETAILS: [DetailLine(*kept).bytes() for kept in sorted(self.tables.details.items())],
            CHECKPOINTS: [text.encode() for text in self.tables.checkpoints],
        }
        return (Line(f"{name} {number}", data) for number, data in enumerate(rows[name], start=1))

    def disagreements(self) -> Iterator[Finding]:
        return iter(())

    def append(
        self, entry: Entry, *, detail: Sealed | None, nodes: Sequence[Node], version: RecordVersion | None
    ) -> None:
        self.tables.entries.append(entry)
        if detail:
            self.tables.details[entry.sequence] = detail
        self.tables.nodes.update({(node.level, node.index): node.hash for node in nodes})
        if version:
            self.tables.versions.setdefault((version.kind, version.id), []).append(version)

    def tombstone(self, sequence: int, *, detail: Redacted | None, content: Redacted | None) -> None:
        made = self.tables.entries[sequence]
        record = (made.object_kind, made.object_id, made.object_version)
        self._require_justified(made, detail, (DETAIL_KIND, str(sequence), 0), made.detail)
        self._require_justified(made, content, record, made.new)
        if detail:
            self.tables.details[sequence] = detail
        if content:
            for found in self.tables.versions.values():
                found[:] = [replace(one, content=content) if one.entry == sequence else one for one in found]

    def _require_justified(
        self, made: Entry, tombstone: Redacted | None, named: tuple[str, str, int], digest: str
    ) -> None:
        if tombstone is None:
            return
        why = self.tables.entries[tombstone.by] if tombstone.by < len(self.tables.entries) else made
        said = (why.object_kind, why.object_id, why.object_version)
        meant = (REDACT, made.trial, *named, digest)
        if (why.action, why.trial, *said, why.old) != meant or tombstone.digest != digest or not why.detail:
            raise IntegrityError(f"entry {tombstone.by} does not justify this tombstone")

    def checkpoints(self) -> Sequence[str]:
        return tuple(self.tables.checkpoints)

    def keep_checkpoint(self, checkpoint: str) -> None:
        self.tables.checkpoints.append(checkpoint)

    def secret(self, name: str) -> bytes | None:
        return self.tables.secrets.get(name)

    def keep_secret(self, name: str, value: bytes | None) -> None:
        if value is None:
            self.tables.secrets.pop(name, None)
        else:
            self.tables.secrets[name] = value


class MemoryStore:
    """Records in dictionaries."""

    def __init__(self) -> None:
        self.tables = Tables()

    @contextmanager
    def reading(self) -> Iterator[MemoryTransaction]:
        yield MemoryTransaction(self.tables.copied())

    @contextmanager
    def changing(self) -> Iterator[MemoryTransaction]:
        changed = self.tables.copied()
        yield MemoryTransaction(changed)
        self.tables = changed


def memory_records(store: MemoryStore | None = None, clock: SetClock | None = None) -> Records:
    """An empty installation in memory."""
    numbers = count(1)
    return Records(store or MemoryStore(), clock or SetClock(), lambda: f"{next(numbers):064x}", "trialimg test")


def granted(records: Records, user: str, role: Role, *, trial: str = "*", site: str = "") -> Actor:
    """An active user with a role, without any of the ways by which real ones come to it."""
    with records.store.changing() as transaction:
        journal = Journal(transaction, Actor("test", Role.ADMINISTRATOR), records)
        if transaction.current(USER, user) is None:
            place = Place(person=user, state="active")
            journal.write(USER, user, {"name": user, "printed_name": user.title()}, action="add_user", place=place)
        body = {"user": user, "role": role.value, "trial": trial, "site": site, "since": "", "until": ""}
        key = f"{user}/{role.value}/{trial}/{site}"
        journal.write(GRANT, key, body, action="grant", place=Place(person=user, state="valid"))
    return Actor(user, role, "test session")


def record_line(version: RecordVersion) -> RecordLine:
    """A version as a bundle has it."""
    return RecordLine(
        version.entry, version.kind, version.id, version.version, version.place.trial, content=version.content
    )


def _lies_at(place: Place, asked: Place) -> bool:
    return all(getattr(asked, word.name) in ("", getattr(place, word.name)) for word in fields(Place))


def _is_asked(entry: Entry, asked: EntryQuery) -> bool:
    words = ("who", "action", "object_kind", "object_id")
    return (
        asked.trial in (None, entry.trial)
        and all(getattr(asked, word) in ("", getattr(entry, word)) for word in words)
        and asked.since <= entry.at
        and (not asked.until or entry.at < asked.until)
    )
