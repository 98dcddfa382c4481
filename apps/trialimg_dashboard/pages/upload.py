"""Studies are brought into the trial: begun for a subject, sent, looked through, handed over to the case."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.views import upload as view

at = desk("upload")
st.title(f"{at.t('page.upload')} · {at.trial}")
uploads = view.present_uploads(at)
if uploads is None:
    st.stop()
view.beginning(at)
chosen = view.chosen(at, uploads)
if chosen is None:
    st.info(at.t("upload.none"))
    st.stop()
view.field(at, chosen)
arrangement = view.present_arrangement(at, chosen)
if arrangement is None:
    st.stop()
view.received(at, arrangement)
view.series(at, arrangement)
view.handing_over(at, chosen, arrangement)
view.giving_up(at, chosen)
