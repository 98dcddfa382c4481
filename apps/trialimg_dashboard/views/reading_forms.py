"""What the reader says in words: of a lesion, of the visit, of all visits together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk, acting
from apps.trialimg_dashboard.views.reading_acts import accept, keep, keep_lesion, leave, waiting
from apps.trialimg_dashboard.views.reading_candidates import candidates
from apps.trialimg_dashboard.views.reading_misplaced import misplaced
from apps.trialimg_dashboard.views.reading_range import steadiness
from trialimg.core.lesions import LesionKind, NonTargetStatus, Role, Seen
from trialimg.services.reading_content import IMAGE_QUALITY
from trialimg.services.reading_entry import changed, entry_at, merged, next_name, split, without
from trialimg.services.reading_room import FactAsked, LesionRow, Room

__all__ = ["global_form", "lesion_form", "visit_form"]

_NEW_STATUS = ("unequivocal", "equivocal")
_NON_TARGET_STATUS = tuple(status.value for status in NonTargetStatus)
_NOT_EVALUABLE = Seen.NOT_EVALUABLE.value
_ORGANS = (
    "lung",
    "liver",
    "lymph node",
    "adrenal",
    "kidney",
    "bone",
    "brain",
    "soft tissue",
    "pleura",
    "peritoneum",
    "other",
)


def lesion_form(at: Desk, room: Room, row: LesionRow | None) -> None:
    """What was seen of the chosen lesion, in one click for each of the things that may be said."""
    if not room.step or room.is_global:
        return
    misplaced(at, room)
    if row is not None:
        _proposal(at, room, row)
        if row.role == Role.TARGET.value:
            _said(at, room, row, "seen", [word.value for word in Seen if word is not Seen.MEASURED])
        else:
            is_new = row.role == Role.NEW.value
            _said(at, room, row, "status", list(_NEW_STATUS if is_new else _NON_TARGET_STATUS))
        if not room.is_baseline:
            _relatives(at, room, row)
    candidates(at, room, _ORGANS)
    with st.expander(at.t("room.add"), expanded=row is None):
        _add(at, room)


def _proposal(at: Desk, room: Room, row: LesionRow) -> None:
    """What the software says of the lesion, to be taken over or left."""
    answer = waiting(room).get(row.name) or (row.proposed if row.is_open else None)
    if answer is None:
        return
    said = answer["diameter_mm"] or answer.get("status") or answer["seen"]
    unit = " mm" if answer["diameter_mm"] else ""
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="center")
    volume = f", {float(answer['volume_ml']):.2f} ml" if answer.get("volume_ml") else ""
    left.caption(at.t("room.proposed", lesion=row.name, said=str(said).replace("_", " "), unit=f"{unit}{volume}"))
    key = f"{room.step}-{row.name}"
    take = acting(lambda: accept(at, room, row))
    middle.button(at.t("room.accept"), type="primary", key=f"accept-{key}", width="stretch", on_click=take)
    if row.name in waiting(room):
        back = acting(lambda: leave(at, room, row))
        right.button(at.t("room.leave"), key=f"leave-{key}", width="stretch", on_click=back)
        steadiness(at, room, row)


def _relatives(at: Desk, room: Room, row: LesionRow) -> None:
    """A lesion that has fallen into parts, or has become one with another."""
    others = [one.name for one in room.rows if one.role == row.role and one.name != row.name]
    key = f"relative-{room.alias}-{room.step}-{row.name}"
    with st.expander(at.t("room.relatives")):
        left, right = st.columns(2, vertical_alignment="bottom")
        names = [one.name for one in room.rows]
        fall = acting(lambda: keep_lesion(at, room, row, split(entry_at(room), row, names)))
        left.button(at.t("room.split", lesion=row.name), key=f"{key}-split", width="stretch", on_click=fall)

        def join() -> None:
            if into := st.session_state[f"{key}-into"]:
                keep_lesion(at, room, row, merged(entry_at(room), row, into))
                st.session_state.next_lesion = room.after(row.name)

        into = (row.stands or {}).get("merged_into")
        index = others.index(into) if into in others else None
        right.selectbox(at.t("room.merged", lesion=row.name), others, index, key=f"{key}-into", on_change=acting(join))


def _said(at: Desk, room: Room, row: LesionRow, word: str, words: list[str]) -> None:
    """One of the words that may be said of a lesion; what is not evaluable needs its reason."""
    stands = row.stands or {}
    present = stands.get(word) if stands.get(word) in words else None
    key = f"{word}-{room.alias}-{room.step}-{row.name}-{present}"

    def say() -> None:
        said = st.session_state.get(key)
        if said and said != _NOT_EVALUABLE:
            keep_lesion(at, room, row, changed(entry_at(room), row, **_words(word, said)))
            st.session_state.next_lesion = room.after(row.name)

    def say_why() -> None:
        reason = st.session_state.get(f"{key}-reason", "")
        why = {**_words(word, _NOT_EVALUABLE), "reason": reason}
        keep_lesion(at, room, row, changed(entry_at(room), row, **why))

    shown = st.segmented_control(
        at.t(f"room.{word}"), words, default=present, key=key, on_change=acting(say),
        format_func=lambda one: at.t(f"{word}.{one}"),
    )  # fmt: skip
    if shown == _NOT_EVALUABLE:
        st.text_input(at.t("room.reason"), stands.get("reason", ""), key=f"{key}-reason", on_change=acting(say_why))


def _words(word: str, said: str) -> dict[str, str]:
    """What is written of a lesion for one word."""
    if word == "seen":
        return {"seen": said, "reason": ""}
    seen = said if said in (Seen.ABSENT.value, _NOT_EVALUABLE) else Seen.MEASURED.value
    return {"seen": seen, "status": said, "reason": ""}


def _add(at: Desk, room: Room) -> None:
    """A lesion is chosen at baseline, or appears later."""
    roles = [Role.TARGET.value, Role.NON_TARGET.value] if room.is_baseline else [Role.NEW.value]
    kinds = [LesionKind.NON_NODAL.value, LesionKind.NODAL.value]
    form = f"add-{room.alias}-{room.step}"

    def add() -> None:
        role, kind, organ = (st.session_state[f"{form}-{part}"] for part in ("role", "kind", "organ"))
        name = next_name(room, Role(role))
        keep(at, room, changed(entry_at(room), LesionRow(name, role, kind, organ, {}, None, None), seen="", status=""))
        st.session_state.next_lesion = name

    with st.form(form, border=False):
        left, middle, right = st.columns(3)
        left.selectbox(at.t("room.role"), roles, key=f"{form}-role", format_func=lambda one: at.t(f"role_of.{one}"))
        middle.selectbox(at.t("room.kind"), kinds, key=f"{form}-kind", format_func=lambda one: at.t(f"kind.{one}"))
        right.selectbox(at.t("room.organ"), _ORGANS, key=f"{form}-organ", format_func=lambda one: at.t(f"organ.{one}"))
        st.form_submit_button(at.t("room.add"), on_click=acting(add))
    removable = [lesion["lesion"] for lesion in entry_at(room)["lesions"]]
    gone = st.selectbox(at.t("room.remove"), removable, index=None) if removable else None
    if gone:
        gone_now = acting(lambda: keep(at, room, without(entry_at(room), gone)))
        st.button(at.t("room.remove_this", lesion=gone), on_click=gone_now)


def visit_form(at: Desk, room: Room) -> None:
    """Image quality, new lesions, what the criterion asks for and a comment, kept as they are said."""
    if not room.step or room.is_global:
        return
    entry = entry_at(room)
    left, right = st.columns(2)
    words = [word for word in IMAGE_QUALITY if word != "not_stated"]
    with left:
        _of_visit(at, room, entry, "image_quality", words)
    with right:
        if not room.is_baseline:
            _of_visit(at, room, entry, "new_lesions", ["no", "yes"])
        elif not entry["lesions"]:
            _of_visit(at, room, entry, "no_lesions", ["yes"])
    if room.kind == "eligibility":
        _of_visit(at, room, entry, "conclusion", ["eligible", "not_eligible"])
    if room.asked:
        with st.expander(at.t("room.facts"), expanded=any(entry["facts"].values())):
            for asked in room.asked:
                _fact(at, room, entry, asked)
    _text(at, room, entry, "comment")


def _of_visit(at: Desk, room: Room, entry: Mapping[str, Any], name: str, words: list[str]) -> None:
    """One of a few words about the visit, or nothing as long as nothing was said."""
    present = entry.get(name, "")
    key = f"visit-{room.alias}-{room.step}-{name}"
    say = acting(lambda: keep(at, room, {**entry_at(room), name: st.session_state[key] or ""}))
    st.segmented_control(
        at.t(f"room.{name}"), words, default=present if present in words else None, key=key, on_change=say,
        format_func=lambda word: at.t(f"{name}.{word}"),
    )  # fmt: skip


def _fact(at: Desk, room: Room, entry: Mapping[str, Any], asked: FactAsked) -> None:
    """Something that a criterion wants to know; nothing as long as nothing was said."""
    present = entry["facts"].get(asked.name, "")
    key = f"fact-{room.alias}-{room.step}-{asked.name}"
    label = asked.name.replace("_", " ").capitalize()

    def say() -> None:
        before = entry_at(room)
        keep(at, room, {**before, "facts": {**before["facts"], asked.name: str(st.session_state[key] or "").strip()}})

    if asked.choices:
        default = present if present in asked.choices else None
        st.segmented_control(
            label, asked.choices, default=default, key=key, on_change=acting(say),
            format_func=lambda word: word.replace("_", " "),
        )  # fmt: skip
    else:
        st.text_input(label, present, key=key, on_change=acting(say))


def global_form(at: Desk, room: Room) -> None:
    """The look at all visits together, after the last of them: what the reader says over what was derived."""
    if not room.is_global:
        return
    st.caption(at.t("room.global"))
    entry = entry_at(room)
    for name in ("best_response", "progression_date", "response_date", "comment"):
        _text(at, room, entry, name)


def _text(at: Desk, room: Room, entry: Mapping[str, Any], name: str) -> None:
    key = f"visit-{room.alias}-{room.step}-{name}"
    say = acting(lambda: keep(at, room, {**entry_at(room), name: st.session_state[key]}))
    st.text_input(at.t(f"room.{name}"), entry.get(name, ""), key=key, on_change=say)
