"""Reader performance as tables, every rate with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views import charts
from apps.trialimg_dashboard.views.kept import worked_out
from trialimg.core.access import Action
from trialimg.services.dashboard_cohort import PUBLISHED_ADJUDICATION_PCT
from trialimg.services.dashboard_readers import ReadersSeen, readers_seen
from trialimg.services.figures.adjudication import ReviewedCase, adjudication_flow
from trialimg.services.reader_performance import Estimate, ReaderReport

__all__ = ["drift", "each", "flow", "pairs", "present_readers", "together"]


def present_readers(at: Desk) -> ReadersSeen | None:
    """How the readers do now."""
    return worked_out(at, "readers", Action.VIEW_READERS, lambda: readers_seen(at.records, at.actor, at.trial))


def together(at: Desk, report: ReaderReport) -> None:
    """All readers at once, against the published share of adjudicated cases."""
    for figures in report.readers:
        for one in figures.crossed:
            limit = at.t(f"readers.limit.{one.limit}")
            st.warning(
                at.t("readers.crossed", reader=figures.reader, limit=limit, allowed=one.allowed, found=one.found)
            )
    cases, rate, kappa, icc = st.columns(4)
    cases.metric(at.t("readers.cases"), report.cases)
    rate.metric(
        at.t("readers.adjudication_rate"),
        _pct(report.adjudication_rate),
        help=_interval_pct(at, report.adjudication_rate),
    )
    rate.caption(at.t("charts.published", pct=PUBLISHED_ADJUDICATION_PCT))
    for column, name, found in ((kappa, "kappa", report.kappa), (icc, "icc", report.icc_baseline_sum)):
        column.metric(at.t(f"readers.{name}"), _number(found))
        column.caption(_interval(at, found))
    parts = [(at.t(f"cohort.differs.{name}"), *_row_pct(one)) for name, one in report.by_variable.items()]
    if parts:
        st.dataframe(
            _table(at, parts, ("variable", "events", "n", "rate_pct", "lower_pct", "upper_pct")), hide_index=True
        )


def flow(at: Desk, cases: Sequence[ReviewedCase]) -> None:
    """From every case over both reads to the read that holds."""
    if cases:
        st.subheader(at.t("readers.flow"))
        charts.present(at, adjudication_flow(cases), key="chart_adjudication_flow")


def each(at: Desk, report: ReaderReport) -> None:
    """One row for each reader."""
    st.subheader(at.t("readers.each"))
    rows = [
        (
            one.reader,
            one.counts.cases,
            _with(one.adjudication_rate),
            _with(one.endorsement_rate),
            _with(one.disagreement_index),
            _with(one.repeat_agreement),
            _number(one.repeat_kappa),
            ", ".join(at.t(f"readers.limit.{crossed.limit}") for crossed in one.crossed),
        )
        for one in report.readers
    ]
    columns = (
        "reader",
        "cases",
        "adjudicated_pct",
        "endorsed_pct",
        "disagreement_pct",
        "repeat_pct",
        "repeat_kappa",
        "beyond",
    )
    st.dataframe(_table(at, rows, columns), hide_index=True)
    limits = report.limits
    st.caption(
        at.t(
            "readers.limits",
            cases=limits.min_cases,
            index=limits.max_disagreement_index_pct,
            rate=limits.max_adjudication_rate_pct,
            repeats=limits.min_repeats,
            agreement=limits.min_repeat_agreement_pct,
        )
    )


def pairs(at: Desk, report: ReaderReport) -> None:
    """Who read with whom, and how well they agree."""
    st.subheader(at.t("readers.pairs"))
    rows = [
        (
            " - ".join(one.readers),
            one.cases,
            _with(one.adjudication_rate),
            f"{one.endorsed[0]} : {one.endorsed[1]}",
            _number(one.kappa),
            _interval(at, one.kappa),
        )
        for one in report.pairs
    ]
    columns = ("pair", "cases", "adjudicated_pct", "endorsed", "kappa", "interval")
    st.dataframe(_table(at, rows, columns), hide_index=True)


def drift(at: Desk, report: ReaderReport) -> None:
    """Each reader's disagreement index month by month, within the limits of chance."""
    st.subheader(at.t("readers.drift"))
    rows = [
        (
            one.reader,
            point.month,
            point.count.events,
            point.count.of,
            f"{100 * point.lower:.1f} - {100 * point.upper:.1f}",
            at.t("readers.out") if point.is_out else "",
        )
        for one in report.readers
        for point in one.months
    ]
    columns = ("reader", "month", "disagreements", "cases", "expected_pct", "signal")
    st.dataframe(_table(at, rows, columns), hide_index=True)


def _table(at: Desk, rows: Sequence[tuple[object, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[at.t(f"readers.{name}") for name in columns])


def _pct(one: Estimate) -> str:
    return "-" if one.value is None else f"{100 * one.value:.1f} %"


def _interval_pct(at: Desk, one: Estimate) -> str:
    if one.lower is None or one.upper is None:
        return at.t("readers.no_interval")
    limits = f"{100 * one.lower:.1f} - {100 * one.upper:.1f} %"
    return f"{one.events}/{one.n}, {100 * one.confidence:.0f} %: {limits} ({one.method})"


def _with(one: Estimate) -> str:
    """A share with its interval in percent, and what it was counted from."""
    if one.value is None or one.lower is None or one.upper is None:
        return f"- ({one.events}/{one.n})"
    return f"{100 * one.value:.1f} ({100 * one.lower:.1f}-{100 * one.upper:.1f}), {one.events}/{one.n}"


def _row_pct(one: Estimate) -> tuple[object, ...]:
    shares = (None if value is None else round(100 * value, 1) for value in (one.value, one.lower, one.upper))
    return one.events, one.n, *shares


def _number(one: Estimate | None) -> str:
    return "-" if one is None or one.value is None else f"{one.value:.2f}"


def _interval(at: Desk, one: Estimate | None) -> str:
    if one is None or one.lower is None or one.upper is None:
        return at.t("readers.no_interval")
    return f"{100 * one.confidence:.0f} %: [{one.lower:.2f}, {one.upper:.2f}]"
