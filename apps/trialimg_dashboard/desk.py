"""Who is at work on a page, in which trial, in which language; every page begins by asking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from apps.trialimg_dashboard.guard import COOKIE
from apps.trialimg_dashboard.installation import Installation, actor_of, installation
from apps.trialimg_dashboard.roles import PAGES
from apps.trialimg_dashboard.sign_in import LANGUAGE_COOKIE
from apps.trialimg_dashboard.words import LANGUAGES, catalogue, text
from trialimg.core.access import Actor
from trialimg.core.errors import TrialimgError
from trialimg.services.journal import Records
from trialimg.services.people_trials import trials_of

__all__ = ["Desk", "acting", "desk", "done", "explain", "kept_choice", "say_refused"]

Made = TypeVar("Made")


@dataclass(frozen=True)
class Desk:
    """What a page works with."""

    house: Installation
    actor: Actor
    trial: str
    """Code of the chosen trial; empty where the person has none."""
    language: str

    @property
    def records(self) -> Records:
        return self.house.records

    def t(self, key: str, **values: object) -> str:
        """A text in the reader's language."""
        return text(key, self.language, **values)

    def known(self, key: str, otherwise: str) -> str:
        """The text of a word that somebody else may have chosen; as they wrote it where there is none."""
        return text(key, self.language) if key in catalogue() else otherwise


def desk(page: str = "") -> Desk:
    """Who is signed in; where nobody is, the page says how to sign in and ends.

    Parameters
    ----------
    page
        Name of the page that asks: whoever's role does not have it is refused, and the attempt is kept.
    """
    house = installation()
    language = _language()
    actor = actor_of(st.context.cookies.get(COOKIE, ""))
    if actor is None:
        st.warning(text("signed_out", language))
        st.link_button(text("sign_in", language), "/sign-in")
        st.stop()
    trials = trials_of(house.records, actor)
    chosen = st.session_state.get("trial")
    trial = chosen if chosen in trials else next(iter(trials), "")
    if page and page not in PAGES[actor.role]:
        explain(house.records.refuse(actor, "page", page, trial=trial))
        st.stop()
    return Desk(house, actor, trial, language)


def _language() -> str:
    chosen = st.session_state.get("language") or st.context.cookies.get(LANGUAGE_COOKIE, "en")
    return chosen if chosen in LANGUAGES else "en"


def kept_choice(
    name: str, label: str, words: Sequence[str], present: str, *, shown: Mapping[str, str] | None = None
) -> None:
    """A choice that stays while the person goes from page to page."""
    index = list(words).index(present)
    chosen = st.selectbox(label, words, index=index, format_func=lambda word: shown[word] if shown else word)
    if chosen != present:
        st.session_state[name] = chosen
        st.rerun()


def acting(work: Callable[[], object]) -> Callable[[], None]:
    """A callback that does something before the page is drawn anew; a refusal is shown by `say_refused`."""

    def act() -> None:
        try:
            work()
        except TrialimgError as refused:
            st.session_state.refused = refused

    return act


def say_refused() -> None:
    """Show what the last callback was refused, if it was."""
    refused = st.session_state.pop("refused", None)
    if refused is not None:
        explain(refused)


def explain(refused: TrialimgError) -> None:
    """Say what was refused, and every fault of it."""
    st.error(str(refused))
    for fault in getattr(refused, "faults", ()):
        st.markdown(f"- {fault}")


def done(work: Callable[[], Made]) -> Made | None:
    """What the work gives; where it is refused, the page says why, and nothing was changed."""
    try:
        return work()
    except TrialimgError as refused:
        explain(refused)
        return None
