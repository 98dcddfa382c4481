"""Places that may be new lesions: looked at, taken or dismissed by the reader, and never counted by themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, acting
from apps.trialimg_dashboard.views.reading_acts import answer_place, keep, wait
from apps.trialimg_dashboard.views.reading_drawn import line_answered
from apps.trialimg_dashboard.views.reading_places import carried, evidence_of, extent_of, ring, slice_at
from trialimg.core.errors import ModelError
from trialimg.core.lesions import LesionKind, Role
from trialimg.core.prompts import PointLps
from trialimg.services.new_lesion_offers import CandidatePlace, KnownPlace, Offered, decide, shown_first
from trialimg.services.reading_entry import changed, drawn, entry_at, next_name
from trialimg.services.reading_room import LesionRow, Room, lesion_in
from trialimg.services.visit_alignment import VisitAlignments

__all__ = ["candidates", "how_often", "looked_at", "outline_of"]

_RING = 1.5
"""Radius of the ring around a candidate, in its own: it must not hide the edge."""
_KINDS = tuple(kind.value for kind in (LesionKind.NON_NODAL, LesionKind.NODAL))


def candidates(at: Desk, room: Room, organs: tuple[str, ...]) -> None:
    """The few places that are most likely new and that the reader has not judged; each can be looked at."""
    if not room.step or room.is_global:
        return
    found = shown_first(room.candidates, tuple(_known(at, room)))
    if not found:
        return
    with st.container(border=True):
        said = at.t("room.candidates", count=len(found), often=how_often(at, found[0].score))
        st.markdown(said, help=at.t("room.candidates_help"))
        for one in found:
            _offer(at, room, one, organs)


def _offer(at: Desk, room: Room, one: Offered, organs: tuple[str, ...]) -> None:
    key = f"candidate-{room.alias}-{room.step}-{one.name}"
    said = at.t("room.candidate", name=one.name, often=how_often(at, one.score), size=f"{one.diameter_mm:.0f}")
    st.caption(said)
    show, take, dismiss = st.columns([2, 4, 3])
    show.button(at.t("room.show"), key=f"{key}-show", width="stretch", on_click=lambda: _look(room, one))
    with take.popover(at.t("room.take"), width="stretch"), st.form(f"{key}-take", border=False):
        kind = f"{key}-kind"
        st.selectbox(at.t("room.kind"), _KINDS, key=kind, format_func=lambda word: at.t(f"kind.{word}"))
        organ = f"{key}-organ"
        st.selectbox(at.t("room.organ"), organs, key=organ, format_func=lambda word: at.t(f"organ.{word}"))
        taken = acting(lambda: _take(at, room, one, st.session_state[kind], st.session_state[organ]))
        st.form_submit_button(at.t("room.take"), type="primary", on_click=taken)
    with dismiss.popover(at.t("room.dismiss"), width="stretch"), st.form(f"{key}-dismiss", border=False):
        why = f"{key}-why"
        st.text_input(at.t("room.dismiss_reason"), key=why)
        place = CandidatePlace(at.trial, room.alias, room.step, one.name)
        gone = acting(lambda: decide(at.records, at.actor, place, reason=st.session_state[why]))
        st.form_submit_button(at.t("room.dismiss"), on_click=gone)


def how_often(at: Desk, score: float) -> str:
    """A share in words that say no more than is known: so many in ten, or one in so many."""
    in_ten = math.floor(10 * score + 0.5)
    if in_ten < 2:
        return at.t("room.one_in", many=min(20, max(7, round(1 / score))) if score else 20)
    return at.t("room.in_ten", many=in_ten) if in_ten < 10 else at.t("room.nearly_all")


def _look(room: Room, one: Offered) -> None:
    st.session_state[f"looked-at-{room.alias}-{room.step}"] = (one.name, st.session_state.get("lesion"))


def looked_at(room: Room) -> Offered | None:
    """The candidate that the reader asked to see, until they choose another lesion."""
    name, lesion = st.session_state.get(f"looked-at-{room.alias}-{room.step}", ("", None))
    if lesion != st.session_state.get("lesion"):
        return None
    return next((one for one in room.candidates if one.name == name), None)


def _take(at: Desk, room: Room, one: Offered, kind: str, organ: str) -> None:
    """A new lesion of the reader's, measured where the candidate lies; the measurement waits to be accepted."""
    row = LesionRow(next_name(room, Role.NEW), Role.NEW.value, kind, organ, {}, None, None)
    entry = changed(entry_at(room), row, seen="", status="")
    keep(at, room, entry)
    decide(at.records, at.actor, CandidatePlace(at.trial, room.alias, room.step, one.name), lesion=row.name)
    _look(room, one)
    st.session_state.next_lesion = row.name
    try:
        axes = line_answered(at, answer_place(at, room, row), one.series_uid, _line_over(at, one))
    except ModelError:  # there is no outline to offer; the reader sees the place and measures by hand
        st.session_state[f"looked-at-{room.alias}-{room.step}"] = (one.name, row.name)
        return
    wait(room, row, lesion_in(drawn(entry, row, axes), row.name) or {})


def _line_over(at: Desk, one: Offered) -> tuple[PointLps, PointLps]:
    """A line through the middle of a candidate, as long as it is, in the slice that lies nearest."""
    geometry = at.house.images.kept.geometry(one.series_uid)
    number = slice_at(one.centre_lps_mm, geometry or {})
    if geometry is None or number is None:
        raise ModelError("the images of this visit are not here")
    (x, y, z), (u, v, w) = ring(one.centre_lps_mm, one.diameter_mm / 2, geometry, number, corners=2)
    return (x, y, z), (u, v, w)


def outline_of(one: Offered, geometry: Mapping[str, Any]) -> dict[int, list[dict[str, Any]]]:
    """A dashed ring around a candidate, in the slices that it reaches."""
    middle = slice_at(one.centre_lps_mm, geometry)
    if middle is None:
        return {}
    positions = np.asarray(geometry["positions"])
    away_mm = np.linalg.norm(positions - positions[middle], axis=1)
    reach_mm = one.diameter_mm / 2
    numbers = np.flatnonzero(away_mm <= reach_mm).tolist()
    lines = {number: ring(one.centre_lps_mm, _RING * reach_mm, geometry, number) for number in numbers}
    return {number: [{"lesion": one.name, "points": line, "proposed": True}] for number, line in lines.items()}


def _known(at: Desk, room: Room) -> Iterator[KnownPlace]:
    """Where the reader's lesions lie at the open visit, and where those of earlier ones were."""
    kept = at.house.images.kept
    alignments = VisitAlignments(kept, kept.store)
    compared = {one.series_uid: one for one in room.candidates}
    for visit, row, one in product(room.visits, room.rows, compared.values()):
        evidence = evidence_of(visit, row.name)
        if (extent := extent_of(evidence)) is not None:
            centre, radius_mm = extent
            moved = carried(
                alignments, centre, str(evidence.get("series_uid", "")), baseline=one.baseline_uid, to=one.series_uid
            )
            if moved is not None:
                yield KnownPlace(one.series_uid, moved, radius_mm)
