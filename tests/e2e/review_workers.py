"""Made-up people who work a trial through by the services, in processes that may die at any moment."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import random
import signal
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyotp

from tests.fakes.billed import PLAN, protocol_text
from tests.fakes.central_review import entry
from trialimg.adapters.identity.local import LocalIdentity
from trialimg.adapters.store.sql import SqlStore
from trialimg.adapters.store.transaction import SqlTransaction
from trialimg.core.access import Actor, Role
from trialimg.core.errors import AccessError, BillingError, ReadingError
from trialimg.core.reading import Because, VerdictReason
from trialimg.services import adjudication, billing, cases, reading, reading_assignment, reading_results
from trialimg.services.demonstration import DemoAccount, prepare
from trialimg.services.journal import Records
from trialimg.services.records import Place, RecordVersion
from trialimg.services.sign_in import Proof, resume, sign_in

TRIAL = "T-1"
VISITS = {"BL": 0, "W06": 42}
"""Days after the baseline of each visit."""
READERS = ("radiologist", "radiologist-2")
PRICED = PLAN.replace(
    "  tax:", "    - {item: read, unit: read, price: 1}\n    - {item: timepoint, unit: timepoint, price: 5}\n  tax:"
)
PERIOD = dt.timedelta(seconds=30)
START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
FIRST_BASELINE = dt.date(2020, 1, 1)
TURNS = ("radiologist", "radiologist-2", "radiologist", "radiologist-2", "adjudicator", "analyst", "administrator")
BECAUSE = Because(VerdictReason.MEASUREMENT, "the long axis of T01 leaves the lesion")


@dataclass(frozen=True)
class SharedClock:
    """The machine's monotonic clock, which all processes share; whoever needs a fresh code turns it on by a period."""

    jumps: Path
    """One byte for each period that the clock was turned on."""
    began_s: float

    def now(self) -> dt.datetime:
        elapsed = dt.timedelta(seconds=time.monotonic() - self.began_s)
        return START + elapsed + PERIOD * self.jumps.stat().st_size

    def jump(self) -> None:
        with self.jumps.open("ab") as file:
            file.write(b".")


@dataclass(frozen=True)
class Subject:
    """What there is to be seen in one subject's images, as every made-up reader sees it."""

    number: int

    @property
    def code(self) -> str:
        return f"C{self.number:04d}"

    @property
    def baseline(self) -> dt.date:
        """A day of its own for each subject: a reader, who knows no code, tells by it whose images these are."""
        return FIRST_BASELINE + dt.timedelta(days=self.number)

    @property
    def is_disputed(self) -> bool:
        return self.number % 3 == 0

    @property
    def sizes_mm(self) -> Mapping[str, str]:
        """At week 6, by reader; 50 mm at baseline."""
        return {"radiologist": "30.0", "radiologist-2": "49.0" if self.is_disputed else "31.0"}

    @property
    def answer(self) -> str:
        """The best response that is right, and that the adjudicator chooses."""
        return "SD" if self.is_disputed and self.number % 2 else "PR"

    def received(self) -> cases.ReceivedCase:
        days = {visit: self.baseline + dt.timedelta(days=days) for visit, days in VISITS.items()}
        visits = tuple(cases.CaseTimepoint(name, day, series=(f"2.25.{self.number}",)) for name, day in days.items())
        return cases.ReceivedCase(self.code, f"S{self.number:04d}", visits, reference_date=self.baseline)


def subject_seen(baseline: str) -> Subject:
    return Subject((dt.date.fromisoformat(baseline) - FIRST_BASELINE).days)


@dataclass(frozen=True)
class Fate:
    """When a process dies by its own hand: at which of its changes, and on which side of the commit."""

    change: int
    is_kept: bool
    """The database has kept the change, and the process has not heard of it; False: all is written, nothing kept."""


class MortalStore(SqlStore):
    """The records, until the appointed moment."""

    def __init__(self, where: str | Path, fate: Fate) -> None:
        super().__init__(where)
        self.fate, self.changes = fate, 0

    @contextmanager
    def changing(self) -> Iterator[SqlTransaction]:
        with super().changing() as transaction:
            yield transaction
            transaction.flush()
            self.changes += 1
            self.die(is_kept=False)
        self.die(is_kept=True)

    def die(self, *, is_kept: bool) -> None:
        if self.fate == Fate(self.changes, is_kept):
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class House:
    """Where the trial is worked on, and by whom; the same for every process."""

    where: str | Path
    folder: Path
    clock: SharedClock
    accounts: Mapping[str, DemoAccount]
    subjects: Sequence[Subject]

    def records(self, fate: Fate | None = None) -> Records:
        store = SqlStore(self.where) if fate is None else MortalStore(self.where, fate)
        return Records(store, self.clock, lambda: os.urandom(32).hex(), "trialimg test")

    @contextmanager
    def fresh_code(self, key: str) -> Iterator[str]:
        """A code that nobody has used; one at a time, so that none is too old when it is checked.

        The lock falls when the process of its holder dies.
        """
        with self.clock.jumps.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.clock.jump()
            yield pyotp.TOTP(self.accounts[key].seed).at(self.clock.now())

    def acknowledged(self) -> list[tuple[str, str, int, str]]:
        """Every version that a process was told is kept, before it went on or died; half a line was not told."""
        lines = (line for file in self.folder.glob("*.told") for line in file.read_text().split("\n")[:-1])
        return [(kind, key, int(number), digest) for kind, key, number, digest in map(str.split, lines)]


def cheap_identity() -> LocalIdentity:
    """Real hashes and codes; the hashes at the least cost that Argon2 knows."""
    return LocalIdentity(time_cost=1, memory_kib=8, lanes=1)


def opened_house(where: str | Path, folder: Path, count: int) -> House:
    """An installation with its people, and the trial in force; the cases have not come yet."""
    jumps = folder / "jumps"
    jumps.touch()
    clock = SharedClock(jumps, time.monotonic())
    house = House(where, folder, clock, {}, [Subject(number) for number in range(1, count + 1)])
    records = house.records()

    def fresh_code(seed: str, _moment: dt.datetime) -> str:
        clock.jump()
        return pyotp.TOTP(seed).at(clock.now())

    made = prepare(records, cheap_identity(), protocol_text(PRICED), code_at=fresh_code)
    close(records)
    return House(where, folder, clock, made.accounts, house.subjects)


def close(records: Records) -> None:
    """Give the connections back: none may be in two processes."""
    store = records.store
    assert isinstance(store, SqlStore)
    store.close()


class Worker:
    """One process: plays whoever has something to do, as the dashboard and the command would for them."""

    def __init__(self, house: House, name: str, fate: Fate | None = None) -> None:
        self.house = house
        self.records = house.records(fate)
        self.random = random.Random(name)
        self.identity = cheap_identity()
        self.tokens: dict[str, str] = {}
        self.has_signed: set[str] = set()
        """Whose session has had its first signature: later ones take the password alone."""
        self.told = os.open(house.folder / f"{name}.told", os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def work(self) -> None:
        """Go on until every case is final and all is invoiced."""
        while not self.is_all_read():
            self.turn(self.random.choice(TURNS))
        self.turn("administrator")

    def is_all_read(self) -> bool:
        with self.records.store.reading() as transaction:
            return transaction.count("case", Place(trial=TRIAL, state="final")) == len(self.house.subjects)

    def turn(self, key: str) -> None:
        """One step for somebody; a step that another process was quicker to do is refused and changes nothing."""
        actor = self.signed_in(key)
        steps = {"analyst": self.lead, "administrator": self.invoice, "adjudicator": self.settle}
        try:
            steps.get(key, self.read)(key, actor)
        except ReadingError:
            return

    def signed_in(self, key: str) -> Actor:
        if key in self.tokens:
            try:
                return resume(self.records, self.tokens[key])
            except AccessError:
                pass  # it has been idle for too long
        account = self.house.accounts[key]
        with self.house.fresh_code(key) as code:
            proof = Proof(account.password, code, self.identity)
            signed = sign_in(self.records, account.user, proof, role=Role(account.role))
        self.tokens[key] = signed.token
        self.has_signed.discard(key)
        return signed.actor

    @contextmanager
    def proof(self, key: str) -> Iterator[Proof]:
        """What somebody signs with: password and a fresh code, later in the session the password."""
        password = self.house.accounts[key].password
        if key in self.has_signed:
            yield Proof(password, "", self.identity)
            return
        with self.house.fresh_code(key) as code:
            yield Proof(password, code, self.identity)
        self.has_signed.add(key)

    def lead(self, _key: str, actor: Actor) -> None:
        """The analyst takes the next case in, or gives out what has no reader or adjudicator."""
        status = reading_results.review_status(self.records, actor, TRIAL)
        here = {row["case"] for row in status}
        missing = [subject for subject in self.house.subjects if subject.code not in here]
        wanted = {"received": 2, "reading": 2, "adjudication": 3}
        if any(len(row["reads"]) < wanted.get(row["state"], 0) for row in status):
            reading_assignment.assign_trial(self.records, actor, TRIAL)
        elif missing:
            for version in cases.receive_cases(self.records, actor, TRIAL, [one.received() for one in missing[:3]]):
                self.tell(version)

    def read(self, key: str, actor: Actor) -> None:
        """The next step of one of the cases that a reader has before them."""
        rows = reading_results.worklist(self.records, actor, TRIAL, limit=2)
        if not rows:
            return
        row = self.random.choice(rows)
        at = (self.records, actor, TRIAL, row["alias"])
        if row["visit"]:
            self.tell(self.written(key, at))
        elif row["state"] == "locked":
            with self.proof(key) as proof:
                self.tell(reading.sign_read(self.records, actor, proof, trial=TRIAL, alias=row["alias"]))
        else:
            self.tell(reading.lock_read(*at))

    def written(self, key: str, at: tuple[Records, Actor, str, str]) -> RecordVersion:
        """The timepoint that is due: drafted, or locked where it was drafted before."""
        shown = reading.open_case(*at)["timepoints"]
        step = shown[-1]["id"]
        if shown[-1]["entry"] is not None:
            return reading.lock_timepoint(*at, step=step)
        size = "50.0" if step == "BL" else subject_seen(shown[0]["date"]).sizes_mm[key]
        return reading.save_draft(*at, step=step, entry=entry(size, step=step))

    def settle(self, key: str, actor: Actor) -> None:
        """The adjudicator chooses the read that is right."""
        for row in reading_results.worklist(self.records, actor, TRIAL, limit=1):
            view = adjudication.adjudication_view(self.records, actor, TRIAL, row["alias"])
            right = subject_seen(view["timepoints"][0]["date"]).answer
            letter = next(name for name, read in view["reads"].items() if read["answer"]["best_response"] == right)
            choice = adjudication.Choice(row["alias"], letter, BECAUSE)
            with self.proof(key) as proof:
                self.tell(adjudication.adjudicate(self.records, actor, proof, TRIAL, choice=choice))

    def invoice(self, _key: str, actor: Actor) -> None:
        """The administrator derives what was done since, and invoices it."""
        try:
            billing.issue(self.records, actor, TRIAL, self.house.clock.now().date())
        except BillingError as refused:
            if "nothing is owed" not in str(refused):
                raise

    def tell(self, version: RecordVersion) -> None:
        """Write down, outside of the records, that this version is said to be kept."""
        os.write(self.told, f"{version.kind} {version.id} {version.version} {version.digest}\n".encode())


def run_worker(house: House, name: str, fate: Fate | None) -> None:
    """The whole life of a process that nobody kills."""
    try:
        Worker(house, name, fate).work()
    except BaseException:  # noqa: BLE001 - whatever it was, the test fails on it
        (house.folder / f"{name}.fault").write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)
