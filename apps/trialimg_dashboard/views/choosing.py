"""A row of a table is chosen by what it is, not by where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from trialimg.core.digest import digest_of

__all__ = ["chosen_in"]

_MARK_LENGTH = 12


@dataclass(frozen=True)
class _Seen:
    """The table as it was drawn last."""

    widget: str
    names: tuple[str, ...]
    carried: str
    """Chosen when the rows were others."""

    def chosen(self) -> str:
        """What stands chosen in it."""
        state = st.session_state.get(self.widget)
        rows = state["selection"]["rows"] if state else []
        return self.names[rows[0]] if rows else self.carried


def chosen_in(
    shown: pd.DataFrame | Styler, names: Sequence[str], *, key: str, leaves: bool = False, **look: Any
) -> str:
    """Name of the row that a person chose; empty where they chose none.

    Where rows came, went or changed places since the table was drawn, the choice is that of the row that they saw, and
    the next table begins with nothing marked.

    Parameters
    ----------
    names
        Of the rows, in their order; no name twice.
    key
        Of the table on its page.
    leaves
        Whether a choice leads to another page: then it holds once.
    """
    widget, memory = f"{key}-{digest_of(list(names))[-_MARK_LENGTH:]}", f"{key}-seen"
    seen: _Seen | None = st.session_state.get(memory)
    carried = "" if seen is None else (seen.carried if seen.widget == widget else seen.chosen())
    picked = st.dataframe(shown, hide_index=True, on_select="rerun", selection_mode="single-row", key=widget, **look)
    rows = picked.selection.rows
    chosen = names[rows[0]] if rows else carried if carried in names else ""
    st.session_state[memory] = _Seen(widget, tuple(names), "" if rows or leaves else chosen)
    return chosen
