"""What somebody fills in to sign: the two components, below what the signature means."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.sign_in import demo_hint
from trialimg.services.signatures import Proof

__all__ = ["proof_fields"]


def proof_fields(at: Desk, meaning: str) -> Proof:
    """Password and code within a form; in a demonstration the account's own stand beside them."""
    st.markdown(f"**{at.t('sign.title')}** {at.actor.user}: “{meaning}”")
    if (hint := demo_hint(at.house, at.actor.user)) is not None:
        st.caption(at.t("sign.demo", password=hint[0], code=hint[1]))
    password = st.text_input(at.t("password"), type="password", autocomplete="off")
    code = st.text_input(at.t("sign.code"), max_chars=7, autocomplete="off")
    return Proof(password, code, at.house.identity)
