"""One transaction on the tables of the records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from trialimg.adapters.store import tables
from trialimg.adapters.store.agreement import disagreements, paged
from trialimg.adapters.store.rows import (
    content_row,
    current_row,
    entry_row,
    line_of,
    read_content,
    read_entry,
    read_version,
    version_row,
)
from trialimg.adapters.store.sealed_secrets import SecretSeal, is_sealed, needs_seal, unopened
from trialimg.core.errors import IntegrityError
from trialimg.ledger.bundle_format import CHECKPOINTS, DETAILS, ENTRIES, RECORDS
from trialimg.ledger.bundle_reader import Line
from trialimg.ledger.entry import Entry
from trialimg.ledger.findings import Finding
from trialimg.ledger.merkle import Node
from trialimg.ledger.sealed import Redacted, Sealed
from trialimg.services.records import EntryQuery, Place, RecordVersion

__all__ = ["SqlTransaction"]

_LARGEST_BATCH = 10_000
_COLUMN = {"trial": "trial", "case": "case_id", "person": "person", "state": "state"}
"""Word of a `Place` to its column."""

_entry, _detail, _version, _current, _node = (
    tables.entry,
    tables.detail,
    tables.version,
    tables.current,
    tables.node,
)
_latest = select(_version).join(
    _current,
    (_current.c.kind == _version.c.kind)
    & (_current.c.id == _version.c.id)
    & (_current.c.version == _version.c.version),
)
_latest_of = _latest.where(_current.c.kind == bindparam("its_kind"), _current.c.id == bindparam("its_id"))
_versions_of = (
    select(_version)
    .where(_version.c.kind == bindparam("its_kind"), _version.c.id == bindparam("its_id"))
    .order_by(_version.c.version)
)
_version_of = _versions_of.where(_version.c.version == bindparam("its_number"))
_last_of = select(_entry).where(_entry.c.trial == bindparam("its_trial")).order_by(_entry.c.sequence.desc()).limit(1)
_first_from = select(_entry).where(_entry.c.sequence >= bindparam("its_start")).order_by(_entry.c.sequence).limit(1)
_LINES_OF = {
    ENTRIES: (_entry, _entry.c.sequence),
    RECORDS: (_version, _version.c.entry),
    DETAILS: (_detail, _detail.c.sequence),
}


class SqlTransaction:
    """What was appended is kept in memory until something has to be searched, or the transaction ends."""

    def __init__(self, connection: Connection, seal: SecretSeal | None = None) -> None:
        self._connection, self._seal = connection, seal
        self._rows: dict[Table, list[dict[str, Any]]] = {}
        self._fresh: dict[tuple[str, str], RecordVersion] = {}
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._last: dict[str, Entry | None] = {}
        self._size: int | None = None

    def current(self, kind: str, key: str) -> RecordVersion | None:
        if (kind, key) in self._fresh:
            return self._fresh[kind, key]
        row = self._connection.execute(_latest_of, {"its_kind": kind, "its_id": key}).first()
        return read_version(row) if row else None

    def version(self, kind: str, key: str, number: int) -> RecordVersion | None:
        self.flush()
        asked = {"its_kind": kind, "its_id": key, "its_number": number}
        row = self._connection.execute(_version_of, asked).first()
        return read_version(row) if row else None

    def versions(self, kind: str, key: str) -> Sequence[RecordVersion]:
        self.flush()
        found = self._connection.execute(_versions_of, {"its_kind": kind, "its_id": key})
        return tuple(read_version(row) for row in found)

    def find(self, kind: str, place: Place, *, after: str = "", limit: int | None = None) -> Iterator[RecordVersion]:
        self.flush()
        for row in self._paged(_latest.where(*_at(kind, place)), _current.c.id, after, limit):
            yield read_version(row)

    def count(self, kind: str, place: Place) -> int:
        self.flush()
        asked = select(func.count()).select_from(_current).where(*_at(kind, place))
        return int(self._connection.execute(asked).scalar_one())

    def size(self) -> int:
        if self._size is None:
            highest = self._connection.execute(select(func.max(_entry.c.sequence))).scalar()
            self._size = 0 if highest is None else int(highest) + 1
        return self._size

    def last(self, trial: str) -> Entry | None:
        if trial not in self._last:
            row = self._connection.execute(_last_of, {"its_trial": trial}).first()
            self._last[trial] = read_entry(row) if row else None
        return self._last[trial]

    def entries(self, asked: EntryQuery) -> Iterator[Entry]:
        self.flush()
        if asked == EntryQuery(start=asked.start, limit=1):
            yield from map(read_entry, self._connection.execute(_first_from, {"its_start": asked.start}).all())
            return
        found = select(_entry).where(*_asked(asked))
        for row in self._paged(found, _entry.c.sequence, asked.start - 1, asked.limit):
            yield read_entry(row)

    def detail(self, sequence: int) -> Sealed | Redacted | None:
        self.flush()
        row = self._connection.execute(select(_detail).where(_detail.c.sequence == sequence)).first()
        return read_content(row, f"reason of entry {sequence}") if row else None

    def node(self, level: int, index: int) -> bytes:
        if (level, index) not in self._nodes:
            self._nodes |= self._read_nodes({(level, index), *_frontier(self.size())})
        if (level, index) not in self._nodes:
            raise IntegrityError(f"node {index} of level {level} of the ledger's tree is missing")
        return self._nodes[level, index]

    def lines(self, name: str) -> Iterator[Line]:
        self.flush()
        if name == CHECKPOINTS:
            kept = enumerate(self.checkpoints())
            yield from (Line(f"checkpoint {number}", text.encode()) for number, text in kept)
            return
        table, key = _LINES_OF[name]
        for row in self._paged(select(table), key, -1):
            yield line_of(name, row)

    def disagreements(self) -> Iterator[Finding]:
        self.flush()
        yield from disagreements(self._connection, self.lines(ENTRIES))

    def append(
        self, entry: Entry, *, detail: Sealed | None, nodes: Sequence[Node], version: RecordVersion | None
    ) -> None:
        self._keep(_entry, entry_row(entry))
        for node in nodes:
            self._keep(_node, {"level": node.level, "index": node.index, "hash": node.hash})
            self._nodes[node.level, node.index] = node.hash
        if detail:
            self._keep(_detail, {"sequence": entry.sequence, **content_row(detail)})
        if version:
            self._keep(_version, version_row(version))
            self._fresh[version.kind, version.id] = version
        self._last[entry.trial] = entry
        self._size = entry.sequence + 1
        if len(self._rows[_entry]) >= _LARGEST_BATCH:
            self.flush()

    def tombstone(self, sequence: int, *, detail: Redacted | None, content: Redacted | None) -> None:
        self.flush()
        if detail:
            self._bury(_detail, _detail.c.sequence, sequence, detail)
        if content:
            self._bury(_version, _version.c.entry, sequence, content)

    def checkpoints(self) -> Sequence[str]:
        asked = select(tables.checkpoint.c.text).order_by(tables.checkpoint.c.number)
        return tuple(self._connection.execute(asked).scalars())

    def keep_checkpoint(self, checkpoint: str) -> None:
        number = self._connection.execute(select(func.count()).select_from(tables.checkpoint)).scalar_one()
        self._connection.execute(insert(tables.checkpoint), {"number": number, "text": checkpoint})

    def secret(self, name: str) -> bytes | None:
        found = self._connection.execute(select(tables.secret.c.value).where(tables.secret.c.name == name)).scalar()
        if found is None or not needs_seal(name):
            return None if found is None else bytes(found)
        if self._seal is not None:
            return self._seal.opened(name, bytes(found))
        if is_sealed(bytes(found)):
            raise unopened(name)
        return bytes(found)

    def keep_secret(self, name: str, value: bytes | None) -> None:
        self._connection.execute(delete(tables.secret).where(tables.secret.c.name == name))
        if value is not None:
            kept = self._sealed(name, value) if needs_seal(name) else value
            self._connection.execute(insert(tables.secret), {"name": name, "value": kept})

    def flush(self) -> None:
        """Write what was appended."""
        for table, rows in self._rows.items():
            self._connection.execute(insert(table), rows)
        if self._fresh:
            self._connection.execute(self._replace_current(), [current_row(one) for one in self._fresh.values()])
        self._rows, self._fresh, self._nodes = {}, {}, {}

    def _sealed(self, name: str, value: bytes) -> bytes:
        if self._seal is None:
            return value
        may_make_keys = False
        if not self._seal.has_keys:
            everything = self._connection.execute(select(tables.secret.c.value)).scalars()
            may_make_keys = not any(is_sealed(bytes(one)) for one in everything)
        return self._seal.sealed(name, value, may_make_keys=may_make_keys)

    def _read_nodes(self, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        rows = self._connection.execute(select(_node).where(tuple_(_node.c.level, _node.c.index).in_(wanted)))
        return {(its["level"], its["index"]): bytes(its["hash"]) for its in rows.mappings()}

    def _keep(self, table: Table, row: dict[str, Any]) -> None:
        self._rows.setdefault(table, []).append(row)

    def _replace_current(self) -> Any:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        added = dialect.insert(_current)
        changed = {name: added.excluded[name] for name in ("version", *_COLUMN.values())}
        return added.on_conflict_do_update(index_elements=["kind", "id"], set_=changed)

    def _bury(self, table: Table, column: ColumnElement[int], sequence: int, tombstone: Redacted) -> None:
        if self._connection.dialect.name == "postgresql":
            called = text(f"SELECT trialimg_tombstone_{table.name}(:at, :digest, :by)")
            self._connection.execute(called, {"at": sequence, "digest": tombstone.digest, "by": tombstone.by})
        else:
            self._connection.execute(update(table).where(column == sequence).values(content_row(tombstone)))

    def _paged(self, asked: Select[Any], key: Column[Any], after: Any, limit: int | None = None) -> Iterator[Row[Any]]:
        return paged(self._connection, asked, key, after=after, limit=limit)


def _frontier(size: int) -> list[tuple[int, int]]:
    """Level and index of the nodes that whoever appends will ask for: one for each power of two in the size."""
    return [(level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1]


def _at(kind: str, place: Place) -> list[ColumnElement[bool]]:
    words = ((_COLUMN[field.name], getattr(place, field.name)) for field in fields(Place))
    return [_current.c.kind == kind, *(_current.c[column] == word for column, word in words if word)]


def _asked(asked: EntryQuery) -> list[ColumnElement[bool]]:
    words = ("who", "action", "object_kind", "object_id")
    wanted = [_entry.c[word] == getattr(asked, word) for word in words if getattr(asked, word)]
    if asked.trial is not None:
        wanted.append(_entry.c.trial == asked.trial)
    if asked.case:
        of_case = select(_current.c.kind, _current.c.id).where(_current.c.case_id == asked.case)
        wanted.append(tuple_(_entry.c.object_kind, _entry.c.object_id).in_(of_case))
    if asked.since:
        wanted.append(_entry.c.sequence >= _first_at(asked.since))
    if asked.until:
        wanted.append(_entry.c.sequence < func.coalesce(_first_at(asked.until), 2**62))
    return wanted


def _first_at(moment: str) -> Any:
    """Sequence of the first entry at or after a moment; entries follow one another in time."""
    earliest = _entry.alias("earliest")
    return (
        select(earliest.c.sequence)
        .where(earliest.c.at >= moment)
        .order_by(earliest.c.at, earliest.c.sequence)
        .limit(1)
        .scalar_subquery()
    )
