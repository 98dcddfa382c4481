"""A summary table as HTML, by great-tables."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

import pandas as pd
from great_tables import GT, html

from trialimg.adapters.exporters.rendering import environment
from trialimg.adapters.exporters.tables.cells import Room, room_of, split
from trialimg.services.tabulation.table import SummaryTable

__all__ = ["table_fragment", "table_page"]

LETTER_EM = 0.56
"""Width of the widest digit or letter of a number in units of its size."""
_STUB, _GROUP = "label", "group"
_FONT = "'Report Sans', 'Source Sans 3', Arial, sans-serif"
_LOOK: dict[str, Any] = {
    "table_font_size": "12px",
    "table_width": "100%",
    "heading_align": "left",
    "heading_title_font_weight": "600",
    "column_labels_font_weight": "600",
    "row_group_font_weight": "600",
    "row_group_padding": "4px",
    "data_row_padding": "3px",
    "source_notes_font_size": "10px",
    "source_notes_padding": "2px",
}


def table_page(table: SummaryTable) -> str:
    """A page that asks for nothing from outside of itself; the same table gives the same text."""
    body = table_fragment(table)
    return environment().get_template("table.html.j2").render(table=table, body=body)


def table_fragment(table: SummaryTable) -> str:
    """The table alone, to be put into a page."""
    columns = [f"c{place}" for place in range(len(table.columns))]
    rows = [(group, row.label, *row.cells) for group, members in table.groups for row in members]
    frame = pd.DataFrame(rows, columns=[_GROUP, _STUB, *columns], dtype=str)
    named = any(group for group, _ in table.groups)
    made = GT(frame, rowname_col=_STUB, groupname_col=_GROUP if named else None, id=f"table-{table.name}")
    if not named:
        made = made.cols_hide(_GROUP)
    for place, name in enumerate(columns):
        room = room_of(row.cells[place] for row in table.rows)
        made = made.fmt(partial(_cell, room=room), columns=name)
    heads: dict[str, Any] = {
        name: html(escape(head).replace("\n", "<br>")) for name, head in zip(columns, table.columns, strict=True)
    }
    made = made.cols_label(heads).cols_align("center", columns=columns)
    made = made.tab_header(html(escape(table.title)), html(escape(table.subtitle)) if table.subtitle else None)
    for note in table.footnotes:
        made = made.tab_source_note(html(escape(note)))
    return str(made.opt_table_font(font=_FONT).tab_options(**_LOOK).as_raw_html())


def _cell(text: str, *, room: Room) -> str:
    """Both sides of the decimal mark in boxes of the column's widths."""
    part = split(text)
    if not part.is_number:
        return escape(text)
    before = f'<span class="whole" style="width:{LETTER_EM * room.whole:.2f}em">{escape(part.whole)}</span>'
    after = f'<span class="rest" style="width:{LETTER_EM * room.rest:.2f}em">{escape(part.rest)}</span>'
    return before + after
