"""The marks of a figure as Plotly's traces; those that look alike share one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trialimg.services.figures.figure import Band, Bar, Dash, Line, Mark, Point, Shape, Side, Text
from trialimg.services.figures.palette import Palette
from trialimg.services.figures.tones import Tone

__all__ = ["DASHES", "Trace", "group_of", "marker_of", "points_trace", "traces_of"]

CLEARANCE_PX = 4.0
"""Between a place and its words: an unseen marker keeps them off."""

Trace = dict[str, Any]
DASHES = {Dash.SOLID: "solid", Dash.DASHED: "dash", Dash.DOTTED: "dot", Dash.MIXED: "dashdot"}
_SYMBOLS = {
    Shape.CIRCLE: "circle",
    Shape.TRIANGLE: "triangle-up",
    Shape.SQUARE: "square",
    Shape.DIAMOND: "diamond",
    Shape.OPEN_DIAMOND: "diamond-open",
    Shape.RING: "circle-open",
    Shape.STAR: "star",
    Shape.ARROW: "triangle-right",
    Shape.ARROW_LEFT: "triangle-left",
    Shape.CROSS: "x-thin",
    Shape.TICK: "line-ns",
    Shape.BREAK: "line-ew",
    Shape.CHIP: "square",
}
_COMMON = (None, Shape.CHIP, Shape.CIRCLE)
_THIN = (Shape.CROSS, Shape.TICK, Shape.BREAK)
_POSITIONS = {
    Side.ABOVE: "top center",
    Side.BELOW: "bottom center",
    Side.LEFT: "middle left",
    Side.RIGHT: "middle right",
    Side.CENTRE: "middle center",
}


def traces_of(marks: Sequence[Mark], palette: Palette) -> list[Trace]:
    """Areas first, then bars, lines, points and words, as they are painted over one another."""
    of = _sorted_out(marks)
    return [
        *(_band(band, palette) for band in of.bands),
        *(_bars(tone, bars, palette) for tone, bars in of.bars.items()),
        *(_lines(lines, palette) for lines in of.lines.values()),
        *(points_trace(points, palette) for points in of.points.values()),
        *(_texts(texts, palette) for texts in of.texts.values()),
    ]


def group_of(tone: Tone, shape: Shape | None) -> str:
    """What a click on a legend's item hides: everything of its colour, or of its colour and special shape."""
    return tone.value if shape in _COMMON else f"{tone.value}, {shape.value if shape else ''}"


def marker_of(shape: Shape, tone: Tone, size: float, palette: Palette) -> dict[str, Any]:
    """The look of a point: symbol, size, fill and edge."""
    colour = palette[tone]
    wide = 2.0 if shape in _THIN else 1.0
    marker = {"symbol": _SYMBOLS[shape], "size": 2 * size, "line": {"color": colour.edge, "width": wide}}
    return {**marker, "color": colour.edge if _SYMBOLS[shape].endswith("-open") else colour.fill}


def _bars(tone: Tone, bars: Sequence[Bar], palette: Palette) -> Trace:
    colour = palette[tone]
    return {
        "type": "bar",
        "legendgroup": tone.value,
        "x": [(bar.x[0] + bar.x[1]) / 2 for bar in bars],
        "width": [abs(bar.x[1] - bar.x[0]) for bar in bars],
        "base": [bar.y[0] for bar in bars],
        "y": [bar.y[1] - bar.y[0] for bar in bars],
        "customdata": [bar.key for bar in bars],
        "hovertext": [bar.about for bar in bars],
        "hoverinfo": "text",
        "marker": {"color": colour.fill, "line": {"color": colour.edge, "width": 0.8}},
    }


def _lines(lines: Sequence[Line], palette: Palette) -> Trace:
    """Lines that look alike in one trace, with gaps between them."""
    first = lines[0]
    xs: list[float | None] = []
    ys: list[float | None] = []
    said: list[str] = []
    for line in lines:
        xs += [*(x for x, _ in line.points), None]
        ys += [*(y for _, y in line.points), None]
        said += [line.about] * (len(line.points) + 1)
    shape = "hv" if first.is_step else "linear"
    style = {"color": palette[first.tone].edge, "dash": DASHES[first.dash], "width": first.width}
    return {
        "type": "scatter",
        "cliponaxis": False,
        "mode": "lines",
        "legendgroup": first.tone.value,
        "x": xs,
        "y": ys,
        "line": {**style, "shape": shape},
        **_hover(said),
    }


def _band(band: Band, palette: Palette) -> Trace:
    upper = [(x, high) for x, _, high in band.points]
    lower = [(x, low) for x, low, _ in reversed(band.points)]
    outline = [*upper, *lower]
    colour = palette[band.tone].fill
    return {
        "type": "scatter",
        "cliponaxis": False,
        "mode": "lines",
        "legendgroup": band.tone.value,
        "x": [x for x, _ in outline],
        "y": [y for _, y in outline],
        "fill": "toself",
        "fillcolor": _see_through(colour, band.opacity),
        "line": {"width": 0},
        **_hover([band.about] * len(outline)),
        "hoveron": "fills",
        "text": band.about,
    }


def points_trace(points: Sequence[Point], palette: Palette) -> Trace:
    """Points of one look; each carries its key as ``customdata``."""
    first = points[0]
    is_chip = first.shape is Shape.CHIP
    size = 1.25 * first.size if is_chip else first.size
    trace: Trace = {
        "type": "scatter",
        "cliponaxis": False,
        "mode": "markers+text" if is_chip else "markers",
        "legendgroup": group_of(first.tone, first.shape),
        "x": [point.x for point in points],
        "y": [point.y for point in points],
        "customdata": [point.key for point in points],
        "marker": marker_of(first.shape, first.tone, size, palette),
        **_hover([point.about for point in points]),
    }
    if is_chip:
        trace["text"] = [point.letters for point in points]
        trace["textfont"] = {"size": 1.2 * first.size, "color": palette[first.tone].ink, "weight": 600}
    return trace


def _texts(texts: Sequence[Text], palette: Palette) -> Trace:
    first = texts[0]
    away = "<br>" * first.lines_away
    return {
        "type": "scatter",
        "cliponaxis": False,
        "mode": "markers+text",
        "marker": {"size": 2 * CLEARANCE_PX, "opacity": 0},
        "x": [text.x for text in texts],
        "y": [text.y for text in texts],
        "text": [f"{text.text}{away}" if first.side is Side.ABOVE else f"{away}{text.text}" for text in texts],
        "textposition": _POSITIONS[first.side],
        "textfont": {
            "size": first.size,
            "color": palette[first.tone].edge,
            "weight": 600 if first.is_bold else 400,
        },
        "hoverinfo": "skip",
    }


@dataclass(frozen=True)
class _SortedOut:
    """Marks that look alike together, so that a figure of many subjects has few traces."""

    bars: Mapping[Tone, list[Bar]]
    lines: Mapping[object, list[Line]]
    points: Mapping[object, list[Point]]
    texts: Mapping[object, list[Text]]
    bands: tuple[Band, ...]


def _sorted_out(marks: Sequence[Mark]) -> _SortedOut:
    bars: dict[Tone, list[Bar]] = defaultdict(list)
    lines: dict[object, list[Line]] = defaultdict(list)
    points: dict[object, list[Point]] = defaultdict(list)
    texts: dict[object, list[Text]] = defaultdict(list)
    for mark in marks:
        if isinstance(mark, Bar):
            bars[mark.tone].append(mark)
        elif isinstance(mark, Line):
            lines[mark.tone, mark.dash, mark.width, mark.is_step].append(mark)
        elif isinstance(mark, Point):
            points[mark.shape, mark.tone, round(mark.size, 1)].append(mark)
        elif isinstance(mark, Text) and not mark.is_turned:
            texts[mark.side, mark.tone, mark.size, mark.is_bold, mark.lines_away].append(mark)
    return _SortedOut(bars, lines, points, texts, tuple(mark for mark in marks if isinstance(mark, Band)))


def _hover(said: Sequence[str]) -> Trace:
    return {"hovertext": list(said), "hoverinfo": "text"} if any(said) else {"hoverinfo": "skip"}


def _see_through(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
