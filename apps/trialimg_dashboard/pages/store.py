"""The store: what it holds, its signed checkpoints and backups, and whether it is what was signed."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.views import audit
from apps.trialimg_dashboard.views import store as view
from apps.trialimg_dashboard.views.acting import may
from trialimg.bootstrap import blobs
from trialimg.core.access import Action
from trialimg.services.dashboard_store import store_figures

at = desk("store")
st.title(at.t("page.store"))
figures = done(lambda: store_figures(at.records, at.actor, blobs(at.house.home)))
if figures is None:
    st.stop()
view.figures(at, figures)
if may(at, Action.MANAGE_STORE):
    view.acts(at)
view.kept(at, figures)
audit.verification(at)
