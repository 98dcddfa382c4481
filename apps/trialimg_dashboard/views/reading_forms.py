"""What the reader says in words: of a lesion, of the visit, and that it is finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk, acting, done
from apps.trialimg_dashboard.sign_in import demo_hint
from trialimg.core.lesions import LesionKind, NonTargetStatus, Role, Seen
from trialimg.services.reading import READ_MEANING, lock_read, lock_timepoint, save_draft, sign_read
from trialimg.services.reading_content import IMAGE_QUALITY
from trialimg.services.reading_room import (
    LesionRow,
    Room,
    accepted,
    changed,
    entry_at,
    next_name,
    without,
)
from trialimg.services.signatures import Proof

__all__ = ["closing", "keep", "lesion_form", "proof_asked", "visit_form"]

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


def keep(at: Desk, room: Room, entry: Mapping[str, Any]) -> None:
    """Keep the open visit as it is now."""
    save_draft(at.records, at.actor, at.trial, room.alias, step=room.step, entry=entry)


def lesion_form(at: Desk, room: Room, row: LesionRow | None) -> None:
    """What was seen of the chosen lesion, in one click for each of the things that may be said."""
    if not room.step:
        return
    if row is not None:
        _proposal(at, room, row)
        if row.role == Role.TARGET.value:
            _said(at, room, row, "seen", [word.value for word in Seen if word is not Seen.MEASURED])
        else:
            is_new = row.role == Role.NEW.value
            _said(at, room, row, "status", list(_NEW_STATUS if is_new else _NON_TARGET_STATUS))
    with st.expander(at.t("room.add"), expanded=row is None):
        _add(at, room)


def _proposal(at: Desk, room: Room, row: LesionRow) -> None:
    if row.proposed is None or not row.is_open:
        return
    said = row.proposed["diameter_mm"] or row.proposed.get("status") or row.proposed["seen"]

    def accept() -> None:
        keep(at, room, accepted(entry_at(room), row))
        st.session_state.next_lesion = room.after(row.name)

    left, right = st.columns([3, 2], vertical_alignment="center")
    left.caption(at.t("room.proposed", lesion=row.name, said=str(said).replace("_", " ")))
    key = f"accept-{room.step}-{row.name}"
    right.button(at.t("room.accept"), type="primary", key=key, width="stretch", on_click=acting(accept))


def _said(at: Desk, room: Room, row: LesionRow, word: str, words: list[str]) -> None:
    """One of the words that may be said of a lesion; what is not evaluable needs its reason."""
    stands = row.stands or {}
    present = stands.get(word) if stands.get(word) in words else None
    key = f"{word}-{room.alias}-{room.step}-{row.name}-{present}"

    def say() -> None:
        said = st.session_state.get(key)
        if said and said != _NOT_EVALUABLE:
            keep(at, room, changed(entry_at(room), row, **_words(word, said)))
            st.session_state.next_lesion = room.after(row.name)

    def say_why() -> None:
        reason = st.session_state.get(f"{key}-reason", "")
        keep(at, room, changed(entry_at(room), row, **_words(word, _NOT_EVALUABLE), reason=reason))

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
        right.selectbox(at.t("room.organ"), _ORGANS, key=f"{form}-organ")
        st.form_submit_button(at.t("room.add"), on_click=acting(add))
    removable = [lesion["lesion"] for lesion in entry_at(room)["lesions"]]
    gone = st.selectbox(at.t("room.remove"), removable, index=None) if removable else None
    if gone:
        gone_now = acting(lambda: keep(at, room, without(entry_at(room), gone)))
        st.button(at.t("room.remove_this", lesion=gone), on_click=gone_now)


def visit_form(at: Desk, room: Room) -> None:
    """Image quality, new lesions and comment of the open visit, kept as they are said."""
    if not room.step:
        return
    entry = entry_at(room)
    left, right = st.columns(2)
    words = [word for word in IMAGE_QUALITY if word != "not_stated"]
    with left:
        _of_visit(at, room, entry, "image_quality", words)
    if not room.is_baseline:
        with right:
            _of_visit(at, room, entry, "new_lesions", ["no", "yes"])
    key = f"visit-{room.alias}-{room.step}-comment"
    comment = acting(lambda: keep(at, room, {**entry_at(room), "comment": st.session_state[key]}))
    st.text_input(at.t("room.comment"), entry.get("comment", ""), key=key, on_change=comment)


def _of_visit(at: Desk, room: Room, entry: Mapping[str, Any], name: str, words: list[str]) -> None:
    """One of a few words about the visit, or nothing as long as nothing was said."""
    present = entry.get(name, "")
    key = f"visit-{room.alias}-{room.step}-{name}"
    say = acting(lambda: keep(at, room, {**entry_at(room), name: st.session_state[key] or ""}))
    st.segmented_control(
        at.t(f"room.{name}"), words, default=present if present in words else None, key=key, on_change=say,
        format_func=lambda word: at.t(f"{name}.{word}"),
    )  # fmt: skip


def closing(at: Desk, room: Room) -> None:
    """Lock the visit, then the read, then sign; each step says what is missing."""
    if room.step:
        lock = acting(lambda: lock_timepoint(at.records, at.actor, at.trial, room.alias, step=room.step))
        st.button(at.t("room.lock", visit=room.step), type="primary", key=f"lock-{room.step}", on_click=lock)
    elif room.state == "draft":
        lock = acting(lambda: lock_read(at.records, at.actor, at.trial, room.alias))
        st.button(at.t("room.lock_read"), type="primary", on_click=lock)
    elif room.state == "locked":
        _signing(at, room)


def _signing(at: Desk, room: Room) -> None:
    proof = proof_asked(at, READ_MEANING)
    if proof is not None:
        signed = done(lambda: sign_read(at.records, at.actor, proof, trial=at.trial, alias=room.alias))
        if signed is not None:
            st.session_state.pop("alias", None)
            st.switch_page("pages/worklist.py")


def proof_asked(at: Desk, meaning: str) -> Proof | None:
    """Password and code, once the person has asked to sign; what the signature means stands above."""
    with st.form("signing"):
        st.markdown(f"**{at.t('sign.title')}** {at.actor.user} — “{meaning}”")
        if (hint := demo_hint(at.house, at.actor.user)) is not None:
            st.caption(at.t("sign.demo", password=hint[0], code=hint[1]))
        password = st.text_input(at.t("password"), type="password", autocomplete="off")
        code = st.text_input(at.t("sign.code"), max_chars=7, autocomplete="off")
        if st.form_submit_button(at.t("sign.button"), type="primary"):
            return Proof(password, code, at.house.identity)
    return None
