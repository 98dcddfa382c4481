"""Pixels go to a signed-in reader with a live assignment, and to nobody else."""

from __future__ import annotations

import gzip
from dataclasses import replace

import jwt
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from apps.trialimg_dashboard.pixels import PixelTokens, pixel_routes
from trialimg.services.case_images import Looking, ShownSeries

READER = Looking("rita", "session-1", "T1", "R1")
SECRET = b"s" * 32
ANSWERS = ["/images/a/geometry", "/images/a/slice/0", "/images/a/token"]


class Images:
    def __init__(self):
        self.assigned = {(READER, "a")}
        self.log, self.sent = [], []

    def find(self, looking, name):
        return ShownSeries(name, "BL", f"uid {name}") if (looking, name) in self.assigned else None

    def opened(self, looking, series):
        self.log.append((looking.user, series.name))

    def sent_ahead(self, looking, series):
        self.sent.append((looking.user, series.name))

    def geometry(self, series):
        return {"shape": [2, 2, 2]} if series.name == "a" else None

    def slice(self, series, number):
        return gzip.compress(np.full(4, number, "<i2").tobytes()) if number < 2 else None


@pytest.fixture
def images():
    return Images()


@pytest.fixture
def tokens():
    return PixelTokens(SECRET)


@pytest.fixture
def client(images, tokens):
    return TestClient(
        Starlette(routes=pixel_routes(tokens, images, lambda request: request.cookies.get("session", ""))),
        cookies={"session": READER.session},
    )


def get(client, path, token):
    return client.get(path, headers={"Authorization": f"Bearer {token}"})


def test_the_assigned_reader_gets_exact_pixels_that_no_cache_keeps(client, tokens, images):
    answer = get(client, "/images/a/slice/1", tokens.issue(READER))
    assert np.frombuffer(answer.content, "<i2").tolist() == [1, 1, 1, 1]
    assert answer.headers["cache-control"] == "private, no-store"
    assert images.log == []
    assert get(client, "/images/a/geometry", tokens.issue(READER)).json() == {"shape": [2, 2, 2]}
    assert images.log == [("rita", "a")]


@pytest.mark.parametrize("path", ANSWERS)
def test_nobody_gets_anything_without_a_token_of_ours(client, path):
    forged = PixelTokens(b"x" * 32).issue(READER)
    unsigned = jwt.encode(
        {"sub": "rita", "sid": "session-1", "trial": "T1", "alias": "R1", "exp": 9e9}, None, algorithm="none"
    )
    endless = jwt.encode({"sub": "rita", "sid": "session-1", "trial": "T1", "alias": "R1"}, SECRET, algorithm="HS256")
    late = PixelTokens(SECRET, seconds=-1).issue(READER)
    for token in ("", "rubbish", forged, unsigned, endless, late):
        assert get(client, path, token).status_code == 401
    assert client.get(path).status_code == 401


@pytest.mark.parametrize("path", ANSWERS)
@pytest.mark.parametrize("stranger", [replace(READER, user="ruth"), replace(READER, alias="R2")])
def test_another_reader_or_case_is_refused(client, tokens, images, path, stranger):
    assert get(client, path, tokens.issue(stranger)).status_code == 403
    assert images.log == []


@pytest.mark.parametrize("path", ANSWERS)
def test_a_token_serves_only_the_session_that_it_was_given_to(client, tokens, images, path):
    assert get(client, path, tokens.issue(replace(READER, session="session-2"))).status_code == 401
    client.cookies = {"session": "session-2"}
    assert get(client, path, tokens.issue(READER)).status_code == 401
    client.cookies = {}
    assert get(client, path, tokens.issue(READER)).status_code == 401
    assert images.log == []


@pytest.mark.parametrize("path", ANSWERS)
def test_a_token_ends_with_the_assignment(client, tokens, images, path):
    token = tokens.issue(READER)
    assert get(client, path, token).status_code == 200
    images.assigned.clear()
    assert get(client, path, token).status_code == 403


def test_a_renewed_token_serves_the_same_reader(client, tokens):
    fresh = get(client, "/images/a/token", tokens.issue(READER)).json()["token"]
    assert tokens.read(fresh) == READER


def test_slices_that_are_sent_before_the_series_is_opened_are_in_the_trail_once(client, tokens, images):
    for _ in "ab":
        get(client, "/images/a/slice/1", tokens.issue(READER))
    assert (images.log, images.sent) == ([], [("rita", "a")])


def test_slices_of_an_opened_series_are_not_said_to_be_sent_ahead(client, tokens, images):
    get(client, "/images/a/geometry", tokens.issue(READER))
    get(client, "/images/a/slice/1", tokens.issue(READER))
    assert (images.log, images.sent) == ([("rita", "a")], [])


def test_there_is_no_slice_beyond_the_last(client, tokens):
    assert get(client, "/images/a/slice/2", tokens.issue(READER)).status_code == 404


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        PixelTokens(b"short")
