"""The images of a case: an earlier visit beside the one that is read, with what is drawn and proposed on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk, acting
from apps.trialimg_dashboard.viewer.component import Drawing, DrawingKind, Pane, Seen, viewer
from apps.trialimg_dashboard.viewer.words import viewer_words
from apps.trialimg_dashboard.views import reading_ahead
from apps.trialimg_dashboard.views.reading_acts import waiting
from apps.trialimg_dashboard.views.reading_candidates import looked_at, outline_of
from apps.trialimg_dashboard.views.reading_drawn import DrawnOn, take
from apps.trialimg_dashboard.views.reading_places import evidence_of, place_of, slice_at, slice_of
from trialimg.core.prompts import PointLps
from trialimg.services.case_images import Looking, ShownSeries, uptake_over
from trialimg.services.new_lesion_offers import Offered
from trialimg.services.prompted import kept_outlines
from trialimg.services.reading_room import LesionRow, Room
from trialimg.services.visit_alignment import VisitAlignments

__all__ = ["DARK", "drawing_of", "images"]

DARK = Path(__file__).parent.parent / "templates" / "reading_room.html"
"""Whoever looks at images all day sits in the dark, whatever their system is set to."""

_WINDOWS = {"lung": "lung", "pleura": "lung", "liver": "liver", "bone": "bone", "brain": "brain"}
"""Organ to the window that its lesions open in; any other in that of soft tissue."""


def images(at: Desk, room: Room, row: LesionRow | None) -> None:
    """The viewer, and whatever the reader drew in it, kept at once."""
    looking = Looking(at.actor.user, at.actor.session, at.trial, room.alias)
    shown = at.house.images.shown(looking)
    choices = st.container(horizontal=True, vertical_alignment="bottom")
    with choices:
        visits, looked = _side_by_side(at, room), looked_at(room)
        found = [(visit, _series(at, shown, visit, row, looked=looked)) for visit in visits]
        stacks = [(visit, series) for visit, series in found if series is not None]
    if not stacks:
        st.info(at.t("room.no_images"))
        return
    placings = [
        _placing_of(at, series, looked) if looked else _placing(at, room, visit, series, row)
        for visit, series in stacks
    ]
    panes = [
        replace(_pane(at, room, looking, (visit, series), placing), fused=_uptake(at, shown, series))
        for (visit, series), placing in zip(stacks, _beside_each_other(placings), strict=True)
    ]
    if looked is not None:
        panes = [_ringed(pane, series, looked) for pane, (_, series) in zip(panes, stacks, strict=True)]
    drawings = [one for visit, series in stacks for one in _drawings(at, room, visit, series)]
    snaps = choices.toggle(at.t("room.snap"), value=True, help=at.t("room.snap_help")) if room.step else False
    options = {
        "key": f"viewer-{room.alias}",
        "words": viewer_words(at.language),
        "lesion": row.name if row else "-",
        "window": _WINDOWS.get(row.organ if row else "", "softTissue"),
        "readOnly": not room.step or room.is_global or row is None,
        "tokenSeconds": at.house.tokens.seconds,
        "height": 620,
        "rendering": st.query_params.get("rendering", "auto"),
        "linkedBy": max((placing.by for placing in placings), key=list(By).index).value,
        "next": reading_ahead.next_slices(at, room),
    }
    now = stacks[-1][1]

    def act(seen: Seen) -> None:
        if row is not None:
            acting(lambda: take(at, room, row, seen=seen, drawn_on=DrawnOn(now, drawings, snaps)))()

    viewer(panes, drawings, revision=_revision(room, row), options=options, act=act)
    if not options["readOnly"]:
        reading_ahead.decode_around(at.house.images.kept, now.uid, panes[-1].slice)


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
    at: Desk,
    shown: Sequence[ShownSeries],
    visit: Mapping[str, Any],
    row: LesionRow | None,
    *,
    looked: Offered | None,
) -> ShownSeries | None:
    """The series of a visit on which the lesion was read, else its first one; the reader may choose another."""
    here = [one for one in shown if one.timepoint == visit["id"]]
    uid = evidence_of(visit, row.name).get("series_uid") if row else None
    wanted = (looked.series_uid, looked.baseline_uid) if looked else (uid,)
    fits = next((number for number, one in enumerate(here) if one.uid in wanted), 0)
    if len(here) < len(("one", "another")):
        return here[0] if here else None
    said = [
        f"{(at.house.images.kept.geometry(one.uid) or {}).get('modality', '')} {number}"
        for number, one in enumerate(here, 1)
    ]
    key = f"series-{visit['id']}-{looked.name if looked else row.name if row else ''}-{len(here)}"
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


class By(Enum):
    """How the slice that a stack opens at was found, the surest way first."""

    LESION = "lesion"
    REGISTRATION = "registration"
    HEIGHT = "height"


@dataclass(frozen=True)
class _Placing:
    """Where a lesion is looked for in a stack."""

    by: By
    point_lps_mm: PointLps | None = None


def _placing(at: Desk, room: Room, visit: Mapping[str, Any], series: ShownSeries, row: LesionRow | None) -> _Placing:
    """Where a lesion was measured on a series; else where the body's alignment puts its place at baseline."""
    kept = at.house.images.kept
    found = evidence_of(visit, row.name) if row else {}
    if (point := place_of(found)) is not None and kept.geometry(series.uid):
        return _Placing(By.LESION, point)
    before = evidence_of(room.visits[0], row.name) if row else {}
    if (first := place_of(before)) is not None and visit["id"] != room.visits[0]["id"]:
        alignment = VisitAlignments(kept, kept.store).between(str(before.get("series_uid", "")), series.uid)
        if alignment is not None and not alignment.reason:
            return _Placing(By.REGISTRATION, alignment.apply(first))
    return _Placing(By.HEIGHT)


def _placing_of(at: Desk, series: ShownSeries, looked: Offered) -> _Placing:
    """Where a candidate lies on its own series; else where the body's alignment puts it."""
    if series.uid == looked.series_uid:
        return _Placing(By.LESION, looked.centre_lps_mm)
    kept = at.house.images.kept
    alignments = VisitAlignments(kept, kept.store)
    there = alignments.trusted(looked.baseline_uid, looked.series_uid)
    first = there.inverse_apply(looked.centre_lps_mm) if there else None
    if first is not None and series.uid == looked.baseline_uid:
        return _Placing(By.REGISTRATION, first)
    here = alignments.trusted(looked.baseline_uid, series.uid)
    return _Placing(By.REGISTRATION, here.apply(first)) if first and here else _Placing(By.HEIGHT)


def _ringed(pane: Pane, series: ShownSeries, looked: Offered) -> Pane:
    """The stack with a ring around a candidate."""
    if series.uid != looked.series_uid:
        return pane
    outlines = {number: list(lines) for number, lines in pane.outlines.items()}
    for number, lines in outline_of(looked, pane.geometry).items():
        outlines.setdefault(number, []).extend(lines)
    return replace(pane, outlines=outlines)


def _beside_each_other(placings: Sequence[_Placing]) -> list[_Placing]:
    """Where nothing is known of a stack, the height at which the lesion lies in another one."""
    anywhere = next((one.point_lps_mm for one in reversed(placings) if one.point_lps_mm is not None), None)
    return [one if one.point_lps_mm is not None else replace(one, point_lps_mm=anywhere) for one in placings]


def _pane(
    at: Desk,
    room: Room,
    looking: Looking,
    stack: tuple[Mapping[str, Any], ShownSeries],
    placing: _Placing,
) -> Pane:
    """One stack at the slice where the lesion is looked for."""
    visit, series = stack
    geometry = at.house.images.kept.geometry(series.uid) or {}
    start = _start(room, series, slice_at(placing.point_lps_mm, geometry))
    outlines: dict[int, list[dict[str, Any]]] = {}
    for name, lesion, is_proposed in _said_or_proposed(room, visit):
        digest = (lesion.get("evidence") or {}).get("digest")
        kept = kept_outlines(at.house.masks, digest, at.house.images.kept, series.uid) if digest else {}
        for number, lines in kept.items():
            found = [{"lesion": name, "points": line, "proposed": is_proposed} for line in lines]
            outlines.setdefault(number, []).extend(found)
    label = f"{visit['id']} {visit.get('date', '')}"
    return Pane(series.name, label, at.house.tokens.issue(looking), geometry, start, outlines)


def _start(room: Room, series: ShownSeries, number: int | None) -> int | None:
    """The slice to go to; where nothing is known of a lesion the one gone to before, so that the stack stays."""
    key = f"slice-{room.alias}-{series.name}"
    if number is not None:
        st.session_state[key] = number
    start: int | None = st.session_state.get(key, number)
    return start


def _said_or_proposed(room: Room, visit: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Lesion, what is to be drawn of it, whether that waits to be accepted: an answer to a line before what stands."""
    lesions = {entry_of: (visit[entry_of] or {}).get("lesions", ()) for entry_of in ("entry", "proposed")}
    stands = {one["lesion"]: one for one in lesions["entry"] if one.get("seen")}
    proposed = {one["lesion"]: one for one in lesions["proposed"] if one["lesion"] not in stands}
    answers = waiting(room) if visit["id"] == room.step else {}
    for name, lesion in {**proposed, **stands, **answers}.items():
        yield name, lesion, name in answers or name in proposed


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
