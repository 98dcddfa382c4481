"""Cases are received, given out, taken back, reopened, withdrawn, and locked for analysis; each with its reason."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.run import finished_run
from apps.trialimg_dashboard.views import cases as view
from apps.trialimg_dashboard.views.cohort import present_cohort
from trialimg.services.dashboard_case import case_page

at = desk("cases")
st.title(f"{at.t('page.cases')} · {at.trial}")
cohort = present_cohort(at)
if cohort is None:
    st.stop()
view.receive(at, finished_run(at), {line.code for line in cohort.lines})
if not cohort.lines:
    st.info(at.t("cases.empty"))
    st.stop()
view.assign_all(at, cohort)
view.cut(at, cohort)
code = view.chosen(at, cohort)
page = done(lambda: case_page(at.records, at.actor, at.trial, code)) if code else None
if page is not None:
    view.one_case(at, page)
