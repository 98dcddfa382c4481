"""Dashboard: how long the analyst's cohort takes with many cases in the store, on SQLite in a temporary folder.

Every case that has begun has two assignments; a quarter of the cases each is received, read, adjudicated and final.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.central_review import DATES, TRIAL, Trial
from tests.fakes.records import SetClock
from trialimg.bootstrap import records
from trialimg.core.access import Action
from trialimg.services.dashboard_cohort import cohort_of, cohort_size
from trialimg.services.journal import Journal
from trialimg.services.records import Place

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


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory() as folder:
        trial = filled(Path(folder), cases)
        analyst = trial.actor("ana")
        worked_out = min(seconds(lambda: cohort_of(trial.records, analyst, TRIAL)) for _ in range(3))
        asked = min(seconds(lambda: cohort_size(trial.records, analyst, TRIAL)) for _ in range(3))
    figures = f"cohort worked out {worked_out:.2f} s, asked whether it changed {asked * 1000:.1f} ms"
    sys.stdout.write(f"{cases} cases: {figures}\n")


if __name__ == "__main__":
    main()
