"""What was noticed in the data, by site, code and subject, and what the sites were asked about it."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.views import quality as view
from apps.trialimg_dashboard.views import queries
from apps.trialimg_dashboard.views.downloads import written_run

at = desk("quality")
st.title(f"{at.t('page.quality')} · {at.trial}")
asked = queries.present(at)
if asked is None:
    st.stop()
queries.figures(at, asked)
queries.threads(at, asked)
queries.asking(at)
st.subheader(at.t("quality.findings"))
run = written_run(at)
if run is None:
    st.stop()
chosen = view.findings(at, run.results())
if chosen is not None:
    queries.asking_about(at, chosen)
