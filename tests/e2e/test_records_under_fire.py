"""Two readers and an adjudicator work a trial through while their processes are killed: the records stand.

Eight processes play everybody at once: each takes whatever is to be done next, for whichever person comes up, by the
services that the dashboard and the command call, with real passwords and one-time codes. Several play the same reader.
A seeded schedule kills some of them (SIGKILL), single and all eight in one volley, and starts others instead; others
die by their own hand right before or right after the database has kept a change.

What such a kill can do: stop a process at any instruction; before, within or after a transaction; after the database
has kept a step, before the process heard of it. So a step may be kept that nobody was told of, one for each kill, and
whoever comes next has to find it done. What it cannot do: stop the kernel or the database's server, lose what the
kernel has not yet put on the disk, or tear a page. Losing power is not shown here.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.e2e.review_evidence import Evidence
from tests.e2e.review_workers import Fate, House, opened_house, run_worker

FORK = multiprocessing.get_context("fork")
PROCESSES = 8
STEPS_OF_CASE = 12
"""Fewest steps that a case takes: two reads of two timepoints, each drafted and locked, then locked and signed."""


@dataclass(frozen=True)
class Volley:
    """Which processes die, and when."""

    after: int
    """Steps that were told to be kept."""
    then_s: float
    places: tuple[int, ...]


def schedule(seed: int, cases: int, volleys: int) -> list[Volley]:
    """Volleys over the whole length of the work; each third one is at several processes, the middle one at all."""
    rng = random.Random(seed)
    last = cases * STEPS_OF_CASE * 9 // 10
    moments = sorted(rng.sample(range(1, last), volleys))
    sizes = [PROCESSES if n == volleys // 2 else rng.randint(2, 4) if n % 3 == 2 else 1 for n in range(volleys)]
    return [
        Volley(after, rng.uniform(0, 0.03), tuple(rng.sample(range(PROCESSES), size)))
        for after, size in zip(moments, sizes, strict=True)
    ]


def fates(seed: int, count: int) -> list[Fate]:
    """Deaths by one's own hand: before the commit and after it in turn."""
    rng = random.Random(-seed)
    return [Fate(rng.randint(3, 10), is_kept=n % 2 == 0) for n in range(count)]


@dataclass
class Crew:
    """The processes, each in its place."""

    house: House
    fates: list[Fate]
    """Of the first ones that are started."""
    started: int = 0
    kills: int = 0
    at_work: dict[int, BaseProcess] = field(default_factory=dict)

    def start(self, place: int) -> None:
        fate = self.fates[self.started] if self.started < len(self.fates) else None
        self.started += 1
        self.at_work[place] = FORK.Process(target=run_worker, args=(self.house, f"w{self.started:03d}", fate))
        self.at_work[place].start()

    def kill(self, volley: Volley) -> None:
        """Kill whoever is still at work in these places, all before any is waited for."""
        victims = [self.at_work[place] for place in volley.places if self.at_work[place].exitcode is None]
        for process in victims:
            process.kill()
        for process in victims:
            process.join(30)

    def refill(self) -> None:
        """Somebody else in the place of everybody who died."""
        for place, process in list(self.at_work.items()):
            if process.exitcode == -signal.SIGKILL:
                self.kills += 1
                self.start(place)

    def wait_for(self, steps: int, until: float) -> None:
        while len(self.house.acknowledged()) < steps:
            self.require_in_order(until)
            time.sleep(0.02)

    def finish(self, until: float) -> None:
        while any(process.exitcode is None for process in self.at_work.values()):
            self.require_in_order(until)
            time.sleep(0.02)
        self.require_in_order(until)

    def require_in_order(self, until: float) -> None:
        self.refill()
        faults = [file.read_text() for file in self.house.folder.glob("*.fault")]
        assert not faults, "\n".join(faults)
        assert time.monotonic() < until, f"{len(self.house.acknowledged())} steps, {self.kills} kills; not done in time"

    def stop(self) -> None:
        """Leave nobody behind, whatever happened."""
        for process in self.at_work.values():
            process.kill()
            process.join(30)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    if request.param == "sqlite":
        return tmp_path / "records.sqlite"
    address: str = request.getfixturevalue("postgresql_url")
    return address


def work_through(where: str | Path, folder: Path, *, seed: int, cases: int, volleys: int, within_s: float) -> None:
    planned = schedule(seed, cases, volleys)
    crew = Crew(opened_house(where, folder, cases), fates(seed, volleys))
    until = time.monotonic() + within_s
    try:
        for place in range(PROCESSES):
            crew.start(place)
        for volley in planned:
            crew.wait_for(volley.after, until)
            time.sleep(volley.then_s)
            crew.kill(volley)
        crew.finish(until)
    finally:
        crew.stop()
    assert crew.kills >= sum(len(volley.places) for volley in planned) - PROCESSES
    evidence = Evidence(crew.house)
    evidence.require_all(crew.kills)
    print(f"{cases} cases, {crew.kills} kills, {len(evidence.entries)} entries, {evidence.untold} kept but not told")


@pytest.mark.long
def test_a_trial_is_worked_through_under_fire(where, tmp_path):
    work_through(where, tmp_path, seed=4, cases=6, volleys=7, within_s=300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [50, 51])
def test_fifty_cases_are_worked_through_under_fire(where, tmp_path, seed):
    work_through(where, tmp_path, seed=seed, cases=50, volleys=40, within_s=1800)
