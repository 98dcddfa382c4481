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
_TRIES, _PAUSE_S = 240, 0.25


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
def watched_page(browser, server: str, *, width: int = 1440, height: int = 900):
    """A page of a browser context of its own; a console error or a request to elsewhere fails the test."""
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    ours = (server, server.replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(ours) else problems.append(request.url))
    yield page
    context.close()
    assert problems == []
