"""How a person acts on records from a page: with a reason, a confirmation and, where it binds them, a signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from apps.trialimg_dashboard.desk import Desk, explain
from apps.trialimg_dashboard.views.signing import proof_fields
from trialimg.core.access import PERMISSIONS, Action
from trialimg.core.errors import TrialimgError
from trialimg.services.signatures import Proof

__all__ = ["Wanted", "act", "may", "wanted"]

Fields = TypeVar("Fields")
_ACTED = "times_acted"


@dataclass(frozen=True)
class Wanted(Generic[Fields]):
    """What somebody asks for, and why."""

    fields: Fields
    reason: str
    proof: Proof | None


def may(at: Desk, action: Action) -> bool:
    """Whether the person's role can do this at all; the services decide whether they may here and now."""
    return action in PERMISSIONS[at.actor.role]


def wanted(
    at: Desk, key: str, fields: Callable[[], Fields], *, signs: str = "", has_reason: bool = True
) -> Wanted[Fields] | None:
    """A folded form for one act, named by its text; what was filled in, once it is confirmed.

    Parameters
    ----------
    key
        Key of the text that names the act, on the fold and on the button.
    fields
        Draws what else has to be filled in, and gives it.
    signs
        What a signature under the act means; empty for none.
    """
    form = f"{key}-{st.session_state.get(_ACTED, 0)}"
    with st.expander(at.t(key)), st.form(form, border=False):
        filled = fields()
        reason = st.text_input(at.t("acting.reason"), max_chars=500) if has_reason else ""
        proof = proof_fields(at, signs) if signs else None
        is_sure = st.checkbox(at.t("acting.sure"))
        if not st.form_submit_button(at.t(key), type="primary"):
            return None
        if not is_sure or (has_reason and not reason.strip()):
            st.warning(at.t("acting.needed"))
            return None
        return Wanted(filled, reason, proof)


def act(at: Desk, work: Callable[[], object], said: Callable[[object], str] | None = None) -> None:
    """Do it and show the page anew; where it is refused, say why, and nothing was changed.

    Parameters
    ----------
    said
        What is told about the outcome; default: that it is done.
    """
    try:
        outcome = work()
    except TrialimgError as refused:
        explain(refused)
        return
    st.session_state[_ACTED] = st.session_state.get(_ACTED, 0) + 1
    st.toast(said(outcome) if said else at.t("acting.done"))
    st.rerun()
