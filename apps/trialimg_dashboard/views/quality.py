"""Quality findings as counts that filter and a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views.choosing import chosen_in

__all__ = ["findings"]

_COLUMNS = ("site", "code", "severity", "subject", "timepoint", "where", "message")


def _counted(counts: pd.Series[int]) -> Callable[[str], str]:
    return lambda word: f"{word} ({counts[word]})"


def findings(at: Desk, results: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Every finding of a run, narrowed by site and code; the one that is chosen."""
    sites = {one["subject"]["id"]: one["subject"]["site"] or "" for one in results["subjects"]}
    found = pd.DataFrame(
        [{**one, "site": sites.get(one["subject"], "")} for one in results["findings"]], columns=list(_COLUMNS)
    )
    if found.empty:
        st.success(at.t("quality.nothing"))
        return None
    left, middle, right = st.columns(3)
    wanted = pd.Series(True, index=found.index)
    for column, name in ((left, "site"), (middle, "code"), (right, "subject")):
        counts = found[name].value_counts()
        words = column.multiselect(
            at.t(f"quality.{name}"),
            sorted(counts.index),
            format_func=_counted(counts),
            placeholder=at.t("quality.all"),
            key=f"quality_{name}",
        )
        wanted &= found[name].isin(words or found[name])
    st.caption(at.t("cohort.shown", shown=int(wanted.sum()), all=len(found)))
    shown = found[wanted]
    said = shown.assign(severity=[at.t(f"quality.severity.{one}") for one in shown["severity"]])
    headed = said.rename(columns={name: at.t(f"quality.{name}") for name in _COLUMNS})
    chosen = chosen_in(headed, [str(number) for number in shown.index], key="quality_rows")
    return {str(name): str(value) for name, value in shown.loc[int(chosen)].items()} if chosen else None
