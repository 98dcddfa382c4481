"""Who is signed in; the trial, the language, the way out."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import desk, kept_choice
from apps.trialimg_dashboard.words import LANGUAGES
from trialimg.services.people_trials import trials_of

at = desk("account")
st.title(at.t("page.account"))
st.markdown(f"**{at.actor.user}** · {at.t('role.' + at.actor.role.value)} · {at.trial or '-'}")
trials = trials_of(at.records, at.actor)
if len(trials) > 1:
    kept_choice("trial", at.t("trial"), trials, at.trial)
kept_choice("language", at.t("language"), list(LANGUAGES), at.language, shown=LANGUAGES)
st.link_button(at.t("sign_out"), "/sign-out")
