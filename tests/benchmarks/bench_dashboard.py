"""Dashboard: the analyst's cohort with many cases in the store, and how long the server takes to draw each page anew.

On SQLite in a temporary folder. Every case that has begun has two assignments; a quarter of the cases each is received,
read, adjudicated and final. Pages are asked for over the websocket of a served dashboard, as a browser asks; beside the
time stands the processor time, which other work on the machine does not change much.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from apps.trialimg_dashboard.guard import COOKIE
from apps.trialimg_dashboard.roles import PAGES
from tests.e2e.browser import served
from tests.fakes.central_review import DATES, TRIAL, Trial
from tests.fakes.dashboard import furnished
from tests.fakes.records import SetClock
from tests.integration.wire import Wire
from trialimg.bootstrap import records
from trialimg.core.access import Action, Actor, Role
from trialimg.services.dashboard_cohort import cohort_of, cohort_size
from trialimg.services.journal import Journal
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.records import Place

ROOT = Path(__file__).parents[2]
STATES = ("received", "reading", "adjudication", "final")
VISITS = [
    {"id": name, "date": day.isoformat(), "first_date": "", "series": ["2.25.1"], "images": ""}
    for name, day in DATES.items()
]
BATCH = 500


def filled(home: Path, cases: int) -> Trial:
    """A trial with so many cases, written as the review services write them."""
    trial = Trial(records=replace(records(home), clock=SetClock()))
    for start in range(0, cases, BATCH):
        with trial.records.change(trial.actor("ana"), Action.RECEIVE_CASES, trial=TRIAL) as journal:
            for number in range(start, min(start + BATCH, cases)):
                write(journal, number)
    return trial


def write(journal: Journal, number: int) -> None:
    code, state = f"C{number:05d}", STATES[number % len(STATES)]
    key = f"{TRIAL}/{code}"
    chosen: dict[str, Any] = {"read": f"{key}/first", "version": 8, "digest": "0", "seat": "first", "by": "verdict"}
    result = {**chosen, "discordant": []} if state == "final" else None
    body = {
        "code": code,
        "subject": f"S{number:05d}",
        "kind": "efficacy",
        "timepoints": VISITS,
        "protocol_digest": "sha256:0",
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


def redraws(home: Path, times: int) -> str:
    """A line for each page of the analyst: median time and processor time of drawing it again."""
    furnished(home)
    kept = records(home)
    token = session_token("benchmark", "made up for it")
    actor = Actor("demo-analyst", Role.ANALYST, session_key(token))
    with kept.store.changing() as transaction:
        open_session(Journal(transaction, actor, kept), token, step=None, is_command=False)
    lines = []
    with (
        served("apps.trialimg_dashboard.server:app", ROOT, TRIALIMG_HOME=str(home)) as url,
        Wire(url, f"{COOKIE}={token}") as wire,
    ):
        for page in PAGES[Role.ANALYST]:
            wire.run(page)
            before = _processor_seconds(url)
            taken = [seconds(lambda page=page: wire.run(page)) for _ in range(times)]
            cpu = (_processor_seconds(url) - before) / times
            lines.append(f"{page}: {1000 * median(taken):.0f} ms, processor {1000 * cpu:.0f} ms")
    return "\n".join(lines)


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
    cases = options.cases
    with tempfile.TemporaryDirectory() as folder:
        trial = filled(Path(folder), cases)
        analyst = trial.actor("ana")
        worked_out = min(seconds(lambda: cohort_of(trial.records, analyst, TRIAL)) for _ in range(3))
        asked = min(seconds(lambda: cohort_size(trial.records, analyst, TRIAL)) for _ in range(3))
    figures = f"cohort worked out {worked_out:.2f} s, asked whether it changed {asked * 1000:.1f} ms"
    sys.stdout.write(f"{cases} cases: {figures}\n")
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(f"{redraws(Path(folder) / 'home', options.redraws)}\n")


if __name__ == "__main__":
    main()
