"""A server of the dashboard and a browser in front of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WITHOUT_WEBGL = ["--disable-gpu", "--disable-3d-apis"]
GRAPHICS = {
    "cpu": WITHOUT_WEBGL,
    "gpu": ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
}
"""How Chromium is started, by the path that the viewer then takes: without WebGL, with WebGL in software."""
_TRIES, _PAUSE_S = 240, 0.25
_PATIENCE_MS = 120_000
"""On a machine that is busy with other things nothing is wrong yet."""


@contextmanager
def served(application: str, folder: Path, **environment: str) -> Iterator[str]:
    """The address of an ASGI application factory, served on loopback until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", application, "--port", str(port), "--log-level", "warning"]
    variables = {**os.environ, **environment}
    with subprocess.Popen(
        command, cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{url}/_stcore/health")
            yield url
        finally:
            server.terminate()


def _wait_for(url: str) -> None:
    for _ in range(_TRIES):
        if _answers(url):
            return
        time.sleep(_PAUSE_S)
    raise TimeoutError(f"no answer from {url}")


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url).close()
    except OSError:
        return False
    return True


@contextmanager
def watched_page(browser, server: str, *, scaling: float = 1.0, size: tuple[int, int] = (1440, 900), scheme="light"):
    """A page of a browser context of its own; a console error or a request to elsewhere fails the test."""
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=viewport, device_scale_factor=scaling, color_scheme=scheme)
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(error.stack or str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    ours = (server, server.replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(ours) else problems.append(request.url))
    yield page
    context.close()
    assert problems == [], problems


def enter(page, server: str, account: str, heading: str = "Worklist", language: str = "en") -> None:
    """Sign in as somebody of the demonstration."""
    page.goto(f"{server}/sign-in?language={language}")
    page.locator(f"button[value='{account}']").click()
    page.get_by_role("heading", name=heading).wait_for()


def settled(page) -> None:
    """Streamlit has answered and the viewer, where there is one, shows its slices."""
    for _ in range(2):  # what one run of the page does may start another
        page.wait_for_timeout(300)
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_function("[...document.querySelectorAll('.ti-root')].every((viewer) => viewer.dataset.ready)")


def press(page, name) -> None:
    """Press the first button of a name."""
    page.get_by_role("button", name=name).first.click()
    settled(page)


def choose(page, name: str) -> None:
    """Choose one of a few words."""
    page.get_by_role("radio", name=name, exact=True).first.click()
    settled(page)


def drag(page, start, end, *, steps: int = 4) -> None:
    """Draw from one place on the page to another."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()
    page.wait_for_timeout(600)


def picture(page, name: str) -> None:
    """Keep what is on the screen in the folder that TRIALIMG_PICTURES names, for the documentation."""
    if folder := os.environ.get("TRIALIMG_PICTURES"):
        page.wait_for_timeout(800)
        page.evaluate("document.querySelector('[data-testid=stMain]')?.scrollTo(0, 0)")
        page.wait_for_timeout(200)
        page.screenshot(path=Path(folder) / f"{name}.png")


class Bytes:
    """Everything that a page is sent, by HTTP and over its websocket, as one text."""

    def __init__(self, page) -> None:
        self._responses: list = []
        self._frames: list[bytes] = []
        page.on("response", lambda response: self._responses.append(response))
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: self._frame(frame)))

    def _frame(self, payload: bytes | str) -> None:
        self._frames.append(payload if isinstance(payload, bytes) else payload.encode())

    def all(self) -> bytes:
        """Headers and bodies; the sign-in page and the program's own files, the same for everybody, by headers only."""
        texts = list(self._frames)
        for one in self._responses:
            texts.append(str(one.headers).encode())
            is_ours = "/static/" not in one.url and "bidi-components" not in one.url
            if one.status == 200 and is_ours and one.request.resource_type != "document":
                texts.append(one.body())
        return b"\n".join(texts)
