"""Watches whether somebody is still there: says so a minute before a sign-in ends, and leaves the page when it has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

__all__ = ["idle_watch"]

_HERE = Path(__file__).parent
_WARNED_SECONDS = 60


def idle_watch(seconds: float, words: Mapping[str, str]) -> None:
    """Put the watch on a page; what is done in other tabs of the browser counts too.

    Parameters
    ----------
    seconds
        Without any use, after which the server ends the session.
    words
        Its texts: ``title``, ``left`` (with ``{seconds}``), ``stay``.
    """
    warned = min(_WARNED_SECONDS, seconds / 2)
    data = {"seconds": seconds, "warned": warned, "alive": "/alive", "words": dict(words)}
    _component()(key="idle", data=data)


@lru_cache(maxsize=1)
def _parts() -> tuple[str, str, str]:
    return tuple((_HERE / f"idle.{ending}").read_text() for ending in ("html", "css", "js"))  # type: ignore[return-value]


def _component() -> Any:
    html, css, js = _parts()
    return st.components.v2.component("trialimg_idle", html=html, css=css, js=js)
