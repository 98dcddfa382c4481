"""What was noticed in the data, by site, code and subject."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.views import quality as view
from apps.trialimg_dashboard.views.downloads import written_run

at = desk()
st.title(f"{at.t('page.quality')} · {at.trial}")
run = written_run(at)
if run is None:
    st.stop()
view.findings(at, run.results())
