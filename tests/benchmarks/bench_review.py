"""Reads a second through central review, what of it is the records' price, and what grows with the number of cases.

A case is received, given out, read twice (two timepoints, each opened, drafted and locked, then the read locked and
signed) and becomes final, by the services that the dashboard and the command call. Beside it, in the same run and on
the same disk: the entry, version and index rows that this made, put plainly into tables without keys, proofs or
triggers, with as many rows in a transaction. Then the store is filled with copies of a finished case, and each step is
timed again among 100, 1,000 and 5,000 of them. Passwords cost nothing here: Argon2 is slow by design (about 0.1 s for
each signature), and the same whatever is signed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.bench_store import Row, insert_plainly, places
from tests.fakes.billed import PLAN, protocol_text
from tests.fakes.central_review import TRIAL, Trial, entry
from tests.fakes.people import at_desk
from tests.fakes.records import memory_records
from trialimg.adapters.identity.clock import SystemClock
from trialimg.adapters.store.rows import current_row, entry_row, version_row
from trialimg.adapters.store.sql import SqlStore
from trialimg.core.access import Actor, Role
from trialimg.core.reading import Seat
from trialimg.ledger.entry import Entry
from trialimg.services import billing, reading, reading_assignment, reading_results
from trialimg.services.journal import Journal, Records
from trialimg.services.records import EntryQuery, Place, RecordVersion

READERS = {Seat.FIRST: "rita", Seat.SECOND: "raul"}
SIZES = {"BL": "50", "W06": "30"}
TEMPLATE = "C00000"
BATCH = 50
Line = tuple[Entry, RecordVersion | None]
Times = dict[str, list[float]]


class Desk:
    """A trial on a database, whose steps are timed."""

    def __init__(self, where: str | Path) -> None:
        store = SqlStore(where)
        self.records = memory_records(store, SystemClock())
        self.trial = Trial(records=self.records, text=protocol_text(PLAN))
        self.trial.trained(*READERS.values())
        self.trial.people["adam"] = at_desk(self.records, "adam", Role.ADMINISTRATOR)
        self.times: Times = defaultdict(list)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.times[step].append(1000 * (time.perf_counter() - began))

    def work(self, code: str) -> None:
        """A case from receipt to its answer."""
        with self.timed("receive"):
            self.trial.receive(code)
        aliases = {}
        for seat, name in READERS.items():
            with self.timed("assign one seat"):
                given = reading_assignment.assign(
                    self.records, self.trial.actor("ana"), TRIAL, code, seat=seat, reader=name
                )
            aliases[name] = given.body["alias"]
        for name, alias in aliases.items():
            self.read(name, alias)

    def read(self, name: str, alias: str) -> None:
        actor, proof = self.trial.people[name]
        at = (self.records, actor, TRIAL, alias)
        for step, size in SIZES.items():
            with self.timed("open"):
                reading.open_case(*at)
            with self.timed("draft"):
                reading.save_draft(*at, step=step, entry=entry(size, step=step))
            with self.timed("lock a timepoint"):
                reading.lock_timepoint(*at, step=step)
        with self.timed("lock the read"):
            reading.lock_read(*at)
        with self.timed("sign"):
            reading.sign_read(self.records, actor, proof, trial=TRIAL, alias=alias)

    def look(self) -> None:
        """What screens and the accounts ask for."""
        records, reader = self.records, self.trial.actor("rita")
        adam, today = self.trial.actor("adam"), records.clock.now().date()
        asked: dict[str, Callable[[], object]] = {
            "worklist, 50 rows": lambda: reading_results.worklist(records, reader, TRIAL, limit=50),
            "worklist, whole": lambda: reading_results.worklist(records, reader, TRIAL),
            "give out a trial": lambda: reading_assignment.assign_trial(records, self.trial.actor("ana"), TRIAL),
            "preview of an invoice": lambda: billing.preview(records, adam, TRIAL, today),
            "issue an invoice": lambda: billing.issue(records, adam, TRIAL, today),
            "preview after an invoice": lambda: billing.preview(records, adam, TRIAL, today),
        }
        for name, ask in asked.items():
            with self.timed(name):
                ask()

    def size(self) -> int:
        with self.records.store.reading() as transaction:
            return transaction.size()

    def lines(self, start: int) -> list[Line]:
        """Everything that the trial's ledger has had from an entry on, and what it made."""
        with self.records.store.reading() as transaction:
            return [
                (one, transaction.versions(one.object_kind, one.object_id)[one.object_version - 1])
                if one.makes_version
                else (one, None)
                for one in transaction.entries(EntryQuery(trial=TRIAL, start=start))
            ]


def fill(records: Records, lines: Sequence[Line], numbers: range) -> None:
    """Copies of what happened to one case, as if the same people had done it all again with others."""
    for first in numbers[::BATCH]:
        with records.store.changing() as transaction:
            journal = Journal(transaction, Actor("nobody", Role.DEVICE), records)
            for number in range(first, min(first + BATCH, numbers.stop)):
                copy_case(journal, lines, number)


def copy_case(journal: Journal, lines: Sequence[Line], number: int) -> None:
    """Every code, name of a case, digest and moment of the template becomes that of the copy."""
    aliases = sorted({one.body["alias"] for _, one in lines if one is not None and one.kind == "assignment"})
    words = {TEMPLATE: f"C{number:05d}", **{alias: f"R{number:07d}{n}" for n, alias in enumerate(aliases)}}
    words |= {one.at: journal.at for one, _ in lines}

    def renamed(text: str) -> str:
        for old, new in words.items():
            text = text.replace(old, new)
        return text

    for done, version in lines:
        journal.actor = Actor(done.who, Role(done.role))
        if version is None:
            journal.note(done.action, kind=done.object_kind, key=renamed(done.object_id), trial=TRIAL, reason="copied")
            continue
        body = json.loads(renamed(json.dumps(dict(version.body))))
        if version.kind == "assignment":
            body["order"] = number
        place = Place(TRIAL, renamed(version.place.case), version.place.person, version.place.state)
        made = journal.write(version.kind, renamed(version.id), body, action=done.action, place=place)
        words[version.digest] = made.digest


def rows(lines: Sequence[Line]) -> list[Row]:
    return [(entry_row(one), version_row(made), current_row(made)) for one, made in lines if made is not None]


def throughput(name: str, where: str | Path, desk: Desk, cases: int) -> None:
    """Reads a second, and plain inserts of what they kept."""
    start, began = desk.size(), time.perf_counter()
    for number in range(90_000, 90_000 + cases):
        desk.work(f"C{number:05d}")
    seconds = time.perf_counter() - began
    made = desk.lines(start)
    kept = rows(made)
    transactions = len({one.at for one, _ in made})
    plain = len(kept) / insert_plainly(where, kept, batch=max(1, len(kept) // transactions))
    print(f"{name}: {2 * cases / seconds:.1f} reads/s in {cases} cases; {len(made) / seconds:,.0f} ledger entries/s")
    print(f"  {len(made) / cases:.0f} entries a case in {transactions / cases:.0f} transactions that write")
    print(f"  the same rows put in plainly: {plain:.2f} s against {seconds:.2f} s ({seconds / plain:.1f} x)")


def growth(name: str, desk: Desk, sizes: Sequence[int], template: tuple[Sequence[Line], Sequence[Line]]) -> None:
    """Milliseconds of each step among so many cases."""
    finished, given_out = template
    table: dict[str, list[float]] = defaultdict(list)
    numbers = itertools.count(80_000)
    for before, size in itertools.pairwise((0, *sizes)):
        fill(desk.records, finished, range(before + 1, size + 1))
        desk.times = defaultdict(list)
        for _ in range(3):
            desk.work(f"C{next(numbers):05d}")
        desk.look()
        for step, taken in desk.times.items():
            table[step].append(statistics.median(taken))
    print(f"{name}: ms a step among {', '.join(f'{size:,}' for size in sizes)} finished cases")
    for step, found in table.items():
        print(f"  {step:<26}" + "".join(f"{ms:10,.1f}" for ms in found) + f"   ({found[-1] / found[0]:.1f} x)")
    last = sizes[-1]
    fill(desk.records, given_out, range(last + 1, 2 * last + 1))
    for limit, what in ((50, "the next 50 rows"), (None, "every row")):
        began = time.perf_counter()
        reading_results.worklist(desk.records, desk.trial.actor("rita"), TRIAL, limit=limit)
        ms = 1000 * (time.perf_counter() - began)
        print(f"  worklist among {2 * last:,} cases, {last:,} of them to be read, {what}: {ms:,.0f} ms")


def template_of(desk: Desk) -> tuple[list[Line], list[Line]]:
    """What happens to a case from receipt to its answer, and the part of it until it is given out."""
    desk.work("C99999")  # the first signatures of the sessions
    start = desk.size()
    desk.work(TEMPLATE)
    lines = desk.lines(start)
    until = 1 + max(n for n, (one, _) in enumerate(lines) if one.action in ("assign_read", "begin_reading"))
    return lines, lines[:until]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=25, help="worked through for the throughput")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 5000], help="finished cases in the store")
    parser.add_argument("--only", choices=["SQLite", "PostgreSQL"], help="one of the two databases")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, places(Path(folder)) as found:
        for name, where in found.items():
            if given.only not in (None, name):
                continue
            desk = Desk(where)
            template = template_of(desk)
            throughput(name, where, desk, given.cases)
            growth(name, desk, given.sizes, template)


if __name__ == "__main__":
    main()
