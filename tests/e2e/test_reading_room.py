"""A case through the browser: read, locked, signed; read by a second reader; settled by an adjudicator."""

from __future__ import annotations

import csv
import json
import re
import shutil
import time
from decimal import Decimal
from pathlib import Path

import pyotp
import pytest

from tests.e2e.browser import CHROMIUM, FLAGS, WITHOUT_WEBGL, served, watched_page
from trialimg.bootstrap import demonstrate, identity, records, trial_run
from trialimg.services.reading import lock_read, lock_timepoint, open_case, save_draft, sign_read
from trialimg.services.reading_assignment import assign_trial
from trialimg.services.reading_results import case_result, review_status, worklist
from trialimg.services.records import EntryQuery
from trialimg.services.sign_in import Proof, sign_in

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
    pytest.mark.xdist_group("browser"),
]

TRIAL = "DEMO-NSCLC-01"
SUBJECT = "01-001"
LOCK = re.compile(r"^Lock (BL|W\d+)")


@pytest.fixture(scope="module")
def home(root: Path, tmp_path_factory) -> Path:
    """A demonstration of one subject of the sample trial."""
    studies, run = tmp_path_factory.mktemp("studies"), tmp_path_factory.mktemp("run")
    for table in ("subjects.csv", "annotations.csv"):
        with (root / "sample_data" / table).open(newline="", encoding="utf-8") as file:
            kept = [row for row in csv.DictReader(file) if row["subject"] == SUBJECT]
        with (studies / table).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, kept[0])
            writer.writeheader()
            writer.writerows(kept)
    shutil.copytree(root / "sample_data" / SUBJECT, studies / SUBJECT)
    protocol = root / "protocols" / "nsclc_recist11.yaml"
    trial_run(protocol, studies, run / "work", device=None, workers=1)(run)
    folder = tmp_path_factory.mktemp("home")
    demonstrate(folder, protocol, run=run, studies=studies)
    return folder


@pytest.fixture(scope="module")
def accounts(home):
    return json.loads((home / "demo-accounts.json").read_text())


@pytest.fixture(scope="module")
def server(home, root):
    with served("apps.trialimg_dashboard.server:app", root, TRIALIMG_HOME=str(home)) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS + WITHOUT_WEBGL)


def enter(page, server, account):
    page.goto(f"{server}/sign-in")
    page.locator(f"button[value='{account}']").click()
    page.get_by_role("heading", name="Worklist").wait_for()


def settled(page):
    """Streamlit has answered and the viewer, where there is one, shows its slices."""
    page.wait_for_timeout(300)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    if page.locator(".ti-root").count():
        page.wait_for_selector(".ti-root[data-ready=yes]")


def press(page, name):
    page.get_by_role("button", name=name).first.click()
    settled(page)


def choose(page, name):
    page.get_by_role("radio", name=name, exact=True).first.click()
    settled(page)


def sign(page, account):
    page.get_by_role("textbox", name="Password").fill(account["password"])
    page.get_by_role("textbox", name="Six-digit code").fill(pyotp.TOTP(account["seed"]).at(time.time() + 30))
    press(page, "Sign")


def accept_proposals(page):
    for _ in range(12):
        accept = page.get_by_role("button", name="Accept (Enter)")
        if not accept.count():
            return
        accept.first.click()
        settled(page)


def test_a_reader_takes_a_case_from_the_worklist_to_the_signature(server, browser, accounts, home):
    with watched_page(browser, server) as page:
        enter(page, server, "radiologist")
        press(page, "Open the next case")
        page.get_by_role("button", name="Lock BL").wait_for()
        while (lock := page.get_by_role("button", name=LOCK)).count():
            step = lock.first.inner_text()
            accept_proposals(page)
            choose(page, "Adequate")
            if step != "Lock BL":
                choose(page, "No")
            press(page, step)
            page.wait_for_timeout(700)
        press(page, "Lock the read")
        sign(page, accounts["radiologist"])
        page.get_by_text("Nothing waits for you").wait_for()
    kept = records(home)
    with kept.store.reading() as transaction:
        actions = [entry.action for entry in transaction.entries(EntryQuery(who="demo-radiologist"))]
    assert actions.count("lock_timepoint") == 4
    assert actions.count("sign_read") >= 1
    assert "open_images" in actions


def other_reader(home, accounts, factor):
    """The second reader, without a screen: the proposals with every diameter of later visits multiplied."""
    kept = records(home)
    account = accounts["radiologist-2"]
    code = pyotp.TOTP(account["seed"]).now()
    actor = sign_in(kept, account["user"], Proof(account["password"], code, identity())).actor
    (row,) = worklist(kept, actor, TRIAL)
    alias = row["alias"]
    for _ in range(4):
        view = open_case(kept, actor, TRIAL, alias)
        visit = view["timepoints"][-1]
        is_baseline = len(view["timepoints"]) == 1
        lesions = [scaled(lesion, 1 if is_baseline else factor) for lesion in visit["proposed"]["lesions"]]
        entry = {"lesions": lesions, "image_quality": "adequate", "new_lesions": "" if is_baseline else "no"}
        save_draft(kept, actor, TRIAL, alias, step=visit["id"], entry=entry)
        lock_timepoint(kept, actor, TRIAL, alias, step=visit["id"])
    lock_read(kept, actor, TRIAL, alias)
    code = pyotp.TOTP(account["seed"]).at(time.time() + 30)
    sign_read(kept, actor, Proof(account["password"], code, identity()), trial=TRIAL, alias=alias)


def scaled(lesion, factor):
    words = {name: lesion[name] for name in ("lesion", "role", "kind", "organ", "seen", "status", "reason")}
    if lesion["diameter_mm"]:
        words["diameter_mm"] = str(Decimal(lesion["diameter_mm"]) * Decimal(str(factor)))
    return words


def test_two_reads_that_differ_go_to_the_adjudicator_who_chooses_and_signs(server, browser, accounts, home):
    other_reader(home, accounts, 1.6)
    kept = records(home)
    analyst = accounts["analyst"]
    proof = Proof(analyst["password"], pyotp.TOTP(analyst["seed"]).now(), identity())
    actor = sign_in(kept, analyst["user"], proof).actor
    (case,) = review_status(kept, actor, TRIAL)
    assert case["state"] == "adjudication"
    assign_trial(kept, actor, TRIAL)
    with watched_page(browser, server) as page:
        enter(page, server, "adjudicator")
        press(page, "Open the next case")
        page.get_by_text("Which read stands?").wait_for()
        settled(page)
        seen = page.content()
        for canary in ("demo-radiologist", "Demo Radiologist", '"arm"', "01-001"):
            assert canary not in seen
        choose(page, "B")
        choose(page, "Measurement")
        page.get_by_label("In your words (needed)").fill("the other counts vessel")
        page.get_by_label("In your words (needed)").press("Enter")
        settled(page)
        sign(page, accounts["adjudicator"])
        page.get_by_text("Nothing waits for you").wait_for()
    result = case_result(kept, actor, TRIAL, case["case"])
    assert [verdict["because"]["text"] for verdict in result["verdicts"]] == ["the other counts vessel"]


def test_a_signed_out_browser_gets_nothing(server, browser):
    with watched_page(browser, server) as page:
        page.goto(server)
        page.get_by_text("You are not signed in any more").wait_for()
        assert page.locator(".ti-root").count() == 0
        answer = page.request.get(f"{server}/images/0123456789abcdef01234567/geometry")
        assert answer.status == 401
        assert page.request.get(f"{server}/media/anything").status == 404
