"""A reader at a follow-up visit in a real browser: new-lesion candidate, split, merge, words, global look, correction.

The images are a small phantom with one ball that baseline does not have; records and pages are real.
"""

from __future__ import annotations

import re
import shutil
import time

import numpy as np
import pyotp
import pytest

from tests.e2e.accessibility import serious_findings
from tests.e2e.browser import choose, enter, picture, press, served, settled, watched_page
from tests.fakes import central_review as review
from tests.fakes.imaging import body_with
from trialimg.adapters.identity.local import LocalIdentity
from trialimg.bootstrap import kept_series, records
from trialimg.core.access import Actor, Role
from trialimg.core.reading import Seat
from trialimg.imaging import new_lesions
from trialimg.services import cases, demonstration, reading
from trialimg.services.journal import Journal
from trialimg.services.new_lesion_offers import DECISION
from trialimg.services.new_lesion_proposals import propose_new_lesions
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.reading_assignment import assign_trial
from trialimg.services.reading_reopening import Reopening, reopen
from trialimg.services.reading_results import review_status
from trialimg.services.records import EntryQuery, Place
from trialimg.services.sign_in import Proof
from trialimg.services.viewing import encode
from trialimg.services.visit_alignment import VisitAlignments
from trialimg.volume import Volume

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
    pytest.mark.xdist_group("browser"),
]

TRIAL, CODE, READER = review.TRIAL, "C1", "radiologist"
KNOWN = ((40.0, -60.0, 60.0), 26.0)
NEW = ((-20.0, 50.0, 72.0), 22.0)
IDENTITY = LocalIdentity(time_cost=1, memory_kib=8, lanes=1)


def scanned(seed, *balls) -> Volume:
    body = body_with(balls)
    noise = np.random.default_rng(seed).normal(0, 5, body.array.shape)
    return Volume(np.rint(body.array + noise), body.geometry, body.modality, body.unit)


def at_a_desk(kept, user, role=Role.RADIOLOGIST):
    """Somebody in a session of their own that cost no code, since a code serves once."""
    token = session_token(f"{user} {time.time_ns()}", "of the test")
    actor = Actor(user, role, session_key(token))
    with kept.store.changing() as transaction:
        open_session(Journal(transaction, actor, kept), token, step=None, is_command=False)
    return actor


class House:
    """One case of one reader, its baseline locked, its follow-up open."""

    def __init__(self, home) -> None:
        home.mkdir()
        self.home, self.kept = home, records(home)
        code_at = lambda seed, moment: pyotp.TOTP(seed).at(moment)  # noqa: E731  shorter than its name
        text = review.single(global_read="true")
        made = demonstration.prepare(self.kept, IDENTITY, text, code_at=code_at)
        made.save(home / "demo-accounts.json")
        self.accounts = made.accounts
        analyst = at_a_desk(self.kept, made.accounts["analyst"].user, Role.ANALYST)
        review.active_site(self.kept, analyst)
        visits = tuple(
            cases.CaseTimepoint(step, review.DATES[step], series=(uid,)) for step, uid in (("BL", "bl"), ("W06", "w06"))
        )
        received = cases.ReceivedCase(CODE, "S-C1", visits, reference_date=review.DATES["BL"])
        cases.receive_cases(self.kept, analyst, TRIAL, [received])
        series = kept_series(home)
        series.keep("bl", encode(scanned(1, KNOWN)))
        series.keep("w06", encode(scanned(2, KNOWN, NEW)))
        alignments = VisitAlignments(series, series.store)
        alignments.align_cases(self.kept, Place(TRIAL))
        propose_new_lesions(self.kept, Place(TRIAL), alignments)
        assign_trial(self.kept, analyst, TRIAL)
        (case,) = review_status(self.kept, analyst, TRIAL)
        (read,) = case["reads"]
        self.reader, self.alias = read["reader"], read["alias"]
        self.key = next(key for key, account in made.accounts.items() if account.user == self.reader)

    def actor(self, key=""):
        account = self.accounts[key or self.key]
        return at_a_desk(self.kept, account.user, Role(account.role))

    def proof(self, key):
        account = self.accounts[key]
        return Proof(account.password, pyotp.TOTP(account.seed).at(time.time() + 30), IDENTITY)

    def write(self, step, entry):
        reading.save_draft(self.kept, self.actor(), TRIAL, self.alias, step=step, entry=entry)

    def lock_baseline(self):
        actor = self.actor()
        reading.open_case(self.kept, actor, TRIAL, self.alias)
        lesions = [
            review.target("26", evidence=line_over(KNOWN, "bl")),
            review.target("20", "T02"),
            review.target("44", "T03"),
            {**review.target("", "NT01"), "role": "non_target", "seen": "measured", "status": "present"},
        ]
        self.write("BL", review.entry("26", lesions=lesions))
        reading.lock_timepoint(self.kept, actor, TRIAL, self.alias, step="BL")
        third = review.target("40", "T03")
        self.write("W06", {"lesions": [third], "image_quality": "", "new_lesions": ""})

    def entry(self, step):
        with self.kept.store.reading() as transaction:
            found = list(transaction.find("read", Place(TRIAL, person=self.reader)))
        return found[-1].body["timepoints"][step]

    def lesions(self, step="W06"):
        return {one["lesion"]: one for one in self.entry(step)["lesions"]}


def line_over(ball, uid):
    (x, y, z), diameter_mm = ball
    return {
        "series_uid": uid,
        "long_axis_lps_mm": [[f"{x - diameter_mm / 2}", f"{y}", f"{z}"], [f"{x + diameter_mm / 2}", f"{y}", f"{z}"]],
    }


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("walks") / "home")
    made.lock_baseline()
    return made


@pytest.fixture(scope="module")
def server(house, root):
    with served("apps.trialimg_dashboard.server:app", root, TRIALIMG_HOME=str(house.home)) as url:
        yield url


def expand(page, name):
    """Open a part that is folded, unless it was left open."""
    folded = page.locator("details:not([open]) summary").filter(has_text=name)
    if folded.count():
        folded.first.click()
        settled(page)


def pick(page, name):
    """Choose a lesion."""
    page.get_by_role("radio", name=name, exact=True).first.click()
    settled(page)


def choose_in(page, label, word):
    """Choose in a list that drops down."""
    page.get_by_label(label).first.click()
    page.get_by_role("option", name=word, exact=True).click()
    settled(page)


def fill(page, label, text):
    page.get_by_label(label).first.fill(text)
    page.get_by_label(label).first.press("Enter")
    settled(page)


def test_a_candidate_is_looked_at_and_taken_and_its_measurement_accepted(server, browsers, house):
    with watched_page(browsers["cpu"], server) as page:
        enter(page, server, house.key)
        press(page, "Open the next case")
        page.get_by_text("Candidates: 1 new?").wait_for()
        press(page, "Show")
        page.locator(".ti-contour.ti-proposed[data-lesion=C01]").first.wait_for()
        picture(page, "reading-room-candidate")
        assert serious_findings(page) == []
        press(page, "Take as new lesion")
        page.get_by_test_id("stPopoverBody").get_by_role("button", name="Take as new lesion").click()
        settled(page)
        page.get_by_text("Not accepted: N01").wait_for()
        press(page, "Accept (Enter)")
        pick(page, "N01")
        choose(page, "Unequivocal")
    found = house.lesions()["N01"]
    assert float(found["diameter_mm"]) == pytest.approx(NEW[1], abs=6)  # pixels of 4 mm, slices of 6 mm
    assert (found["role"], found["status"]) == ("new", "unequivocal")
    with house.kept.store.reading() as transaction:
        (decision,) = transaction.find(DECISION, Place(TRIAL))
    assert (decision.place.state, decision.place.person) == ("taken", house.reader)
    proposed_by = f"trialimg.new_lesions@{new_lesions.VERSION}"
    assert (decision.body["lesion"], decision.body["proposed_by"]) == ("N01", proposed_by)


def test_a_visit_with_split_merge_and_words_is_locked_looked_at_as_a_whole_signed_and_corrected(
    server, browsers, house
):
    with watched_page(browsers["cpu"], server) as page:
        time.sleep(max(0, 31 - time.time() % 30))  # a code serves once
        enter(page, server, house.key)
        press(page, "Open the next case")
        pick(page, "T01")
        expand(page, "Split or merged")
        press(page, "T01 has split in two")
        for part in ("T01a", "T01b"):
            pick(page, part)
            choose(page, "Too small")
        pick(page, "T02")
        expand(page, "Split or merged")
        choose_in(page, "T02 has merged into", "T03")
        pick(page, "NT01")
        choose(page, "Unequivocal progression")
        expand(page, "What the criterion asks for")
        page.get_by_role("radiogroup", name="Cr doubtful").get_by_role("radio", name="yes").click()
        settled(page)
        choose(page, "Limited")
        choose(page, "Yes")
        before = house.lesions()
        assert before["T01"]["seen"] == "absent"
        assert {before[name]["split_from"] for name in ("T01a", "T01b")} == {"T01"}
        assert before["T02"]["merged_into"] == "T03"
        assert before["NT01"]["status"] == "unequivocal_progression"
        assert house.entry("W06")["facts"]["cr_doubtful"] == "yes"
        press(page, "Lock W06")
        page.get_by_text("All visits together").wait_for()
        fill(page, "Best overall response", "PD")
        press(page, re.compile("^Lock GLOBAL"))
        press(page, "Lock the read")
        sign(page, house)
        page.get_by_text("Nothing waits for you").wait_for()
    correct(house)
    with watched_page(browsers["cpu"], server) as page:
        time.sleep(61 - time.time() % 30)  # the signature has used the next half minute's code
        enter(page, server, house.key)
        press(page, "Open the next case")
        page.get_by_text("You may correct this read from W06 on").wait_for()
        page.get_by_label("Reason (needed)").last.fill("the wrong part")
        press(page, "Begin the correction")
        page.get_by_role("button", name="Lock W06").wait_for()
        pick(page, "T01b")
        choose(page, "Absent")
    assert house.lesions()["T01b"]["seen"] == "absent"
    assert before["T01b"]["seen"] == "too_small"
    assert house.lesions()["N01"]["status"] == "unequivocal"


def sign(page, house):
    account = house.accounts[house.key]
    page.get_by_role("textbox", name="Password").fill(account.password)
    page.get_by_role("textbox", name="Six-digit code").fill(pyotp.TOTP(account.seed).at(time.time() + 30))
    press(page, "Sign")


def correct(house):
    """The reader asked for a correction, and somebody who leads the trial allows it."""
    reading.ask_correction(house.kept, house.actor(), TRIAL, house.alias, reason="the wrong part")
    asked = Reopening(CODE, Seat.FIRST, "W06", "the wrong part")
    reopen(house.kept, house.actor("analyst"), house.proof("analyst"), TRIAL, asked=asked)


def test_whoever_goes_away_is_warned_may_stay_and_else_is_signed_out(root, browsers, house):
    environment = {"TRIALIMG_HOME": str(house.home), "TRIALIMG_IDLE_MINUTES": "2"}
    other = "radiologist-2" if house.key == "radiologist" else "radiologist"
    with (
        served("apps.trialimg_dashboard.server:app", root, **environment) as server,
        watched_page(browsers["cpu"], server) as page,
    ):
        enter(page, server, other)
        warning = page.get_by_role("alertdialog")
        warning.wait_for()
        assert "signed out in" in warning.inner_text()
        picture(page, "idle")
        assert serious_findings(page) == []
        page.get_by_role("button", name="Stay signed in").click()
        sync_api.expect(warning).to_be_hidden()
        warning.wait_for()
        page.wait_for_url(f"{server}/sign-in")
    with house.kept.store.reading() as transaction:
        ended = list(transaction.entries(EntryQuery(who=house.accounts[other].user, action="sign_out")))
        assert '"idle"' in transaction.detail(ended[-1].sequence).content


def test_the_keyboard_goes_through_the_page_in_the_order_in_which_it_is_read(server, browsers, house):
    with watched_page(browsers["cpu"], server) as page:
        time.sleep(max(0, 31 - time.time() % 30))
        enter(page, server, house.key)
        press(page, "Open the next case")
        page.get_by_role("button", name="Lock W06").wait_for()
        settled(page)
        assert page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0
        names = page.evaluate(
            """() => [...document.querySelectorAll('a[href], button, input, summary, [role=radio], [tabindex="0"]')]
                .filter((one) => one.tabIndex >= 0 && one.checkVisibility())
                .map((one) => (one.innerText || one.ariaLabel || '').trim())"""
        )
        read = ["Worklist", "W/L", "Split or merged", "Add a lesion", "Lock W06"]
        assert [
            one for name in names for one in read if name.endswith(one)
        ] == read  # without tabindex above 0 this is the order of Tab
        page.locator("button[data-tool=windowLevel]").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == "Pan"
