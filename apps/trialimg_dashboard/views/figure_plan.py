"""How much room the panels of a figure and the words around them take on a page."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from trialimg.services.figures.figure import Axis, Column, Figure, Panel, Side

__all__ = ["HEADING_PX", "LETTER_PX", "ROW_PX", "WIDTH_PX", "Place", "Plan", "below", "on_axis", "spread", "width_of"]

LETTER_PX = 5.9
ROW_PX = 17.0
HEADING_PX = 22.0
WIDTH_PX = 640.0
"""Of a row of panels, for what is placed beside them; the page decides the width."""


@dataclass(frozen=True)
class Place:
    """The rectangle of a panel's axes, in shares of the paper."""

    x: tuple[float, float]
    y: tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """Where every panel of a figure lies."""

    height_px: float
    """Between the margins."""
    places: tuple[Place, ...]

    @classmethod
    def of(cls, figure: Figure) -> Plan:
        """Rows of panels from above, each with the room that its words need."""
        rows = [figure.panels[i : i + figure.panels_a_row] for i in range(0, len(figure.panels), figure.panels_a_row)]
        tall = [figure.height_px + max(_above(p) for p in row) + max(below(p) for p in row) for row in rows]
        total = sum(tall)
        places, top = [], total
        for row, height in zip(rows, tall, strict=True):
            low, high = top - height + max(map(below, row)), top - max(map(_above, row))
            for place, panel in enumerate(row):
                places.append(Place(_across(panel, place, len(row)), (low / total, high / total)))
            top -= height
        return cls(total, tuple(places))


def _above(panel: Panel) -> float:
    headed = HEADING_PX if any(column.title for column in panel.columns) else 0.0
    return 6 + (HEADING_PX if panel.title else 0.0) + headed + ROW_PX * len(panel.notes)


def below(panel: Panel) -> float:
    """Height in pixels of the words below a panel's axes."""
    written = [row for row in panel.rows if any(cell.text for cell in row.cells)]
    names = 14 + LETTER_PX * max((len(tick.text) for tick in panel.x.ticks), default=0) if panel.x.is_turned else 18.0
    title = HEADING_PX * (1 + panel.x.title.count("\n")) if panel.x.title else 0.0
    rows = sum(ROW_PX + (ROW_PX if row.heading else 0.0) for row in written) + (10 if written else 0)
    return (names + title if panel.x.is_shown else 4.0) + rows


def _beside(panel: Panel, side: Side) -> float:
    columns = sum(width_of(column) for column in panel.columns if column.side is side)
    rules = [len(rule.text) for rule in panel.rules if rule.text and rule.is_level and side is Side.RIGHT]
    names = [len(row.title) for row in panel.rows if side is Side.LEFT]
    return max(columns, LETTER_PX * max(rules, default=0), LETTER_PX * max(names, default=0) + 20 if names else 0.0)


def width_of(column: Column) -> float:
    """Width in pixels of a column of words, with the gap beside it."""
    return LETTER_PX * max(len(column.title), *(len(cell.text) for cell in column.cells), 0) + 12


def _across(panel: Panel, place: int, count: int) -> tuple[float, float]:
    room = WIDTH_PX / count
    gap = 0.15 * room if place and panel.y.is_shown else 0.0
    left = (place * room + gap + _beside(panel, Side.LEFT)) / WIDTH_PX
    right = ((place + 1) * room - _beside(panel, Side.RIGHT)) / WIDTH_PX
    return left, max(right, left + 0.1)


def on_axis(axis: Axis, value: float) -> float:
    """A place for ranges and words, which Plotly wants as the logarithm on a logarithmic axis."""
    return math.log10(value) if axis.is_log else value


def spread(column: Column, axis: Axis, height_px: float) -> Iterator[tuple[float, str, bool]]:
    """Place, words and weight of the cells; those that would overlap moved down."""
    gap = (axis.high - axis.low) * ROW_PX * 0.8 / height_px if column.are_apart and not axis.is_log else 0.0
    last = math.inf
    for cell in column.cells:
        last = min(cell.at, last - gap) if gap else cell.at
        yield last, cell.text, cell.is_bold
