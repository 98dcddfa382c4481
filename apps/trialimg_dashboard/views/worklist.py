"""The worklist as a table, the progress of the day, and what was signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from trialimg.core.access import Role
from trialimg.services.reading_room import Signed, signed_cases

__all__ = ["MOST_ROWS", "count", "progress", "reopen", "rows_shown", "signed", "target_page"]

MOST_ROWS = 100
"""More than anybody reads in a day: what comes after them is not looked up."""
_PAGES = Path(__file__).parent.parent / "pages"


def rows_shown(at: Desk, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The reader's rows with headings and words in their language."""
    shown = [
        {
            at.t("worklist.alias"): row["alias"],
            at.t("worklist.visit"): row["visit"],
            at.t("worklist.type"): at.t(f"worklist.type.{row['type']}"),
            at.t("worklist.state"): at.t(f"state.{row['state']}"),
            at.t("worklist.days"): float(row["days_in_state"]),
            at.t("worklist.due"): _due(at, row),
        }
        for row in rows
    ]
    return pd.DataFrame(shown)


def _due(at: Desk, row: Mapping[str, Any]) -> str:
    """Day by which a read should be signed, with a mark where that day has passed; empty where none is set."""
    mark = f"⚠ {at.t('worklist.overdue')} · " if row["is_overdue"] else ""
    return f"{mark}{row['due_on']}"


def count(at: Desk, rows: Sequence[Mapping[str, Any]]) -> str:
    """How many wait; where there are more than are shown, that there are more."""
    return at.t("worklist.count", count=f"{len(rows)}{'+' if len(rows) == MOST_ROWS else ''}")


def signed(at: Desk) -> Sequence[Signed]:
    """What a reader has signed, the last first; an adjudicator's choices are not opened again."""
    if at.actor.role is not Role.RADIOLOGIST or not at.trial:
        return ()
    return done(lambda: signed_cases(at.records, at.actor, at.trial)) or ()


def progress(at: Desk, cases: Sequence[Signed], waiting: int) -> None:
    """How much of the day's work is behind the reader, by the clock of where they sit."""
    here = st.context.timezone
    now = pd.Timestamp(at.records.now()).tz_convert(here)
    today = sum(pd.Timestamp(one.signed_at).tz_convert(here).date() == now.date() for one in cases)
    if today:
        st.progress(today / (today + waiting), at.t("worklist.today", done=today, left=waiting))


def target_page(role: Role) -> Path:
    """Where a case of the worklist is opened."""
    return _PAGES / ("adjudication.py" if role is Role.ADJUDICATOR else "reading_room.py")


def reopen(at: Desk, cases: Sequence[Signed]) -> None:
    """Look at a signed read again, to ask for a correction of it."""
    if not cases:
        return
    with st.expander(at.t("worklist.signed", count=len(cases))):
        chosen = st.selectbox(
            at.t("worklist.alias"), cases, index=None, format_func=lambda one: f"{one.alias} · {_day(one.signed_at)}"
        )
        if chosen is not None:
            st.session_state.alias = chosen.alias
            st.switch_page(target_page(at.actor.role))


def _day(moment: str) -> str:
    return datetime.fromisoformat(moment).date().isoformat()
