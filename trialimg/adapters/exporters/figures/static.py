"""A specified figure as one scalable drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialimg.adapters.exporters.figures.drawing import Drawing, Style
from trialimg.adapters.exporters.figures.letters import font_faces, text_width, wrapped
from trialimg.adapters.exporters.figures.margins import margins_of
from trialimg.adapters.exporters.figures.marks import DASHES, draw_shape
from trialimg.adapters.exporters.figures.panel import draw_panel
from trialimg.services.figures.figure import Figure, LegendItem, Panel, Point
from trialimg.services.figures.palette import LIGHT, Palette
from trialimg.services.figures.tones import Tone

__all__ = ["drawn", "figure_svg"]

TITLE_PX = 15.0
NOTE_PX = 10.0
NOTE_LINE_PX = 13.5
LEGEND_PX = 10.5
LEGEND_LINE_PX = 18.0
LETTERS_PX = 9.0
PAD_PX = 8.0
MESSAGE_PX = 90.0

LegendLine = list[tuple[float, LegendItem]]


def figure_svg(figure: Figure, *, has_words: bool = False, palette: Palette = LIGHT) -> str:
    """The figure as SVG; the same figure gives the same text.

    Parameters
    ----------
    has_words
        Whether title, footnotes and letters are in it too, for a picture that stands alone.
    """
    style = font_faces() if has_words else ""
    return drawn(figure, has_words=has_words, palette=palette).svg(figure.words, title=figure.title, style=style)


def drawn(figure: Figure, *, has_words: bool, palette: Palette = LIGHT) -> Drawing:
    """The figure on a canvas of the size that it needs."""
    width = figure.width_px
    lines = [line for note in figure.footnotes for line in wrapped(note, NOTE_PX, width - 2 * PAD_PX)]
    head = wrapped(figure.title, TITLE_PX, width - 2 * PAD_PX) if has_words else []
    legend = list(_legend_lines(figure.legend, width - 2 * PAD_PX))
    heights = list(_row_heights(figure))
    top = (TITLE_PX * 1.35 * len(head) + 8 if head else 0.0) + LEGEND_LINE_PX * len(legend) + (4 if legend else 0)
    body = sum(heights) if figure.panels else MESSAGE_PX
    foot = NOTE_LINE_PX * len(lines) + 12 if has_words else 0.0
    drawing = Drawing(width, top + body + foot)
    if has_words:
        drawing.rect((0, 0), (width, drawing.height), fill=palette.ground)
    for place, line in enumerate(head):
        at = PAD_PX, TITLE_PX * 1.35 * (place + 1)
        drawing.text(at, line, font_size=TITLE_PX, font_weight=600, fill=palette[Tone.INK].edge)
    _draw_legend(drawing, legend, top - 4 - LEGEND_LINE_PX * len(legend), palette)
    _draw_body(drawing, figure, top, palette)
    for place, line in enumerate(lines if has_words else ()):
        at = PAD_PX, top + body + 14 + NOTE_LINE_PX * place
        drawing.text(at, line, font_size=NOTE_PX, fill=palette[Tone.MUTED].edge)
    return drawing


def _draw_body(drawing: Drawing, figure: Figure, top: float, palette: Palette) -> None:
    if not figure.panels:
        at = figure.width_px / 2, top + MESSAGE_PX / 2
        drawing.text(at, figure.message, font_size=12, text_anchor="middle", fill=palette[Tone.MUTED].edge)
        return
    width = (figure.width_px - 2 * PAD_PX) / figure.panels_a_row
    y = top
    for row, height in zip(_rows(figure), _row_heights(figure), strict=True):
        for place, panel in enumerate(row):
            draw_panel(drawing, panel, (PAD_PX + place * width, y), (width, height), palette=palette)
        y += height


def _rows(figure: Figure) -> Iterator[Sequence[Panel]]:
    for start in range(0, len(figure.panels), figure.panels_a_row):
        yield figure.panels[start : start + figure.panels_a_row]


def _row_heights(figure: Figure) -> Iterator[float]:
    between = PAD_PX if len(figure.panels) > figure.panels_a_row else 0.0
    for row in _rows(figure):
        rooms = [margins_of(panel) for panel in row]
        yield (figure.height_px + max(room.top + room.bottom for room in rooms) + between)


def _legend_lines(items: Sequence[LegendItem], width: float) -> Iterator[LegendLine]:
    """Items with their places from the left, line by line."""
    line: LegendLine = []
    x = 0.0
    for item in items:
        room = _swatch_width(item) + 6 + text_width(item.text, LEGEND_PX)
        if line and x + room > width:
            yield line
            line, x = [], 0.0
        line.append((x, item))
        x += room + 16
    if line:
        yield line


def _swatch_width(item: LegendItem) -> float:
    if item.dash is not None:
        return 26.0
    return 10.0 if item.shape is not None else max(22.0, text_width(item.letters, LETTERS_PX, is_bold=True) + 8)


def _draw_legend(drawing: Drawing, lines: Sequence[LegendLine], top: float, palette: Palette) -> None:
    for number, line in enumerate(lines):
        y = top + LEGEND_LINE_PX * number + LEGEND_LINE_PX / 2
        for x, item in line:
            left = PAD_PX + x
            _draw_swatch(drawing, left, y, item, palette)
            style: dict[str, Style] = {"font_size": LEGEND_PX, "fill": palette[Tone.INK].edge}
            drawing.text((left + _swatch_width(item) + 6, y + 3.7), item.text, **style)


def _draw_swatch(drawing: Drawing, left: float, y: float, item: LegendItem, palette: Palette) -> None:
    colour, width = palette[item.tone], _swatch_width(item)
    if item.dash is not None:
        dashes = DASHES[item.dash]
        ends = (left, y), (left + width, y)
        drawing.polyline(ends, stroke=colour.edge, stroke_width=2.0, stroke_dasharray=dashes)
    elif item.shape is not None:
        draw_shape(drawing, (left + width / 2, y), Point(0, 0, item.shape, item.tone, 4.2), palette)
    else:
        drawing.rect((left, y - 6.5), (width, 13), fill=colour.fill, stroke=colour.edge, stroke_width=0.8, rx=2)
        style: dict[str, Style] = {
            "font_size": LETTERS_PX,
            "font_weight": 600,
            "fill": colour.ink,
            "text_anchor": "middle",
        }
        drawing.text((left + width / 2, y + 3.2), item.letters, **style)
