"""One panel on paper: its axes, lines, marks, and the words below and beside."""

from __future__ import annotations

from trialimg.adapters.exporters.figures.drawing import Drawing, Point, Style
from trialimg.adapters.exporters.figures.frame import Frame, apart
from trialimg.adapters.exporters.figures.margins import (
    CELL_PX,
    COLUMN_GAP,
    HEADING_PX,
    MARKER_ROW_PX,
    ROW_PX,
    TICK_PX,
    TITLE_LINE_PX,
    column_width,
    is_of_markers,
    margins_of,
)
from trialimg.adapters.exporters.figures.marks import DASHES, draw_mark, draw_shape
from trialimg.services.figures import figure as spec
from trialimg.services.figures.figure import Align, Column, Panel, Row, Shape, Side
from trialimg.services.figures.palette import Palette
from trialimg.services.figures.tones import Tone

__all__ = ["draw_panel"]

LABEL_GAP = 12.5
HEADING_LINE_PX = 13.0
TITLE_PX = 12.0
AXIS_TITLE_PX = 11.0
WIDEST_MARKER_PX = 4.0
_ANCHORS = {Align.LEFT: "start", Align.RIGHT: "end", Align.CENTRE: "middle"}
_SHARES = {Align.LEFT: 0.0, Align.RIGHT: 1.0, Align.CENTRE: 0.5}


def draw_panel(drawing: Drawing, panel: Panel, corner: Point, size: Point, *, palette: Palette) -> None:
    """A panel in a rectangle, the words around it included."""
    room = margins_of(panel)
    left, top = corner[0] + room.left, corner[1] + room.top
    inner = size[0] - room.left - room.right, size[1] - room.top - room.bottom
    frame = Frame((left, top), inner, panel.x, panel.y)
    painter = _Painter(drawing, frame, panel, palette)
    painter.words_above(corner[1])
    painter.grid()
    painter.rules()
    for mark in panel.marks:
        draw_mark(drawing, frame, mark, palette)
    painter.x_axis(painter.marker_rows())
    painter.y_axis()
    painter.rows(corner[1] + size[1])
    painter.columns(corner[0], corner[0] + size[0])


class _Painter:
    """Draws what surrounds the marks of one panel."""

    def __init__(self, drawing: Drawing, frame: Frame, panel: Panel, palette: Palette) -> None:
        self.drawing = drawing
        self.frame = frame
        self.panel = panel
        self.palette = palette

    def words_above(self, top: float) -> None:
        if self.panel.title:
            self._text((self.frame.left, top + 17), self.panel.title, size=TITLE_PX, is_bold=True)
        below = top + (20 if self.panel.title else 0)
        for place, note in enumerate(self.panel.notes):
            at = self.frame.right, below + 12 + TITLE_LINE_PX * place
            self._text(at, note, is_bold=True, anchor="end")

    def grid(self) -> None:
        frame = self.frame
        style: dict[str, Style] = {"stroke": self.palette.grid, "stroke_width": 1.0}
        for tick in self.panel.y.ticks if self.panel.y.has_grid else ():
            y = frame.y(tick.at)
            self.drawing.line((frame.left, y), (frame.right, y), **style)
        for tick in self.panel.x.ticks if self.panel.x.has_grid else ():
            x = frame.x(tick.at)
            self.drawing.line((x, frame.top), (x, frame.bottom), **style)

    def rules(self) -> None:
        frame = self.frame
        for rule in self.panel.rules:
            ink, dashes = self.palette[rule.tone].edge, DASHES[rule.dash]
            style: dict[str, Style] = {"stroke": ink, "stroke_width": 1.0, "stroke_dasharray": dashes}
            if rule.is_level:
                y = frame.y(rule.at)
                self.drawing.line((frame.left, y), (frame.right, y), **style)
                if rule.text:
                    self._text((frame.right + 5, y + 3.5), rule.text, size=CELL_PX, tone=Tone.MUTED)
            else:
                x = frame.x(rule.at)
                self.drawing.line((x, frame.top), (x, frame.bottom), **style)

    def marker_rows(self) -> float:
        """Shapes right below the axis; how far down they reach."""
        rows = [row for row in self.panel.rows if is_of_markers(row)]
        for place, row in enumerate(rows):
            y = self.frame.bottom + 9 + MARKER_ROW_PX * place
            widest = 0.3 * self.frame.size[0] / max(len(row.cells), 1)
            for cell in row.cells:
                shape = spec.Point(cell.at, 0.0, cell.shape or Shape.CIRCLE, cell.tone, min(WIDEST_MARKER_PX, widest))
                draw_shape(self.drawing, (self.frame.x(cell.at), y), shape, self.palette)
        return MARKER_ROW_PX * len(rows)

    def x_axis(self, below: float) -> None:
        axis, frame = self.panel.x, self.frame
        if not axis.is_shown:
            return
        bottom, ink = frame.bottom, self.palette[Tone.AXIS].edge
        if not axis.is_turned:
            self.drawing.line((frame.left, bottom), (frame.right, bottom), stroke=ink, stroke_width=1)
        for tick in axis.ticks:
            x = frame.x(tick.at)
            if axis.is_turned:
                size = min(TICK_PX, 0.85 * frame.size[0] / max(len(axis.ticks), 1))
                style: dict[str, Style] = {"font_size": size, "text_anchor": "end", "turn": -90}
                self.drawing.text((x + size / 3, bottom + below + 6), tick.text, **style)
            else:
                self.drawing.line((x, bottom), (x, bottom + 4), stroke=ink, stroke_width=1)
                self._text((x, bottom + below + 15), tick.text, size=TICK_PX, tone=Tone.MUTED, anchor="middle")
        first = bottom + below + (31 if axis.ticks else 17)
        for place, line in enumerate(axis.title.split("\n")):
            at = frame.left + frame.size[0] / 2, first + TITLE_LINE_PX * place
            self._text(at, line, size=AXIS_TITLE_PX, anchor="middle")

    def y_axis(self) -> None:
        axis, left = self.panel.y, self.frame.left
        if not axis.is_shown:
            return
        for tick in axis.ticks:
            y = self.frame.y(tick.at) + 3.5
            if tick.is_bold:
                self._text((left, y), tick.text, is_bold=True)
            else:
                tone = Tone.MUTED if axis.title else Tone.INK
                self._text((left - 6, y), tick.text, size=TICK_PX, tone=tone, anchor="end")
        if axis.title:
            from_left = left - margins_of(self.panel).left + AXIS_TITLE_PX + 1
            at = from_left, self.frame.top + self.frame.size[1] / 2
            self.drawing.text(at, axis.title, text_anchor="middle", font_size=AXIS_TITLE_PX, turn=-90)

    def rows(self, end: float) -> None:
        """Rows of words, counted from the panel's lower edge."""
        rows = [row for row in self.panel.rows if not is_of_markers(row)]
        y = end - 4 - sum(ROW_PX + (HEADING_PX if row.heading else 0.0) for row in rows)
        for row in rows:
            if row.heading:
                y += HEADING_PX
                at = self.frame.left - margins_of(self.panel).left + 4, y - 2
                self._text(at, row.heading, size=CELL_PX, tone=Tone.MUTED)
            y += ROW_PX
            self._row(row, y - 3)

    def _row(self, row: Row, y: float) -> None:
        self._text((self.frame.left - 22, y), row.title, size=CELL_PX, tone=row.tone, is_bold=True, anchor="end")
        for cell in row.cells:
            at = self.frame.x(cell.at), y
            self._text(at, cell.text, size=CELL_PX, tone=cell.tone, is_bold=cell.is_bold, anchor="middle")

    def columns(self, left: float, right: float) -> None:
        x = left + 4
        for column in self.panel.columns:
            if column.side is Side.LEFT:
                self._column(column, x)
                x += column_width(column) + COLUMN_GAP
        x = right
        for column in reversed([one for one in self.panel.columns if one.side is Side.RIGHT]):
            x -= column_width(column)
            self._column(column, x)
            x -= COLUMN_GAP

    def _column(self, column: Column, left: float) -> None:
        x = left + _SHARES[column.align] * column_width(column)
        anchor = _ANCHORS[column.align]
        if column.title:
            for place, line in enumerate(reversed(column.title.split("\n"))):
                above = x, self.frame.top - 6 - HEADING_LINE_PX * place
                self._text(above, line, size=CELL_PX, tone=Tone.MUTED, is_bold=True, anchor=anchor)
        wished = [self.frame.y(cell.at) for cell in column.cells]
        places = apart(wished, LABEL_GAP, self.frame.top + 4, self.frame.bottom) if column.are_apart else wished
        for cell, y, own in zip(column.cells, places, wished, strict=True):
            self._text((x, y + 3.5), cell.text, size=CELL_PX, tone=cell.tone, is_bold=cell.is_bold, anchor=anchor)
            if cell.leads_from is not None:
                start, edge = self.frame.x(cell.leads_from) + 5, self.frame.right
                points = [(start, own), (edge + 3, y), (left - 2, y)]
                self.drawing.polyline(points, stroke=self.palette[Tone.AXIS].edge, stroke_width=0.6)

    def _text(
        self,
        at: Point,
        text: str,
        *,
        size: float = 11.0,
        tone: Tone = Tone.INK,
        is_bold: bool = False,
        anchor: str = "",
    ) -> None:
        style: dict[str, Style] = {"font_size": size, "fill": self.palette[tone].edge}
        if is_bold:
            style["font_weight"] = 600
        if anchor:
            style["text_anchor"] = anchor
        self.drawing.text(at, text, **style)
