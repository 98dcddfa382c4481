"""What it costs that records stand up in an inspection: the store against plain SQL inserts of the same rows.

Every append is an entry in a trial's chain, its nodes of the Merkle tree, a record version and its place in the index
of latest versions, in one durable transaction (fsync). The plain way puts the same entry, version and index rows into
the same tables without keys, indices, triggers, hashes or proofs, with as many rows in a transaction. Both ways
take turns, five rounds, on the same disk; the median of the rounds is printed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, insert

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fakes.records import granted, memory_records
from tests.postgresql import new_database, running_server, why_absent
from trialimg.adapters.identity.clock import SystemClock
from trialimg.adapters.store import tables
from trialimg.adapters.store.engine import database_url, open_engine
from trialimg.adapters.store.rows import current_row, entry_row, version_row
from trialimg.adapters.store.sql import SqlStore
from trialimg.core.access import Action, Actor, Role
from trialimg.services.journal import Records
from trialimg.services.records import EntryQuery, Place

READERS = 20
ROUNDS = 5
BODY = {
    "lesions": [{"id": f"T0{n}", "diameter_mm": f"{10 + n}.5", "seen": "measured"} for n in range(5)],
    "comment": "",
}
Row = tuple[dict[str, object], dict[str, object], dict[str, object]]


def place(number: int) -> Place:
    state = ("assigned", "in_progress", "signed")[number % 3]
    return Place(f"T{number % 3}", f"C{number:05d}", f"reader{number % READERS:02d}", state)


def append(records: Records, actor: Actor, start: int, count: int, *, batch: int) -> float:
    """Appends a second."""
    began = time.perf_counter()
    for first in range(start, start + count, batch):
        with records.change(actor, Action.RECEIVE_CASES) as journal:
            for number in range(first, min(first + batch, start + count)):
                key = f"C{number % 10_000:05d}/FIRST"
                journal.write("assignment", key, BODY, action="assign_read", place=place(number % 10_000))
    return count / (time.perf_counter() - began)


def rows_of(store: SqlStore, count: int) -> list[Row]:
    """The rows that the store made, to be put in plainly."""
    with store.reading() as transaction:
        entries = {entry.sequence: entry for entry in transaction.entries(EntryQuery(object_kind="assignment"))}
        versions = list(transaction.find("assignment", Place(), limit=count))
        return [(entry_row(entries[one.entry]), version_row(one), current_row(one)) for one in versions]


def plain_tables() -> tuple[Table, ...]:
    made = MetaData()
    columns = ((table, [column._copy() for column in table.columns]) for table in PLAIN)
    bare = []
    for table, copied in columns:
        for column in copied:
            column.primary_key, column.unique = False, None
        bare.append(Table(f"plain_{table.name}", made, *copied))
    return tuple(bare)


PLAIN = (tables.entry, tables.version, tables.current)


def insert_plainly(where: str | Path, rows: list[Row], *, batch: int) -> float:
    """Inserts a second of entry, version and index row together."""
    engine = open_engine(database_url(where))
    bare = plain_tables()
    with engine.begin() as connection:
        for table in bare:
            table.create(connection, checkfirst=True)
    began = time.perf_counter()
    for first in range(0, len(rows), batch):
        with engine.begin() as connection:
            _insert(connection, bare, rows[first : first + batch])
    seconds = time.perf_counter() - began
    engine.dispose()
    return len(rows) / seconds


def _insert(connection: Connection, bare: tuple[Table, ...], rows: list[Row]) -> None:
    for number, table in enumerate(bare):
        connection.execute(insert(table), [row[number] for row in rows])


def median_ms(work: Callable[[], object], times: int = 15) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def searches(store: SqlStore, size: int) -> Iterator[tuple[str, float]]:
    """Milliseconds of what screens ask for."""
    with store.reading() as transaction:
        worklist = Place(trial="T1", person="reader07", state="in_progress")
        page = Place(trial="T1")
        middle = next(transaction.entries(EntryQuery(start=size // 2))).at
        asked: dict[str, Callable[[], object]] = {
            "one record by its id": lambda: transaction.current("assignment", "C05000/FIRST"),
            "a reader's worklist": lambda: list(transaction.find("assignment", worklist)),
            "50 records of a trial": lambda: list(transaction.find("assignment", page, after="C05", limit=50)),
            "count of a trial's records by state": lambda: transaction.count(
                "assignment", Place(trial="T1", state="signed")
            ),
            "history of one record": lambda: list(
                transaction.entries(EntryQuery(object_kind="assignment", object_id="C05000/FIRST"))
            ),
            "100 entries of one person": lambda: list(transaction.entries(EntryQuery(who="ana", limit=100))),
            "100 entries from a moment on": lambda: list(transaction.entries(EntryQuery(since=middle, limit=100))),
        }
        for name, work in asked.items():
            yield name, median_ms(work)


@contextmanager
def places(folder: Path) -> Iterator[dict[str, str | Path]]:
    """The databases that are to be had here."""
    if because := why_absent():
        print(f"PostgreSQL is left out: {because}")
        yield {"SQLite": folder / "records.sqlite"}
        return
    with running_server(durable=True) as server:
        yield {"SQLite": folder / "records.sqlite", "PostgreSQL": new_database(server)}


def measure(name: str, where: str | Path, *, singles: int, size: int) -> None:
    store = SqlStore(where)
    records = memory_records(store, SystemClock())
    actor = granted(records, "ana", Role.ANALYST)
    append(records, actor, 0, 10_000, batch=1000)
    rows = rows_of(store, 10_000)
    ones, manys = [], []
    for number in range(ROUNDS):  # in turns, because the machine is never quiet
        single, plain = number * singles // ROUNDS, rows[: singles // ROUNDS]
        ones.append((append(records, actor, single, singles // ROUNDS, batch=1), insert_plainly(where, plain, batch=1)))
        part = rows[number * 2000 : (number + 1) * 2000]
        manys.append((append(records, actor, number * 2000, 2000, batch=100), insert_plainly(where, part, batch=100)))
    one, plain_one = (statistics.median(rates) for rates in zip(*ones, strict=True))
    many, plain_many = (statistics.median(rates) for rates in zip(*manys, strict=True))
    print(f"{name}: appends/s with chain, tree, version and index | plain inserts/s of the same rows")
    print(f"  one a transaction      {one:8,.0f} | {plain_one:8,.0f}   ({plain_one / one:.1f} x)")
    print(f"  100 a transaction      {many:8,.0f} | {plain_many:8,.0f}   ({plain_many / many:.1f} x)")
    with store.reading() as transaction:
        missing = size - transaction.size()
    append(records, actor, 0, max(missing, 0), batch=1000)
    with store.reading() as transaction:
        began = time.perf_counter()
        entries = sum(1 for _ in transaction.entries(EntryQuery()))
        seconds = time.perf_counter() - began
    print(f"  reading all {entries:,} entries: {entries / seconds:,.0f} a second")
    for what, milliseconds in searches(store, entries):
        print(f"  {what:<36} {milliseconds:7.2f} ms")
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000, help="in the ledger when it is searched")
    parser.add_argument("--singles", type=int, default=500, help="transactions of one append")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, places(Path(folder)) as found:
        for name, where in found.items():
            measure(name, where, singles=given.singles, size=given.entries)


if __name__ == "__main__":
    main()
