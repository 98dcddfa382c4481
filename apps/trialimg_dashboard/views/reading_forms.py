"""What the reader says in words: of a lesion, of the visit, and that it is finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
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
    """Keep the open visit as it is now, and show it anew."""
    kept = done(lambda: save_draft(at.records, at.actor, at.trial, room.alias, step=room.step, entry=entry))
    if kept is not None:
        st.rerun()


def lesion_form(at: Desk, room: Room, row: LesionRow | None) -> None:
    """What was seen of the chosen lesion, in one click for each of the things that may be said."""
    if not room.step:
        return
    if row is not None:
        _proposal(at, room, row)
        if row.role == Role.TARGET.value:
            _seen(at, room, row)
        else:
            _status(at, room, row)
    with st.expander(at.t("room.add"), expanded=row is None):
        _add(at, room)


def _proposal(at: Desk, room: Room, row: LesionRow) -> None:
    if row.proposed is None or not row.is_open:
        return
    said = row.proposed["diameter_mm"] or row.proposed.get("status") or row.proposed["seen"]
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.caption(at.t("room.proposed", lesion=row.name, said=said))
    if right.button(at.t("room.accept"), type="primary", key=f"accept-{row.name}", width="stretch"):
        keep(at, room, accepted(entry_at(room), row))


def _seen(at: Desk, room: Room, row: LesionRow) -> None:
    stands = row.stands or {}
    words = [word.value for word in Seen if word is not Seen.MEASURED]
    present = stands.get("seen") if stands.get("seen") in words else None
    key = f"seen-{room.alias}-{room.step}-{row.name}-{present}"
    said = st.segmented_control(
        at.t("room.seen"), words, default=present, format_func=lambda w: at.t(f"seen.{w}"), key=key
    )
    if said == Seen.NOT_EVALUABLE.value:
        reason = st.text_input(at.t("room.reason"), stands.get("reason", ""), key=f"{key}-reason")
        if reason and (said, reason) != (present, stands.get("reason")):
            keep(at, room, changed(entry_at(room), row, seen=said, reason=reason))
    elif said and said != present:
        keep(at, room, changed(entry_at(room), row, seen=said, reason=""))


def _status(at: Desk, room: Room, row: LesionRow) -> None:
    stands = row.stands or {}
    is_new = row.role == Role.NEW.value
    words = [*_NEW_STATUS] if is_new else [status.value for status in NonTargetStatus]
    present = stands.get("status") or None
    key = f"status-{room.alias}-{room.step}-{row.name}-{present}"
    said = st.segmented_control(
        at.t("room.status"), words, default=present, format_func=lambda w: at.t(f"status.{w}"), key=key
    )
    if said == NonTargetStatus.NOT_EVALUABLE.value and not is_new:
        reason = st.text_input(at.t("room.reason"), stands.get("reason", ""), key=f"{key}-reason")
        if reason and (said, reason) != (present, stands.get("reason")):
            keep(at, room, changed(entry_at(room), row, seen="not_evaluable", status=said, reason=reason))
    elif said and said != present:
        seen = Seen.ABSENT.value if said == NonTargetStatus.ABSENT.value else Seen.MEASURED.value
        keep(at, room, changed(entry_at(room), row, seen=seen, status=said, reason=""))


def _add(at: Desk, room: Room) -> None:
    """A lesion is chosen at baseline, or appears later."""
    roles = [Role.TARGET, Role.NON_TARGET] if room.is_baseline else [Role.NEW]
    with st.form(f"add-{room.alias}-{room.step}", border=False):
        left, middle, right = st.columns(3)
        role: Role = left.selectbox(at.t("room.role"), roles, format_func=lambda one: at.t(f"role_of.{one.value}"))
        kind: LesionKind = middle.selectbox(
            at.t("room.kind"), list(LesionKind), format_func=lambda one: at.t(f"kind.{one.value}")
        )
        organ = right.selectbox(at.t("room.organ"), _ORGANS)
        if st.form_submit_button(at.t("room.add")):
            name = next_name(room, role)
            new = LesionRow(name, role.value, kind.value, organ, {}, None, None)
            st.session_state.next_lesion = name
            keep(at, room, changed(entry_at(room), new, seen="", status=""))
    removable = [lesion["lesion"] for lesion in entry_at(room)["lesions"]]
    gone = st.selectbox(at.t("room.remove"), removable, index=None) if removable else None
    if gone and st.button(at.t("room.remove_this", lesion=gone)):
        keep(at, room, without(entry_at(room), gone))


def visit_form(at: Desk, room: Room) -> None:
    """Image quality, new lesions and comment of the open visit, kept as they are said."""
    if not room.step:
        return
    entry = entry_at(room)
    before = {name: entry.get(name, "") for name in ("image_quality", "new_lesions", "comment")}
    key = f"visit-{room.alias}-{room.step}"
    left, right = st.columns(2)
    qualities = ["", *(word for word in IMAGE_QUALITY if word != "not_stated")]
    quality = left.selectbox(
        at.t("room.quality"), qualities, index=_place(qualities, before["image_quality"]),
        format_func=lambda word: at.t(f"quality.{word}") if word else "-", key=f"{key}-quality",
    )  # fmt: skip
    after = {**before, "image_quality": quality}
    if not room.is_baseline:
        words = ["", "no", "yes"]
        after["new_lesions"] = right.selectbox(
            at.t("room.new_lesions"), words, index=_place(words, before["new_lesions"]),
            format_func=lambda word: at.t(f"word.{word}") if word else "-", key=f"{key}-new",
        )  # fmt: skip
    after["comment"] = st.text_input(at.t("room.comment"), before["comment"], key=f"{key}-comment")
    if after != before:
        keep(at, room, {**entry, **after})


def _place(words: list[str], word: str) -> int:
    return words.index(word) if word in words else 0


def closing(at: Desk, room: Room) -> None:
    """Lock the visit, then the read, then sign; each step says what is missing."""
    if room.step and st.button(at.t("room.lock", visit=room.step), type="primary", key=f"lock-{room.step}"):
        if done(lambda: lock_timepoint(at.records, at.actor, at.trial, room.alias, step=room.step)) is not None:
            st.session_state.pop("lesion", None)
            st.rerun()
    elif not room.step and room.state == "draft" and st.button(at.t("room.lock_read"), type="primary"):
        if done(lambda: lock_read(at.records, at.actor, at.trial, room.alias)) is not None:
            st.rerun()
    elif room.state == "locked":
        _signing(at, room)


def _signing(at: Desk, room: Room) -> None:
    proof = proof_asked(at, READ_MEANING)
    if proof is not None:
        signed = done(lambda: sign_read(at.records, at.actor, proof, trial=at.trial, alias=room.alias))
        if signed is not None:
            st.session_state.pop("alias", None)
            st.toast(at.t("room.signed"))
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
