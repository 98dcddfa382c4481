"""What is made ready while the reader looks: the slices under a line that they may draw, and the next case.

Slices of the present case are decoded on the server and sent to nobody. The first slices of the next one are fetched by
the browser: with the same tokens, and the same questions at every request: an assignment that lasts, a visit that is
open, a consent that stands. What was sent ahead is in the audit trail as sent ahead; the case counts as opened once its
reader opens it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views.reading_places import evidence_of, slice_of
from trialimg.core.errors import TrialimgError
from trialimg.services.case_images import Looking, ShownSeries
from trialimg.services.reading_results import worklist
from trialimg.services.reading_room import Room, room
from trialimg.services.viewing import KeptSeries

__all__ = ["decode_around", "next_slices"]

_ON_EACH_SIDE = 4
_SHARE_OF_MEMORY = 0.25
"""Of what the server keeps decoded, at most, for one look of one reader."""
_PIXEL_BYTES = 2
_IMAGES_FIRST_SECONDS = 1.0
"""Nobody draws before the images are there."""


@lru_cache(maxsize=1)
def _worker() -> ThreadPoolExecutor:
    """One for all readers: nobody waits for it."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="decoding")


def decode_around(kept: KeptSeries, uid: str, number: int | None) -> None:
    """Begin to decode a series from a slice outwards (None: its middle), so that a line drawn there is answered sooner.

    Asked for once for each place that a reader goes to.
    """
    geometry = kept.geometry(uid)
    if geometry is None or kept.at_hand is None:
        return
    count, rows, columns = geometry["shape"]
    middle = count // 2 if number is None else number
    if st.session_state.get("decoded_around") == (uid, middle):
        return
    st.session_state.decoded_around = (uid, middle)
    fits = int(kept.at_hand.most_bytes * _SHARE_OF_MEMORY) // (_PIXEL_BYTES * rows * columns)
    nearest = sorted(range(count), key=lambda one: abs(one - middle))[:fits]
    _worker().submit(_decode, kept, uid, nearest, not_before=time.monotonic() + _IMAGES_FIRST_SECONDS)


def _decode(kept: KeptSeries, uid: str, numbers: Sequence[int], *, not_before: float) -> None:
    """Slice by slice, at work for half of the time: whoever waits for a page comes first."""
    time.sleep(max(0.0, not_before - time.monotonic()))
    for number in numbers:
        began = time.thread_time()
        kept.read_ahead(uid, (number,))
        time.sleep(time.thread_time() - began)


def next_slices(at: Desk, present: Room) -> Mapping[str, Any] | None:
    """Address, token and numbers of the slices around the next case's first lesion; None where nothing comes next.

    It is looked up once the present case stands on the screen, and only once.
    """
    key = f"next-{present.alias}"
    if key not in st.session_state:
        st.session_state[key] = None  # the first image of the present case comes first
        return None
    if st.session_state[key] is None:
        st.session_state[key] = _found(at, present) or {}
    known: Mapping[str, Any] | None = st.session_state[key] or None
    return known


def _found(at: Desk, present: Room) -> Mapping[str, Any] | None:
    try:
        rows = worklist(at.records, at.actor, at.trial, limit=2)
        alias = next((row["alias"] for row in rows if row["alias"] != present.alias), "")
        coming = room(at.records, at.actor, at.trial, alias, is_first_look=False) if alias else None
    except TrialimgError:  # it will be said when the case is opened
        return None
    if coming is None or not coming.step or coming.is_global:
        return None
    looking = Looking(at.actor.user, at.actor.session, at.trial, coming.alias)
    series, number = _first_place(at, coming, at.house.images.shown(looking))
    if series is None:
        return None
    count = (at.house.images.kept.geometry(series.uid) or {"shape": [0]})["shape"][0]
    around = range(max(number - _ON_EACH_SIDE, 0), min(number + _ON_EACH_SIDE + 1, count))
    slices = sorted(around, key=lambda one: abs(one - number))
    return {"base": f"/images/{series.name}", "token": at.house.tokens.issue(looking), "slices": slices}


def _first_place(at: Desk, coming: Room, shown: tuple[ShownSeries, ...]) -> tuple[ShownSeries | None, int]:
    """Series and slice at which a case will open."""
    row = next((one for one in coming.rows if one.is_open), None)
    found = evidence_of(coming.visit(coming.step), row.name) if row else {}
    here = [one for one in shown if one.timepoint == coming.step]
    series = next((one for one in here if one.uid == found.get("series_uid")), here[0] if here else None)
    geometry = (at.house.images.kept.geometry(series.uid) if series else None) or {"shape": [0]}
    number = slice_of(found, geometry)
    return series, geometry["shape"][0] // 2 if number is None else number
