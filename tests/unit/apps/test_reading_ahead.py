"""While a reader looks at a slice, those around it are decoded, and no more than may be kept."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from apps.trialimg_dashboard.views import reading_ahead
from tests.fakes.store import MemoryBlobStore
from trialimg.services.decoded_slices import DecodedSlices
from trialimg.services.viewing import KeptSeries, encode
from trialimg.volume import Geometry, Unit, Volume

GRID = Geometry((4, 3, 30), (0.7, 0.9, 2.5), (10.0, -20.0, 30.0))
SLICE_BYTES = 2 * 4 * 3


class AtOnce:
    """Does what it is given, and counts."""

    def __init__(self) -> None:
        self.times = 0

    def submit(self, work, *given, not_before: float) -> None:
        self.times += 1
        work(*given, not_before=not_before - reading_ahead._IMAGES_FIRST_SECONDS)


@pytest.fixture
def worker(monkeypatch) -> AtOnce:
    made = AtOnce()
    monkeypatch.setattr(reading_ahead, "_worker", lambda: made)
    monkeypatch.setattr(reading_ahead, "st", SimpleNamespace(session_state=State()))
    return made


class State(dict):
    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__


def kept(room_for: int) -> KeptSeries:
    found = KeptSeries(MemoryBlobStore(), DecodedSlices(most_bytes=room_for * SLICE_BYTES))
    found.keep("s", encode(Volume(np.zeros(GRID.shape, np.int16), GRID, "CT", Unit.HU)))
    return found


def at_hand(series: KeptSeries) -> list[int]:
    return [number for number in range(30) if series.at_hand.get("s", number) is not None]


def test_the_nearest_slices_come_first_and_leave_room_for_other_readers(worker):
    series = kept(room_for=20)
    reading_ahead.decode_around(series, "s", 12)
    assert at_hand(series) == [10, 11, 12, 13, 14]


def test_where_no_lesion_is_known_it_is_the_middle(worker):
    series = kept(room_for=4)
    reading_ahead.decode_around(series, "s", None)
    assert at_hand(series) == [15]


def test_it_is_asked_for_once_for_each_place(worker):
    series = kept(room_for=200)
    for number in (12, 12, 13, 12):
        reading_ahead.decode_around(series, "s", number)
    assert worker.times == 3
    assert at_hand(series) == list(range(30))


def test_images_that_are_not_here_are_nobodys_fault(worker):
    reading_ahead.decode_around(kept(room_for=4), "unknown", 3)
    assert worker.times == 0
