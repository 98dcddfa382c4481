"""One transaction on the tables of the records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
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
from trialimg.adapters.store.rows import (
    content_row,
    current_row,
    entry_row,
    read_content,
    read_entry,
    read_version,
    version_row,
)
from trialimg.core.errors import IntegrityError
from trialimg.ledger.entry import Entry
from trialimg.ledger.merkle import Node
from trialimg.ledger.sealed import Redacted, Sealed
from trialimg.services.records import EntryQuery, Place, RecordVersion

__all__ = ["SqlTransaction"]

_PAGE = 1000
"""Rows read at once, so that nobody's memory has to hold a whole ledger."""
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
_last_of = select(_entry).where(_entry.c.trial == bindparam("its_trial")).order_by(_entry.c.sequence.desc()).limit(1)


class SqlTransaction:
    """What was appended is kept in memory until something has to be searched, or the transaction ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
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

    def versions(self, kind: str, key: str) -> Sequence[RecordVersion]:
        self.flush()
        asked = select(_version).where(_version.c.kind == kind, _version.c.id == key).order_by(_version.c.version)
        return tuple(read_version(row) for row in self._connection.execute(asked))

    def find(self, kind: str, place: Place, *, after: str = "", limit: int | None = None) -> Iterator[RecordVersion]:
        self.flush()
        asked = _latest.where(*_at(kind, place)).order_by(_current.c.id)
        for row in self._paged(asked, _current.c.id, (after,), limit):
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
        found = select(_entry).where(*_asked(asked)).order_by(_entry.c.sequence)
        for row in self._paged(found, _entry.c.sequence, (asked.start - 1,), asked.limit):
            yield read_entry(row)

    def detail(self, sequence: int) -> Sealed | Redacted | None:
        self.flush()
        row = self._connection.execute(select(_detail).where(_detail.c.sequence == sequence)).first()
        return read_content(row, f"reason of entry {sequence}") if row else None

    def node(self, level: int, index: int) -> bytes:
        if (level, index) in self._nodes:
            return self._nodes[level, index]
        asked = select(_node.c.hash).where(_node.c.level == level, _node.c.index == index)
        found = self._connection.execute(asked).scalar()
        if found is None:
            raise IntegrityError(f"node {index} of level {level} of the ledger's tree is missing")
        return bytes(found)

    def every_version(self) -> Iterator[RecordVersion]:
        self.flush()
        asked = select(_version).order_by(_version.c.entry)
        for row in self._paged(asked, _version.c.entry, (-1,), None):
            yield read_version(row)

    def every_detail(self) -> Iterator[tuple[int, Sealed | Redacted]]:
        self.flush()
        asked = select(_detail).order_by(_detail.c.sequence)
        for row in self._paged(asked, _detail.c.sequence, (-1,), None):
            yield row.sequence, read_content(row, f"reason of entry {row.sequence}")

    def every_node(self) -> Iterator[Node]:
        self.flush()
        asked = select(_node).order_by(_node.c.level, _node.c.index)
        for row in self._paged(asked, (_node.c.level, _node.c.index), (-1, -1), None):
            its = row._mapping  # a row has a method called index
            yield Node(its["level"], its["index"], bytes(its["hash"]))

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
        return None if found is None else bytes(found)

    def keep_secret(self, name: str, value: bytes | None) -> None:
        self._connection.execute(delete(tables.secret).where(tables.secret.c.name == name))
        if value is not None:
            self._connection.execute(insert(tables.secret), {"name": name, "value": value})

    def flush(self) -> None:
        """Write what was appended."""
        for table, rows in self._rows.items():
            self._connection.execute(insert(table), rows)
        if self._fresh:
            self._connection.execute(self._replace_current(), [current_row(one) for one in self._fresh.values()])
        self._rows, self._fresh, self._nodes = {}, {}, {}

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

    def _paged(self, asked: Select[Any], key: Any, after: tuple[Any, ...], limit: int | None) -> Iterator[Row[Any]]:
        """Rows behind ``after`` by their key, a page at a time: no cursor stays open when the reader stops."""
        columns = key if isinstance(key, tuple) else (key,)
        while limit is None or limit > 0:
            wanted = _PAGE if limit is None else min(limit, _PAGE)
            behind = columns[0] > after[0] if len(columns) == 1 else tuple_(*columns) > tuple_(*after)
            rows = self._connection.execute(asked.where(behind).limit(wanted)).all()
            yield from rows
            if len(rows) < wanted:
                return
            after = tuple(rows[-1]._mapping[column.name] for column in columns)
            limit = None if limit is None else limit - wanted


def _at(kind: str, place: Place) -> list[ColumnElement[bool]]:
    words = ((_COLUMN[field.name], getattr(place, field.name)) for field in fields(Place))
    return [_current.c.kind == kind, *(_current.c[column] == word for column, word in words if word)]


def _asked(asked: EntryQuery) -> list[ColumnElement[bool]]:
    words = ("who", "action", "object_kind", "object_id")
    wanted = [_entry.c[word] == getattr(asked, word) for word in words if getattr(asked, word)]
    if asked.trial is not None:
        wanted.append(_entry.c.trial == asked.trial)
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
