"""How much room the words around a panel need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.adapters.exporters.figures.letters import text_width
from trialimg.services.figures.figure import Cell, Column, Panel, Row, Side

__all__ = [
    "CELL_PX",
    "COLUMN_GAP",
    "HEADING_PX",
    "MARKER_ROW_PX",
    "ROW_PX",
    "TICK_PX",
    "TITLE_LINE_PX",
    "Margins",
    "column_width",
    "is_of_markers",
    "margins_of",
]

TICK_PX = 10.5
CELL_PX = 10.5
TITLE_LINE_PX = 15.0
ROW_PX = 16.0
MARKER_ROW_PX = 15.0
HEADING_PX = 16.0
COLUMN_GAP = 14.0
_LEAST = 12.0
_TURNED_TITLE = 20.0


@dataclass(frozen=True)
class Margins:
    """Room in CSS pixels outside of the axes."""

    left: float
    right: float
    top: float
    bottom: float


def margins_of(panel: Panel) -> Margins:
    """The room that ticks, titles, rows and columns of a panel take."""
    return Margins(_left(panel), _right(panel), _top(panel), _bottom(panel))


def column_width(column: Column) -> float:
    """The widest of a column's cells and its heading."""
    cells = [text_width(cell.text, CELL_PX, is_bold=cell.is_bold) for cell in column.cells]
    return max([text_width(column.title, CELL_PX, is_bold=True), *cells])


def is_of_markers(row: Row) -> bool:
    """Whether a row has shapes in place of words; it stands right below the axis."""
    return all(cell.shape is not None for cell in row.cells)


def _left(panel: Panel) -> float:
    names = [tick for tick in panel.y.ticks if not tick.is_bold]
    widest = _widest([Cell(tick.at, tick.text) for tick in names]) if panel.y.is_shown else 0.0
    axis = (widest + 8 if names and panel.y.is_shown else 0.0) + (_TURNED_TITLE if panel.y.title else 0.0)
    beside = sum(column_width(column) + COLUMN_GAP for column in panel.columns if column.side is Side.LEFT)
    rows = max((text_width(row.title, CELL_PX, is_bold=True) + 28 for row in panel.rows if row.title), default=0.0)
    half_tick = _widest([Cell(tick.at, tick.text) for tick in panel.x.ticks[:1]]) / 2 if panel.x.is_shown else 0.0
    turned = 0.0 if panel.x.is_turned else half_tick
    return max(_LEAST, axis + beside, rows, turned)


def _right(panel: Panel) -> float:
    beside = sum(column_width(column) + COLUMN_GAP for column in panel.columns if column.side is Side.RIGHT)
    rules = max(
        (text_width(rule.text, CELL_PX) + 8 for rule in panel.rules if rule.text and rule.is_level), default=0.0
    )
    return max(_LEAST, beside + rules + (2 if beside else 0))


def _top(panel: Panel) -> float:
    headings = HEADING_PX * max((column.title.count("\n") + 1 for column in panel.columns if column.title), default=0)
    return 8.0 + (20.0 if panel.title else 0.0) + headings + TITLE_LINE_PX * len(panel.notes)


def _bottom(panel: Panel) -> float:
    markers = MARKER_ROW_PX * sum(is_of_markers(row) for row in panel.rows)
    written = [row for row in panel.rows if not is_of_markers(row)]
    below = sum(ROW_PX + (HEADING_PX if row.heading else 0.0) for row in written) + (8.0 if written else 0.0)
    if not panel.x.is_shown:
        return 8.0 + below
    names = [Cell(tick.at, tick.text) for tick in panel.x.ticks]
    ticks = (_widest(names) if panel.x.is_turned else TICK_PX) + 9 if names else 4.0
    title = TITLE_LINE_PX * len(panel.x.title.split("\n")) + 2 if panel.x.title else 0.0
    return markers + ticks + title + below + 4


def _widest(cells: Sequence[Cell]) -> float:
    return max((text_width(cell.text, TICK_PX, is_bold=cell.is_bold) for cell in cells), default=0.0)
