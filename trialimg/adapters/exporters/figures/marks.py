"""The marks of a figure as shapes on paper."""

from __future__ import annotations

from collections.abc import Sequence

from trialimg.adapters.exporters.figures.drawing import Drawing, Point, Style
from trialimg.adapters.exporters.figures.frame import Frame
from trialimg.adapters.exporters.figures.letters import text_width
from trialimg.services.figures import figure as spec
from trialimg.services.figures.figure import Dash, Shape, Side
from trialimg.services.figures.palette import Palette
from trialimg.services.figures.tones import Tone

__all__ = ["DASHES", "draw_mark", "draw_shape"]

DASHES = {Dash.SOLID: "none", Dash.DASHED: "5 3", Dash.DOTTED: "2 3", Dash.MIXED: "9 3 2 3"}
LEAST_BAR_PX = 1.5
HEAD_PX = 6.0
LINE_PX = 11.0
BOX_LINE_PX = 14.0
_OUTLINED = (Shape.RING, Shape.OPEN_DIAMOND)
_STROKED = (Shape.CROSS, Shape.TICK)


def draw_mark(drawing: Drawing, frame: Frame, mark: spec.Mark, palette: Palette) -> None:
    """One mark at its place."""
    match mark:
        case spec.Bar():
            _draw_bar(drawing, frame, mark, palette)
        case spec.Line():
            _draw_line(drawing, frame, mark, palette)
        case spec.Band():
            _draw_band(drawing, frame, mark, palette)
        case spec.Point():
            place = frame.at(mark.x, mark.y)
            draw_shape(drawing, place, mark, palette)
        case spec.Text():
            _draw_text(drawing, frame, mark, palette)
        case spec.Box():
            _draw_box(drawing, frame, mark, palette)
        case spec.Arrow():
            _draw_arrow(drawing, frame, mark, palette)


def draw_shape(drawing: Drawing, place: Point, mark: spec.Point, palette: Palette) -> None:
    """A point in its shape, with its letters."""
    colour, shape, about = palette[mark.tone], mark.shape, mark.about
    if shape is Shape.CHIP:
        _draw_chip(drawing, place, mark, palette)
    elif shape is Shape.BREAK:
        drawing.marker(shape.value, place, mark.size, stroke=palette.ground, stroke_width=2.5)
    elif shape in _STROKED:
        drawing.marker(shape.value, place, mark.size, tooltip=about, stroke=colour.edge, stroke_width=_stroke(mark))
    elif shape in _OUTLINED:
        ground = palette.ground if shape is Shape.OPEN_DIAMOND else "none"
        form = "diamond" if shape is Shape.OPEN_DIAMOND else "circle"
        drawing.marker(form, place, mark.size, tooltip=about, fill=ground, stroke=colour.edge, stroke_width=1.3)
    else:
        drawing.marker(shape.value, place, mark.size, tooltip=about, fill=colour.fill, stroke=colour.edge)


def _stroke(mark: spec.Point) -> float:
    return 2.2 if mark.shape is Shape.CROSS else 1.5


def _draw_chip(drawing: Drawing, place: Point, mark: spec.Point, palette: Palette) -> None:
    (x, y), half, colour = place, mark.size, palette[mark.tone]
    size = 1.2 * half
    wide = max(1.33 * half, text_width(mark.letters, size, is_bold=True) / 2 + 2)
    style: dict[str, Style] = {"fill": colour.fill, "stroke": colour.edge, "stroke_width": 1.0, "rx": 0.4 * half}
    drawing.rect((x - wide, y - half), (2 * wide, 2 * half), tooltip=mark.about, **style)
    letters: dict[str, Style] = {"font_size": size, "font_weight": 600, "fill": colour.ink, "text_anchor": "middle"}
    drawing.text((x, y + 0.36 * size), mark.letters, **letters)


def _draw_bar(drawing: Drawing, frame: Frame, mark: spec.Bar, palette: Palette) -> None:
    (x0, x1), (y0, y1) = sorted(map(frame.x, mark.x)), sorted(map(frame.y, mark.y))
    size = max(x1 - x0, LEAST_BAR_PX), max(y1 - y0, LEAST_BAR_PX)
    colour = palette[mark.tone]
    drawing.rect((x0, y0), size, tooltip=mark.about, fill=colour.fill, stroke=colour.edge, stroke_width=0.8)


def _draw_line(drawing: Drawing, frame: Frame, mark: spec.Line, palette: Palette) -> None:
    points: list[Point] = []
    for x, y in mark.points:
        place = frame.at(x, y)
        if mark.is_step and points:
            points.append((place[0], points[-1][1]))
        points.append(place)
    style: dict[str, Style] = {
        "stroke": palette[mark.tone].edge,
        "stroke_width": mark.width,
        "stroke_dasharray": DASHES[mark.dash],
    }
    drawing.polyline(points, tooltip=mark.about, **style)


def _draw_band(drawing: Drawing, frame: Frame, mark: spec.Band, palette: Palette) -> None:
    upper = [frame.at(x, high) for x, _, high in mark.points]
    lower = [frame.at(x, low) for x, low, _ in reversed(mark.points)]
    colour = palette[mark.tone].fill
    drawing.polygon([*upper, *lower], tooltip=mark.about, fill=colour, fill_opacity=mark.opacity)


def _draw_text(drawing: Drawing, frame: Frame, mark: spec.Text, palette: Palette) -> None:
    x, y = frame.at(mark.x, mark.y)
    style: dict[str, Style] = {"font_size": mark.size, "fill": palette[mark.tone].edge}
    if mark.is_bold:
        style["font_weight"] = 600
    if mark.is_turned:
        anchor, dy = ("start", -3.0) if mark.side is Side.ABOVE else ("end", 3.0)
        drawing.text((x + 0.36 * mark.size, y + dy), mark.text, text_anchor=anchor, turn=-90, **style)
        return
    dx, dy, anchor = _OFFSETS[mark.side]
    away = mark.lines_away * LINE_PX * (-1 if mark.side is Side.ABOVE else 1)
    drop = 0.8 * mark.size if mark.side is Side.BELOW else 0.0
    drawing.text((x + dx, y + dy + drop + away), mark.text, text_anchor=anchor, **style)


_OFFSETS = {
    Side.ABOVE: (0.0, -5.0, "middle"),
    Side.BELOW: (0.0, 5.0, "middle"),
    Side.LEFT: (-7.0, 3.5, "end"),
    Side.RIGHT: (7.0, 3.5, "start"),
    Side.CENTRE: (0.0, 3.5, "middle"),
}


def _draw_box(drawing: Drawing, frame: Frame, mark: spec.Box, palette: Palette) -> None:
    (x0, x1), (y0, y1) = sorted(map(frame.x, mark.x)), sorted(map(frame.y, mark.y))
    colour = palette[mark.tone]
    drawing.rect((x0, y0), (x1 - x0, y1 - y0), fill=palette.ground, stroke=colour.edge, stroke_width=1.4, rx=4)
    drawing.rect((x0, y0), (5, y1 - y0), fill=colour.fill, stroke=colour.edge, stroke_width=0.8)
    middle = (y0 + y1) / 2 - BOX_LINE_PX * (len(mark.lines) - 1) / 2 + 4
    for place, line in enumerate(mark.lines):
        style: dict[str, Style] = {"font_weight": 600} if place == 0 else {}
        drawing.text(((x0 + x1) / 2 + 2, middle + BOX_LINE_PX * place), line, text_anchor="middle", **style)


def _draw_arrow(drawing: Drawing, frame: Frame, mark: spec.Arrow, palette: Palette) -> None:
    points = [frame.at(x, y) for x, y in mark.points]
    (x0, y0), (x1, y1) = points[-2:]
    length = max(abs(x1 - x0), abs(y1 - y0)) or 1.0
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    back = (x1 - HEAD_PX * dx, y1 - HEAD_PX * dy)
    ink = palette[Tone.MUTED].edge
    drawing.polyline([*points[:-1], back], stroke=ink, stroke_width=1.3)
    side = 0.5 * HEAD_PX
    head: Sequence[Point] = (
        (x1, y1),
        (back[0] - dy * side, back[1] + dx * side),
        (back[0] + dy * side, back[1] - dx * side),
    )
    drawing.polygon(head, fill=ink)
