"""The end of a visit and of a read: what is missing, lock, sign, and afterwards a correction."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import Desk, acting, done
from apps.trialimg_dashboard.views.reading_acts import waiting
from apps.trialimg_dashboard.views.signing import proof_fields
from trialimg.core.errors import Fault
from trialimg.services.reading import (
    READ_MEANING,
    ask_correction,
    lock_read,
    lock_timepoint,
    sign_read,
    start_correction,
)
from trialimg.services.reading_room import Room
from trialimg.services.signatures import Proof

__all__ = ["closing", "proof_asked"]

_FIELDS = ("image_quality", "new_lesions", "conclusion", "seen", "status", "reason", "best_response")


def closing(at: Desk, room: Room) -> None:
    """The one next step: lock the visit, lock the read, sign it, or ask for a correction; with what still lacks."""
    if room.step:
        _visit(at, room)
    elif room.state == "draft":
        lock = acting(lambda: lock_read(at.records, at.actor, at.trial, room.alias))
        st.button(at.t("room.lock_read"), type="primary", on_click=lock)
    elif room.state == "locked":
        _signing(at, room)
    if room.reopened_from:
        _correction(at, room)
    elif any(visit["is_locked"] for visit in room.visits):
        _request(at, room)


def _visit(at: Desk, room: Room) -> None:
    lacks = [_said(at, room, fault) for fault in room.missing]
    if waiting(room):
        lacks.append(at.t("room.waits", lesions=", ".join(waiting(room))))
    if lacks:
        st.caption("\n".join(f"- {one}" for one in lacks))

    def lock() -> None:
        lock_timepoint(at.records, at.actor, at.trial, room.alias, step=room.step)
        for of_this_visit in ("looked_at", "lesion"):
            st.session_state.pop(of_this_visit, None)

    st.button(
        at.t("room.lock", visit=room.step), type="primary", key=f"lock-{room.step}", on_click=acting(lock),
        disabled=bool(room.missing or waiting(room)),
    )  # fmt: skip


def _said(at: Desk, room: Room, fault: Fault) -> str:
    """What is missing, in the reader's words where it is a field of this page."""
    where = fault.where.removeprefix(room.step).strip()
    name = fault.message.partition(" ")[0]
    if fault.code == "blank" and name in _FIELDS:
        return at.t("room.lacks", what=f"{where} {at.t(f'room.{name}')}".strip())
    if fault.code == "blank" and not where:
        return at.t("room.nothing_said")
    if fault.code == "blank" and name == "nothing":
        return at.t("room.lesion_blank", lesion=where)
    return f"{where} {fault.message}".strip()


def _request(at: Desk, room: Room) -> None:
    """Somebody who leads the trial decides."""
    key = f"ask-{room.alias}"

    def ask() -> None:
        ask_correction(at.records, at.actor, at.trial, room.alias, reason=st.session_state[key])
        st.session_state.asked = room.alias

    with st.expander(at.t("room.ask_correction")), st.form(f"{key}-form", border=False):
        st.text_input(at.t("room.reason"), key=key)
        st.form_submit_button(at.t("room.ask_correction"), on_click=acting(ask))
        if st.session_state.get("asked") == room.alias:
            st.success(at.t("room.asked"))


def _correction(at: Desk, room: Room) -> None:
    key = f"correct-{room.alias}"

    def begin() -> None:
        start_correction(at.records, at.actor, at.trial, room.alias, reason=st.session_state[key])

    with st.form(f"{key}-form"):
        st.markdown(at.t("room.reopened", visit=room.reopened_from))
        st.text_input(at.t("room.reason"), key=key)
        st.form_submit_button(at.t("room.start_correction"), type="primary", on_click=acting(begin))


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
        proof = proof_fields(at, meaning)
        return proof if st.form_submit_button(at.t("sign.button"), type="primary") else None
