"""What the reader drew in the viewer, kept at once: axes, a line that is answered, an outline changed by hand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.installation import line_segmenter
from apps.trialimg_dashboard.viewer.component import Asked, Drawing, DrawingKind, Seen
from apps.trialimg_dashboard.viewer.contours import Contour
from apps.trialimg_dashboard.views.reading_acts import (
    accept,
    answer_place,
    keep_lesion,
    leave,
    outline,
    undo,
    wait,
    waiting,
)
from apps.trialimg_dashboard.views.reading_range import ask_again
from trialimg.core.prompts import PointLps
from trialimg.services.case_images import ShownSeries
from trialimg.services.model_answers import AnswerPlace, answered
from trialimg.services.outlining import Region, outlined
from trialimg.services.prompted import proposed_axes
from trialimg.services.reading_entry import Axes, changed, drawn, entry_at
from trialimg.services.reading_room import LesionRow, Room, lesion_in
from trialimg.services.redrawn_answers import AnsweredLine

__all__ = ["DrawnOn", "line_answered", "take"]


@dataclass(frozen=True)
class DrawnOn:
    """What the viewer shows as it is drawn on."""

    now: ShownSeries
    given: Sequence[Drawing]
    snaps: bool


def take(at: Desk, room: Room, row: LesionRow, *, seen: Seen, drawn_on: DrawnOn) -> None:
    """Keep what was drawn, accepted or given back; go to the lesion that was asked for."""
    if seen.asked in (Asked.NEXT, Asked.PREVIOUS):
        names = [one.name for one in room.rows]
        by = 1 if seen.asked is Asked.NEXT else -1
        st.session_state.next_lesion = names[(names.index(row.name) + by) % len(names)]
    elif seen.asked is Asked.ACCEPT:
        accept(at, room, row)
    elif seen.asked is Asked.REJECT:
        leave(at, room, row)
    elif seen.asked is Asked.UNDO:
        undo(at, room, row)
    elif seen.contour is not None and room.step:
        _outline(at, room, row, seen.contour, drawn_on)
    elif seen.changed and seen.asked is None and room.step:
        st.session_state.drawn_times = st.session_state.get("drawn_times", 0) + 1  # what is not kept is drawn away
        _keep_drawn(at, room, seen, drawn_on)


def _keep_drawn(at: Desk, room: Room, seen: Seen, drawn_on: DrawnOn) -> None:
    """One drawing of a lesion on the visit that is read, or that one was deleted."""
    rows = {one.name: one for one in room.rows}
    mine = [one for one in seen.drawings if one.pixel_mm and one.series == drawn_on.now.name and one.label in rows]
    if mine:
        row = rows[mine[-1].label]
        place = answer_place(at, room, row)
        axes = _axes(at, mine[-1], drawn_on.now.uid, place if drawn_on.snaps else None)
        after = drawn(entry_at(room), row, axes)
        if axes.digest:
            wait(room, row, lesion_in(after, row.name) or {})
        else:
            keep_lesion(at, room, row, after)
        return
    left = {one.uid for one in seen.drawings}
    for gone in (one for one in drawn_on.given if one.uid not in left and not one.locked):
        row = rows[gone.label]
        if row.name in waiting(room) or row.is_open:
            leave(at, room, row)
        else:
            keep_lesion(at, room, row, changed(entry_at(room), row, seen=""))


def _outline(at: Desk, room: Room, row: LesionRow, contour: Contour, drawn_on: DrawnOn) -> None:
    """The chosen lesion's outline, changed on one slice of the visit that is read."""
    if contour.label != row.name or contour.series != drawn_on.now.name:
        return
    region = Region(drawn_on.now.uid, contour.slice, contour.points_lps_mm, contour.adds)
    before = (waiting(room).get(row.name) or row.stands or row.proposed or {}).get("evidence") or {}
    axes = outlined(at.house.images.kept, at.house.masks, region, before=before)
    outline(at, room, row, axes)


def _axes(at: Desk, drawing: Drawing, uid: str, place: AnswerPlace | None) -> Axes:
    """The axes of a drawing: as drawn, or, for a line at a place, those of the lesion that lies under it."""
    ends = drawing.points_lps_mm
    if drawing.kind is DrawingKind.LENGTH and place is not None:
        return line_answered(at, place, uid, (ends[0], ends[1]))
    pairs = sorted((ends[i : i + 2] for i in range(0, len(ends), 2)), key=_length_mm, reverse=True)
    return Axes(uid, pairs[0], pairs[1] if len(pairs) > 1 else None)


def line_answered(at: Desk, place: AnswerPlace, uid: str, ends: tuple[PointLps, PointLps]) -> Axes:
    """The software's answer to a line, while it begins to find out how steady that is."""
    series, masks, model = at.house.images.kept, at.house.masks, line_segmenter()
    began = time.monotonic()
    axes = answered(
        at.records,
        at.actor,
        place,
        segmenter=model,
        geometry=series.geometry(uid),
        work=lambda: proposed_axes(series, masks, model, uid=uid, line=ends),
    )
    ask_again(at, place, AnsweredLine(uid, ends, axes.digest, time.monotonic() - began))
    return axes


def _length_mm(ends: Sequence[Sequence[float]]) -> float:
    return float(np.linalg.norm(np.subtract(ends[0], ends[1])))
