"""The first slices of the next case, fetched by the browser while the present one is read.

The same tokens, the same questions at every request: an assignment that lasts, a visit that is open, a consent that
stands. What was sent ahead is in the audit trail as sent ahead; the case counts as opened once its reader opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views.reading_places import evidence_of, slice_of
from trialimg.core.errors import TrialimgError
from trialimg.services.case_images import Looking, ShownSeries
from trialimg.services.reading_results import worklist
from trialimg.services.reading_room import Room, room

__all__ = ["next_slices"]

_ON_EACH_SIDE = 4


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
