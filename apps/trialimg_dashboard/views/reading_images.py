"""The images of a case: an earlier visit beside the one that is read, with what is drawn and proposed on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, acting
from apps.trialimg_dashboard.installation import line_segmenter
from apps.trialimg_dashboard.viewer.component import Asked, Drawing, DrawingKind, Pane, Seen, viewer
from apps.trialimg_dashboard.viewer.words import viewer_words
from apps.trialimg_dashboard.views.reading_forms import keep
from trialimg.services.case_images import Looking, ShownSeries
from trialimg.services.prompted import outlines_on, proposed_axes
from trialimg.services.reading_room import Axes, LesionRow, Room, accepted, drawn, entry_at

__all__ = ["drawing_of", "images", "slice_of"]


def images(at: Desk, room: Room, row: LesionRow | None) -> None:
    """The viewer, and whatever the reader drew in it, kept at once."""
    looking = Looking(at.actor.user, at.actor.session, at.trial, room.alias)
    shown = at.house.images.shown(looking)
    visits = _side_by_side(at, room)
    stacks = [(visit, series) for visit in visits if (series := _series(shown, visit, row)) is not None]
    if not stacks:
        st.info(at.t("room.no_images"))
        return
    places = [_place(at, visit, series, row) for visit, series in stacks]
    anywhere = next((place for place in reversed(places) if place is not None), None)
    panes = [
        _pane(at, looking, visit, series, place or anywhere)
        for (visit, series), place in zip(stacks, places, strict=True)
    ]
    drawings = [one for visit, series in stacks for one in _drawings(at, visit, series)]
    snaps = st.toggle(at.t("room.snap"), value=True, help=at.t("room.snap_help"))
    options = {
        "words": viewer_words(at.language),
        "readOnly": not room.step or row is None,
        "tokenSeconds": at.house.tokens.seconds,
        "height": 620,
        "rendering": st.query_params.get("rendering", "auto"),
    }
    now = stacks[-1][1]

    def act(seen: Seen) -> None:
        acting(lambda: _take(at, room, row, seen, now, snaps=snaps))()

    options |= {"key": f"viewer-{room.alias}", "lesion": row.name if row else "-"}
    viewer(panes, drawings, revision=_revision(room, row), options=options, act=act)


def _revision(room: Room, row: LesionRow | None) -> int:
    """Another number for each state of the record, so that the viewer draws what is kept."""
    said = (room.alias, room.step, row.name if row else "", str([visit["entry"] for visit in room.visits]))
    return abs(hash(said)) % 2**31


def _side_by_side(at: Desk, room: Room) -> list[Mapping[str, Any]]:
    """The visit that is read (or the last), and the earlier one that the reader compares it with."""
    now = room.visit(room.step) if room.step else room.visits[-1]
    earlier = [one for one in room.visits if one["date"] < now["date"]] if "date" in now else []
    if not earlier:
        return [now]
    names = [one["id"] for one in earlier]
    beside = st.segmented_control(at.t("room.beside"), names, default=names[0], key=f"beside-{room.alias}-{room.step}")
    return [next((one for one in earlier if one["id"] == beside), earlier[0]), now]


def _series(shown: Sequence[ShownSeries], visit: Mapping[str, Any], row: LesionRow | None) -> ShownSeries | None:
    """The series of a visit on which the lesion was read; the visit's first one where it was not."""
    here = [one for one in shown if one.timepoint == visit["id"]]
    uid = _evidence(visit, row.name).get("series_uid") if row else None
    return next((one for one in here if one.uid == uid), here[0] if here else None)


def _evidence(visit: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What a lesion's measurement at a visit rests on: the reader's own words, else the proposal's."""
    for entry in (visit["entry"], visit.get("proposed")):
        for lesion in entry["lesions"] if entry else ():
            if lesion["lesion"] == name and lesion.get("evidence"):
                found: Mapping[str, Any] = lesion["evidence"]
                return found
    return {}


def _place(at: Desk, visit: Mapping[str, Any], series: ShownSeries, row: LesionRow | None) -> Mapping[str, Any] | None:
    """What the lesion's place at a visit is known by; None where it was not measured there."""
    found = _evidence(visit, row.name) if row else {}
    return found if slice_of(found, at.house.images.kept.geometry(series.uid) or {}) is not None else None


def _pane(
    at: Desk,
    looking: Looking,
    visit: Mapping[str, Any],
    series: ShownSeries,
    place: Mapping[str, Any] | None,
) -> Pane:
    """One stack at the slice of the lesion; where it was not measured, at the height where it lies in the other."""
    geometry = at.house.images.kept.geometry(series.uid) or {}
    start = slice_of(place, geometry) if place else None
    outlines: dict[int, list[dict[str, Any]]] = {}
    for name, is_proposed, digest in _masks(visit):
        mask = at.house.masks.mask(digest)
        for number, lines in (outlines_on(mask, geometry) if mask is not None else {}).items():
            found = [{"lesion": name, "points": line, "proposed": is_proposed} for line in lines]
            outlines.setdefault(number, []).extend(found)
    label = f"{visit['id']} {visit.get('date', '')}"
    return Pane(series.name, label, at.house.tokens.issue(looking), geometry, start, outlines)


def _masks(visit: Mapping[str, Any]) -> list[tuple[str, bool, str]]:
    """Lesion, whether only proposed, digest of the mask: of what stands, and of proposals that wait."""
    stands = {one["lesion"]: one for one in visit["entry"]["lesions"]} if visit["entry"] else {}
    proposed = {one["lesion"]: one for one in visit["proposed"]["lesions"]} if visit.get("proposed") else {}
    waiting = {name: one for name, one in proposed.items() if not stands.get(name, {}).get("seen")}
    found = [(name, False, one) for name, one in stands.items()] + [(name, True, one) for name, one in waiting.items()]
    return [
        (name, is_new, one["evidence"]["digest"])
        for name, is_new, one in found
        if (one.get("evidence") or {}).get("digest")
    ]


def slice_of(evidence: Mapping[str, Any], geometry: Mapping[str, Any]) -> int | None:
    """The slice of a series that lies nearest to a measurement; None where nothing was measured."""
    points = evidence.get("long_axis_lps_mm") or evidence.get("short_axis_lps_mm")
    if not points or not geometry:
        return None
    row, column = np.reshape(geometry["orientation"], (2, 3))
    axis = np.cross(row, column)
    heights = np.asarray(geometry["positions"]) @ axis
    return int(np.abs(heights - np.asarray(points, dtype=float)[0] @ axis).argmin())


def _drawings(at: Desk, visit: Mapping[str, Any], series: ShownSeries) -> list[Drawing]:
    """What is measured at a visit, as drawings; what the software proposes is drawn dashed."""
    found = []
    geometry = at.house.images.kept.geometry(series.uid) or {}
    stands = {one["lesion"]: one for one in visit["entry"]["lesions"]} if visit["entry"] else {}
    proposed = {one["lesion"]: one for one in visit["proposed"]["lesions"]} if visit.get("proposed") else {}
    for name, lesion in {**proposed, **{n: one for n, one in stands.items() if one.get("seen")}}.items():
        evidence = lesion.get("evidence") or {}
        number = slice_of(evidence, geometry)
        if number is not None and evidence.get("series_uid") == series.uid:
            is_proposed = name not in stands or not stands[name].get("seen")
            found.append(drawing_of(name, evidence, series, number, is_proposed=is_proposed))
    return found


def drawing_of(
    name: str, evidence: Mapping[str, Any], series: ShownSeries, number: int, *, is_proposed: bool
) -> Drawing:
    """A lesion's axes as they are drawn on a slice."""
    axes = [evidence[axis] for axis in ("long_axis_lps_mm", "short_axis_lps_mm") if evidence.get(axis)]
    points = tuple((float(x), float(y), float(z)) for axis in axes for x, y, z in axis)
    kind = DrawingKind.BIDIRECTIONAL if len(axes) == 2 else DrawingKind.LENGTH
    return Drawing(f"{series.timepoint}-{name}", series.name, number, name, kind, points, proposed=is_proposed)


def _take(at: Desk, room: Room, row: LesionRow | None, seen: Seen, now: ShownSeries, *, snaps: bool) -> None:
    """Keep what was drawn or accepted of the chosen lesion; go to the lesion that was asked for."""
    if row is None:
        return
    if seen.asked in (Asked.NEXT, Asked.PREVIOUS):
        names = [one.name for one in room.rows]
        by = 1 if seen.asked is Asked.NEXT else -1
        st.session_state.next_lesion = names[(names.index(row.name) + by) % len(names)]
    elif seen.asked is Asked.ACCEPT and row.is_open and row.proposed is not None:
        keep(at, room, accepted(entry_at(room), row))
        st.session_state.next_lesion = room.after(row.name)
    elif seen.changed and seen.asked is None and room.step:
        mine = [one for one in seen.drawings if one.series == now.name and one.label == row.name and one.pixel_mm]
        if mine:
            keep(at, room, drawn(entry_at(room), row, _axes(at, mine[-1], now.uid, snaps=snaps)))


def _axes(at: Desk, drawing: Drawing, uid: str, *, snaps: bool) -> Axes:
    """The axes of a drawing: as drawn, or, for a line, those of the lesion that lies under it."""
    ends = drawing.points_lps_mm
    if drawing.kind is DrawingKind.LENGTH and snaps:
        series, masks = at.house.images.kept, at.house.masks
        return proposed_axes(series, masks, line_segmenter(), uid=uid, line=(ends[0], ends[1]))
    pairs = sorted((ends[i : i + 2] for i in range(0, len(ends), 2)), key=_length_mm, reverse=True)
    return Axes(uid, pairs[0], pairs[1] if len(pairs) > 1 else None)


def _length_mm(ends: Sequence[Sequence[float]]) -> float:
    return float(np.linalg.norm(np.subtract(ends[0], ends[1])))
