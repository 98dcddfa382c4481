"""The lesion table across visits, with sums, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views.reading_acts import waiting
from trialimg.services.reading_room import LesionRow, Room

__all__ = ["answer", "head", "lesions"]

COLOURS = {
    "CR": "#0b6e4f", "PR": "#2f9e6e", "SD": "#b58900", "PD": "#b3261e", "NE": "#6b7280",
    "iCR": "#0b6e4f", "iPR": "#2f9e6e", "iSD": "#b58900", "iUPD": "#c2571a", "iCPD": "#b3261e",
}  # fmt: skip
"""Distinct in hue and lightness; the letters always stand with them."""
_SUMS = ("sum_mm", "change_from_baseline_pct", "change_from_nadir_mm")


def head(at: Desk, room: Room) -> None:
    """Which case this is; what each visit came to, which is read now; whether everything is kept."""
    steps = " ─ ".join(_step(room, visit) for visit in room.visits)
    open_answers = ", ".join(waiting(room)) if room.step else ""
    kept = at.t("room.unsaved", lesions=open_answers) if open_answers else at.t("room.saved")
    left, right = st.columns([5, 1], vertical_alignment="center")
    state = at.t(f"state.{room.state}")
    left.markdown(f"##### {at.t('room.case')} {room.alias} · {at.trial} · {room.criterion} · {steps} · {state}")
    right.markdown(f":{'orange' if open_answers else 'green'}-badge[{'● ' if open_answers else ''}{kept}]")


def _step(room: Room, visit: Mapping[str, Any]) -> str:
    """A visit of the timeline, with its response once it is locked."""
    if visit["id"] == room.step:
        return f"**[{visit['id']}]**"
    said = room.assessment(visit["id"])
    return f"{visit['id']} {said['overall'] if said else ''} 🔒"


def lesions(at: Desk, room: Room) -> LesionRow | None:
    """The table of lesions; the one that is chosen."""
    rows = [_cells(at, room, row) for row in room.rows]
    names = [row.name for row in room.rows]
    if rows:
        st.html(_table([visit["id"] for visit in room.visits], [*rows, *_sums(at, room)]))
    if not names:
        st.caption(at.t("room.empty"))
        return None
    if (asked := st.session_state.pop("next_lesion", None)) in names:
        st.session_state.lesion = asked
    if st.session_state.get("lesion") not in names:
        st.session_state.lesion = next((row.name for row in room.rows if row.is_open), names[0])
    chosen = st.segmented_control(at.t("room.lesion"), names, key="lesion", label_visibility="collapsed", required=True)
    return next((row for row in room.rows if row.name == chosen), None)


def _table(visits: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """Lesions and sums down, visits across."""
    head = "".join(f'<th scope="col">{escape(visit)}</th>' for visit in visits)
    cells = ("".join(f"<td>{escape(row[visit])}</td>" for visit in visits) for row in rows)
    named = zip(rows, cells, strict=True)
    body = "".join(f'<tr><th scope="row">{escape(row[""])}</th>{those}</tr>' for row, those in named)
    return f'<table class="lesions"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cells(at: Desk, room: Room, row: LesionRow) -> dict[str, str]:
    mark = " ◌" if room.step and row.is_open else ""
    organ = at.known(f"organ.{row.organ}", row.organ)
    said = {visit["id"]: _said(at, row.cells[visit["id"]]) for visit in room.visits}
    return {"": f"{row.name} {organ}{mark}", **said}


def _said(at: Desk, cell: str) -> str:
    """A cell in the reader's language, where it is a word."""
    word = cell.replace(" ", "_")
    return at.known(f"status.{word}", at.known(f"seen.{word}", cell))


def _sums(at: Desk, room: Room) -> list[dict[str, str]]:
    """Sum, change from baseline and from nadir below the lesions, where they are known."""
    if room.baseline_sum_mm is None:
        return []
    rows = []
    for name in _SUMS[: 1 if len(room.visits) == 1 else None]:
        cells = {visit["id"]: _number(name, room.assessment(visit["id"])) for visit in room.visits}
        if name == "sum_mm":
            cells[room.visits[0]["id"]] = f"{room.baseline_sum_mm:.1f}"
        rows.append({"": at.t(f"room.{name}"), **cells})
    return rows


def _number(name: str, assessment: Mapping[str, Any] | None) -> str:
    """A sum in mm, its change in percent or mm; empty where it is not known."""
    sums = assessment["sums"] if assessment else {}
    if name == "change_from_nadir_mm":
        known = sums.get("sum_mm") is not None and sums.get("nadir_mm") is not None
        return f"{Decimal(sums['sum_mm']) - Decimal(sums['nadir_mm']):+.1f}" if known else ""
    if sums.get(name) is None:
        return ""
    value = Decimal(sums[name])
    return f"{value:+.0f} %" if name.endswith("_pct") else f"{value:.1f}"


def answer(room: Room) -> None:
    """What the visit comes to so far, with the rules that decided it."""
    if room.answer is None:
        st.caption(room.problem)
        return
    assessment = room.assessment(room.step or room.visits[-1]["id"])
    if assessment is None:
        return
    word = str(assessment["overall"])
    style = f"background:{COLOURS.get(word, '#475569')};color:#fff;padding:2px 10px;border-radius:5px"
    why = "".join(
        f"<li><code>{escape(one['rule'])}</code> {escape(one['sentence'])}</li>" for one in assessment["rule"]
    )
    st.html(
        f'<b style="{style}">{escape(word)}</b><ul style="margin:6px 0;padding-left:18px;font-size:.88rem">{why}</ul>'
    )
