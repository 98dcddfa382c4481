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

from apps.trialimg_dashboard.guard import COOKIE
from tests.e2e.accessibility import serious_findings
from tests.e2e.browser import (
    CHROMIUM,
    FLAGS,
    WITHOUT_WEBGL,
    Bytes,
    choose,
    drag,
    enter,
    picture,
    press,
    served,
    settled,
    watched_page,
)
from trialimg.bootstrap import demonstrate, identity, records, trial_run
from trialimg.core.access import Actor, Role
from trialimg.services.demonstration import PEOPLE
from trialimg.services.journal import Journal
from trialimg.services.model_answers import MODEL_ANSWER
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.reading import lock_read, lock_timepoint, open_case, save_draft, sign_read
from trialimg.services.reading_assignment import assign_trial
from trialimg.services.reading_results import case_result, review_status, worklist
from trialimg.services.records import EntryQuery, Place
from trialimg.services.sign_in import Proof, sign_in

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
    pytest.mark.xdist_group("browser"),
]

TRIAL = "DEMO-NSCLC-01"
SUBJECT = "01-001"
ARMS = ("treatment arm", '"arm"')
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


def canaries(home, *, seen_by):
    """What no byte may name: arms, real folders, series, and everybody else's names."""
    kept = records(home)
    with kept.store.reading() as transaction:
        (case,) = transaction.find("case", Place(trial=TRIAL))
    uids = [uid for timepoint in case.body["timepoints"] for uid in timepoint["series"]]
    people = [key for key in PEOPLE if key not in seen_by]
    names = [f"demo-{key}" for key in people if not any(f"demo-{one}".startswith(f"demo-{key}") for one in seen_by)]
    return [*uids, *names, *(PEOPLE[key][0] for key in people), case.body["code"], f'"{case.body["subject"]}"', *ARMS]


def assert_blinded(seen, words):
    sent = seen.all()
    assert len(sent) > 100_000  # images and tables came by this way
    assert [word for word in words if word.encode() in sent] == []


def evidence(home, account, step="BL"):
    """What a reader's first target at a visit rests on."""
    kept = records(home)
    with kept.store.reading() as transaction:
        (read,) = (one for one in transaction.find("read", Place(trial=TRIAL, person=account["user"])))
    lesions = {one["lesion"]: one for one in read.body["timepoints"][step]["lesions"]}
    return lesions.get("T01")


def comment(home, account, step="BL"):
    """What a reader wrote of a visit."""
    kept = records(home)
    with kept.store.reading() as transaction:
        (read,) = (one for one in transaction.find("read", Place(trial=TRIAL, person=account["user"])))
    return read.body["timepoints"][step]["comment"]


def answers_to_lines(home, account):
    """What is on record of the answers that a reader put away or took, with a range."""
    kept = records(home)
    with kept.store.reading() as transaction:
        found = transaction.find(MODEL_ANSWER, Place(trial=TRIAL, person=account["user"]))
        return [one.body for one in found if "interval_mm" in one.body and one.place.state == "left"]


def draw_line_on(page, lesion):
    """A line across the outline of a lesion, as a reader draws it."""
    page.wait_for_timeout(300)
    box = page.locator(f".ti-contour[data-lesion={lesion}]").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.locator("button[data-tool=length]").click()
    drag(page, (box["x"] + 3, middle), (box["x"] + box["width"] - 3, middle))
    settled(page)


def test_a_reader_takes_a_case_from_the_worklist_to_the_signature(server, browser, accounts, home):
    with watched_page(browser, server) as page:
        seen = Bytes(page)
        enter(page, server, "radiologist")
        picture(page, "worklist")
        press(page, "Open the next case")
        page.get_by_role("button", name="Lock BL").wait_for()
        while (lock := page.get_by_role("button", name=LOCK)).count():
            step = lock.first.inner_text()
            if step == "Lock W12":
                picture(page, "reading-room")
            accept_proposals(page)
            choose(page, "Adequate")
            if step != "Lock BL":
                choose(page, "No")
            press(page, step)
            page.wait_for_timeout(700)
        press(page, "Lock the read")
        sign(page, accounts["radiologist"])
        page.get_by_text("Nothing waits for you").wait_for()
        assert_blinded(seen, canaries(home, seen_by=["radiologist"]))
    kept = records(home)
    with kept.store.reading() as transaction:
        actions = [entry.action for entry in transaction.entries(EntryQuery(who="demo-radiologist"))]
    assert actions.count("lock_timepoint") == 4
    assert actions.count("sign_read") >= 1
    assert "open_images" in actions


def test_a_line_is_answered_accepted_corrected_and_taken_back_and_outlives_browser_and_server(
    root, home, browser, accounts
):
    account, environment = accounts["radiologist-2"], {"TRIALIMG_HOME": str(home)}
    application = "apps.trialimg_dashboard.server:app"
    with served(application, root, **environment) as first, watched_page(browser, first) as page:
        enter(page, first, "radiologist-2")
        press(page, "Open the next case")
        page.get_by_role("radio", name="T01", exact=True).click()
        settled(page)
        draw_line_on(page, "T01")
        assert page.locator(".ti-contour.ti-proposed[data-lesion=T01]").count() == 1
        page.get_by_text("Not accepted: T01").wait_for()
        page.get_by_text(re.compile(r"[0-9.]+ to [0-9.]+ mm, .* ml in [3-8] answers")).wait_for()
        picture(page, "reading-room-range")
        assert page.get_by_role("button", name="Lock BL").is_disabled()
        assert page.locator("[data-testid=stApp]").count() == 1
        page.keyboard.press("Escape")
        page.get_by_text("Saved").wait_for()
        draw_line_on(page, "T01")
        page.keyboard.press("Enter")
        page.get_by_text("Saved").wait_for()
        settled(page)
        assert [len(one["interval_mm"]) for one in answers_to_lines(home, account)] == [2]
        answered = evidence(home, account)
        assert answered["evidence"]["digest"]
        assert answered["short_mm"]
        page.keyboard.press("p")
        settled(page)
        label = page.locator(".ti-view svg text").first.text_content()
        assert label == f"T01 {answered['diameter_mm']} x {answered['short_mm']} mm"
        assert page.locator(".ti-contour[data-lesion=T01]:not(.ti-proposed)").count() == 1
        page.locator("button[data-tool=windowLevel]").click()
        circle = end_of_axis(page)
        drag(page, circle, (circle[0] + 6, circle[1]), steps=3)
        settled(page)
        corrected = evidence(home, account)
        assert corrected["diameter_mm"] != answered["diameter_mm"]
        assert not corrected["evidence"]["digest"]  # the outline is not this measurement's any more
        assert page.locator(".ti-contour[data-lesion=T01]").count() == 0
        page.keyboard.press("Escape")
        settled(page)
        page.wait_for_timeout(500)
        assert evidence(home, account)["evidence"] == answered["evidence"]
        page.get_by_label("Comment").fill("motion")
        page.get_by_label("Comment").press("Enter")
        settled(page)
    with served(application, root, **environment) as second, watched_page(browser, second) as page:
        time.sleep(max(0, 30 - time.time() % 30))  # a code serves once
        enter(page, second, "radiologist-2")
        press(page, "Open the next case")
        sync_api.expect(page.get_by_label("Comment")).to_have_value("motion")
        assert evidence(home, account)["evidence"] == answered["evidence"]
        page.get_by_role("radio", name="T01", exact=True).click()
        settled(page)
        sync_api.expect(page.locator(".ti-view svg text").filter(has_text=label).first).to_be_visible()


def end_of_axis(page):
    """The right end of the drawing on the screen."""
    boxes = [line.bounding_box() for line in page.locator(".ti-view svg line").all()]
    longest = max((box for box in boxes if box), key=lambda box: box["width"])
    lines = page.evaluate(
        """() => [...document.querySelectorAll('.ti-view svg line')].map((line) => {
          const box = line.ownerSVGElement.getBoundingClientRect();
          return ['x1', 'y1', 'x2', 'y2'].map((name, i) => +line.getAttribute(name) + (i % 2 ? box.y : box.x));
        })"""
    )
    assert longest["width"] > 10
    x1, y1, x2, y2 = max(lines, key=lambda line: abs(line[2] - line[0]))
    return (x2, y2) if x2 > x1 else (x1, y1)


def at_a_desk(kept, user):
    """A reader in a session of their own that cost no code, since a code serves once."""
    token = session_token(f"{user} {time.time_ns()}", "of the test")
    actor = Actor(user, Role.RADIOLOGIST, session_key(token))
    with kept.store.changing() as transaction:
        open_session(Journal(transaction, actor, kept), token, step=None, is_command=False)
    return actor


def other_reader(home, accounts, factor):
    """The second reader, without a screen: the proposals with every diameter of later visits multiplied."""
    kept = records(home)
    account = accounts["radiologist-2"]
    actor = at_a_desk(kept, account["user"])
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
        seen = Bytes(page)
        enter(page, server, "adjudicator")
        press(page, "Open the next case")
        page.get_by_text("Which read stands?").wait_for()
        settled(page)
        picture(page, "adjudication")
        assert_blinded(seen, canaries(home, seen_by=["adjudicator"]))
        choose(page, "B")
        choose(page, "Measurement")
        page.get_by_label("In your words (needed)").fill("the other counts vessel")
        page.get_by_label("In your words (needed)").press("Enter")
        settled(page)
        sign(page, accounts["adjudicator"])
        page.get_by_text("Nothing waits for you").wait_for()
    result = case_result(kept, actor, TRIAL, case["case"])
    assert [verdict["because"]["text"] for verdict in result["verdicts"]] == ["the other counts vessel"]


def test_a_browser_whose_session_ends_is_led_to_the_sign_in(server, browser):
    with watched_page(browser, server) as page:
        page.goto(f"{server}/reading_room")
        page.wait_for_url(f"{server}/sign-in")
        assert page.locator("[data-testid=stApp]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_readers_have_no_serious_fault_of_accessibility(server, browser, home, scheme):
    kept = records(home)
    account = "radiologist"
    token = session_token(f"axe {scheme} {time.time_ns()}", "of-the-test")
    actor = Actor(f"demo-{account}", Role.RADIOLOGIST, session_key(token))
    with kept.store.changing() as transaction:
        open_session(Journal(transaction, actor, kept), token, step=None, is_command=False)
    with watched_page(browser, server, scheme=scheme) as page:
        page.goto(f"{server}/sign-in")
        assert serious_findings(page) == []
        page.context.add_cookies([{"name": COOKIE, "value": token, "url": server, "httpOnly": True}])
        page.goto(server)
        page.get_by_role("heading", name="Worklist").wait_for()
        settled(page)
        assert serious_findings(page) == []
