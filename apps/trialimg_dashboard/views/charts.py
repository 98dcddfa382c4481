"""Figures on a page: in the reader's language and theme, and a click on a mark names what it stands for."""

from __future__ import annotations

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views.interactive import interactive
from apps.trialimg_dashboard.words import catalogue
from trialimg.services.figures.figure import Axis, Bar, Figure, Panel, Rule, Tick, translated
from trialimg.services.figures.palette import DARK, LIGHT
from trialimg.services.figures.tones import Tone

__all__ = ["present", "rate_with_reference"]

_RATE_PX = 26.0
_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def present(at: Desk, figure: Figure, *, key: str) -> str:
    """Draw a figure; the key of the mark that was clicked, blank for none.

    Parameters
    ----------
    key
        Of the widget; its own for every figure of a page.
    """
    shown = translated(figure, lambda words: _said(at, words))
    palette = DARK if st.context.theme.type == "dark" else LIGHT
    picked = st.plotly_chart(
        interactive(shown, palette),
        key=key,
        theme=None,
        on_select="rerun",
        selection_mode="points",
        config=_CONFIG,
    )
    keys = [_key(point) for point in picked["selection"]["points"]]
    return next(filter(None, keys), "")


def rate_with_reference(at: Desk, rate_pct: float, reference_pct: float) -> Figure:
    """A share as a bar on 0 to 100 %, with the published share as a line."""
    ticks = tuple(Tick(share, f"{share:g} %") for share in (0.0, 25.0, 50.0, 75.0, 100.0))
    text = at.t("charts.published", pct=reference_pct)
    panel = Panel(
        Axis("", 0.0, 100.0, ticks),
        Axis("", 0.0, 1.0, (), is_shown=False),
        (Bar((0.0, rate_pct), (0.1, 0.9), Tone.PARTIAL, f"{rate_pct:g} %"),),
        (Rule(reference_pct, is_level=False, tone=Tone.INK),),
        notes=(text,),
    )
    return Figure("rate", "", (panel,), f"{rate_pct:g} %, {text}", 0, height_px=_RATE_PX)


def _said(at: Desk, words: str) -> str:
    """The catalogue's translation of a figure's words; the words themselves where it has none."""
    if at.language == "en" or not words:
        return words
    found = next((row for row in catalogue().values() if row["en"] == words), None)
    return found[at.language] if found else words


def _key(point: object) -> str:
    """What a clicked point carries: a text, or a list with one."""
    data = point.get("customdata") if isinstance(point, dict) else None
    if isinstance(data, list | tuple):
        data = data[0] if data else None
    return str(data) if data else ""
