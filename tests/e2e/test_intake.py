"""Studies go through a real browser into a case, and the questions about them to the site and back."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pyotp
import pytest

from tests.e2e.browser import CHROMIUM, FLAGS, WITHOUT_WEBGL, picture, served, watched_page
from tests.fakes.dashboard import TRIAL, furnished
from tests.fakes.dicom_files import stack, uid
from trialimg.adapters.identity.local import LocalIdentity
from trialimg.bootstrap import records

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
    pytest.mark.xdist_group("browser"),
]
SUBJECT = "S-9001"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("intake") / "home"
    begins = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0) - dt.timedelta(days=1)
    quick = LocalIdentity(time_cost=1, memory_kib=1024, lanes=1)
    furnished(folder, identity=quick, code_at=lambda seed, moment: pyotp.TOTP(seed).at(moment), begins=begins)
    return folder


@pytest.fixture(scope="module")
def server(home, root):
    with served("apps.trialimg_dashboard.server:app", root, TRIALIMG_HOME=str(home)) as url:
        yield url


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> list[Path]:
    """Twelve slices of a series that is too thick for the protocol, and a letter."""
    folder = tmp_path_factory.mktemp("study")
    facts = {"PatientID": SUBJECT, "PatientIdentityRemoved": "YES", "StudyDate": "20260105", "SliceThickness": 8.0}
    array = np.random.default_rng(1).integers(-1000, 1000, (12, 64, 64), dtype=np.int16)
    paths = []
    for number, data in enumerate(stack(array, gap_mm=8.0, Manufacturer="ACME", **facts)):
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        paths.append(folder / f"{number:03}.dcm")
        data.save_as(paths[-1], enforce_file_format=True)
    letter = folder / "letter.txt"
    letter.write_text("Dear colleague")
    return [*paths, letter]


def settled(page) -> None:
    for _ in range(2):
        page.wait_for_timeout(400)
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def fold(page, name):
    found = page.locator("[data-testid=stExpander]", has=page.locator("summary", has_text=name))
    if found.get_attribute("open") is None and not found.locator("form, [data-testid=stForm]").first.is_visible():
        found.locator("summary").click()
    return found


def submit(page, form, name) -> None:
    form.locator("label", has_text="I am sure").click()
    form.get_by_role("button", name=name, exact=True).click()
    settled(page)


def pick(page, select, word) -> None:
    """Choose a word of a list; it is opened where it need not be scrolled to, for a list closes when its page moves."""
    box, option = select.get_by_role("combobox"), page.get_by_role("option", name=word, exact=True)
    for _ in range(3):
        box.evaluate("box => box.scrollIntoView({block: 'center'})")
        settled(page)
        box.click()
        with contextlib.suppress(sync_api.TimeoutError):
            option.click(timeout=10_000)
            break
        page.keyboard.press("Escape")
    sync_api.expect(box).to_have_value(word)


def follow(page, name) -> None:
    page.locator("[data-testid=stTopNavLink]").get_by_text(name, exact=True).click()
    settled(page)


def test_a_study_is_uploaded_handed_over_and_its_query_answered_and_closed(server, home, study):
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS + WITHOUT_WEBGL)
        with watched_page(browser, server) as page:
            page.goto(f"{server}/sign-in")
            page.locator("button[value='analyst']").click()
            page.get_by_role("heading", name="Cohort").first.wait_for()
            settled(page)
            uploaded(page, study)
            asked_and_answered(page)
            follow(page, "Cohort")
            page.get_by_role("button", name="Open queries 1").wait_for()
            picture(page, "analyst-cohort")
        browser.close()
    with records(home).store.reading() as transaction:
        case = transaction.current("case", f"{TRIAL}/{SUBJECT}")
        assert [one["series"] for one in case.body["timepoints"]] == [[uid(1)]]
        upload = transaction.current("upload", f"{TRIAL}/U0001")
        assert (upload.place.state, len(upload.body["receipts"])) == ("received", 13)
        assert transaction.current("query", f"{TRIAL}/Q0001").place.state == "closed"
    assert not (home / "quarantine" / f"{TRIAL}-U0001").exists()


def uploaded(page, study: list[Path]) -> None:
    follow(page, "Upload")
    form = fold(page, "Begin an upload")
    form.get_by_label("Subject code", exact=True).fill(SUBJECT)
    submit(page, form, "Begin an upload")
    page.locator(".uploader .choose-files").set_input_files([str(path) for path in study])
    page.get_by_text("Taken 12 · Refused 1").wait_for()
    page.get_by_text("letter.txt: not a DICOM file").wait_for()
    settled(page)
    page.get_by_text("Files taken").wait_for()
    picture(page, "upload-studies")
    form = fold(page, "Hand over to the case")
    pick(page, form.locator("[data-testid=stSelectbox]").first, "BL")
    form.locator("label", has_text="I looked at the images").click()
    submit(page, form, "Hand over to the case")
    page.get_by_text(f"Handed over to case {SUBJECT}.").wait_for()


def asked_and_answered(page) -> None:
    follow(page, "Quality")
    page.locator("[data-testid=stDataFrame]").first.wait_for()
    table = page.locator("[data-testid=stDataFrame]").first.bounding_box()
    page.mouse.click(table["x"] + 15, table["y"] + 52)
    settled(page)
    page.get_by_role("heading", name=f"{TRIAL}/Q0001").wait_for()
    form = fold(page, "Answer")
    form.get_by_label("What the site says", exact=True).fill("reconstructed at 2 mm; sent again")
    form.get_by_label("Where the answer comes from", exact=True).fill("e-mail of 2026-03-04, study coordinator")
    submit(page, form, "Answer")
    page.get_by_text("reconstructed at 2 mm").first.wait_for()
    picture(page, "analyst-quality")
    form = fold(page, "Close the query")
    form.locator("input[type=text]").first.fill("the thin series will come")
    submit(page, form, "Close the query")
    page.get_by_role("heading", name="closed").wait_for()
