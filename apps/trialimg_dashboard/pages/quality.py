"""What was noticed in the data, by site, code and subject."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.run import finished_run
from apps.trialimg_dashboard.views import quality as view
from trialimg.services.dashboard_downloads import may_take_outputs

at = desk()
st.title(f"{at.t('page.quality')} · {at.trial}")
if not done(lambda: may_take_outputs(at.records, at.actor, at.trial)):
    st.stop()
run = finished_run(at)
if run is None:
    st.info(at.t("report.no_run", folder=f"runs/{at.trial}"))
    st.stop()
view.findings(at, run.results())
