"""What the tables keep twice, so that it is found faster: does it still say the same?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, and_, func, or_, select

from trialimg.adapters.store.rows import read_version
from trialimg.adapters.store.tables import current, node, version
from trialimg.core.errors import IntegrityError, InvalidValueError
from trialimg.ledger.bundle_reader import Line
from trialimg.ledger.findings import Finding
from trialimg.ledger.merkle import Frontier, leaf_hash, nodes_added
from trialimg.ledger.sealed import Redacted

__all__ = ["disagreements", "paged"]

_PAGE = 1000
"""Rows read at once, so that nobody's memory has to hold a whole ledger."""


def paged(
    connection: Connection, asked: Select[Any], key: Column[Any], *, after: Any, limit: int | None = None
) -> Iterator[Row[Any]]:
    """Rows behind ``after`` in the order of their key, a page at a time: no cursor stays open when the reader stops."""
    while limit is None or limit > 0:
        wanted = _PAGE if limit is None else min(limit, _PAGE)
        rows = connection.execute(asked.where(key > after).order_by(key).limit(wanted)).all()
        yield from rows
        if len(rows) < wanted:
            return
        after = rows[-1]._mapping[key.name]
        limit = None if limit is None else limit - wanted


def disagreements(connection: Connection, entries: Iterable[Line]) -> Iterator[Finding]:
    """Where the tree is not that of the entries, or a search would not find the latest version at its place."""
    yield from _tree(connection, entries)
    yield from _latest(connection)
    yield from _places(connection)


def _tree(connection: Connection, entries: Iterable[Line]) -> Iterator[Finding]:
    levels: dict[int, Iterator[Row[Any]]] = {}
    frontier = Frontier()
    for line in entries:
        leaf = leaf_hash(line.data)
        for due in nodes_added(frontier, leaf):
            if due.level not in levels:
                levels[due.level] = _level(connection, due.level)
            kept = next(levels[due.level], None)
            if kept is None or (kept._mapping["index"], bytes(kept.hash)) != (due.index, due.hash):
                where = f"node {due.index} of level {due.level} ({line.where})"
                yield Finding("altered_node", where, "the kept tree is not that of the entries from here on")
                return
        frontier = frontier.append(leaf)
    counted = connection.execute(select(func.count()).select_from(node)).scalar_one()
    due_in_all = 2 * frontier.size - len(frontier.hashes)
    if counted != due_in_all:
        yield Finding("altered_node", "tree", f"{counted} nodes are kept, {frontier.size} entries have {due_in_all}")


def _level(connection: Connection, level: int) -> Iterator[Row[Any]]:
    return paged(connection, select(node).where(node.c.level == level), node.c.index, after=-1)


def _latest(connection: Connection) -> Iterator[Finding]:
    """Records whose row in `current` is not that of their last version."""
    last = select(version.c.kind, version.c.id, func.max(version.c.version).label("version"))
    last_of = last.group_by(version.c.kind, version.c.id).subquery()
    same_record = and_(current.c.kind == last_of.c.kind, current.c.id == last_of.c.id)
    missing = (
        select(last_of.c.kind, last_of.c.id)
        .outerjoin(current, same_record)
        .where(or_(current.c.version.is_(None), current.c.version != last_of.c.version))
    )
    added = select(current.c.kind, current.c.id).outerjoin(last_of, same_record).where(last_of.c.version.is_(None))
    is_its = and_(
        *(version.c[name] == current.c[name] for name in ("kind", "id", "version")),
    )
    differs = or_(*(version.c[name] != current.c[name] for name in ("trial", "case_id", "person", "state")))
    moved = select(current.c.kind, current.c.id).join(version, is_its).where(differs)
    for what, asked in (("is not the last version", missing), ("has no version", added), ("lies elsewhere", moved)):
        for row in connection.execute(asked):
            yield Finding("altered_index", f"record {row.kind} {row.id}", f"what is found by a search {what}")


def _places(connection: Connection) -> Iterator[Finding]:
    """Versions whose columns do not say what their sealed text says."""
    for row in paged(connection, select(version), version.c.entry, after=-1):
        try:
            made = read_version(row)
            if not isinstance(made.content, Redacted):
                _ = made.body, made.content.value()
        except (IntegrityError, InvalidValueError) as fault:
            yield Finding("altered_record", f"record {row.kind} {row.id} version {row.version}", str(fault))
