"""Scalable drawings: a list of SVG elements with numbers that are always written the same way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from trialimg.adapters.exporters.figures.look import FONT, INK

__all__ = ["Drawing", "Point", "Style"]

Point = tuple[float, float]
Style = str | float

_TRIANGLE = ((0.0, -1.15), (1.0, 0.75), (-1.0, 0.75))
_MARKERS: dict[str, Sequence[Point]] = {
    "triangle": _TRIANGLE,
    "square": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
    "diamond": ((0.0, -1.2), (1.0, 0.0), (0.0, 1.2), (-1.0, 0.0)),
    "arrow": ((-0.9, -0.9), (1.1, 0.0), (-0.9, 0.9)),
    "arrow to the left": ((0.9, -0.9), (-1.1, 0.0), (0.9, 0.9)),
    "star": tuple(
        (radius * math.sin(turn * math.pi / 5), -radius * math.cos(turn * math.pi / 5))
        for turn, radius in ((turn, 1.3 if turn % 2 == 0 else 0.55) for turn in range(10))
    ),
}
_STROKES: dict[str, Sequence[tuple[Point, Point]]] = {
    "cross": (((-1.0, -1.0), (1.0, 1.0)), ((-1.0, 1.0), (1.0, -1.0))),
    "tick": (((0.0, -1.0), (0.0, 1.0)),),
    "break": (((-1.0, 0.2), (1.0, -0.3)), ((-1.0, 0.7), (1.0, 0.2))),
}


class Drawing:
    """A canvas in CSS pixels, origin at the top left; style words are SVG attributes with ``_`` for ``-``."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._elements: list[str] = []

    def line(self, start: Point, end: Point, **style: Style) -> None:
        self._add("line", {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1], **style})

    def rect(self, corner: Point, size: Point, *, tooltip: str = "", **style: Style) -> None:
        placed = {"x": corner[0], "y": corner[1], "width": size[0], "height": size[1]}
        self._add("rect", {**placed, **style}, tooltip=tooltip)

    def polyline(self, points: Sequence[Point], *, tooltip: str = "", **style: Style) -> None:
        self._add("polyline", {"points": _points(points), "fill": "none", **style}, tooltip=tooltip)

    def polygon(self, points: Sequence[Point], *, tooltip: str = "", **style: Style) -> None:
        self._add("polygon", {"points": _points(points), **style}, tooltip=tooltip)

    def text(self, at: Point, content: str, **style: Style) -> None:
        """One line of text; ``turn`` rotates it about its place, in degrees."""
        turn = style.pop("turn", None)
        placed: dict[str, Style] = {"x": at[0], "y": at[1], "font_size": 11, "fill": INK, **style}
        if turn is not None:
            placed["transform"] = f"rotate({_number(turn)} {_number(at[0])} {_number(at[1])})"
        self._add("text", placed, content=content)

    def marker(self, shape: str, at: Point, radius: float, *, tooltip: str = "", **style: Style) -> None:
        """A circle, triangle, square, diamond, star or arrow; a cross, tick or break is made of strokes."""
        x, y = at
        if shape == "circle":
            self._add("circle", {"cx": x, "cy": y, "r": radius, **style}, tooltip=tooltip)
        elif shape in _STROKES:
            for start, end in _STROKES[shape]:
                ends = [(x + dx * radius, y + dy * radius) for dx, dy in (start, end)]
                self.polyline(ends, tooltip=tooltip, **style)
        else:
            corners = [(x + dx * radius, y + dy * radius) for dx, dy in _MARKERS[shape]]
            self.polygon(corners, tooltip=tooltip, **style)

    def image(self, corner: Point, size: Point, address: str) -> None:
        placed = {"x": corner[0], "y": corner[1], "width": size[0], "height": size[1]}
        self._add("image", {**placed, "preserveAspectRatio": "none", "href": address})

    def svg(self, words: str, *, title: str = "", style: str = "") -> str:
        """The whole drawing.

        Parameters
        ----------
        words
            What it shows, for those who cannot see it.
        title
            Its name; blank: the words are its title.
        style
            Rules of its own, such as the letters it brings along.
        """
        box = f"0 0 {_number(self.width)} {_number(self.height)}"
        size = f'width="{_number(self.width)}" height="{_number(self.height)}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" {size} role="img" font-family="{FONT}">'
        said = f"<title>{escape(title or words)}</title>" + (f"<desc>{escape(words)}</desc>" if title else "")
        rules = f"<style>{style}</style>" if style else ""
        return "".join((head, said, rules, *self._elements, "</svg>"))

    def _add(self, name: str, style: dict[str, Style], *, content: str = "", tooltip: str = "") -> None:
        inside = escape(content) + (f"<title>{escape(tooltip)}</title>" if tooltip else "")
        attributes = "".join(
            f" {key.replace('_', '-')}={quoteattr(value if isinstance(value, str) else _number(value))}"
            for key, value in style.items()
        )
        self._elements.append(f"<{name}{attributes}>{inside}</{name}>" if inside else f"<{name}{attributes}/>")


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: Style) -> str:
    """Two decimals at most, no trailing zeros, never minus zero."""
    if isinstance(value, str):
        return value
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
