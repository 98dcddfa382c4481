"""The run that the pages show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from trialimg.core.errors import TrialimgError
from trialimg.services.finished import FinishedRun, open_run

__all__ = ["content", "rate_pct", "shown_run"]


def shown_run() -> FinishedRun:
    """The run in the chosen folder; where there is none, the page says so and ends."""
    try:
        return open_run(Path(st.session_state.get("folder", "runs/demo")))
    except TrialimgError as fault:
        st.info(f"{fault}")
        st.stop()


def content(run: FinishedRun, name: str) -> bytes:
    """An output's bytes; where it is not what the run wrote, the page says so and ends."""
    try:
        return run.content(name)
    except TrialimgError as fault:
        st.error(f"{fault}")
        st.stop()


def rate_pct(rate: Mapping[str, Any]) -> dict[str, float | None]:
    """A rate with its limits in percent; None where it cannot be estimated."""
    names = {"Rate %": "value", "Lower %": "lower", "Upper %": "upper"}
    return {name: None if rate[key] is None else round(100 * rate[key], 1) for name, key in names.items()}
