"""The dashboard's frame: who is signed in, in which trial, and the pages of their role."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from apps.trialimg_dashboard.desk import Desk, desk
from apps.trialimg_dashboard.idle import idle_watch
from apps.trialimg_dashboard.roles import PAGES

HERE = Path(__file__).parent


def note_stranger(at: Desk) -> None:
    """Keep that an address was asked for that is a page of another role, once in a session; it is not found."""
    context = get_script_run_ctx()
    asked = context.pages_manager.intended_page_name if context is not None else ""
    kept = st.session_state.setdefault("refused_pages", set())
    known = {page for pages in PAGES.values() for page in pages}
    if asked in known and asked not in (*PAGES[at.actor.role], *kept):
        kept.add(asked)
        at.records.refuse(at.actor, "page", asked, trial=at.trial)


st.set_page_config(page_title="trialimg", layout="wide")
st.html(HERE / "templates" / "look.html")
at = desk()
note_stranger(at)
idle_watch(at.house.sessions.idle.total_seconds(), {word: at.t(f"idle.{word}") for word in ("title", "left", "stay")})
pages = [
    st.Page(HERE / "pages" / f"{name}.py", title=at.t(f"page.{name}"), default=number == 0)
    for number, name in enumerate(PAGES[at.actor.role])
]
st.navigation(pages, position="top").run()
