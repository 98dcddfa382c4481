"""Who has access, who had, and whether somebody should not; rights are given and taken with a reason."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, done
from apps.trialimg_dashboard.views import people as view
from apps.trialimg_dashboard.views import people_acts as acts
from apps.trialimg_dashboard.views.acting import may
from trialimg.core.access import Action
from trialimg.services.people_history import users

at = desk("people")
st.title(at.t("page.people"))
found = done(lambda: users(at.records, at.actor))
if found is None:
    st.stop()
acts.one_time_password(at)
user = view.everybody(at, found)
if may(at, Action.MANAGE_USERS):
    acts.adding(at)
if user is not None:
    view.history(at, user["name"])
    if may(at, Action.MANAGE_USERS):
        acts.of_one(at, user)
view.rights(at)
view.review(at)
if may(at, Action.REVIEW_ACCESS):
    acts.signing(at)
