"""How the model does: indicators with their limits and course, and what somebody has to look at."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.views import model as view

at = desk("model")
st.title(f"{at.t('page.model')} · {at.trial}")
health = view.present_health(at)
if health is None:
    st.stop()
view.head(at, health)
chosen = view.table(at, health)
view.shown_course(at, chosen, health)
view.tasks(at, health)
