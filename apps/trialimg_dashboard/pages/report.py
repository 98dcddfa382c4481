"""The endpoint report of the trial's run, and every file of it; each taking is in the ledger."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.run import finished_run
from apps.trialimg_dashboard.views import downloads as view
from trialimg.services.dashboard_downloads import may_take_outputs

at = desk()
st.title(f"{at.t('page.report')} · {at.trial}")
if not done(lambda: may_take_outputs(at.records, at.actor, at.trial)):
    st.stop()
run = finished_run(at)
if run is None:
    st.info(at.t("report.no_run", folder=f"runs/{at.trial}"))
    st.stop()
st.caption(at.t("report.by_software", digest=run.manifest["protocol_digest"], software=run.manifest["software"]))
view.outputs(at, run)
view.report(run)
