"""The audit trail: who did what, when, to which record and why; and whether it is what was signed."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.views import audit as view
from trialimg.services.audit import browse
from trialimg.services.dashboard_proof import ledger_size

at = desk("audit")
st.title(at.t("page.audit"))
size = done(lambda: ledger_size(at.records, at.actor, at.trial))
if size is None:
    st.stop()
asked = view.asked(at, size)
lines = done(lambda: browse(at.records, at.actor, asked))
if lines is None:
    st.stop()
chosen = view.table(at, lines, asked)
if chosen is not None:
    view.entry(at, chosen)
view.verification(at)
