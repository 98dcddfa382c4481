"""People and their rights as tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from apps.trialimg_dashboard.views.choosing import chosen_in
from trialimg.services.dashboard_people import access_review, history_of, rights_held

__all__ = ["IDLE_DAYS", "everybody", "history", "review", "rights"]

IDLE_DAYS = 90
"""Without any sign-in, after which access has lost its reason to be."""


def everybody(at: Desk, found: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    """Everybody who has or had a name here; the one that is chosen."""
    rows = [
        (
            one["name"],
            one["printed_name"],
            one["email"],
            at.t(f"people.state.{one['state']}"),
            at.t(f"people.credential.{one['credential']}"),
            one["password_expires"][:10],
        )
        for one in found
    ]
    columns = ("name", "printed_name", "email", "account", "credential", "password_expires")
    st.caption(at.t("people.choose"))
    shown = _table(at, rows, columns)
    chosen = chosen_in(shown, [one["name"] for one in found], key="people_rows")
    return next((one for one in found if one["name"] == chosen), None)


def history(at: Desk, user: str) -> None:
    """Every change of one person's access."""
    found = done(lambda: history_of(at.records, at.actor, user))
    if found is None:
        return
    st.subheader(at.t("people.history", user=user))
    rows = [
        (one.at[:19].replace("T", " "), one.who, one.action.replace("_", " "), one.what, one.reason) for one in found
    ]
    st.dataframe(_table(at, rows, ("at", "who", "action", "what", "reason")), hide_index=True)


def rights(at: Desk) -> None:
    """Every role that was held at the end of a day."""
    st.subheader(at.t("people.rights"))
    day = st.date_input(at.t("people.on"), value=None, key="people_on")
    then = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.UTC) if day else None
    moment = then.isoformat(timespec="microseconds") if then else ""
    found = done(lambda: rights_held(at.records, at.actor, moment))
    if found is None:
        return
    rows = [
        (
            one.user,
            at.t(f"role.{one.role}"),
            at.t("people.all_trials") if one.trial == "*" else one.trial,
            one.site,
            one.since[:10],
            one.until[:10],
            one.granted_by,
            one.reason,
        )
        for one in found
    ]
    columns = ("name", "role", "trial", "site", "since", "until", "granted_by", "reason")
    st.dataframe(_table(at, rows, columns), hide_index=True)


def review(at: Desk) -> None:
    """Access that has lost its reason to be."""
    st.subheader(at.t("people.review"))
    found = done(lambda: access_review(at.records, at.actor, idle_days=IDLE_DAYS))
    if found is None:
        return
    if not found.orphans:
        st.success(at.t("people.no_orphans", rights=len(found.rights)))
        return
    rows = [(one.user, at.t(f"people.orphan.{one.code}", days=IDLE_DAYS)) for one in found.orphans]
    st.dataframe(_table(at, rows, ("name", "finding")), hide_index=True)


def _table(at: Desk, rows: Sequence[tuple[object, ...]], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[at.t(f"people.{name}") for name in columns])
