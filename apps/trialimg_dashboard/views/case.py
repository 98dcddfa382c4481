"""One case as tables."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views import downloads
from trialimg.bootstrap.reports import case_pdf
from trialimg.services.dashboard_case import CasePage
from trialimg.services.dashboard_reports import fetch_case_report
from trialimg.services.finished import FinishedRun
from trialimg.services.lesion_warnings import UNANSWERED

__all__ = ["answer", "head", "history", "reads", "report", "warnings"]


def head(at: Desk, page: CasePage) -> None:
    """Which case, and how far it is."""
    st.title(f"{at.t('page.case')} {page.code}")
    st.caption(
        f"{at.t('cohort.subject')} {page.subject} · {at.t(f'cohort.kind.{page.kind}')} · {at.t(f'stage.{page.state}')}"
    )
    st.caption(" → ".join(f"{name} {day}" for name, day in page.visits))


def answer(at: Desk, page: CasePage) -> None:
    """What holds of the case, visit by visit, with the rule that decided."""
    if page.result is None or page.answer is None:
        st.info(at.t("case.not_final"))
        return
    said = page.answer["compared"]
    best, progression, response, by = st.columns(4)
    best.metric(at.t("case.best_response"), said["best_response"])
    progression.metric(at.t("case.progression_date"), said["progression_date"] or at.t("case.never"))
    response.metric(at.t("case.response_date"), said["response_date"] or at.t("case.never"))
    by.metric(at.t("case.by"), at.t(f"case.by.{page.result['by'].replace(' ', '_')}"))
    for verdict in page.verdicts:
        because = verdict["because"]
        st.markdown(f"{at.t('case.verdict')}: {at.t('reason.' + because['code'])}. {because['text']}")
    rows = [_visit(one) for one in page.answer["timepoints"]]
    columns = (
        "visit",
        "sum_mm",
        "from_baseline_pct",
        "from_nadir_pct",
        "target",
        "non_target",
        "new",
        "overall",
        "rule",
    )
    heads = [at.t(f"case.{name}") for name in columns]
    tenths = dict.fromkeys(heads[1:4], st.column_config.NumberColumn(format="%.1f"))
    st.dataframe(pd.DataFrame(rows, columns=heads), hide_index=True, column_config=tenths)


def reads(at: Desk, page: CasePage) -> None:
    """Who reads it."""
    st.subheader(at.t("case.reads"))
    if not page.reads:
        st.info(at.t("case.no_reads"))
        return
    rows = [
        (
            at.t(f"seat.{one.seat}"),
            one.reader,
            at.t("acting.yes") if one.repeat else "",
            one.number,
            at.t(f"state.{one.state}"),
            ", ".join(one.locked),
        )
        for one in page.reads
    ]
    columns = ("seat", "reader", "repeat", "number", "state", "locked")
    st.dataframe(pd.DataFrame(rows, columns=[at.t(f"case.{name}") for name in columns]), hide_index=True)


def warnings(at: Desk, page: CasePage) -> None:
    """What the software warned the readers of, and what they made of it; the unanswered ones in words."""
    if not page.warnings:
        return
    st.subheader(at.t("case.warnings"))
    unanswered = sum(one.outcome == UNANSWERED for one in page.warnings)
    if unanswered:
        st.warning(at.t("case.unanswered", count=unanswered))
    rows = [
        (
            at.t(f"seat.{one.seat}"), one.reader, one.visit, one.lesion, one.fits or at.t("case.nowhere"), one.away_mm,
            at.t(f"warning.{one.outcome}"),
        )
        for one in page.warnings
    ]  # fmt: skip
    columns = ("seat", "reader", "visit", "lesion", "fits", "away_mm", "outcome")
    heads = [at.t(f"case.{name}") for name in columns]
    st.dataframe(pd.DataFrame(rows, columns=heads), hide_index=True)


def history(at: Desk, page: CasePage) -> None:
    """What the ledger says of it."""
    st.subheader(at.t("case.history"))
    rows = [
        (one.sequence, one.at[:19].replace("T", " "), one.who, one.action.replace("_", " "), one.record)
        for one in page.history
    ]
    columns = ("entry", "at", "who", "action", "record")
    st.dataframe(pd.DataFrame(rows, columns=[at.t(f"audit.{name}") for name in columns]), hide_index=True)


def _visit(one: dict[str, Any]) -> tuple[Any, ...]:
    sums = one["sums"]
    numbers = [
        None if sums[name] is None else round(float(sums[name]), 1)
        for name in ("sum_mm", "change_from_baseline_pct", "change_from_nadir_pct")
    ]
    rule = one["rule"][-1]["sentence"] if one["rule"] else ""
    return one["timepoint"]["id"], *numbers, one["target"], one["non_target"], one["new_lesion"], one["overall"], rule


def report(at: Desk, page: CasePage, run: FinishedRun | None) -> None:
    """The case report, once the case is final and the trial's run is at hand."""
    if page.result is None or run is None:
        return
    downloads.made(at, f"{at.trial}-{page.subject}-case.pdf", at.t("case.report"), partial(
        fetch_case_report, at.records, at.actor, at.trial, page.subject, run=run, render=case_pdf
    ))  # fmt: skip
