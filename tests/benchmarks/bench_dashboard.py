"""Dashboard: every page of every role, with many cases in the store.

On SQLite in a temporary folder: a small installation, and so many copies of its cases beside its own: every version of
every record, with the signatures under them. Nine in ten were there at the last data cut and are invoiced. Given are
the first time that a page is opened, the median of drawing it again, and the processor time of both, which other work
on the machine changes less. Pages are asked for over the websocket of a served dashboard, as a browser asks; each page
is a session of its own, so that none rests on what another has worked out.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from apps.trialimg_dashboard.guard import COOKIE
from apps.trialimg_dashboard.roles import PAGES
from tests.e2e.browser import served
from tests.fakes.central_review import SITE, TRIAL
from tests.fakes.dashboard import House, furnished
from tests.fakes.many_cases import multiply
from tests.fakes.records import granted
from tests.integration.wire import Wire
from trialimg.bootstrap import records
from trialimg.core.access import Action, Actor, Role
from trialimg.services.billing import issue
from trialimg.services.dashboard_cohort import cohort_of
from trialimg.services.dashboard_proof import ledger_size
from trialimg.services.dashboard_readers import readers_seen
from trialimg.services.journal import Journal
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.trials_data_cut import CutOrder, cut_data

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120
TRIES = 3


def filled(house: House, cases: int) -> Iterator[str]:
    """So many cases more; what it took to lock the results of most of them, and to invoice them."""
    before = cases * 9 // 10
    multiply(house, before)
    house.actors.clear()
    analyst, proof = house.actor("analyst"), house.proof("analyst")
    order = CutOrder(TRIAL, "IA2", "second interim analysis")
    yield f"a data cut: {said(lambda: cut_data(house.records, analyst, proof, order), 1)}"
    administrator, day = house.actor("administrator"), house.records.clock.now().date()
    yield f"an invoice: {said(lambda: issue(house.records, administrator, TRIAL, day), 1)}"
    multiply(house, cases - before, start=before)
    house.actors.clear()
    granted(house.records, "demo-site", Role.SITE, site=SITE)


def said(work: Callable[[], object], times: int = TRIES) -> str:
    """What something took in this process."""
    before = time.process_time()
    taken = min(seconds(work) for _ in range(times))
    cpu = (time.process_time() - before) / times
    return f"{1000 * taken:.0f} ms, processor {1000 * cpu:.0f} ms"


def pages(home: Path, role: Role, times: int) -> Iterator[str]:
    """A line for each page of a role."""
    kept = records(home)
    token = session_token(f"benchmark {time.monotonic_ns()}", f"made up for {role.value}")
    actor = Actor(f"demo-{role.value}", role, session_key(token))
    with kept.store.changing() as transaction:
        open_session(Journal(transaction, actor, kept), token, step=None, is_command=False)
    with served("apps.trialimg_dashboard.server:app", ROOT, TRIALIMG_HOME=str(home)) as url:
        for page in PAGES[role]:
            with Wire(url, f"{COOKIE}={token}", patience_s=PATIENCE_S) as wire:
                try:
                    took = drawn(url, lambda page=page, wire=wire: wire.run(page), times)
                except TimeoutError as late:
                    took = f"no answer ({late})"
            yield f"{role.value} {page}: {took}"


def drawn(url: str, draw: Callable[[], object], times: int) -> str:
    """What a page took."""
    start = _processor_seconds(url)
    first, before = seconds(draw), _processor_seconds(url)
    taken = [seconds(draw) for _ in range(times)]
    cpu = (_processor_seconds(url) - before) / times
    clock = f"first {1000 * first:.0f} ms, again {1000 * median(taken):.0f} ms"
    return f"{clock}, processor {1000 * (before - start):.0f} and {1000 * cpu:.0f} ms"


def _processor_seconds(url: str) -> float:
    """What the server at an address has used of the processor so far."""
    port = url.rpartition(":")[2]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended while we looked
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
    parser.add_argument("--redraws", type=int, default=10, help="Times that each page is drawn again.")
    parser.add_argument("--role", choices=[role.value for role in PAGES], action="append", help="Default: all.")
    options = parser.parse_args()

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    say(f"load of the machine: {os.getloadavg()}")
    with tempfile.TemporaryDirectory() as folder:
        house = furnished(Path(folder) / "home")
        for line in filled(house, options.cases):
            say(line)
        analyst = house.actor("analyst")
        for name, work in {
            "cohort worked out": lambda: cohort_of(house.records, analyst, TRIAL),
            "readers worked out": lambda: readers_seen(house.records, analyst, TRIAL),
            "asked whether it changed": lambda: ledger_size(house.records, analyst, TRIAL, right=Action.VIEW_COHORT),
        }.items():
            say(f"{options.cases} cases: {name} {said(work)}")
        for role in map(Role, options.role or [role.value for role in PAGES]):
            for line in pages(house.home, role, options.redraws):
                say(line)
    say(f"load of the machine: {os.getloadavg()}")


if __name__ == "__main__":
    main()
