"""Two reads side by side, without their authors; one is chosen, with a reason, and signed."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.views import adjudication
from trialimg.services.adjudication import adjudication_view

at = desk("adjudication")
alias = st.session_state.get("alias", "")
if not alias:
    st.info(at.t("room.none"))
    st.stop()
view = done(lambda: adjudication_view(at.records, at.actor, at.trial, alias))
if view is None:
    st.stop()
adjudication.differences(at, view)
adjudication.timeline(view)
step, lesion = adjudication.chosen_place(at, view)
adjudication.images(at, view, step, lesion)
adjudication.reads(at, view)
adjudication.verdict(at, view)
