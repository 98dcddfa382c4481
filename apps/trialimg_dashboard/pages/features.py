"""The radiomics explorer: features over visits, their stability, what they go with, and which say the same."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.views import features as view
from apps.trialimg_dashboard.views.downloads import written_run

SHOWN = {
    "association": view.association,
    "course": view.over_visits,
    "stability": view.still,
    "clusters": view.correlation,
}

at = desk("features")
st.title(f"{at.t('page.features')} · {at.trial}")
run = written_run(at)
table = view.table_of(at, run) if run is not None else None
if table is None:
    st.stop()
asked = view.filtered(at, table)
SHOWN[view.view_asked(at)](at, asked)
