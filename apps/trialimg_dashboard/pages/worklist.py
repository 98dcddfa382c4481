"""What the reader has to do, in their order; one key opens the next."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.viewer.component import warm_up
from apps.trialimg_dashboard.views import worklist as view
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
    chosen = st.dataframe(
        view.rows_shown(at, rows), hide_index=True, on_select="rerun", selection_mode="single-row", key="worklist_rows"
    )
    if chosen.selection.rows:
        st.session_state.alias = rows[chosen.selection.rows[0]]["alias"]
        st.switch_page(view.target_page(at.actor.role))
else:
    st.info(at.t("worklist.empty"))
view.reopen(at, finished)
if rows:
    warm_up("worklist-viewer")
