"""What a page works out of all records of a trial, once for each change of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from trialimg.core.access import Action, Actor
from trialimg.services.dashboard_proof import ledger_size

__all__ = ["worked_out"]

Found = TypeVar("Found")
_State = tuple[Actor, str, int, str]


def worked_out(at: Desk, name: str, right: Action, work: Callable[[], Found], *, writes: bool = False) -> Found | None:
    """What the work gives, done again only where the ledger has grown, or an hour has begun, since it was.

    Whether the person has the right is asked each time; None where it is refused, and the page says why.

    Parameters
    ----------
    name
        Of the answer; its own for every kind of work.
    writes
        Whether the work may itself add to the ledger, and its answer holds all the same.
    """
    known_by = done(lambda: _state(at, right))
    if known_by is None:
        return None
    kept: tuple[_State, Found] | None = st.session_state.get(f"kept-{name}")
    if kept is not None and kept[0] == known_by:
        return kept[1]
    found = done(work)
    if found is not None:
        st.session_state[f"kept-{name}"] = (_state(at, right) if writes else known_by, found)
    return found


def _state(at: Desk, right: Action) -> _State:
    """Who asks, the trial, the size of the ledger, and the hour."""
    size = ledger_size(at.records, at.actor, at.trial, right=right)
    return at.actor, at.trial, size, at.records.now()[: len("2026-01-01T00")]
