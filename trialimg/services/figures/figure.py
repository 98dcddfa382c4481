"""What a figure consists of: marks in the units of its axes, named colours, words; nothing about paper or screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from trialimg.services.figures.tones import Tone

__all__ = [
    "Align",
    "Arrow",
    "Axis",
    "Band",
    "Bar",
    "Box",
    "Cell",
    "Column",
    "Dash",
    "Figure",
    "LegendItem",
    "Line",
    "Mark",
    "Panel",
    "Point",
    "Row",
    "Rule",
    "Shape",
    "Side",
    "Text",
    "Tick",
    "translated",
]

Place = tuple[float, float]


class Side(Enum):
    """Where a text stands, seen from its place."""

    ABOVE = "above"
    BELOW = "below"
    LEFT = "left"
    RIGHT = "right"
    CENTRE = "centre"


class Align(Enum):
    """How the cells of a column stand below one another."""

    LEFT = "left"
    RIGHT = "right"
    CENTRE = "centre"


class Shape(Enum):
    """The form of a point; each can be told from the others without its colour."""

    CIRCLE = "circle"
    TRIANGLE = "triangle"
    SQUARE = "square"
    DIAMOND = "diamond"
    OPEN_DIAMOND = "open diamond"
    RING = "ring"
    STAR = "star"
    ARROW = "arrow"
    """To the right: goes on."""
    ARROW_LEFT = "arrow to the left"
    CROSS = "cross"
    TICK = "tick"
    BREAK = "break"
    """Two strokes through a bar that goes on beyond the axis."""
    CHIP = "chip"
    """A small plate that carries letters."""


class Dash(Enum):
    """The style of a line."""

    SOLID = "solid"
    DASHED = "dashed"
    DOTTED = "dotted"
    MIXED = "mixed"


@dataclass(frozen=True)
class Bar:
    """A rectangle between two places."""

    x: Place
    y: Place
    tone: Tone
    about: str = ""
    """Said to whoever points at the mark."""
    key: str = ""
    """What a click on it leads to, such as the code of a case."""


@dataclass(frozen=True)
class Line:
    """Points joined; a step line keeps its height until the next point."""

    points: tuple[Place, ...]
    tone: Tone
    is_step: bool = False
    dash: Dash = Dash.SOLID
    width: float = 1.8
    about: str = ""
    key: str = ""


@dataclass(frozen=True)
class Band:
    """The area between a lower and an upper line."""

    points: tuple[tuple[float, float, float], ...]
    """Where, lower, upper."""
    tone: Tone
    opacity: float = 0.12
    about: str = ""


@dataclass(frozen=True)
class Point:
    """A mark at one place."""

    x: float
    y: float
    shape: Shape
    tone: Tone
    size: float = 4.0
    """Half of its width in CSS pixels."""
    letters: str = ""
    about: str = ""
    key: str = ""


@dataclass(frozen=True)
class Text:
    """Words at a place."""

    x: float
    y: float
    text: str
    side: Side = Side.CENTRE
    tone: Tone = Tone.INK
    size: float = 10.5
    is_bold: bool = False
    is_turned: bool = False
    """Read from below to above."""
    lines_away: int = 0
    """How many lines of text stand between it and its place."""
    key: str = ""


@dataclass(frozen=True)
class Box:
    """A frame with lines of text, the first of them bold."""

    x: Place
    y: Place
    lines: tuple[str, ...]
    tone: Tone = Tone.ACCENT


@dataclass(frozen=True)
class Arrow:
    """A way through several places, with a head at the last."""

    points: tuple[Place, ...]


Mark = Bar | Line | Band | Point | Text | Box | Arrow


@dataclass(frozen=True)
class Tick:
    """A number or name on an axis."""

    at: float
    text: str
    is_bold: bool = False


@dataclass(frozen=True)
class Axis:
    """What the edge of a panel stands for."""

    title: str
    low: float
    high: float
    ticks: tuple[Tick, ...]
    has_grid: bool = False
    is_log: bool = False
    is_shown: bool = True
    is_turned: bool = False
    """Tick names are read from below to above."""


@dataclass(frozen=True)
class Rule:
    """A straight line through a whole panel, such as the threshold of a criterion."""

    at: float
    is_level: bool = True
    """Level: at a value of the y axis; else upright."""
    text: str = ""
    dash: Dash = Dash.DASHED
    tone: Tone = Tone.MUTED


@dataclass(frozen=True)
class Cell:
    """A word of a row or column at a place of the axis that it runs along."""

    at: float
    text: str
    is_bold: bool = False
    tone: Tone = Tone.INK
    shape: Shape | None = None
    leads_from: float | None = None
    """In a column: a thin line leads to the words from this place of the x axis."""


@dataclass(frozen=True)
class Row:
    """Words below a panel, each at its place of the x axis (numbers at risk)."""

    title: str
    cells: tuple[Cell, ...]
    tone: Tone = Tone.INK
    heading: str = ""
    """Stands above the row's title, where a group of rows begins."""


@dataclass(frozen=True)
class Column:
    """Words beside a panel, each at its place of the y axis (counts and intervals of a forest plot)."""

    title: str
    cells: tuple[Cell, ...]
    side: Side = Side.RIGHT
    align: Align = Align.LEFT
    are_apart: bool = False
    """Cells that would overlap are moved apart, in their order."""


@dataclass(frozen=True)
class Panel:
    """One pair of axes with what is drawn between them, below and beside."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    rules: tuple[Rule, ...] = ()
    rows: tuple[Row, ...] = ()
    columns: tuple[Column, ...] = ()
    title: str = ""
    notes: tuple[str, ...] = ()
    """Lines in the panel's upper right corner, such as the answer of a test."""


@dataclass(frozen=True)
class LegendItem:
    """What a colour, shape or line stands for."""

    text: str
    tone: Tone
    shape: Shape | None = None
    """None: a swatch with letters; else the mark itself."""
    letters: str = ""
    dash: Dash | None = None
    """A piece of line in this style."""


@dataclass(frozen=True)
class Figure:
    """One figure, complete: whoever draws it decides nothing and estimates nothing."""

    name: str
    """The kind of figure, such as ``waterfall``."""
    title: str
    panels: tuple[Panel, ...]
    words: str
    """What it shows, for those who cannot see it."""
    n: int
    """Subjects, cases or features it rests on."""
    legend: tuple[LegendItem, ...] = ()
    footnotes: tuple[str, ...] = ()
    """How to read it; method, data cut, programme."""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """The estimates as they were given, by name."""
    message: str = ""
    """Why there is nothing to draw; then there are no panels."""
    panels_a_row: int = 1
    width_px: float = 700.0
    height_px: float = 280.0
    """Of one panel between its axes."""


def translated(figure: Figure, say: Callable[[str], str]) -> Figure:
    """The figure with its titles, axes, boxes and legend in another language; ``say`` gives back what it cannot say."""

    def line(words: str) -> str:
        """Words alone, or words with a number behind them: ``awaiting a read: 3``."""
        head, colon, number = words.rpartition(": ")
        return f"{say(head)}{colon}{number}" if number.isdecimal() else say(words)

    def mark(one: Mark) -> Mark:
        return replace(one, lines=tuple(map(line, one.lines))) if isinstance(one, Box) else one

    def panel(one: Panel) -> Panel:
        return replace(
            one,
            title=say(one.title),
            x=replace(one.x, title=say(one.x.title)),
            y=replace(one.y, title=say(one.y.title)),
            marks=tuple(map(mark, one.marks)),
            columns=tuple(replace(column, title=say(column.title)) for column in one.columns),
            rows=tuple(replace(row, title=say(row.title), heading=say(row.heading)) for row in one.rows),
        )

    return replace(
        figure,
        title=say(figure.title),
        message=say(figure.message),
        panels=tuple(panel(one) for one in figure.panels),
        legend=tuple(replace(item, text=say(item.text)) for item in figure.legend),
    )
