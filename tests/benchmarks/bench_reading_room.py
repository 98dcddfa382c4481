"""How long a reader waits: first image, scrolling, the answer to a line, the response after a change, the worklist.

A made-up installation of one case with two visits of 300 slices of 512 x 512 is served on loopback and opened in
Chromium without WebGL, on the machine that also serves. The budgets are those of the reading room's design; nothing
fails where one is not met, the table says so.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hmac
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
import pyotp

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from apps.trialimg_dashboard.guard import COOKIE
from apps.trialimg_dashboard.pixels import PixelTokens
from apps.trialimg_dashboard.views.worklist import MOST_ROWS
from tests.e2e.browser import CHROMIUM, FLAGS, WITHOUT_WEBGL, enter, served, settled
from tests.fakes import central_review as review
from tests.fakes.dashboard import PROTOCOL, TRIAL
from trialimg.adapters.identity.local import LocalIdentity
from trialimg.bootstrap import kept_series, records
from trialimg.core.access import Actor, Role
from trialimg.services import cases, demonstration, reading, reading_assignment, reading_results, reading_room
from trialimg.services.case_images import CaseImages, Looking
from trialimg.services.journal import Journal, Records
from trialimg.services.model_answers import MODEL_ANSWER
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.records import Place
from trialimg.services.viewing import encode
from trialimg.volume import Geometry, Unit, Volume

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret of the benchmark, longer than 32 bytes"
CENTRE_LPS_MM, DIAMETER_MM = (40.0, 0.0, 180.0), 40.0
READERS_AT_ONCE, SECONDS_OF_LOAD = 20, 10
TIMES = 5
VISITS = ("BL", "W06")


@dataclass(frozen=True)
class Measured:
    """One line of the table."""

    what: str
    value: float
    unit: str
    budget: str = ""


def scan(seed: int, slices: int) -> Volume:
    """A body of 512 x 512 with one ball in it, and noise."""
    grid = Geometry((512, 512, slices), (0.7, 0.7, 1.2), (-178.85, -178.85, 0.0))
    rng = np.random.default_rng(seed)
    k, j, i = np.ogrid[:slices, :512, :512]
    x, y, z = (grid.origin_lps_mm[n] + index * grid.spacing_mm[n] for n, index in enumerate((i, j, k)))
    hu = np.where((x / 160) ** 2 + (y / 120) ** 2 + 0 * z < 1, 40.0, -1000.0).astype(np.float32)
    a, b, c = CENTRE_LPS_MM
    hu[(x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2 < (DIAMETER_MM / 2) ** 2] = 140
    hu += rng.normal(0, 12, (1, 512, 512)).astype(np.float32)
    return Volume(np.rint(hu).astype(np.int16), grid, "CT", Unit.HU)


def installed(home: Path, slices: int) -> Records:
    """A demonstration of one case; the seconds to encode it at ingest are nobody's wait."""
    kept = records(home)
    cheap = LocalIdentity(time_cost=1, memory_kib=8, lanes=1)
    made = demonstration.prepare(kept, cheap, PROTOCOL, code_at=lambda seed, at: pyotp.TOTP(seed).at(at))
    made.save(home / "demo-accounts.json")
    visits = tuple(
        cases.CaseTimepoint(one, review.DATES[one], series=(f"2.25.{n}",)) for n, one in enumerate(VISITS, start=1)
    )
    case = cases.ReceivedCase("C1", "S-C1", visits, kind=review.CaseKind.EFFICACY, reference_date=review.DATES["BL"])
    cases.receive_cases(kept, made.analyst, TRIAL, [case])
    for number, visit in enumerate(visits):
        kept_series(home).keep(visit.series[0], encode(scan(number, slices)))
    reading_assignment.assign_trial(kept, made.analyst, TRIAL)
    return kept


def read_baseline(kept: Records, actor: Actor, alias: str) -> None:
    """Baseline measured and locked, so that two stacks are side by side."""
    a, b, c = CENTRE_LPS_MM
    ends = [[a - DIAMETER_MM / 2, b, c], [a + DIAMETER_MM / 2, b, c]]
    evidence = {"series_uid": "2.25.1", "long_axis_lps_mm": ends}
    reading.open_case(kept, actor, TRIAL, alias)
    entry = {"lesions": [review.target("40.0", evidence=evidence)], "image_quality": "adequate"}
    reading.save_draft(kept, actor, TRIAL, alias, step="BL", entry=entry)
    reading.lock_timepoint(kept, actor, TRIAL, alias, step="BL")


def session_of(kept: Records, home: Path, key: str) -> tuple[Actor, str]:
    """Somebody signed in, and the token of their cookie."""
    user = json.loads((home / "demo-accounts.json").read_text())[key]["user"]
    token = session_token(f"{key} {time.monotonic_ns()}", "secret")
    actor = Actor(user, demonstration.PEOPLE[key][1], session_key(token))
    with kept.store.changing() as transaction:
        open_session(Journal(transaction, actor, kept), token, step=None, is_command=False)
    return actor, token


def alias_of(kept: Records, user: str) -> str:
    with kept.store.reading() as transaction:
        return str(next(iter(transaction.find("assignment", Place(trial=TRIAL, person=user)))).body["alias"])


def in_browser(url: str) -> Iterator[Measured]:
    """What the reader sees, by the clock on the wall; what is drawn and clicked by that of the page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS + WITHOUT_WEBGL)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        enter(page, url, "radiologist")
        settled(page)
        began = time.perf_counter()
        page.get_by_role("button", name="Open the next case").click()
        page.wait_for_selector(".ti-root[data-ready=yes]", timeout=60_000)
        yield Measured("case opened to first image", time.perf_counter() - began, "s", "<= 1")
        everything = "[...document.querySelectorAll('.ti-pane')].every(p => +p.dataset.loaded >= 300)"
        page.wait_for_function(everything, timeout=120_000)
        yield Measured("case opened to all 600 slices", time.perf_counter() - began, "s")
        yield Measured("scrolling, one slice a frame, two linked stacks", scrolled(page), "frames/s", "60")
        yield Measured("first line of a case drawn to outline", outlined(page), "s", "<= 2")
        leave(page)
        yield Measured("further line drawn to outline", outlined(page), "s", "<= 2")
        leave(page)
        page.wait_for_timeout(4000)  # nothing is worked out in the background any more
        yield Measured("a change to the page drawn anew", drawn_anew(page), "s", "<= 0.2")
        browser.close()


def begin_to_time(page, begin: str, is_done: str) -> None:
    """Have the page time itself: from an event to the frame in which something is true."""
    page.evaluate(
        """([begin, isDone]) => {
          const done = new Function(`return ${isDone}`)();
          window.took = new Promise((resolve) => {
            addEventListener(begin, () => {
              const began = performance.now();
              const seen = new MutationObserver(() => {
                if (!done()) return;
                seen.disconnect();
                requestAnimationFrame(() => resolve((performance.now() - began) / 1000));
              });
              seen.observe(document, { subtree: true, childList: true, attributes: true });
            }, { capture: true, once: true });
          });
        }""",
        [begin, is_done],
    )


def drawn_anew(page) -> float:
    """Median seconds from a click on a word to the page that was worked out with it."""
    found = []
    for _ in range(TIMES):
        begin_to_time(
            page,
            "click",
            """(() => {
              const state = () => document.querySelector('[data-testid=stApp]').dataset.testScriptState;
              let ran = false;
              return () => { ran ||= state() === 'running'; return ran && state() === 'notRunning'; };
            })()""",
        )
        page.get_by_role("radio", name="Adequate", exact=True).click()
        found.append(page.evaluate("window.took"))
        page.wait_for_timeout(500)
    return statistics.median(found)


def leave(page) -> None:
    """Put an answer away, once what goes on behind it is done."""
    page.wait_for_timeout(4000)
    page.keyboard.press("Escape")
    page.wait_for_selector(".ti-contour.ti-proposed", state="detached")
    settled(page)


def scrolled(page) -> float:
    """Frames a second, one wheel tick in each, over 300 slices."""
    return page.evaluate(
        """async () => {
          const pane = [...document.querySelectorAll('.ti-pane .cornerstone-element, .ti-pane .ti-view')].at(-1);
          const frame = () => new Promise(requestAnimationFrame);
          for (let i = 0; i < 20; i++) { await frame(); }
          const began = performance.now();
          for (let i = 0; i < 300; i++) {
            const deltaY = i < 150 ? -100 : 100;
            pane.dispatchEvent(new WheelEvent('wheel', { deltaY, bubbles: true, cancelable: true }));
            await frame();
          }
          return 300000 / (performance.now() - began);
        }"""
    )


def outlined(page) -> float:
    """A line across the ball on the visit that is read, until its outline stands."""
    page.get_by_role("radio", name="T01", exact=True).click()
    settled(page)
    page.keyboard.press("r")
    box = page.locator(".ti-pane").last.bounding_box()
    scale = min(box["width"], box["height"]) / (512 * 0.7)
    x = box["x"] + box["width"] / 2 + CENTRE_LPS_MM[0] * scale
    y = box["y"] + box["height"] / 2 + CENTRE_LPS_MM[1] * scale
    page.locator("button[data-tool=length]").click()
    page.mouse.move(x - 18 * scale, y)
    page.mouse.down()
    page.mouse.move(x + 18 * scale, y, steps=5)
    begin_to_time(page, "mouseup", "() => document.querySelector('.ti-contour.ti-proposed')")
    page.mouse.up()
    return page.evaluate("window.took")


def load(url: str, kept: Records, home: Path) -> Iterator[Measured]:
    """Twenty readers who fetch slices as fast as they come."""
    actor, token = session_of(kept, home, "radiologist-2")
    looking = Looking(actor.user, actor.session, TRIAL, alias_of(kept, actor.user))
    names, secret = (hmac.digest(SECRET.encode(), use, "sha256") for use in (b"series names", b"tokens"))
    (series, *_) = CaseImages(kept, kept_series(home), names).shown(looking)
    headers = {"Cookie": f"{COOKIE}={token}", "Authorization": f"Bearer {PixelTokens(secret).issue(looking)}"}
    until = time.perf_counter() + SECONDS_OF_LOAD

    def reader(number: int) -> list[float]:
        waits = []
        with httpx2.Client(headers=headers) as client:
            while time.perf_counter() < until:
                began = time.perf_counter()
                answer = client.get(f"{url}/images/{series.name}/slice/{(number * 13 + len(waits)) % 300}")
                if answer.status_code != 200:
                    raise RuntimeError(f"slice: HTTP {answer.status_code}")
                waits.append(time.perf_counter() - began)
        return waits

    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(READERS_AT_ONCE) as pool:
        waits = [wait for found in pool.map(reader, range(READERS_AT_ONCE)) for wait in found]
    yield Measured(f"{READERS_AT_ONCE} readers at once", len(waits) / (time.perf_counter() - began), "slices/s")
    yield Measured(f"{READERS_AT_ONCE} readers at once, 95 % within", statistics.quantiles(waits, n=20)[-1], "s")


def timed(work: Callable[[], object], times: int = 5) -> float:
    """Median seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def without_browser(kept: Records, home: Path, count: int) -> Iterator[Measured]:
    """The response after a change, and a worklist of many cases."""
    actor, _ = session_of(kept, home, "radiologist")
    alias = alias_of(kept, actor.user)
    entry = {"lesions": [review.target("30.0")], "image_quality": "adequate", "new_lesions": "no"}

    def change() -> None:
        reading.save_draft(kept, actor, TRIAL, alias, step="W06", entry=entry)
        reading_room.room(kept, actor, TRIAL, alias, is_first_look=False)

    yield Measured("a change kept and the response derived", timed(change), "s", "<= 0.2")
    analyst, _ = session_of(kept, home, "analyst")
    for start in range(0, count, 1000):
        codes = [f"M{number:05d}" for number in range(start, min(start + 1000, count))]
        cases.receive_cases(kept, analyst, TRIAL, [review.received_case(code, site="") for code in codes])
    give_out(kept, actor, count)
    shown = timed(lambda: reading_results.worklist(kept, actor, TRIAL, limit=MOST_ROWS), 3)
    yield Measured(f"worklist of {count} cases, as the page shows it", shown, "s", "<= 1")


def give_out(kept: Records, actor: Actor, count: int) -> None:
    """Every further case to one reader, as `assign_trial` writes it."""
    with kept.store.changing() as transaction:
        journal = Journal(transaction, Actor("demo-analyst", Role.ANALYST), kept)
        for number in range(count):
            case = f"{TRIAL}/M{number:05d}"
            body = {
                "case": case, "kind": "efficacy", "repeat": False, "alias": f"R{number:010d}", "seed": 1,
                "by_consensus": False, "display": {}, "since": journal.at, "seat": "first", "reader": actor.user,
                "order": number + 10, "number": 1,
            }  # fmt: skip
            place = Place(TRIAL, case, actor.user, "assigned")
            journal.write("assignment", f"{case}/first", body, action="assign_read", place=place)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--cases", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        kept = installed(home, asked.slices)
        actor, _ = session_of(kept, home, "radiologist")
        read_baseline(kept, actor, alias_of(kept, actor.user))
        environment = {"TRIALIMG_HOME": str(home), "TRIALIMG_PIXEL_SECRET": SECRET}
        with served("apps.trialimg_dashboard.server:app", ROOT, **environment) as url:
            for found in (*in_browser(url), *load(url, kept, home)):
                say(found)
        for found in (*by_processor(kept), *without_browser(kept, home, asked.cases)):
            say(found)
        print(f"load {os.getloadavg()[0]:.1f}")


def by_processor(kept: Records) -> Iterator[Measured]:
    """What the answers to lines took on the server, as their records say."""
    with kept.store.reading() as transaction:
        answers = [one.body for one in transaction.find(MODEL_ANSWER, Place(trial=TRIAL))]
    for number, answer in enumerate(answers, start=1):
        yield Measured(f"line {number} on the server", answer["milliseconds"] / 1000, "s")
        yield Measured(f"line {number} on the server, processor", answer["cpu_milliseconds"] / 1000, "s")


def say(found: Measured) -> None:
    print(f"{found.what:<52} {found.value:9.3f} {found.unit:<9} {found.budget}", flush=True)


if __name__ == "__main__":
    main()
