"""What axe-core finds in the reading room, in adjudication and in the viewer itself, on light and on dark systems."""

from __future__ import annotations

import datetime as dt
import shutil

import pyotp
import pytest

from apps.trialimg_dashboard.guard import COOKIE
from tests.e2e.accessibility import serious_findings
from tests.e2e.browser import press, served, settled, watched_page
from tests.fakes.dashboard import furnished
from trialimg.adapters.identity.local import LocalIdentity
from trialimg.bootstrap import records
from trialimg.core.access import Actor, Role
from trialimg.services.journal import Journal
from trialimg.services.people_sessions import open_session, session_key, session_token

pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
    pytest.mark.xdist_group("browser"),
]

SCHEMES = ["light", "dark"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages") / "home"
    cheap = LocalIdentity(time_cost=1, memory_kib=8, lanes=1)
    begins = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
    furnished(folder, identity=cheap, code_at=lambda seed, at: pyotp.TOTP(seed).at(at), begins=begins)
    return folder


@pytest.fixture(scope="module")
def server(home, root):
    with served("apps.trialimg_dashboard.server:app", root, TRIALIMG_HOME=str(home)) as url:
        yield url


def signed_in(page, server, home, key, role):
    """A session that cost no code, since a code serves once."""
    kept = records(home)
    token = session_token(f"{key} {dt.datetime.now(dt.UTC).timestamp()}", "of-the-test")
    actor = Actor(f"demo-{key}", role, session_key(token))
    with kept.store.changing() as transaction:
        open_session(Journal(transaction, actor, kept), token, step=None, is_command=False)
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": server, "httpOnly": True}])
    page.goto(server)
    page.get_by_role("heading", name="Worklist").wait_for()
    settled(page)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("key", "role", "shown"),
    [
        ("radiologist", Role.RADIOLOGIST, "Image quality"),
        ("adjudicator", Role.ADJUDICATOR, "Which read stands?"),
    ],
)
def test_where_cases_are_read_and_settled_nothing_serious_is_found(server, browsers, home, scheme, key, role, shown):
    with watched_page(browsers["cpu"], server, scheme=scheme) as page:
        signed_in(page, server, home, key, role)
        press(page, "Open the next case")
        page.get_by_text(shown).first.wait_for()
        settled(page)
        assert serious_findings(page) == []


CONTRASTS = """() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255)
      .map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const named = [...document.querySelectorAll('[data-testid^=stBaseButton]')].filter((one) => one.innerText.trim());
  return named.map((one) => {
    const ink = getComputedStyle(one.querySelector('p') ?? one).color;
    const ground = getComputedStyle(one).backgroundColor;
    const [low, high] = [light(ink), light(ground)].sort((a, b) => a - b);
    return [one.innerText, (high + 0.05) / (low + 0.05)];
  });
}"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_button_of_the_dark_room_can_be_read_even_one_that_is_not_to_be_pressed(server, browsers, home, scheme):
    with watched_page(browsers["cpu"], server, scheme=scheme) as page:
        signed_in(page, server, home, "radiologist", Role.RADIOLOGIST)
        press(page, "Open the next case")
        page.get_by_text("Image quality").first.wait_for()
        settled(page)
        found = dict(page.evaluate(CONTRASTS))
    assert any(name.startswith("Lock") for name in found)
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}


def test_the_viewers_own_bar_and_help_have_nothing_serious(reading):
    with reading("cpu", query="fused=1") as page:
        page.locator("button[data-action=help]").click()
        page.locator("button[data-action=fusion]").click()
        page.wait_for_timeout(500)
        found = [one for one in serious_findings(page) if "ti-" in one]
        assert found == []
