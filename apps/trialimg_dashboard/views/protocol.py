"""A trial's protocol in words, its history, and the form that amends it."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from apps.trialimg_dashboard.views.acting import act, wanted
from trialimg.core.errors import ProtocolError
from trialimg.services.dashboard_protocol import ShownProtocol, amend, protocol_difference
from trialimg.services.signatures import Proof
from trialimg.services.trials import Change

__all__ = ["amendment", "head", "settings", "versions"]


def head(at: Desk, shown: ShownProtocol) -> None:
    """Which protocol it is."""
    charter = shown.charter
    st.markdown(f"**{charter.trial}** · {charter.title}")
    st.caption(
        at.t(
            "protocol.in_force",
            version=charter.version,
            digest=charter.digest,
            arms=", ".join(charter.arms),
            sites=", ".join(charter.sites),
        )
    )


def amendment(at: Desk) -> None:
    """Another protocol put in force by upload, with its reason and, after the first read, a signature."""
    meaning = at.t("protocol.amend_meaning")
    asked = wanted(at, "protocol.amend", lambda: _uploaded(at), signs=meaning)
    if asked is None:
        return
    text, effective = asked.fields

    def put_in_force() -> object:
        if not text:
            raise ProtocolError(at.t("protocol.no_file"))
        proof = asked.proof or Proof("", "", at.house.identity)
        change = Change(asked.reason, effective)
        return amend(at.records, at.actor, proof, at.trial, text=text, change=change)

    act(at, put_in_force, lambda made: at.t("protocol.amended", version=made[0], cases=made[1]))  # type: ignore[index]


def versions(at: Desk, shown: ShownProtocol) -> None:
    """Every version with its effect on reads, and what differs between any two."""
    history = shown.charter.history
    rows = [
        (
            number,
            one.version,
            one.effective,
            one.author,
            one.reason,
            len(one.changes),
            at.t("acting.yes") if one.after_first_read else at.t("acting.no"),
            ", ".join(one.reopens),
            shown.cases.get(one.digest, 0),
            one.digest,
        )
        for number, one in enumerate(history, start=1)
    ]
    columns = (
        "number",
        "version",
        "effective",
        "author",
        "reason",
        "changes",
        "after_first_read",
        "reopens",
        "cases",
        "digest",
    )
    st.subheader(at.t("protocol.versions"))
    st.dataframe(pd.DataFrame(rows, columns=[at.t(f"protocol.{name}") for name in columns]), hide_index=True)
    if len(history) > 1:
        _difference(at, len(history))


def settings(at: Desk, shown: ShownProtocol) -> None:
    """What the protocol settles, section by section, and its text."""
    st.subheader(at.t("protocol.settings"))
    for section in shown.charter.sections:
        if section.settings:
            with st.expander(at.t(f"protocol.section.{section.key}")):
                if section.meaning:
                    st.caption(section.meaning)
                rows = [(one.key, one.value, one.meaning) for one in section.settings]
                columns = [at.t(f"protocol.{name}") for name in ("setting", "value", "meaning")]
                st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True)
    with st.expander(at.t("protocol.text")):
        st.code(shown.text, language="yaml")


def _difference(at: Desk, last: int) -> None:
    numbers = list(range(1, last + 1))
    left, right = st.columns(2)
    before = left.selectbox(at.t("protocol.from"), numbers, index=last - 2, key="protocol_before")
    after = right.selectbox(at.t("protocol.to"), numbers, index=last - 1, key="protocol_after")
    found = done(lambda: protocol_difference(at.records, at.actor, at.trial, before=before, after=after))
    if found is None:
        return
    if not found:
        st.caption(at.t("protocol.same"))
        return
    rows = [(one.key, one.before or "", one.after or "") for one in found]
    columns = [at.t(name) for name in ("protocol.setting", "audit.before", "audit.after")]
    st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True)


def _uploaded(at: Desk) -> tuple[str, dt.date]:
    file = st.file_uploader(at.t("protocol.file"), type=["yaml", "yml"], max_upload_size=1)
    today = dt.date.fromisoformat(at.records.now()[:10])
    effective = st.date_input(at.t("protocol.effective"), value=today)
    text = file.getvalue().decode("utf-8", "replace") if file is not None else ""
    return text, effective
