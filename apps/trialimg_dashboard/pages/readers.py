"""How the readers do: rates, agreement, drift, and the limits that somebody crossed."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.views import readers as view
from trialimg.services.reader_performance import reader_report

at = desk("readers")
st.title(f"{at.t('page.readers')} · {at.trial}")
report = done(lambda: reader_report(at.records, at.actor, at.trial))
if report is None:
    st.stop()
if not report.readers:
    st.info(at.t("readers.empty"))
    st.stop()
view.together(at, report)
view.flow(at)
view.each(at, report)
left, right = st.columns(2)
with left:
    view.pairs(at, report)
with right:
    view.drift(at, report)
