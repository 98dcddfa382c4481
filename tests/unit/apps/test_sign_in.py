"""The door: forms that anybody may ask for, hints that only a demonstration gives."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from apps.trialimg_dashboard.guard import COOKIE, SignedInOnly
from apps.trialimg_dashboard.installation import Installation
from apps.trialimg_dashboard.sign_in import demo_accounts, demo_hint, sign_in_routes
from tests.fakes.people import ALWAYS, PASSWORD, FakeIdentity, at_desk
from tests.fakes.records import memory_records
from trialimg.core.access import Role
from trialimg.core.errors import AccessError
from trialimg.services.people_sessions import SESSIONS, resume, session_key

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ACCOUNTS = {"analyst": {"user": "demo-analyst", "role": "analyst", "password": "secret of the demo", "seed": SEED}}


@pytest.fixture
def house(tmp_path):
    kept = memory_records()
    at_desk(kept, "ana", Role.ANALYST)
    nothing = SimpleNamespace()
    return Installation(tmp_path, kept, FakeIdentity(), nothing, nothing, nothing)


@pytest.fixture
def client(house):
    return TestClient(Starlette(routes=sign_in_routes(house)), follow_redirects=False)


def form(**changes):
    return {"user": "ana", "password": PASSWORD, "code": ALWAYS, "role": "analyst", "accepts": "yes", **changes}


def test_password_and_code_open_a_session_in_a_cookie_that_no_script_reads(house, client):
    answer = client.post("/sign-in", data=form())
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    actor = resume(house.records, answer.cookies[COOKIE])
    assert (actor.user, actor.role) == ("ana", Role.ANALYST)


def test_over_tls_the_cookie_never_travels_without_it(house):
    client = TestClient(Starlette(routes=sign_in_routes(house)), base_url="https://here", follow_redirects=False)
    assert "secure" in client.post("/sign-in", data=form()).headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "wrong",
    [{"password": "wrong"}, {"code": "1"}, {"user": "nobody"}, {"user": ""}, {"demo": "analyst", "password": ""}],
)
def test_whoever_proves_nothing_gets_no_session_and_one_answer(client, wrong):
    answer = client.post("/sign-in", data=form(**wrong))
    assert answer.status_code == 401
    assert COOKIE not in answer.cookies
    assert 'role="alert"' in answer.text


def test_a_form_larger_than_any_form_is_not_read(client):
    answer = client.post("/sign-in", content=b"user=" + b"a" * 20_000)
    assert answer.status_code == 401


def test_what_somebody_typed_is_never_run(client):
    answer = client.post("/sign-in?language=<script>", data=form(user="<script>alert(1)</script>", password="x"))
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_signing_out_ends_the_session_and_forgets_the_cookie(house, client):
    token = client.post("/sign-in", data=form()).cookies[COOKIE]
    answer = client.get("/sign-out", headers={"Cookie": f"{COOKIE}={token}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert f'{COOKIE}=""' in answer.headers["set-cookie"]
    with house.records.store.reading() as transaction:
        assert transaction.current("session", session_key(token)).place.state == "closed"


def test_use_that_a_page_tells_of_keeps_the_session_and_silence_ends_it(house, client):
    token = client.post("/sign-in", data=form()).cookies[COOKIE]
    policy = SESSIONS.idle_after(10)

    def is_live(cookie):
        try:
            return resume(house.records, cookie, policy=policy).user == "ana"
        except AccessError:
            return False

    guarded = Starlette(routes=sign_in_routes(house), middleware=[Middleware(SignedInOnly, is_live=is_live)])
    page = TestClient(guarded, cookies={COOKIE: token})
    clock = house.records.clock
    for _ in range(3):
        clock.moment += timedelta(minutes=9)
        assert page.get("/alive").status_code == 204
    clock.moment += timedelta(minutes=11)
    assert page.get("/alive").status_code == 401
    with house.records.store.reading() as transaction:
        assert transaction.current("session", session_key(token)).place.state == "closed"
    assert TestClient(guarded).get("/alive").status_code == 401


def test_an_installation_without_a_demonstration_hints_at_nothing(house, client):
    assert demo_accounts(house) == {}
    assert demo_hint(house, "demo-analyst") is None
    page = client.get("/sign-in").text
    assert 'name="demo"' not in page
    assert "Demonstration" not in page
    assert client.post("/sign-in", data={"demo": "analyst"}).status_code == 401


def test_a_demonstration_signs_in_by_one_click_and_hints_at_its_own_people_alone(house, client):
    house.demo_accounts.write_text(json.dumps(ACCOUNTS))
    page = client.get("/sign-in").text
    assert 'name="demo" value="analyst"' in page
    assert ACCOUNTS["analyst"]["password"] not in page
    assert demo_hint(house, "demo-analyst")[0] == ACCOUNTS["analyst"]["password"]
    assert demo_hint(house, "ana") is None


@pytest.mark.parametrize(("language", "word"), [("en", "Sign in"), ("zh", "登录"), ("xx", "Sign in")])
def test_the_door_speaks_the_chosen_language(client, language, word):
    assert word in client.get(f"/sign-in?language={language}").text
