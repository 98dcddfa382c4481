"""What the reader has to do, in their order; one key opens the next."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.viewer.component import warm_up
from apps.trialimg_dashboard.views import worklist as view
from apps.trialimg_dashboard.views.choosing import chosen_in
from trialimg.services.reading_results import worklist

at = desk("worklist")
st.title(at.t("page.worklist"))
rows = done(lambda: worklist(at.records, at.actor, at.trial, limit=view.MOST_ROWS)) or []
finished = view.signed(at)
view.progress(at, finished, len(rows))
if rows:
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown(view.count(at, rows))
    if right.button(at.t("worklist.next"), type="primary", shortcut="Enter", width="stretch"):
        st.session_state.alias = rows[0]["alias"]
        st.switch_page(view.target_page(at.actor.role))
    if alias := chosen_in(view.rows_shown(at, rows), [row["alias"] for row in rows], key="worklist_rows", leaves=True):
        st.session_state.alias = alias
        st.switch_page(view.target_page(at.actor.role))
else:
    st.info(at.t("worklist.empty"))
view.reopen(at, finished)
if rows:
    warm_up("worklist-viewer")
