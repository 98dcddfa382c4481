"""The analyst, the sponsor, the administrator and the inspector at their pages in a real browser.

With ``TRIALIMG_SCREENSHOTS=docs/images`` every page is photographed into that folder.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
from pathlib import Path

import pyotp
import pytest

from apps.trialimg_dashboard.roles import PAGES
from apps.trialimg_dashboard.words import text
from tests.e2e.accessibility import serious_findings
from tests.e2e.browser import CHROMIUM, FLAGS, WITHOUT_WEBGL, served, watched_page
from tests.fakes.dashboard import TRIAL, furnished
from trialimg.adapters.identity.local import LocalIdentity
from trialimg.bootstrap import records
from trialimg.core.access import Role
from trialimg.services.records import EntryQuery

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
    pytest.mark.xdist_group("browser"),
]

WHERE = """() => {
  const at = document.activeElement;
  if (at.closest("[data-testid=stTopNavLink]")) return "menu";
  return at.closest("[data-testid=stDataFrame]") ? "table" : at.tagName.toLowerCase();
}"""
LANDING = {"analyst": "Cohort", "sponsor": "T-1: A trial", "administrator": "People", "inspector": "Cohort"}


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """An installation that has been at work for a day."""
    folder = tmp_path_factory.mktemp("people") / "home"
    begins = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0) - dt.timedelta(days=1)
    quick = LocalIdentity(time_cost=1, memory_kib=1024, lanes=1)
    furnished(folder, identity=quick, code_at=lambda seed, moment: pyotp.TOTP(seed).at(moment), begins=begins)
    return folder


@pytest.fixture(scope="module")
def server(home, root):
    with served("apps.trialimg_dashboard.server:app", root, TRIALIMG_HOME=str(home)) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS + WITHOUT_WEBGL)


@pytest.fixture(scope="module")
def cookies(browser, server):
    """Each role signed in once: a code serves once, and the demonstration's changes every half minute."""
    found = {}
    for role in LANDING:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{server}/sign-in")
        page.locator(f"button[value='{role}']").click()
        page.get_by_role("heading", name=LANDING[role]).first.wait_for()
        found[role] = context.cookies()
        context.close()
    return found


def enter(page, server, cookies, role):
    page.context.add_cookies(cookies[role])
    page.goto(server)
    page.get_by_role("heading", name=LANDING[role]).first.wait_for()
    settled(page)


def settled(page):
    page.wait_for_timeout(300)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def follow(page, name):
    """Go to a page by its name at the top."""
    page.locator("[data-testid=stTopNavLink]").get_by_text(name, exact=True).click()
    settled(page)


def photograph(page, name):
    if folder := os.environ.get("TRIALIMG_SCREENSHOTS"):
        page.wait_for_timeout(1500)
        page.screenshot(path=Path(folder) / f"{name}.png")


def notes(home, action):
    with records(home).store.reading() as transaction:
        return [(one.who, one.object_id) for one in transaction.entries(EntryQuery(trial=TRIAL, action=action))]


@pytest.mark.parametrize("role", LANDING)
def test_every_page_of_a_role_opens_without_an_error(browser, server, cookies, role):
    with watched_page(browser, server) as page:
        enter(page, server, cookies, role)
        for name in PAGES[Role(role)]:
            follow(page, text(f"page.{name}", "en"))
            page.get_by_role("heading").first.wait_for()
            assert page.locator("[data-testid=stException]").count() == 0, name
            photograph(page, f"{role}-{name}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("role", LANDING)
def test_no_page_has_a_serious_accessibility_finding(browser, server, cookies, role, scheme):
    found = {}
    with watched_page(browser, server, scheme=scheme) as page:
        enter(page, server, cookies, role)
        for name in PAGES[Role(role)]:
            follow(page, text(f"page.{name}", "en"))
            page.get_by_role("heading").first.wait_for()
            found[name] = serious_findings(page)
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_the_keyboard_skips_the_menu_and_comes_to_the_pickers_before_the_table(browser, server, cookies):
    with watched_page(browser, server) as page:
        enter(page, server, cookies, "analyst")
        page.locator("body").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
        page.keyboard.press("Enter")
        reached = []
        for _ in range(40):
            page.keyboard.press("Tab")
            reached.append(page.evaluate(WHERE))
            if reached[-1] == "table":
                break
        assert "menu" not in reached
        assert reached[-1] == "table" and {"button", "input"} <= set(reached)


def test_what_an_analyst_gives_out_is_seen_in_the_cohort_and_a_bar_leads_to_its_case(browser, server, cookies, home):
    with watched_page(browser, server) as page:
        enter(page, server, cookies, "analyst")
        page.get_by_role("button", name="Due 3").wait_for()
        follow(page, "Give out cases")
        fold = page.locator("[data-testid=stExpander]", has_text="Give out every free seat of the trial")
        fold.locator("summary").click()
        fold.locator("label", has_text="I am sure").click()
        fold.get_by_role("button", name="Give out every free seat").click()
        page.get_by_text("seats were given out").wait_for()
        follow(page, "Cohort")
        page.get_by_role("button", name="Due 5").wait_for()
        page.get_by_text("Endpoints", exact=True).click()
        settled(page)
        page.wait_for_timeout(1000)
        photograph(page, "analyst-endpoints")
        chart = page.locator("[data-testid=stPlotlyChart]", has_text="Best change from baseline")
        box = chart.locator(".barlayer .point").last.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.get_by_role("heading", name="Case C0005").wait_for()
        settled(page)
        photograph(page, "analyst-case")
    assert len([one for one in notes(home, "assign_read") if one[1].startswith(f"{TRIAL}/C0009/")]) == 2


def test_what_a_sponsor_downloads_has_its_digest_and_is_in_the_audit_trail(browser, server, cookies, home):
    with watched_page(browser, server) as page:
        enter(page, server, cookies, "sponsor")
        digest = page.locator("code").first.inner_text()
        with page.expect_download() as taken:
            page.get_by_role("button", name="Download").first.click()
        data = Path(taken.value.path()).read_bytes()
        page.locator("summary", has_text="Invoice CRO1").click()
        page.wait_for_timeout(500)
        with page.expect_download() as printed:
            page.get_by_role("button", name="Download PDF").click()
        photograph(page, "sponsor-invoice")
        bill = Path(printed.value.path()).read_bytes()
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" == digest
    assert data.splitlines()[1].startswith(b"C0001,S-C0001,PR")
    assert bill.startswith(b"%PDF")
    year = f"{dt.datetime.now(dt.UTC) - dt.timedelta(days=1):%Y}"
    files = ["T-1-IA1-results.csv", f"CRO1/{year}/000001.pdf"]
    assert notes(home, "download") == [("demo-sponsor", name) for name in files]
    with watched_page(browser, server) as page:
        enter(page, server, cookies, "inspector")
        follow(page, "Audit trail")
        page.get_by_role("textbox", name="What was done").fill("download")
        page.keyboard.press("Enter")
        page.get_by_text("2 entries").wait_for()
        photograph(page, "inspector-download")


def test_a_page_that_a_role_does_not_have_is_not_there(browser, server, cookies):
    context = browser.new_context()
    page = context.new_page()
    enter(page, server, cookies, "sponsor")
    page.goto(f"{server}/cohort")
    page.get_by_text("Page not found").wait_for()
    page.locator("h1", has_text="T-1: A trial").wait_for()
    context.close()


def test_whoever_is_not_signed_in_gets_nothing(browser, server):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server}/")
    page.wait_for_timeout(1500)
    assert "S-C0001" not in page.content()
    assert page.locator("[data-testid=stDataFrame]").count() == 0
    context.close()
