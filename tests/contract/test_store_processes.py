"""Many processes write at once, and some are killed: nothing is lost, doubled or half-made."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.records import granted, memory_records
from trialimg.adapters.identity.clock import SystemClock
from trialimg.adapters.store.sql import SqlStore
from trialimg.core.access import Action, Actor, Role
from trialimg.services.journal import Records
from trialimg.services.records import EntryQuery, Place
from trialimg.services.store_verification import verify_store

FORK = multiprocessing.get_context("fork")
ANALYST = Actor("ana", Role.ANALYST, "test session")
PROCESSES, WRITES = 8, 12


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request, tmp_path) -> str | Path:
    address = tmp_path / "records.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    store = SqlStore(address)
    granted(memory_records(store, SystemClock()), "ana", Role.ANALYST)
    store.close()
    return address


def opened(where: str | Path) -> Records:
    return Records(SqlStore(where), SystemClock(), lambda: os.urandom(32).hex(), "trialimg test")


def count_up(records: Records, name: str) -> int:
    """Read a shared number, and write the next one: two records that only make sense together."""
    with records.change(ANALYST, Action.RECEIVE_CASES, trial="T1") as journal:
        before = journal.transaction.current("counter", "shared")
        number = before.body["n"] + 1 if before else 1
        journal.write("counter", "shared", {"n": number}, action="count", place=Place("T1"), reason=name)
        journal.write("mark", f"{number:06d}", {"by": name}, action="mark", place=Place("T1", person=name))
    return number


def work(where: str | Path, name: str, writes: int) -> None:
    records = opened(where)
    for _ in range(writes):
        count_up(records, name)
    os._exit(0)


def ledger_size(records: Records) -> int:
    with records.store.reading() as transaction:
        return transaction.size()


def require_whole(where: str | Path) -> int:
    """Every number was given once, every mark stands beside it, and the ledger verifies; how many there are."""
    store = SqlStore(where)
    with store.reading() as transaction:
        versions = transaction.versions("counter", "shared")
        marks = [mark.id for mark in transaction.find("mark", Place("T1"))]
        sequences = [entry.sequence for entry in transaction.entries(EntryQuery())]
    assert [version.body["n"] for version in versions] == list(range(1, len(versions) + 1))
    assert marks == [f"{number:06d}" for number in range(1, len(versions) + 1)]
    assert sequences == list(range(len(sequences)))
    assert verify_store(store).findings == ()
    store.close()
    return len(versions)


def test_eight_processes_at_once_lose_and_double_nothing(where):
    workers = [FORK.Process(target=work, args=(where, f"p{number}", WRITES)) for number in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert require_whole(where) == PROCESSES * WRITES
    store = SqlStore(where)
    with store.reading() as transaction:
        by = Counter(mark.place.person for mark in transaction.find("mark", Place("T1")))
    assert by == {f"p{number}": WRITES for number in range(PROCESSES)}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_open_an_empty_database_at_once_make_one_set_of_tables(kind, tmp_path, request):
    address = tmp_path / "records.sqlite" if kind == "sqlite" else request.getfixturevalue("postgresql_url")
    workers = [FORK.Process(target=first_look, args=(address,)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert ledger_size(opened(address)) == 0


def first_look(where: str | Path) -> None:
    ledger_size(opened(where))
    os._exit(0)


def test_threads_of_one_process_write_one_after_another(where):
    records = opened(where)
    with ThreadPoolExecutor(PROCESSES) as pool:
        numbers = list(pool.map(lambda number: count_up(records, f"t{number}"), range(5 * PROCESSES)))
    records.store.close()
    assert sorted(numbers) == list(range(1, 5 * PROCESSES + 1))
    assert require_whole(where) == 5 * PROCESSES


def test_a_process_killed_at_any_moment_leaves_whole_transactions(where):
    rng = random.Random(4)
    watching = opened(where)
    for round_ in range(6):
        size = ledger_size(watching)
        worker = FORK.Process(target=work, args=(where, f"k{round_}", 10_000))
        watching.store.close()  # a connection must not be in two processes
        worker.start()
        until = time.monotonic() + 60
        while ledger_size(watching) == size and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.05))  # anywhere in a transaction
        os.kill(worker.pid, signal.SIGKILL)
        worker.join(30)
        assert worker.exitcode == -signal.SIGKILL
    before = require_whole(where)
    assert before >= 6
    assert count_up(opened(where), "after") == before + 1
    assert require_whole(where) == before + 1


def test_a_store_opened_a_second_time_leaves_the_first_its_locks(tmp_path):
    """Who closes a file of SQLite gives up the locks of the whole process, and others then take its journal away."""
    address = tmp_path / "records.sqlite"
    granted(memory_records(SqlStore(address), SystemClock()), "ana", Role.ANALYST)
    first = opened(address)
    assert count_up(first, "first") == 1
    ledger_size(opened(address))
    look = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM entry').fetchall(); c.close()"
    )
    subprocess.run([sys.executable, "-c", look, str(address)], check=True)
    assert count_up(first, "first") == 2
    assert count_up(opened(address), "second") == 3
    assert require_whole(address) == 3
