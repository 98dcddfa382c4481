"""How the readers do: rates, agreement, drift, and the limits that somebody crossed."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.views import readers as view

at = desk("readers")
st.title(f"{at.t('page.readers')} · {at.trial}")
found = view.present_readers(at)
if found is None:
    st.stop()
report = found.report
if not report.readers:
    st.info(at.t("readers.empty"))
    st.stop()
view.together(at, report)
view.flow(at, found.cases)
view.each(at, report)
view.pairs(at, report)
view.drift(at, report)
