"""The endpoint report of the trial's run, and every file of it; each taking is in the ledger."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.views import downloads as view
from apps.trialimg_dashboard.views.downloads import written_run

at = desk("report")
st.title(f"{at.t('page.report')} · {at.trial}")
run = written_run(at)
if run is None:
    st.stop()
st.caption(at.t("report.by_software", digest=run.manifest["protocol_digest"], software=run.manifest["software"]))
view.outputs(at, run)
view.report(run)
