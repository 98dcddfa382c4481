"""One panel of a figure for Plotly: its traces, its axes, and the words around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from apps.trialimg_dashboard.views.figure_plan import (
    HEADING_PX,
    ROW_PX,
    WIDTH_PX,
    Place,
    below,
    on_axis,
    spread,
    width_of,
)
from apps.trialimg_dashboard.views.figure_traces import DASHES, Trace, points_trace, traces_of
from trialimg.services.figures.figure import Align, Arrow, Axis, Box, Panel, Point, Rule, Shape, Side, Text
from trialimg.services.figures.palette import Palette
from trialimg.services.figures.tones import Tone

__all__ = ["Painter"]

EDGE_SHARE = 0.02
_ANCHORS = {Align.LEFT: "left", Align.RIGHT: "right", Align.CENTRE: "center"}
_SHARES = {Align.LEFT: 0.0, Align.RIGHT: 1.0, Align.CENTRE: 0.5}


class Painter:
    """Turns one panel into traces, axes and words."""

    def __init__(self, panel: Panel, number: int, place: Place, *, height_px: float, palette: Palette) -> None:
        self.panel = panel
        self.place = place
        self.height_px = height_px
        self.palette = palette
        self.suffix = str(number + 1) if number else ""

    def traces(self) -> list[Trace]:
        rules = [self._rule(rule) for rule in self.panel.rules]
        rows = [points_trace(points, self.palette) for points in self._row_points().values()]
        axes = {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}", "showlegend": False}
        return [{**trace, **axes} for trace in (*rules, *traces_of(self.panel.marks, self.palette), *rows)]

    def _row_points(self) -> Mapping[object, list[Point]]:
        """Markers of arms stand on the lower edge of the panel."""
        cells = [cell for row in self.panel.rows for cell in row.cells if cell.shape is not None]
        found: dict[object, list[Point]] = defaultdict(list)
        edge = self.panel.y.low + EDGE_SHARE * (self.panel.y.high - self.panel.y.low)
        for cell in cells:
            size = min(4.0, 0.3 * WIDTH_PX / len(cells))
            found[cell.shape].append(Point(cell.at, edge, cell.shape or Shape.CIRCLE, cell.tone, size))
        return found

    def _rule(self, rule: Rule) -> Trace:
        x, y = self.panel.x, self.panel.y
        across, up = ([x.low, x.high], [rule.at] * 2) if rule.is_level else ([rule.at] * 2, [y.low, y.high])
        line = {"color": self.palette[rule.tone].edge, "dash": DASHES[rule.dash], "width": 1}
        return {"type": "scatter", "mode": "lines", "x": across, "y": up, "line": line, "hoverinfo": "skip"}

    def shapes(self) -> list[dict[str, Any]]:
        """Boxes, and the ways of arrows but for their last stretch."""
        refs = {"xref": f"x{self.suffix}", "yref": f"y{self.suffix}"}
        found: list[dict[str, Any]] = []
        for mark in self.panel.marks:
            if isinstance(mark, Box):
                line = {"color": self.palette[mark.tone].edge, "width": 1.6}
                (x0, x1), (y0, y1) = mark.x, mark.y
                found.append({"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line, **refs})
            elif isinstance(mark, Arrow):
                line = {"color": self.palette[Tone.MUTED].edge, "width": 1.4}
                for (x0, y0), (x1, y1) in zip(mark.points[:-2], mark.points[1:-1], strict=True):
                    found.append({"type": "line", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line, **refs})
        return found

    def annotations(self) -> list[dict[str, Any]]:
        """Every word that stands beside or below the marks, or is turned."""
        found = [*self._words_above(), *self._row_words(), *self._column_words(), *self._rule_words()]
        for mark in self.panel.marks:
            if isinstance(mark, Text) and mark.is_turned:
                found.append(self._turned(mark))
            elif isinstance(mark, Box):
                found.append(self._boxed(mark))
            elif isinstance(mark, Arrow):
                found.append(self._headed(mark))
        return found

    def _said(self, text: str, x: float, y: float, **style: object) -> dict[str, Any]:
        refs = {"xref": f"x{self.suffix}", "yref": f"y{self.suffix}"}
        return {"text": text, "x": x, "y": y, "showarrow": False, "font": {"size": 11.5}, **refs, **style}

    def _words_above(self) -> Iterator[dict[str, Any]]:
        top, one = self.place.y[1], 1 / self.height_px
        side = {"yref": "paper", "xref": f"x{self.suffix} domain", "yanchor": "bottom"}
        above = top + (HEADING_PX - 6 if any(column.title for column in self.panel.columns) else 4) * one
        if self.panel.title:
            yield self._said(f"<b>{self.panel.title}</b>", 0, above, xanchor="left", **side)
        for place, note in enumerate(reversed(self.panel.notes)):
            yield self._said(f"<b>{note}</b>", 1, above + place * ROW_PX * one, xanchor="right", **side)

    def _row_words(self) -> Iterator[dict[str, Any]]:
        one = 1 / self.height_px
        rows = [row for row in self.panel.rows if any(cell.text for cell in row.cells)]
        used = sum(ROW_PX + (ROW_PX if row.heading else 0.0) for row in rows) + (10 if rows else 0)
        y = self.place.y[0] - (below(self.panel) - used) * one
        left = {"xref": f"x{self.suffix} domain", "yref": "paper", "yanchor": "top", "x": -0.03}
        for row in rows:
            if row.heading:
                muted = {"size": 11.5, "color": self.palette[Tone.MUTED].edge}
                yield {**self._said(row.heading, 0, y, font=muted, xanchor="left"), **left, "x": -0.03}
                y -= ROW_PX * one
            colour = {"size": 11.5, "color": self.palette[row.tone].edge}
            yield {**self._said(f"<b>{row.title}</b>", 0, y, font=colour, xanchor="right"), **left}
            for cell in row.cells:
                yield self._said(cell.text, on_axis(self.panel.x, cell.at), y, yref="paper", yanchor="top")
            y -= ROW_PX * one

    def _column_words(self) -> Iterator[dict[str, Any]]:
        width = self.place.x[1] - self.place.x[0]
        before = sum(width_of(column) for column in self.panel.columns if column.side is Side.LEFT)
        x = {Side.LEFT: -before / WIDTH_PX / width, Side.RIGHT: 1 + 8 / WIDTH_PX / width}
        for column in self.panel.columns:
            share = _SHARES[column.align]
            own = (width_of(column) - 12) / WIDTH_PX / width
            at = {"xref": f"x{self.suffix} domain", "xanchor": _ANCHORS[column.align]}
            place = x[column.side] + share * own
            if column.title:
                yield self._said(f"<b>{column.title}</b>", place, self.place.y[1], yref="paper", yanchor="bottom", **at)
            for cell in spread(column, self.panel.y, self.height_px * (self.place.y[1] - self.place.y[0])):
                text = f"<b>{cell[1]}</b>" if cell[2] else cell[1]
                yield self._said(text, place, on_axis(self.panel.y, cell[0]), **at)
            x[column.side] += width_of(column) / WIDTH_PX / width

    def _rule_words(self) -> Iterator[dict[str, Any]]:
        muted = {"size": 11, "color": self.palette[Tone.MUTED].edge}
        at = {"xref": f"x{self.suffix} domain", "xanchor": "left", "font": muted}
        for rule in self.panel.rules:
            if rule.text and rule.is_level:
                yield self._said(rule.text, 1.005, on_axis(self.panel.y, rule.at), **at)

    def _turned(self, text: Text) -> dict[str, Any]:
        anchor = "bottom" if text.side is Side.ABOVE else "top"
        font = {"size": text.size, "weight": 600 if text.is_bold else 400}
        return self._said(text.text, text.x, text.y, textangle=-90, yanchor=anchor, font=font)

    def _boxed(self, box: Box) -> dict[str, Any]:
        first, *others = box.lines
        return self._said("<br>".join((f"<b>{first}</b>", *others)), sum(box.x) / 2, sum(box.y) / 2)

    def _headed(self, arrow: Arrow) -> dict[str, Any]:
        (x0, y0), (x1, y1) = arrow.points[-2:]
        style = {"showarrow": True, "arrowhead": 2, "arrowwidth": 1.4, "arrowcolor": self.palette[Tone.MUTED].edge}
        start = {"ax": x0, "ay": y0, "axref": f"x{self.suffix}", "ayref": f"y{self.suffix}"}
        return self._said("", x1, y1, **style, **start)

    def x_axis(self) -> dict[str, Any]:
        axis = self._axis(self.panel.x, self.place.x)
        return {**axis, "anchor": f"y{self.suffix}", "tickangle": -90 if self.panel.x.is_turned else 0}

    def y_axis(self) -> dict[str, Any]:
        axis = self._axis(self.panel.y, self.place.y)
        return {**axis, "anchor": f"x{self.suffix}", "automargin": True}

    def _axis(self, axis: Axis, domain: tuple[float, float]) -> dict[str, Any]:
        """Without a line, as Plotly would close the frame with it."""
        return {
            "domain": list(domain),
            "range": [on_axis(axis, axis.low), on_axis(axis, axis.high)],
            "type": "log" if axis.is_log else "linear",
            "visible": axis.is_shown,
            "title": {"text": axis.title.replace("\n", "<br>"), "standoff": 6, "font": {"size": 12}},
            "tickmode": "array",
            "tickvals": [tick.at for tick in axis.ticks],
            "ticktext": [f"<b>{tick.text}</b>" if tick.is_bold else tick.text for tick in axis.ticks],
            "showgrid": axis.has_grid,
            "gridcolor": self.palette.grid,
            "zeroline": False,
            "showline": False,
            "tickfont": {"size": 11.5},
        }
