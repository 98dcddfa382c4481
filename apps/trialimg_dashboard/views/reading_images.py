"""The images of a case: an earlier visit beside the one that is read, with what is drawn and proposed on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, acting
from apps.trialimg_dashboard.viewer.component import Drawing, DrawingKind, Pane, Seen, viewer
from apps.trialimg_dashboard.viewer.words import viewer_words
from apps.trialimg_dashboard.views.reading_acts import waiting
from apps.trialimg_dashboard.views.reading_drawn import DrawnOn, take
from trialimg.services.case_images import Looking, ShownSeries, uptake_over
from trialimg.services.prompted import outlines_on
from trialimg.services.reading_room import LesionRow, Room, lesion_in

__all__ = ["drawing_of", "images", "slice_of"]

_WINDOWS = {"lung": "lung", "pleura": "lung", "liver": "liver", "bone": "bone", "brain": "brain"}
"""Organ to the window that its lesions open in; any other in that of soft tissue."""


def images(at: Desk, room: Room, row: LesionRow | None) -> None:
    """The viewer, and whatever the reader drew in it, kept at once."""
    looking = Looking(at.actor.user, at.actor.session, at.trial, room.alias)
    shown = at.house.images.shown(looking)
    visits = _side_by_side(at, room)
    stacks = [(visit, series) for visit in visits if (series := _series(at, shown, visit, row)) is not None]
    if not stacks:
        st.info(at.t("room.no_images"))
        return
    places = [_place(at, visit, series, row) for visit, series in stacks]
    anywhere = next((place for place in reversed(places) if place is not None), None)
    panes = [
        replace(_pane(at, room, looking, (visit, series), place or anywhere), fused=_uptake(at, shown, series))
        for (visit, series), place in zip(stacks, places, strict=True)
    ]
    drawings = [one for visit, series in stacks for one in _drawings(at, room, visit, series)]
    snaps = st.toggle(at.t("room.snap"), value=True, help=at.t("room.snap_help")) if room.step else False
    options = {
        "key": f"viewer-{room.alias}",
        "words": viewer_words(at.language),
        "lesion": row.name if row else "-",
        "window": _WINDOWS.get(row.organ if row else "", "softTissue"),
        "readOnly": not room.step or room.is_global or row is None,
        "tokenSeconds": at.house.tokens.seconds,
        "height": 620,
        "rendering": st.query_params.get("rendering", "auto"),
    }
    now = stacks[-1][1]

    def act(seen: Seen) -> None:
        if row is not None:
            acting(lambda: take(at, room, row, seen, DrawnOn(now, drawings, snaps)))()

    viewer(panes, drawings, revision=_revision(room, row), options=options, act=act)


def _revision(room: Room, row: LesionRow | None) -> int:
    """Another number for each state of the record, so that the viewer draws what is kept."""
    said = (room.alias, room.step, row.name if row else "", str([visit["entry"] for visit in room.visits]))
    return abs(hash((*said, str(waiting(room)), st.session_state.get("drawn_times", 0)))) % 2**31


def _side_by_side(at: Desk, room: Room) -> list[Mapping[str, Any]]:
    """The visit that is read (or the last), and the earlier one that the reader compares it with."""
    dated = [one for one in room.visits if "date" in one]
    now = next((one for one in dated if one["id"] == room.step), dated[-1])
    earlier = [one for one in dated if one["date"] < now["date"]]
    if not earlier:
        return [now]
    names = [one["id"] for one in earlier]
    nadir = room.nadir(names)
    said = {name: f"{name} · {at.t('room.nadir')}" if name == nadir and len(names) > 1 else name for name in names}
    key = f"beside-{room.alias}-{room.step}"
    beside = st.segmented_control(
        at.t("room.beside"), names, default=names[0], key=key, required=True, format_func=lambda name: said[name]
    )
    return [next((one for one in earlier if one["id"] == beside), earlier[0]), now]


def _series(
    at: Desk, shown: Sequence[ShownSeries], visit: Mapping[str, Any], row: LesionRow | None
) -> ShownSeries | None:
    """The series of a visit on which the lesion was read, else its first one; the reader may choose another."""
    here = [one for one in shown if one.timepoint == visit["id"]]
    uid = _evidence(visit, row.name).get("series_uid") if row else None
    fits = next((number for number, one in enumerate(here) if one.uid == uid), 0)
    if len(here) < len(("one", "another")):
        return here[0] if here else None
    said = [
        f"{(at.house.images.kept.geometry(one.uid) or {}).get('modality', '')} {number}"
        for number, one in enumerate(here, 1)
    ]
    key = f"series-{visit['id']}-{row.name if row else ''}-{len(here)}"
    chosen = st.segmented_control(
        f"{at.t('room.series')} {visit['id']}",
        range(len(here)),
        default=fits,
        key=key,
        required=True,
        format_func=lambda n: said[n],
    )
    return here[fits if chosen is None else chosen]


def _uptake(at: Desk, shown: Sequence[ShownSeries], series: ShownSeries) -> str:
    """Name of the PET that may be laid over a series; empty where there is none."""
    found = uptake_over(at.house.images.kept, shown, series)
    return found.name if found else ""


def _evidence(visit: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What a lesion's measurement at a visit rests on: the reader's own words, else the proposal's."""
    for entry in (visit["entry"], visit.get("proposed")):
        found = (lesion_in(entry, name) or {}).get("evidence")
        if found:
            evidence: Mapping[str, Any] = found
            return evidence
    return {}


def _place(at: Desk, visit: Mapping[str, Any], series: ShownSeries, row: LesionRow | None) -> Mapping[str, Any] | None:
    """What the lesion's place at a visit is known by; None where it was not measured there."""
    found = _evidence(visit, row.name) if row else {}
    return found if slice_of(found, at.house.images.kept.geometry(series.uid) or {}) is not None else None


def _pane(
    at: Desk,
    room: Room,
    looking: Looking,
    stack: tuple[Mapping[str, Any], ShownSeries],
    place: Mapping[str, Any] | None,
) -> Pane:
    """One stack at the slice of the lesion; where it was not measured, at the height where it lies in the other."""
    visit, series = stack
    geometry = at.house.images.kept.geometry(series.uid) or {}
    start = slice_of(place, geometry) if place else None
    outlines: dict[int, list[dict[str, Any]]] = {}
    for name, lesion, is_proposed in _said_or_proposed(room, visit):
        digest = (lesion.get("evidence") or {}).get("digest")
        mask = at.house.masks.mask(digest) if digest else None
        for number, lines in (outlines_on(mask, geometry) if mask is not None else {}).items():
            found = [{"lesion": name, "points": line, "proposed": is_proposed} for line in lines]
            outlines.setdefault(number, []).extend(found)
    label = f"{visit['id']} {visit.get('date', '')}"
    return Pane(series.name, label, at.house.tokens.issue(looking), geometry, start, outlines)


def _said_or_proposed(room: Room, visit: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Lesion, what is to be drawn of it, whether that waits to be accepted: an answer to a line before what stands."""
    lesions = {entry_of: (visit[entry_of] or {}).get("lesions", ()) for entry_of in ("entry", "proposed")}
    stands = {one["lesion"]: one for one in lesions["entry"] if one.get("seen")}
    proposed = {one["lesion"]: one for one in lesions["proposed"] if one["lesion"] not in stands}
    answers = waiting(room) if visit["id"] == room.step else {}
    for name, lesion in {**proposed, **stands, **answers}.items():
        yield name, lesion, name in answers or name in proposed


def slice_of(evidence: Mapping[str, Any], geometry: Mapping[str, Any]) -> int | None:
    """The slice of a series that lies nearest to a measurement; None where nothing was measured."""
    points = evidence.get("long_axis_lps_mm") or evidence.get("short_axis_lps_mm")
    if not points or not geometry:
        return None
    row, column = np.reshape(geometry["orientation"], (2, 3))
    axis = np.cross(row, column)
    heights = np.asarray(geometry["positions"]) @ axis
    return int(np.abs(heights - np.asarray(points, dtype=float)[0] @ axis).argmin())


def _drawings(at: Desk, room: Room, visit: Mapping[str, Any], series: ShownSeries) -> Iterator[Drawing]:
    """Everything that is drawn on a series: what stands, and what is only proposed; earlier visits are locked."""
    geometry = at.house.images.kept.geometry(series.uid) or {}
    for name, lesion, is_proposed in _said_or_proposed(room, visit):
        evidence = lesion.get("evidence") or {}
        number = slice_of(evidence, geometry)
        if number is not None and evidence.get("series_uid") == series.uid:
            drawing = drawing_of(name, evidence, series, number, is_proposed=is_proposed)
            yield replace(drawing, locked=visit["id"] != room.step)


def drawing_of(
    name: str, evidence: Mapping[str, Any], series: ShownSeries, number: int, *, is_proposed: bool
) -> Drawing:
    """A lesion's axes as they are drawn on a slice."""
    axes = [evidence[axis] for axis in ("long_axis_lps_mm", "short_axis_lps_mm") if evidence.get(axis)]
    points = tuple((float(x), float(y), float(z)) for axis in axes for x, y, z in axis)
    kind = DrawingKind.BIDIRECTIONAL if len(axes) == 2 else DrawingKind.LENGTH
    return Drawing(f"{series.timepoint}-{name}", series.name, number, name, kind, points, proposed=is_proposed)
