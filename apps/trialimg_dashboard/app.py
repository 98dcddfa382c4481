"""The dashboard's frame: which run is shown, and its pages. Start it with `trialimg serve`."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

PAGES = Path(__file__).parent / "pages"

st.set_page_config(page_title="trialimg", layout="wide")
st.session_state.setdefault("folder", sys.argv[1] if len(sys.argv) > 1 else "runs/demo")
st.sidebar.text_input("Run folder", key="folder", help="Where `trialimg run --out` wrote to.")
st.navigation(
    [
        st.Page(PAGES / "cohort.py", title="Cohort", default=True),
        st.Page(PAGES / "report.py", title="Report"),
        st.Page(PAGES / "findings.py", title="Quality findings"),
        st.Page(PAGES / "downloads.py", title="Downloads"),
    ]
).run()
