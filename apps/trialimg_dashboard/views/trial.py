"""A trial as its sponsor sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views import downloads
from apps.trialimg_dashboard.views.kept import worked_out
from trialimg.bootstrap.packages import cdisc_package, figure_package
from trialimg.bootstrap.reports import report_pdf
from trialimg.core.access import Action
from trialimg.core.reading import Stage
from trialimg.services.dashboard_downloads import CutFile, cut_files, fetch_cut
from trialimg.services.dashboard_packages import fetch_datasets, fetch_figures
from trialimg.services.dashboard_reports import fetch_report
from trialimg.services.dashboard_sponsor import Standing
from trialimg.services.finished import FinishedRun

__all__ = ["data_cuts", "head", "present_cuts", "run_files"]


def head(at: Desk, standing: Standing) -> None:
    """How the trial stands, in one sentence."""
    st.title(f"{at.trial}: {standing.title}")
    st.markdown(
        at.t(
            "trial.sentence",
            final=standing.cases.get(Stage.FINAL.value, 0),
            all=sum(standing.cases.values()),
            state=at.t(f"trial.state.{standing.state}"),
            blinded=at.t("trial.blinded" if standing.is_blinded else "trial.unblinded"),
            version=standing.protocol_version,
        )
    )
    others = [
        f"{at.t(f'stage.{stage.value}')} {standing.cases[stage.value]}"
        for stage in Stage
        if standing.cases.get(stage.value)
    ]
    st.caption(" · ".join(others))


def present_cuts(at: Desk) -> Sequence[CutFile] | None:
    """Every data cut now."""
    return worked_out(at, "cuts", Action.VIEW_REPORTS, lambda: cut_files(at.records, at.actor, at.trial))


def data_cuts(at: Desk, cuts: Sequence[CutFile], run: FinishedRun | None) -> None:
    """Every data cut with its table of results, its figures and its datasets."""
    st.subheader(at.t("trial.cuts"))
    if not cuts:
        st.info(at.t("trial.no_cuts"))
    for cut in cuts:
        with st.container(border=True):
            state = at.t(f"trial.cut.{cut.state}")
            st.markdown(f"**{cut.name}** · {state} · {cut.cut_at[:10]}")
            st.caption(at.t("trial.cut_cases", cases=cut.cases, left_out=cut.left_out, hash=cut.hash))
            if cut.moved:
                st.warning(at.t("trial.cut_moved", cases=", ".join(cut.moved)))
            downloads.offered(at, cut.file, cut.digest, _fetching(at, cut.name))
            if not cut.moved:
                _packages(at, cut, run)


def run_files(at: Desk, run: FinishedRun) -> None:
    """What a run of the software wrote, where unblinding allows it."""
    st.subheader(at.t("trial.run"))
    st.caption(at.t("report.by_software", digest=run.manifest["protocol_digest"], software=run.manifest["software"]))
    downloads.outputs(at, run)


def _packages(at: Desk, cut: CutFile, run: FinishedRun | None) -> None:
    """What is made when it is taken: a click makes it, and its digest goes to the audit trail."""
    name = f"{at.trial}-{cut.name}"
    downloads.made(at, f"{name}-figures.zip", at.t("trial.figures"), partial(
        fetch_figures, at.records, at.actor, at.trial, cut.name, pack=figure_package
    ))  # fmt: skip
    if run is None:
        st.caption(at.t("trial.no_datasets"))
        return
    downloads.made(at, f"{name}-report.pdf", at.t("trial.report"), partial(
        fetch_report, at.records, at.actor, at.trial, cut.name, run=run, render=report_pdf
    ))  # fmt: skip
    downloads.made(at, f"{name}-cdisc.zip", at.t("trial.datasets"), partial(
        fetch_datasets, at.records, at.actor, at.trial, cut.name, run=run, pack=cdisc_package
    ))  # fmt: skip


def _fetching(at: Desk, name: str) -> Callable[[], bytes]:
    return lambda: fetch_cut(at.records, at.actor, at.trial, name)
