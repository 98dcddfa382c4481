"""The dashboard's frame: who is signed in, in which trial, and the pages of their role."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from apps.trialimg_dashboard.desk import desk
from apps.trialimg_dashboard.roles import PAGES

HERE = Path(__file__).parent

st.set_page_config(page_title="trialimg", layout="wide")
st.html(HERE / "templates" / "look.html")
at = desk()
pages = [
    st.Page(HERE / "pages" / f"{name}.py", title=at.t(f"page.{name}"), default=number == 0)
    for number, name in enumerate(PAGES[at.actor.role])
]
st.navigation(pages, position="top").run()
