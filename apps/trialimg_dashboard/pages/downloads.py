"""Every file of the run, with its digest."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.run import content, shown_run

run = shown_run()
st.title("Downloads")
for name in run.names:
    label, button = st.columns([4, 1])
    label.markdown(f"**{name}**  \n`{run.manifest['outputs'][name]}`")
    button.download_button("Download", content(run, name), file_name=name, key=name)
