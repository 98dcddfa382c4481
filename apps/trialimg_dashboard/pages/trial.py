"""The trial on one page: how it stands, results to take away, invoices with the case behind each line."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.run import finished_run
from apps.trialimg_dashboard.views import bills
from apps.trialimg_dashboard.views import trial as view
from trialimg.services.dashboard_downloads import may_take_outputs
from trialimg.services.dashboard_sponsor import standing_of

at = desk("trial")
standing = done(lambda: standing_of(at.records, at.actor, at.trial))
if standing is None:
    st.stop()
view.head(at, standing)
cuts = view.present_cuts(at)
run = finished_run(at)
if cuts is not None:
    view.data_cuts(at, cuts, run)
if run is not None and done(lambda: may_take_outputs(at.records, at.actor, at.trial)):
    view.run_files(at, run)
found = bills.present_bills(at)
if found is not None:
    bills.listed(at, found)
    bills.not_invoiced(at)
