"""The field that files are dropped on: sends them one after the other, shows how far it is and what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

__all__ = ["uploader"]

_HERE = Path(__file__).parent


def uploader(address: str, words: Mapping[str, str], *, key: str) -> bool:
    """Draw the field; whether files have just been sent.

    Parameters
    ----------
    address
        Where the files are sent.
    words
        Its texts: ``drop``, ``files``, ``folder``, ``sending``, ``taken``, ``refused``, ``failed``, ``leave``.
    """
    result = _component()(key=key, data={"address": address, "words": dict(words)}, on_sent_change=lambda: None)
    return bool(result.sent)


@lru_cache(maxsize=1)
def _parts() -> tuple[str, str, str]:
    return tuple((_HERE / f"uploader.{ending}").read_text() for ending in ("html", "css", "js"))  # type: ignore[return-value]


def _component() -> Any:
    html, css, js = _parts()
    return st.components.v2.component("trialimg_uploader", html=html, css=css, js=js)
