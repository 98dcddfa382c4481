"""Queries to sites: how many wait and how long, the thread of one, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from apps.trialimg_dashboard.views.acting import act, may, wanted
from apps.trialimg_dashboard.views.choosing import chosen_in
from trialimg.core.access import Action
from trialimg.services.queries import (
    Answer,
    QueryState,
    Question,
    answer_query,
    cancel_query,
    close_query,
    open_query,
    question_of,
    reopen_query,
)
from trialimg.services.queries_seen import WAITING, QueryLine, ageing, queries_of, sites_of
from trialimg.services.records import RecordVersion

__all__ = ["asking", "asking_about", "figures", "present", "threads"]

_COLUMNS = ("id", "site", "state", "days", "code", "subject", "visit", "text")
_STEPS: Mapping[str, tuple[Callable[..., RecordVersion], tuple[str, ...]]] = {
    "queries.close": (close_query, ("open", "answered")),
    "queries.cancel": (cancel_query, ("open", "answered")),
    "queries.reopen": (reopen_query, ("answered", "closed", "cancelled")),
}


def present(at: Desk) -> Sequence[QueryLine] | None:
    """Every query that the person may see."""
    return done(lambda: queries_of(at.records, at.actor, at.trial))


def figures(at: Desk, lines: Sequence[QueryLine]) -> None:
    """How many wait, by their age in days."""
    bands = ageing(lines)
    waiting, *columns = st.columns(1 + len(bands))
    waiting.metric(at.t("queries.waiting"), sum(bands.values()))
    for column, (band, count) in zip(columns, bands.items(), strict=True):
        column.metric(at.t("queries.age", band=band), count)


def threads(at: Desk, lines: Sequence[QueryLine]) -> None:
    """The queries by state and site; the one that is chosen with its thread and what can be done."""
    if not lines:
        st.info(at.t("queries.nothing"))
        return
    states = [one.value for one in QueryState]
    picked = st.pills(
        at.t("queries.by_state"),
        states,
        selection_mode="multi",
        default=[state for state in states if state in WAITING],
        format_func=lambda state: f"{at.t(f'queries.state.{state}')} {sum(one.state == state for one in lines)}",
        key="query_states",
    )
    shown = [line for line in lines if line.state in (picked or states)]
    chosen = chosen_in(_table(at, shown), [line.id for line in shown], key="query_rows")
    present_id = chosen or st.session_state.get("query", "")
    line = next((one for one in lines if one.id == present_id), None)
    if line is not None:
        st.session_state["query"] = line.id
        _thread(at, line)


def asking(at: Desk) -> None:
    """A person's own question."""
    if not may(at, Action.RAISE_QUERIES):
        return
    sites = done(lambda: sites_of(at.records, at.actor, at.trial)) or ()

    def fields() -> Question:
        first, second, third = st.columns(3)
        site = first.selectbox(at.t("quality.site"), sites)
        code = second.text_input(at.t("quality.code"), help=at.t("queries.code_help"), max_chars=60)
        subject = third.text_input(at.t("quality.subject"), max_chars=64)
        case = first.text_input(at.t("queries.case"), max_chars=64)
        visit = second.text_input(at.t("quality.timepoint"), max_chars=64)
        series = third.text_input(at.t("queries.series"), max_chars=64)
        text = st.text_area(at.t("queries.question"), help=at.t("queries.text_help"), max_chars=2000)
        words = (code, text, subject, case, visit, series)
        return Question(site or "", *(word.strip() for word in words))

    asked = wanted(at, "queries.open", fields, has_reason=False)
    if asked is not None:
        act(at, lambda: open_query(at.records, at.actor, at.trial, asked.fields))


def asking_about(at: Desk, finding: Mapping[str, str]) -> None:
    """The question that the chosen finding asks; the site is that of its subject."""
    if not may(at, Action.RAISE_QUERIES):
        return
    asked = wanted(at, "queries.ask_finding", lambda: st.caption(f"{finding['where']}: {finding['message']}"),
                   has_reason=False)  # fmt: skip
    if asked is not None:
        act(at, lambda: open_query(at.records, at.actor, at.trial, question_of(finding, finding["site"])))


def _thread(at: Desk, line: QueryLine) -> None:
    st.subheader(f"{line.id} · {at.t(f'queries.state.{line.state}')}")
    about = " · ".join(word for word in (line.subject, line.timepoint, line.code) if word)
    st.caption(f"{at.t('quality.site')} {line.site} · {about}")
    for one in line.thread:
        source = f" ({one['source']})" if one["source"] else ""
        who = f"{one['at'][:16].replace('T', ' ')} · {one['by']} · {at.t('role.' + one['role'])}"
        with st.container(border=True):
            st.caption(f"{at.t('queries.did.' + one['action'])} · {who}{source}")
            st.text(one["text"])
    _answering(at, line)
    if may(at, Action.RAISE_QUERIES):
        for key, (step, states) in _STEPS.items():
            if line.state in states and (asked := wanted(at, key, lambda: None)):
                act(at, partial(step, at.records, at.actor, line.id, reason=asked.reason))


def _answering(at: Desk, line: QueryLine) -> None:
    is_site = may(at, Action.ANSWER_QUERIES)
    if not line.is_waiting or not (is_site or may(at, Action.RAISE_QUERIES)):
        return

    def fields() -> Answer:
        text = st.text_area(at.t("queries.answer_text"), help=at.t("queries.text_help"), max_chars=2000)
        source = "" if is_site else st.text_input(at.t("queries.source"), help=at.t("queries.source_help"))
        return Answer(text.strip(), source.strip())

    asked = wanted(at, "queries.answer", fields, has_reason=False)
    if asked is not None:
        act(at, lambda: answer_query(at.records, at.actor, line.id, asked.fields))


def _table(at: Desk, lines: Sequence[QueryLine]) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = [
        (
            line.id,
            line.site,
            at.t(f"queries.state.{line.state}"),
            line.days,
            line.code,
            line.subject,
            line.timepoint,
            line.text,
        )
        for line in lines
    ]
    return pd.DataFrame(rows, columns=[at.t(f"queries.column.{name}") for name in _COLUMNS])
