"""The reading room: two visits side by side, the lesion table, and what the answers come to."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done, say_refused
from apps.trialimg_dashboard.views import reading_closing, reading_forms, reading_images, reading_table
from trialimg.services.reading_room import room

at = desk("reading_room")
st.html(reading_images.DARK)
alias = st.session_state.get("alias", "")
if not alias:
    st.info(at.t("room.none"))
    st.page_link(st.Page("pages/worklist.py"), label=at.t("page.worklist"))
    st.stop()
is_first_look = st.session_state.get("looked_at") != alias
opened = done(lambda: room(at.records, at.actor, at.trial, alias, is_first_look=is_first_look))
if opened is None:
    st.stop()
st.session_state.looked_at = alias
say_refused()
reading_table.head(at, opened)
images, words = st.columns([3, 2], gap="small")
with words:
    row = reading_table.lesions(at, opened)
with images:
    reading_images.images(at, opened, row)
with words:
    reading_forms.lesion_form(at, opened, row)
    reading_forms.visit_form(at, opened)
    reading_forms.global_form(at, opened)
    reading_table.answer(opened)
    reading_closing.closing(at, opened)
