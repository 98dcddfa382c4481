"""What a site was asked about its data, and its answers."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.views import queries

at = desk("queries")
st.title(f"{at.t('page.queries')} · {at.trial}")
asked = queries.present(at)
if asked is None:
    st.stop()
queries.figures(at, asked)
queries.threads(at, asked)
