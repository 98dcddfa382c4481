"""Chromium with and without WebGL, and the viewer on a page of its own."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tests.e2e.browser import CHROMIUM, FLAGS, GRAPHICS, served, watched_page
from tests.e2e.viewer.acts import loaded


@pytest.fixture(scope="module")
def viewer_server(root):
    with served("tests.e2e.viewer.site:app", root) as url:
        yield url


@pytest.fixture(scope="module")
def browsers():
    from playwright import sync_api

    with sync_api.sync_playwright() as playwright:
        start = playwright.chromium.launch
        yield {path: start(executable_path=CHROMIUM, args=FLAGS + flags) for path, flags in GRAPHICS.items()}


@pytest.fixture
def reading(viewer_server, browsers):
    @contextmanager
    def opened(path, scaling=1.0, query=""):
        with watched_page(browsers[path], viewer_server, scaling=scaling, size=(1400, 1000)) as page:
            page.goto(f"{viewer_server}/?{query}")
            loaded(page)
            yield page

    return opened
