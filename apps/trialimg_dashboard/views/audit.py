"""The audit trail as a filter, a table, one entry with its proof, and a verification of everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from apps.trialimg_dashboard.views.choosing import chosen_in
from trialimg.bootstrap import blobs
from trialimg.services.audit import AuditFilter, AuditLine
from trialimg.services.dashboard_proof import prove_entry, verify_records

__all__ = ["asked", "entry", "table", "verification"]

_MOST = 500
_INSTALLATION = "installation"


def asked(at: Desk, size: int) -> AuditFilter:
    """What the person asks for; to begin with the last of so many entries."""
    scope, who, action, subject = st.columns(4)
    where = scope.selectbox(
        at.t("audit.scope"),
        [at.trial, _INSTALLATION] if at.trial else [_INSTALLATION],
        format_func=lambda one: at.t("audit.installation") if one == _INSTALLATION else one,
        key="audit_scope",
    )
    user = who.text_input(at.t("audit.who"), key="audit_who").strip()
    did = action.text_input(at.t("audit.action"), key="audit_action", help=at.t("audit.action_help")).strip()
    code = subject.text_input(at.t("audit.subject"), key="audit_subject").strip()
    since, until, start = st.columns([1, 1, 2])
    first = since.date_input(at.t("audit.since"), value=None, key="audit_since")
    last = until.date_input(at.t("audit.until"), value=None, key="audit_until")
    number = start.number_input(
        at.t("audit.start"),
        min_value=0,
        value=max(0, size - _MOST),
        step=_MOST,
        key="audit_start",
        help=at.t("audit.start_help"),
    )
    return AuditFilter(
        trial="" if where == _INSTALLATION else str(where),
        subject=code,
        who=user,
        action=did.replace(" ", "_"),
        since=_moment(first) if first else "",
        until=_moment(last + dt.timedelta(days=1)) if last else "",
        start=int(number),
        limit=_MOST,
    )


def table(at: Desk, lines: Sequence[AuditLine], asked: AuditFilter) -> AuditLine | None:
    """The lines, latest first; the one that is chosen."""
    if not lines:
        st.info(at.t("audit.nothing"))
        return None
    said = at.t("audit.count", count=len(lines))
    st.caption(
        f"{said} {at.t('audit.more', start=lines[-1].entry.sequence + 1)}" if len(lines) == asked.limit else said
    )
    latest = lines[::-1]
    rows = [
        (
            one.entry.sequence,
            one.entry.at[:19].replace("T", " "),
            one.entry.who,
            at.t(f"role.{one.entry.role}"),
            one.entry.action.replace("_", " "),
            f"{one.entry.object_kind} {one.entry.object_id}",
            str(one.entry.object_version or ""),
            one.reason,
            _changed(at, one),
            one.redacted,
        )
        for one in latest
    ]
    columns = ("entry", "at", "who", "role", "action", "record", "version", "reason", "changed", "redacted")
    shown = pd.DataFrame(rows, columns=[at.t(f"audit.{name}") for name in columns])
    chosen = chosen_in(shown, [str(one.entry.sequence) for one in latest], key="audit_lines", height=430)
    return next((one for one in latest if str(one.entry.sequence) == chosen), None)


def entry(at: Desk, line: AuditLine) -> None:
    """What one entry changed, and the proof that it stands under the last checkpoint."""
    made = line.entry
    st.subheader(f"{at.t('audit.entry')} {made.sequence}")
    st.markdown(line.sentence)
    if line.changed:
        rows = [(one.key, one.before or "", one.after or "") for one in line.changed]
        columns = [at.t(f"audit.{name}") for name in ("setting", "before", "after")]
        st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True)
    if not st.button(at.t("audit.prove"), key="audit_prove"):
        return
    try_it = done(lambda: (prove_entry(at.records, at.actor, made.trial, made.sequence),))
    if try_it is None:
        return
    proof = try_it[0]
    if proof is None:
        st.info(at.t("audit.no_checkpoint"))
        return
    st.success(at.t("audit.proved", entry=made.sequence, size=proof.size, at=proof.checkpoint_at))
    st.code("\n".join([proof.leaf, *proof.path, proof.root]), language=None)
    st.caption(at.t("audit.path", signed_by=proof.key))


def verification(at: Desk) -> None:
    """A button that verifies everything now, and what it found."""
    st.subheader(at.t("audit.verification"))
    if not st.button(at.t("audit.verify"), key="verify"):
        st.caption(at.t("audit.verify_help"))
        return
    with st.spinner(at.t("audit.verifying")):
        report = done(lambda: verify_records(at.records, at.actor, at.trial, blobs(at.house.home)))
    if report is None:
        return
    if report.ok:
        st.success(at.t("audit.ok", entries=report.entries, records=report.records, checkpoints=report.checkpoints))
    else:
        st.error(at.t("audit.not_ok", count=len(report.findings) + report.unlisted))
        rows = [(one.where, one.message, one.what) for one in report.findings]
        columns = [at.t(f"audit.{name}") for name in ("where", "message", "what")]
        st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True)
    st.code(f"{report.root}  {report.checkpoint_at}", language=None)
    st.caption(at.t("audit.trust"))


def _changed(at: Desk, line: AuditLine) -> str:
    return at.t("audit.settings", count=len(line.changed)) if line.changed else ""


def _moment(day: dt.date) -> str:
    return dt.datetime.combine(day, dt.time(), dt.UTC).isoformat(timespec="microseconds")
