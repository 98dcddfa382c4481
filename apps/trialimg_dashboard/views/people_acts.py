"""What an administrator does with people: the forms, each with its reason and confirmation."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from apps.trialimg_dashboard.views.acting import act, wanted
from apps.trialimg_dashboard.views.people import IDLE_DAYS
from trialimg.core.access import Role
from trialimg.services.dashboard_people import rights_held
from trialimg.services.people import (
    Grant,
    Person,
    add_user,
    disable_user,
    grant_role,
    reset_password,
    revoke_role,
    unlock_user,
)
from trialimg.services.people_history import Right, sign_access_review

__all__ = ["adding", "of_one", "one_time_password", "signing"]

_ONCE = "one_time_password"


def one_time_password(at: Desk) -> None:
    """The password that was just made, shown this once."""
    made: tuple[str, str] | None = st.session_state.pop(_ONCE, None)
    if made is not None:
        st.warning(at.t("people.once", user=made[0]))
        st.code(made[1], language=None)


def adding(at: Desk) -> None:
    """Somebody given a name."""
    asked = wanted(at, "people.add", lambda: _person(at), has_reason=False)
    if asked is not None:
        person = asked.fields
        act(at, lambda: _keep_once(person.name, add_user(at.records, at.actor, person, at.house.identity)))


def of_one(at: Desk, user: Mapping[str, str]) -> None:
    """What can be done about the person who is chosen."""
    name = user["name"]
    if user["state"] != "active":
        st.caption(at.t("people.disabled", user=name))
        return
    st.subheader(at.t("people.acts", user=name))
    _grant(at, name)
    _revoke(at, name)
    if asked := wanted(at, "people.reset", lambda: None):
        reason = asked.reason
        act(at, lambda: _keep_once(name, reset_password(at.records, at.actor, name, at.house.identity, reason=reason)))
    if user["credential"] == "locked" and (asked := wanted(at, "people.unlock", lambda: None)):
        reason = asked.reason
        act(at, lambda: unlock_user(at.records, at.actor, name, reason=reason))
    if asked := wanted(at, "people.disable", lambda: _told(at, "people.disable_help")):
        reason = asked.reason
        act(at, lambda: disable_user(at.records, at.actor, name, reason=reason))


def signing(at: Desk) -> None:
    """The review of access kept under a signature."""
    asked = wanted(at, "people.sign_review", lambda: None, signs=at.t("people.review_meaning"), has_reason=False)
    if asked is not None and asked.proof is not None:
        proof = asked.proof
        act(at, lambda: sign_access_review(at.records, at.actor, proof, idle_days=IDLE_DAYS))


def _grant(at: Desk, name: str) -> None:
    roles = [role for role in Role if role is not Role.DEVICE]

    def fields() -> Grant:
        role = st.selectbox(at.t("people.role"), roles, format_func=lambda one: at.t(f"role.{one.value}"))
        trial = st.text_input(at.t("people.trial"), value=at.trial or "*", help=at.t("people.trial_help"))
        site = st.text_input(at.t("people.site"), help=at.t("people.site_help"))
        return Grant(role, trial.strip(), site.strip())

    if asked := wanted(at, "people.grant", fields):
        grant, reason = asked.fields, asked.reason
        act(at, lambda: grant_role(at.records, at.actor, name, grant, reason=reason))


def _revoke(at: Desk, name: str) -> None:
    held = [one for one in done(lambda: rights_held(at.records, at.actor)) or () if one.user == name]
    if not held:
        return
    asked = wanted(
        at, "people.revoke", lambda: st.selectbox(at.t("people.right"), held, format_func=lambda one: _said(at, one))
    )
    if asked is not None:
        right, reason = asked.fields, asked.reason
        grant = Grant(Role(right.role), right.trial, right.site)
        act(at, lambda: revoke_role(at.records, at.actor, name, grant, reason=reason))


def _said(at: Desk, right: Right) -> str:
    where = at.t("people.all_trials") if right.trial == "*" else right.trial
    return " · ".join(word for word in (at.t(f"role.{right.role}"), where, right.site) if word)


def _person(at: Desk) -> Person:
    name = st.text_input(at.t("people.name"), help=at.t("people.name_help"))
    printed = st.text_input(at.t("people.printed_name"))
    email = st.text_input(at.t("people.email"))
    proof = st.text_input(at.t("people.identity_proof"), help=at.t("people.identity_proof_help"))
    return Person(name.strip(), printed, proof, email)


def _told(at: Desk, key: str) -> None:
    st.caption(at.t(key))


def _keep_once(user: str, password: str) -> None:
    st.session_state[_ONCE] = (user, password)
