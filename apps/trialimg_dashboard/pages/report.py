"""The endpoint report as it was written."""

from __future__ import annotations

import streamlit as st
from streamlit.components.v1 import html

from apps.trialimg_dashboard.run import content, shown_run

run = shown_run()
html(content(run, "report.html").decode(), height=1000, scrolling=True)
st.caption(f"Protocol {run.manifest['protocol_digest']}, {run.manifest['software']}")
