"""What a reader does to a lesion, each act kept at once and able to be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from trialimg.services.model_answers import AnswerPlace, decided
from trialimg.services.reading import save_draft
from trialimg.services.reading_entry import Axes, accepted, drawn, entry_at, restored
from trialimg.services.reading_room import LesionRow, Room, lesion_in

__all__ = ["accept", "answer_place", "keep", "keep_lesion", "leave", "outline", "undo", "wait", "waiting"]

Lesion = Mapping[str, Any]


def keep(at: Desk, room: Room, entry: Mapping[str, Any]) -> None:
    """Keep the open visit as it is now."""
    save_draft(at.records, at.actor, at.trial, room.alias, step=room.step, entry=entry)


def keep_lesion(at: Desk, room: Room, row: LesionRow, entry: Mapping[str, Any]) -> None:
    """Keep the open visit after an act on one lesion, which Esc takes back."""
    keep(at, room, entry)
    _answers(room).pop(row.name, None)
    _before(room)[row.name] = lesion_in(room.visit(room.step)["entry"], row.name)


def outline(at: Desk, room: Room, row: LesionRow, axes: Axes) -> None:
    """Keep a lesion whose outline was changed by hand; what the software says of it is taken over first."""
    entry = entry_at(room)
    if row.name in _answers(room):
        entry = restored(entry, row.name, _answers(room)[row.name])
        keep_lesion(at, room, row, entry)
        decided(at.records, at.actor, answer_place(at, room, row), taken=True)
    elif row.is_open and row.proposed is not None:
        entry = accepted(entry, row)
        keep_lesion(at, room, row, entry)
    keep_lesion(at, room, row, drawn(entry, row, axes))
    _before(room)[row.name] = lesion_in(entry, row.name)


def wait(room: Room, row: LesionRow, lesion: Lesion) -> None:
    """Show the software's answer to a drawn line, until the reader accepts it or not; it is in no read yet."""
    _answers(room)[row.name] = lesion


def waiting(room: Room) -> Mapping[str, Lesion]:
    """Answers to drawn lines that wait at the open visit, by lesion."""
    return _answers(room)


def accept(at: Desk, room: Room, row: LesionRow) -> None:
    """Take over what the software says of a lesion: the answer to a line, else its proposal; go to the next one."""
    answer = _answers(room).get(row.name)
    if answer is not None:
        keep_lesion(at, room, row, restored(entry_at(room), row.name, answer))
        decided(at.records, at.actor, answer_place(at, room, row), taken=True)
    elif row.is_open and row.proposed is not None:
        keep_lesion(at, room, row, accepted(entry_at(room), row))
    else:
        return
    st.session_state.next_lesion = room.after(row.name)


def leave(at: Desk, room: Room, row: LesionRow) -> None:
    """Put the answer to a line away; where none waits, take the last act on this lesion back."""
    if _answers(room).pop(row.name, None) is not None:
        st.session_state.drawn_times = st.session_state.get("drawn_times", 0) + 1
        decided(at.records, at.actor, answer_place(at, room, row), taken=False)
    else:
        undo(at, room, row)


def undo(at: Desk, room: Room, row: LesionRow) -> None:
    """Take the last act on this lesion back."""
    st.session_state.drawn_times = st.session_state.get("drawn_times", 0) + 1
    if row.name in _before(room):
        keep(at, room, restored(entry_at(room), row.name, _before(room).pop(row.name)))


def answer_place(at: Desk, room: Room, row: LesionRow) -> AnswerPlace:
    """The lesion at the open visit, as the record of answers to lines knows it."""
    return AnswerPlace(at.trial, room.alias, room.step, row.name, row.organ)


def _answers(room: Room) -> dict[str, Lesion]:
    found: dict[str, Lesion] = st.session_state.setdefault(f"answers-{room.alias}-{room.step}", {})
    return found


def _before(room: Room) -> dict[str, Lesion | None]:
    found: dict[str, Lesion | None] = st.session_state.setdefault(f"before-{room.alias}-{room.step}", {})
    return found
