"""Lesions measured where another one is to be expected: the reader says which is which, and what they saw is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk, acting, done
from apps.trialimg_dashboard.views.reading_acts import keep
from apps.trialimg_dashboard.views.reading_places import carried, evidence_of, extent_of
from trialimg.core.links import Link
from trialimg.services.lesion_fit import Extent, Misfit, as_read, misfits
from trialimg.services.lesion_links import confirm_link
from trialimg.services.lesion_warnings import measured_at, note_shown
from trialimg.services.reading_entry import entry_at, swapped
from trialimg.services.reading_room import LesionRow, Room, lesion_in
from trialimg.services.visit_alignment import VisitAlignments

__all__ = ["misplaced"]


def misplaced(at: Desk, room: Room) -> None:
    """Say which measurement seems to be of another lesion, and offer to exchange the two; once for each lesion."""
    if room.is_baseline or room.is_global:
        return
    said = {name for link in room.links for name in link.earlier}
    shown: list[Misfit] = []
    for one in _found(at, room):
        if one.lesion not in said | {name for other in shown for name in (other.lesion, other.fits)}:
            shown.append(one)
            _offer(at, room, one)
    entry = room.visit(room.step)["entry"]
    seen = [(one, measured_at(lesion_in(entry, one.lesion))) for one in shown]
    if any((one.lesion, measured) not in room.warned for one, measured in seen):
        done(lambda: note_shown(at.records, at.actor, (at.trial, room.alias, room.step), seen))


def _offer(at: Desk, room: Room, one: Misfit) -> None:
    key = f"misplaced-{room.alias}-{room.step}-{one.lesion}"
    words = {"lesion": one.lesion, "fits": one.fits, "score": f"{one.link.score:.2f}", "away": f"{one.away_mm:.0f}"}
    st.warning(at.t("room.misplaced" if one.fits else "room.nowhere", **words))
    rows = {row.name: row for row in room.rows}
    left, right = st.columns(2)
    if one.fits in rows:
        swap = acting(_swap(at, room, one, (rows[one.lesion], rows[one.fits])))
        left.button(at.t("room.swap", **words), key=f"{key}-swap", width="stretch", on_click=swap)
    right.button(at.t("room.as_read"), key=f"{key}-as-read", width="stretch", on_click=acting(_as_read(at, room, one)))


def _swap(at: Desk, room: Room, one: Misfit, rows: tuple[LesionRow, LesionRow]) -> Callable[[], None]:
    def swap() -> None:
        keep(at, room, swapped(entry_at(room), *rows))
        _keep_word(at, room, one, one.link)

    return swap


def _as_read(at: Desk, room: Room, one: Misfit) -> Callable[[], None]:
    return lambda: _keep_word(at, room, one, as_read(one))


def _keep_word(at: Desk, room: Room, one: Misfit, said: Link) -> None:
    confirm_link(at.records, at.actor, (at.trial, room.alias, room.step), proposed=one.link, said=said)


def _found(at: Desk, room: Room) -> tuple[Misfit, ...]:
    """Asked of each series on which something was measured at the open visit."""
    entry = room.visit(room.step)["entry"]
    measured = {row.name: evidence for row in room.rows if (evidence := _evidence(entry, row.name))}
    found: list[Misfit] = []
    for uid in sorted({str(one["series_uid"]) for one in measured.values()}):
        here = [_extent(name, one) for name, one in measured.items() if one["series_uid"] == uid]
        found += misfits(tuple(_expected(at, room, uid)), here)
    return tuple(found)


def _evidence(entry: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    found = (lesion_in(entry, name) or {}).get("evidence") or {}
    return found if found.get("long_axis_lps_mm") else None


def _extent(name: str, evidence: Mapping[str, Any]) -> Extent:
    centre, radius_mm = extent_of(evidence) or ((0.0, 0.0, 0.0), 0.0)
    return Extent(name, centre, radius_mm)


def _expected(at: Desk, room: Room, uid: str) -> Iterator[Extent]:
    """Where the lesions of earlier visits should lie in a series, by the last visit at which each was measured."""
    kept = at.house.images.kept
    alignments = VisitAlignments(kept, kept.store)
    earlier = [visit for visit in room.visits if visit["is_locked"]]
    first = {str(evidence_of(earlier[0], row.name).get("series_uid", "")) for row in room.rows} if earlier else set()
    baseline = next((one for one in sorted(first) if alignments.trusted(one, uid)), "")
    for row in room.rows if baseline else ():
        for visit in reversed(earlier):
            evidence = _evidence(visit["entry"], row.name)
            if evidence is not None:
                one = _extent(row.name, evidence)
                centre = carried(alignments, one.centre_lps_mm, str(evidence["series_uid"]), baseline=baseline, to=uid)
                if centre is not None:
                    yield Extent(row.name, centre, one.radius_mm)
                break
