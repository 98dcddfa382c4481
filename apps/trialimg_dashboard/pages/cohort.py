"""How far the trial is: counts that filter, the cases behind them, and the endpoints."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.views import cohort as view
from apps.trialimg_dashboard.views.acting import may
from trialimg.core.access import Action

at = desk("cohort")
st.title(f"{at.t('page.cohort')} · {at.trial}")
cohort = view.present_cohort(at)
if cohort is None:
    st.stop()
if not cohort.lines:
    st.info(at.t("cohort.empty" if may(at, Action.RECEIVE_CASES) else "cohort.none_yet"))
    st.stop()
view.figures(at, cohort)
shows = st.segmented_control(
    at.t("cohort.shows"),
    ("cases", "endpoints"),
    default="cases",
    format_func=lambda one: at.t(f"cohort.shows.{one}"),
    label_visibility="collapsed",
    key="cohort_shows",
)
if shows == "endpoints":
    view.endpoints(at, cohort)
else:
    view.cases(at, cohort)
