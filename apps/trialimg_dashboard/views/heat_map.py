"""Correlations as a map of colours, neighbours alike."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from trialimg.services.analyse_radiomics import Clusters
from trialimg.services.figures.palette import DARK, LIGHT
from trialimg.services.figures.tones import Tone

__all__ = ["heat_map"]

_EDGE_PX = 620
_LOW, _MIDDLE, _HIGH = ("#2166ac", "#6baed6"), ("#f7f7f7", "#20262d"), ("#b2182b", "#ef8a62")
_LONGEST = 28


def heat_map(found: Clusters, name: str) -> go.Figure:
    """Spearman's correlations from -1 (blue) over 0 to 1 (red); the names are told when a field is pointed at."""
    is_dark = st.context.theme.type == "dark"
    ink = (DARK if is_dark else LIGHT)[Tone.INK].edge
    low, middle, high = (pair[is_dark] for pair in (_LOW, _MIDDLE, _HIGH))
    shown = len(found.names) <= _LONGEST
    names = list(found.names)
    fields = go.Heatmap(
        z=found.rho,
        x=names,
        y=names,
        zmin=-1,
        zmax=1,
        colorscale=[[0, low], [0.5, middle], [1, high]],
        colorbar={"title": name, "thickness": 12},
        hovertemplate="%{x}<br>%{y}<br>%{z:.2f}<extra></extra>",
    )
    axis = {"showticklabels": shown, "automargin": True, "ticks": ""}
    layout = {
        "height": _EDGE_PX,
        "margin": {"l": 16, "r": 16, "t": 16, "b": 16},
        "font": {"color": ink, "size": 11},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": axis,
        "yaxis": {**axis, "autorange": "reversed"},
    }
    return go.Figure(fields, layout)
