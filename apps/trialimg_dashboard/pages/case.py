"""One case: its reads, what holds, and what happened to it."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.run import finished_run
from apps.trialimg_dashboard.views import case as view
from trialimg.services.dashboard_case import case_page

at = desk("case")
code = st.session_state.get("case", "")
if not code:
    st.title(at.t("page.case"))
    st.info(at.t("case.none"))
    st.stop()
page = done(lambda: case_page(at.records, at.actor, at.trial, code))
if page is None:
    st.stop()
view.head(at, page)
view.answer(at, page)
view.report(at, page, finished_run(at))
left, right = st.columns(2)
with left:
    view.reads(at, page)
    view.warnings(at, page)
with right:
    view.history(at, page)
