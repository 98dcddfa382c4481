"""Files to take away: the digest beside each, the bytes made when it is asked for, the taking in the ledger."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from apps.trialimg_dashboard.run import finished_run
from trialimg.services.dashboard_downloads import fetch_output, may_take_outputs
from trialimg.services.finished import FinishedRun

__all__ = ["made", "offered", "outputs", "report", "written_run"]


def written_run(at: Desk) -> FinishedRun | None:
    """The trial's run, for whoever may see what compares arms; where there is none to show, the page says why."""
    may_take = done(lambda: may_take_outputs(at.records, at.actor, at.trial))
    if may_take is None:
        return None
    run = finished_run(at) if may_take else None
    if run is None:
        st.info(at.t("report.no_run", folder=f"runs/{at.trial}") if may_take else at.t("report.blinded"))
    return run


def offered(at: Desk, name: str, digest: str, fetch: Callable[[], bytes]) -> None:
    """One file; a click fetches it."""
    words, button = st.columns([5, 1], vertical_alignment="center")
    words.markdown(f"**{name}**  \n`{digest}`")
    button.download_button(
        at.t("downloads.take"), fetch, file_name=name, key=f"take-{name}", on_click="ignore", width="stretch"
    )


def made(at: Desk, name: str, words: str, fetch: Callable[[], bytes]) -> None:
    """One file that is made when it is taken; its digest then stands in the audit trail."""
    left, button = st.columns([5, 1], vertical_alignment="center")
    left.markdown(f"**{name}**  \n{words}")
    button.download_button(
        at.t("downloads.take"), fetch, file_name=name, key=f"take-{name}", on_click="ignore", width="stretch"
    )


def outputs(at: Desk, run: FinishedRun) -> None:
    """Every file that a run wrote."""
    with st.expander(at.t("downloads.files", count=len(run.names))):
        for name in run.names:
            offered(at, name, run.manifest["outputs"][name], _fetching(at, run, name))


def report(run: FinishedRun) -> None:
    """The report as it was written."""
    page = done(lambda: run.content("report.html"))
    if page is not None:
        st.iframe(page.decode(), height=1000)


def _fetching(at: Desk, run: FinishedRun, name: str) -> Callable[[], bytes]:
    return lambda: fetch_output(at.records, at.actor, at.trial, run=run, name=name)
