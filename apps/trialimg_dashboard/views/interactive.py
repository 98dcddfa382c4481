"""A specified figure as Plotly draws it: what the report prints, to be pointed at, zoomed and clicked."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go

from apps.trialimg_dashboard.views.figure_panel import Painter
from apps.trialimg_dashboard.views.figure_plan import LETTER_PX, WIDTH_PX, Plan
from apps.trialimg_dashboard.views.figure_traces import DASHES, Trace, group_of, marker_of
from trialimg.services.figures.figure import Figure, LegendItem, Shape
from trialimg.services.figures.palette import Palette
from trialimg.services.figures.tones import Tone

__all__ = ["interactive"]

FONT = "Source Sans 3, Helvetica Neue, Arial, sans-serif"
LEGEND_PX = 24.0
PAD_PX = 16.0
MESSAGE_PX = 90.0
_LEGEND = {"orientation": "h", "traceorder": "normal", "font": {"size": 11.5}}


def interactive(figure: Figure, palette: Palette) -> go.Figure:
    """The figure as Plotly's; a point or bar carries its key as ``customdata``.

    Parameters
    ----------
    palette
        Of the page's theme.
    """
    if not figure.panels:
        return _message(figure, palette)
    plan = Plan.of(figure)
    traces: list[Trace] = [_legend(item, palette) for item in figure.legend]
    layout: dict[str, Any] = _frame(figure, plan, palette)
    for number, panel in enumerate(figure.panels):
        painter = Painter(panel, number, plan.places[number], height_px=plan.height_px, palette=palette)
        traces += painter.traces()
        layout["annotations"] += painter.annotations()
        layout["shapes"] += painter.shapes()
        layout[f"xaxis{painter.suffix}"] = painter.x_axis()
        layout[f"yaxis{painter.suffix}"] = painter.y_axis()
    return go.Figure({"data": traces, "layout": layout})


def _frame(figure: Figure, plan: Plan, palette: Palette) -> dict[str, Any]:
    letters = sum(len(item.text) + len(item.letters) + 7 for item in figure.legend)
    legend = LEGEND_PX * math.ceil(letters * LETTER_PX / WIDTH_PX) if figure.legend else 0.0
    return {
        "height": plan.height_px + legend + 2 * PAD_PX,
        "margin": {"l": PAD_PX, "r": PAD_PX, "t": legend + PAD_PX, "b": PAD_PX},
        "font": {"family": FONT, "size": 12, "color": palette[Tone.INK].edge},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "barmode": "overlay",
        "hovermode": "closest",
        "dragmode": "zoom",
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "y": 1,
            "yanchor": "bottom",
            "font": {"size": 11.5},
        },
        "annotations": [],
        "shapes": [],
        "meta": {"words": figure.words},
    }


def _message(figure: Figure, palette: Palette) -> go.Figure:
    said = {"text": figure.message, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
    hidden = {"visible": False}
    colours = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
    font = {"family": FONT, "color": palette[Tone.MUTED].edge}
    layout = {"annotations": [said], "xaxis": hidden, "yaxis": hidden, "height": MESSAGE_PX, "font": font, **colours}
    return go.Figure({"data": [], "layout": layout})


def _legend(item: LegendItem, palette: Palette) -> Trace:
    """A name without a mark of its own; a click on it hides what looks like it."""
    colour = palette[item.tone]
    trace: Trace = {
        "type": "scatter",
        "x": [None],
        "y": [None],
        "legendgroup": group_of(item.tone, item.shape),
        "showlegend": True,
    }
    if item.dash is not None:
        line = {"color": colour.edge, "dash": DASHES[item.dash], "width": 2}
        return {**trace, "mode": "lines", "line": line, "name": item.text}
    shape = item.shape or Shape.SQUARE
    name = f"<b>{item.letters}</b> {item.text}" if item.letters else item.text
    return {**trace, "mode": "markers", "marker": marker_of(shape, item.tone, 5.5, palette), "name": name}
