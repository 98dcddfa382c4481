"""The endpoint report as it was written."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.run import content, shown_run

run = shown_run()
st.iframe(content(run, "report.html").decode(), height=1000)
st.caption(f"Protocol {run.manifest['protocol_digest']}, {run.manifest['software']}")
