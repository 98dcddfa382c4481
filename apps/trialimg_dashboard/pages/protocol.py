"""The protocol in force in words, its versions, what differs between them, and an amendment by upload."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.views import protocol as view
from apps.trialimg_dashboard.views.acting import may
from trialimg.core.access import Action
from trialimg.services.dashboard_protocol import shown_protocol

at = desk("protocol")
st.title(f"{at.t('page.protocol')} · {at.trial}")
shown = done(lambda: shown_protocol(at.records, at.actor, at.trial))
if shown is None:
    st.stop()
view.head(at, shown)
if may(at, Action.AMEND_PROTOCOL):
    view.amendment(at)
view.versions(at, shown)
view.settings(at, shown)
