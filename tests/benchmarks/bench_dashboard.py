"""Dashboard: the analyst's cohort and every page of every role, with many cases in the store.

On SQLite in a temporary folder: a small installation with reads, a data cut, an invoice and a run, and so many cases
beside its own. Every case that has begun has two assignments; a quarter of the cases each is received, read,
adjudicated and final. Given are the first time that a page is opened and the median of drawing it again. Pages are
asked for over the websocket of a served dashboard, as a browser asks; beside the time stands the processor time, which
other work on the machine does not change much.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from apps.trialimg_dashboard.guard import COOKIE
from apps.trialimg_dashboard.roles import PAGES
from tests.e2e.browser import served
from tests.fakes.central_review import DATES, TRIAL
from tests.fakes.dashboard import House, furnished
from tests.integration.wire import Wire
from trialimg.bootstrap import records
from trialimg.core.access import Action, Actor, Role
from trialimg.services.dashboard_cohort import cohort_of, cohort_size
from trialimg.services.journal import Journal
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.records import Place
from trialimg.services.trials import protocol_of

ROOT = Path(__file__).parents[2]
STATES = ("received", "reading", "adjudication", "final")
VISITS = [
    {"id": name, "date": day.isoformat(), "first_date": "", "series": ["2.25.1"], "images": ""}
    for name, day in DATES.items()
]
BATCH = 500
TRIES = 3
ROLES = (Role.ANALYST, Role.SPONSOR, Role.ADMINISTRATOR, Role.RADIOLOGIST)


def filled(house: House, cases: int) -> None:
    """So many cases more, written as the review services write them."""
    with house.records.store.reading() as transaction:
        digest = protocol_of(transaction, TRIAL).body["digest"]
    for start in range(0, cases, BATCH):
        with house.records.change(house.actor("analyst"), Action.RECEIVE_CASES, trial=TRIAL) as journal:
            for number in range(start, min(start + BATCH, cases)):
                write(journal, number, digest)


def write(journal: Journal, number: int, digest: str) -> None:
    code, state = f"X{number:05d}", STATES[number % len(STATES)]
    key = f"{TRIAL}/{code}"
    chosen: dict[str, Any] = {"read": f"{key}/first", "version": 8, "digest": "0", "seat": "first", "by": "verdict"}
    result = {**chosen, "discordant": []} if state == "final" else None
    body = {
        "code": code,
        "subject": f"S-{code}",
        "kind": "efficacy",
        "timepoints": VISITS,
        "protocol_digest": digest,
        "reference_date": "2026-01-05",
        "received_at": journal.at,
        "reopened": {},
        "result": result,
    }
    action = "finalise_case" if result else "receive_case"
    journal.write("case", key, body, action=action, place=Place(TRIAL, key, state=state))
    for seat in ("first", "second") if state != "received" else ():
        said = {"case": key, "seat": seat, "reader": seat, "order": number, "alias": code, "repeat": False, "number": 1}
        place = Place(TRIAL, key, seat, "assigned" if state == "reading" else "signed")
        journal.write("assignment", f"{key}/{seat}", said, action="assign_read", place=place)


def pages(home: Path, role: Role, times: int) -> Iterator[str]:
    """A line for each page of a role: its first time, the median of drawing it again, the processor time of that."""
    kept = records(home)
    token = session_token("benchmark", f"made up for {role.value}")
    actor = Actor(f"demo-{role.value}", role, session_key(token))
    with kept.store.changing() as transaction:
        open_session(Journal(transaction, actor, kept), token, step=None, is_command=False)
    with served("apps.trialimg_dashboard.server:app", ROOT, TRIALIMG_HOME=str(home)) as url:
        for page in PAGES[role]:
            with Wire(url, f"{COOKIE}={token}") as wire:
                try:
                    said = drawn(url, lambda page=page, wire=wire: wire.run(page), times)
                except TimeoutError as late:
                    said = f"no answer ({late})"
            yield f"{role.value} {page}: {said}"


def drawn(url: str, draw: Callable[[], object], times: int) -> str:
    """What a page took."""
    first, before = seconds(draw), _processor_seconds(url)
    taken = [seconds(draw) for _ in range(times)]
    cpu = (_processor_seconds(url) - before) / times
    return f"first {1000 * first:.0f} ms, again {1000 * median(taken):.0f} ms, processor {1000 * cpu:.0f} ms"


def _processor_seconds(url: str) -> float:
    """What the server at an address has used of the processor so far."""
    port = url.rpartition(":")[2]
    for folder in Path("/proc").glob("[0-9]*"):
        if port in (folder / "cmdline").read_bytes().decode().split("\0"):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    raise ProcessLookupError(url)


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--redraws", type=int, default=20, help="Times that each page is drawn again.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        house = furnished(Path(folder) / "home")
        filled(house, options.cases)
        analyst = house.actor("analyst")
        for name, work in {
            "cohort worked out": lambda: cohort_of(house.records, analyst, TRIAL),
            "asked whether it changed": lambda: cohort_size(house.records, analyst, TRIAL),
        }.items():
            before = time.process_time()
            taken = min(seconds(work) for _ in range(TRIES))
            cpu = (time.process_time() - before) / TRIES
            said = f"{1000 * taken:.1f} ms, processor {1000 * cpu:.1f} ms"
            sys.stdout.write(f"{options.cases} cases: {name} {said}\n")
        for role in ROLES:
            for line in pages(house.home, role, options.redraws):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
    sys.stdout.write(f"load of the machine: {os.getloadavg()}\n")


if __name__ == "__main__":
    main()
