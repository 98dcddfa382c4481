"""Every address of the dashboard against every role, and against a browser that is not signed in."""

from __future__ import annotations

import hmac
import json
from pathlib import Path

import httpx2
import numpy as np
import pyotp
import pytest
from websockets.exceptions import InvalidStatus

from apps.trialimg_dashboard.guard import COOKIE
from apps.trialimg_dashboard.pixels import PixelTokens
from apps.trialimg_dashboard.roles import PAGES
from tests.e2e.browser import served
from tests.fakes import central_review as review
from tests.fakes.dashboard import PROTOCOL, TRIAL
from tests.integration.wire import Wire
from trialimg.adapters.identity.local import LocalIdentity
from trialimg.bootstrap import kept_series, records
from trialimg.core.access import Actor, Role
from trialimg.core.reading import CaseKind, Seat
from trialimg.services import cases, demonstration, reading, reading_assignment
from trialimg.services.case_images import CaseImages, Looking
from trialimg.services.journal import Journal
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.reading_desk import held
from trialimg.services.records import EntryQuery
from trialimg.services.records import Place as Where
from trialimg.services.viewing import encode
from trialimg.volume import Geometry, Unit, Volume

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("dashboard access")]

SECRET = "a secret of the test, of more than 32 bytes"
HTML = {"Accept": "text/html"}
GUARDED = [
    "/",
    "/reading_room",
    "/people",
    "/images/0123456789abcdef01234567/token",
    "/media/anything",
    "/component/anything",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/bidi-components/trialimg.viewer/index.js",
    "/_stcore/upload_file/session/file",
    "/uploads/T-1/U0001",
    "/_stcore/agent/openapi.json",
    "/openapi.json",
    "/..%2f..%2fetc/passwd",
]
VISITS = ("BL", "W06")
OTHERS = [key for key, (_, role) in demonstration.PEOPLE.items() if role is not Role.RADIOLOGIST]
CASES = ("C0101", "C0102", "C0103")


class House:
    """A served dashboard, its accounts and the case of the tests."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = home, url
        self.accounts = json.loads((home / "demo-accounts.json").read_text())
        self.records = records(home)
        names, tokens = (hmac.digest(SECRET.encode(), use, "sha256") for use in (b"series names", b"tokens"))
        self.images = CaseImages(self.records, kept_series(home), names)
        self.tokens = PixelTokens(tokens)
        self.opened = 0

    def cookie(self, key: str) -> str:
        """Of a new session of somebody's."""
        self.opened += 1
        token = session_token(f"{key} {self.opened}", f"secret {self.opened}".replace(" ", "-"))
        actor = Actor(self.accounts[key]["user"], demonstration.PEOPLE[key][1], session_key(token))
        with self.records.store.changing() as transaction:
            open_session(Journal(transaction, actor, self.records), token, step=None, is_command=False)
        return f"{COOKIE}={token}"

    def looking(self, key: str, cookie: str, code: str) -> Looking:
        """Somebody at a case, in the session of a cookie."""
        user = self.accounts[key]["user"]
        with self.records.store.reading() as transaction:
            seats = transaction.find("assignment", Where(trial=TRIAL, case=f"{TRIAL}/{code}", person=user))
            alias = next(seat.body["alias"] for seat in seats)
        return Looking(user, session_key(cookie.partition("=")[2]), TRIAL, alias)

    def actor(self, looking: Looking, role: Role = Role.RADIOLOGIST) -> Actor:
        return Actor(looking.user, role, looking.session)

    def analyst(self) -> Actor:
        token = self.cookie("analyst").partition("=")[2]
        return Actor(self.accounts["analyst"]["user"], Role.ANALYST, session_key(token))

    def names(self, looking: Looking, code: str) -> dict[str, str]:
        """What this reader's browser would call the series of every visit, whether it may know or not."""
        with self.records.store.reading() as transaction:
            seat = held(transaction, self.actor(looking), TRIAL, looking.alias)
            case = transaction.current("case", f"{TRIAL}/{code}")
            return {one["id"]: self.images.name(seat, one["series"][0]) for one in case.body["timepoints"]}

    def status(self, looking: Looking, name: str, cookie: str, what: str = "geometry") -> int:
        return self.get(f"/images/{name}/{what}", cookie, self.tokens.issue(looking)).status_code

    def get(self, path: str, cookie: str, token: str = "", **headers: str) -> httpx2.Response:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return httpx2.get(f"{self.url}{path}", headers={"Cookie": cookie, **headers})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Everybody's account, and three cases of two visits that both radiologists read."""
    folder = tmp_path_factory.mktemp("dashboard")
    kept, images = records(folder), kept_series(folder)
    cheap = LocalIdentity(time_cost=1, memory_kib=8, lanes=1)
    made = demonstration.prepare(kept, cheap, PROTOCOL, code_at=lambda seed, moment: pyotp.TOTP(seed).at(moment))
    made.save(folder / "demo-accounts.json")
    volume = Volume(np.zeros((2, 4, 4), np.int16), Geometry((4, 4, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), "CT", Unit.HU)
    for number, code in enumerate(CASES, start=1):
        uids = {visit: f"2.25.{number}{order}" for order, visit in enumerate(VISITS)}
        visits = tuple(cases.CaseTimepoint(one, review.DATES[one], series=(uids[one],)) for one in VISITS)
        received = cases.ReceivedCase(
            code, f"S-{code}", visits, kind=CaseKind.EFFICACY, reference_date=review.DATES["BL"]
        )
        cases.receive_cases(kept, made.analyst, TRIAL, [received])
        for uid in uids.values():
            images.keep(uid, encode(volume))
    reading_assignment.assign_trial(kept, made.analyst, TRIAL)
    return folder


@pytest.fixture(scope="module")
def house(home, root):
    with served(
        "apps.trialimg_dashboard.server:app", root, TRIALIMG_HOME=str(home), TRIALIMG_PIXEL_SECRET=SECRET
    ) as url:
        yield House(home, url)


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("cookie", ["", f"{COOKIE}=0123456789abcdef.made-up", f"{COOKIE}=\u00e9"])
def test_without_a_live_session_a_page_leads_to_the_sign_in_and_anything_else_is_refused(house, path, cookie):
    page = house.get(path, cookie.encode("latin-1"), **HTML)
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        answer = httpx2.request(method, f"{house.url}{path}", headers={"Cookie": cookie.encode("latin-1")})
        assert answer.status_code == 401
        assert answer.text == "sign in first"


def test_without_a_live_session_only_the_door_and_the_programs_own_files_answer(house):
    for path in ("/sign-in", "/_stcore/health"):
        assert house.get(path, "").status_code == 200
    assert house.get("/sign-out", "").status_code == 303
    assert house.get("/images/0123456789abcdef01234567/geometry", "").status_code == 401
    assert house.get("/images/0123456789abcdef01234567/slice/0", "").status_code == 401
    with pytest.raises(InvalidStatus, match="403"), Wire(house.url):
        pass


def test_a_websocket_is_refused_once_the_session_is_over_and_answered_while_it_lasts(house):
    cookie = house.cookie("radiologist")
    with Wire(house.url, cookie) as wire:
        wire.run("worklist")
        with Wire(house.url, cookie) as reconnected:
            reconnected.run("worklist")
        house.get("/sign-out", cookie)
        assert b"You are not signed in any more" in b"".join(one.SerializeToString() for one in wire.run("worklist"))
    with pytest.raises(InvalidStatus, match="403"), Wire(house.url, cookie):
        pass


@pytest.mark.parametrize("key", demonstration.PEOPLE)
def test_each_role_is_offered_its_own_pages_from_the_first_visit_on(house, key):
    pages = PAGES[demonstration.PEOPLE[key][1]]
    with Wire(house.url, house.cookie(key)) as wire:
        (navigation,) = (one.navigation for one in wire.run("") if one.WhichOneof("type") == "navigation")
    assert [one.url_pathname for one in navigation.app_pages] == ["", *pages[1:]]  # the first is at the root


@pytest.mark.parametrize("key", ["radiologist", "adjudicator", "sponsor"])
def test_no_page_of_another_role_can_be_reached_by_its_address(house, key):
    own = PAGES[demonstration.PEOPLE[key][1]]
    with Wire(house.url, house.cookie(key)) as wire:
        others = sorted({name for names in PAGES.values() for name in names} - set(own))
        for page in others:
            assert "page_not_found" in {one.WhichOneof("type") for one in wire.run(page)}
        assert "page_not_found" not in {one.WhichOneof("type") for one in wire.run(own[1])}
    asked = EntryQuery(who=house.accounts[key]["user"], action="refuse_access", object_kind="page")
    with house.records.store.reading() as transaction:
        assert [one.object_id for one in transaction.entries(asked)] == others


def test_a_reader_fetches_their_own_open_visit_and_nothing_else(house):
    mine, other = house.cookie("radiologist"), house.cookie("radiologist-2")
    looking = house.looking("radiologist", mine, "C0101")
    names = house.names(looking, "C0101")
    assert house.status(looking, names["BL"], mine) == 200
    assert house.status(looking, names["W06"], mine) == 403  # not open before baseline is locked
    theirs = house.looking("radiologist-2", other, "C0101")
    assert house.names(theirs, "C0101")["BL"] != names["BL"]
    assert house.status(theirs, names["BL"], other) == 403
    borrowed = Looking(theirs.user, theirs.session, TRIAL, looking.alias)
    assert house.status(borrowed, names["BL"], other) == 403
    assert house.status(looking, names["BL"], other) == 401  # another's token
    assert house.status(looking, names["BL"], "") == 401
    actor = house.actor(looking)
    reading.save_draft(house.records, actor, TRIAL, looking.alias, step="BL", entry=review.entry("30"))
    reading.lock_timepoint(house.records, actor, TRIAL, looking.alias, step="BL")
    assert house.status(looking, names["W06"], mine) == 200
    assert house.status(looking, names["W06"], mine, "slice/1") == 200
    assert house.status(looking, names["W06"], mine, "slice/2") == 404


@pytest.mark.parametrize(
    "key", [key for key, (_, role) in demonstration.PEOPLE.items() if role is not Role.RADIOLOGIST]
)
def test_nobody_but_its_readers_gets_the_pixels_of_a_case(house, key):
    reader = house.cookie("radiologist")
    looking = house.looking("radiologist", reader, "C0102")
    name = house.names(looking, "C0102")["BL"]
    cookie = house.cookie(key)
    own = Looking(house.accounts[key]["user"], session_key(cookie.partition("=")[2]), TRIAL, looking.alias)
    assert house.status(own, name, cookie) == 403
    assert house.status(looking, name, cookie) == 401
    assert house.status(looking, name, reader) == 200


def test_a_token_is_worth_nothing_after_signing_out(house):
    cookie = house.cookie("radiologist")
    looking = house.looking("radiologist", cookie, "C0102")
    name = house.names(looking, "C0102")["BL"]
    assert house.status(looking, name, cookie, "slice/0") == 200
    fresh = house.get(f"/images/{name}/token", cookie, house.tokens.issue(looking)).json()["token"]
    assert house.get(f"/images/{name}/slice/0", cookie, fresh).status_code == 200
    house.get("/sign-out", cookie)
    for what in ("geometry", "slice/0"):
        assert house.status(looking, name, cookie, what) == 403
    assert house.get(f"/images/{name}/slice/0", cookie, fresh).status_code == 403
    assert house.status(looking, name, cookie, "token") == 401


def test_a_token_is_worth_nothing_once_the_seat_is_taken_away_or_consent_withdrawn(house):
    cookie = house.cookie("radiologist-2")
    looking = house.looking("radiologist-2", cookie, "C0103")
    name = house.names(looking, "C0103")["BL"]
    assert house.status(looking, name, cookie, "slice/0") == 200
    with house.records.store.reading() as transaction:
        seat = Seat(held(transaction, house.actor(looking), TRIAL, looking.alias).body["seat"])
    reading_assignment.revoke_assignment(
        house.records, house.analyst(), TRIAL, "C0103", seat=seat, reason="left the trial"
    )
    assert house.status(looking, name, cookie, "slice/0") == 403
    other = house.cookie("radiologist")
    theirs = house.looking("radiologist", other, "C0103")
    name = house.names(theirs, "C0103")["BL"]
    assert house.status(theirs, name, other, "slice/0") == 200
    cases.withdraw_consent(house.records, house.analyst(), TRIAL, "S-C0103", reason="asked by the site")
    assert house.status(theirs, name, other, "slice/0") == 403
    assert house.status(theirs, name, other, "token") == 403


def test_every_answer_forbids_framing_sniffing_and_caching_of_pixels(house):
    cookie = house.cookie("radiologist")
    looking = house.looking("radiologist", cookie, "C0102")
    name = house.names(looking, "C0102")["BL"]
    answer = house.get(f"/images/{name}/slice/0", cookie, house.tokens.issue(looking))
    assert answer.headers["cache-control"] == "private, no-store"
    for path in ("/", "/sign-in", "/_stcore/health"):
        headers = house.get(path, cookie).headers
        assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
