"""A summary table as rich text, as word processors read it.

References
----------
Microsoft Corporation. Rich Text Format (RTF) specification, version 1.9.1, 2008 (table definitions; Unicode).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialimg.adapters.exporters.tables.cells import Room, room_of, split
from trialimg.services.tabulation.table import SummaryTable

__all__ = ["rtf_of"]

PAGE_TWIPS = (15840, 12240)
"""Letter, landscape."""
MARGIN_TWIPS = 1080
STUB_SHARE = 0.36
LETTER_TWIPS = 105
"""Of a digit at 9 points, for the place of a decimal tab."""
_HEAD = r"{\rtf1\ansi\ansicpg1252\deff0\uc1{\fonttbl{\f0\fswiss\fcharset0 Arial;}}"
_ASCII_END, _PLANE, _SIGNED_END = 128, 0x10000, 32768
_SIZE, _NOTE_SIZE = r"\fs18", r"\fs16"


def rtf_of(table: SummaryTable) -> bytes:
    """Title, heading that repeats on every page, rows with decimal tabs, footnotes; the same table, the same bytes."""
    width, height = PAGE_TWIPS
    page = rf"\paperw{width}\paperh{height}\landscape"
    page += "".join(rf"\marg{side}{MARGIN_TWIPS}" for side in "lrtb")
    info = rf"{{\info{{\title {_text(table.title)}}}}}"
    parts = [_HEAD, info, page, _paragraph(table.title, r"\b\fs22", r"\sa60\keepn")]
    if table.subtitle:
        parts.append(_paragraph(table.subtitle, _SIZE, r"\sa60\keepn"))
    parts += _rows(table)
    parts += [_paragraph(note, _NOTE_SIZE, r"\sb40") for note in table.footnotes]
    return ("\n".join(parts) + "\n}").encode("ascii")


def _rows(table: SummaryTable) -> Iterator[str]:
    edges = _edges(len(table.columns))
    rooms = [room_of(row.cells[place] for row in table.rows) for place in range(len(table.columns))]
    heads = [_cell(text, r"\qc\b" if place else r"\ql\b") for place, text in enumerate(("", *table.columns))]
    yield _row(heads, edges, r"\trhdr", r"\clbrdrt\brdrs\brdrw15\clbrdrb\brdrs\brdrw15")
    last = table.rows[-1] if table.rows else None
    for group, rows in table.groups:
        if group:
            yield _row([_cell(group, r"\ql\b\keepn")], edges[-1:], "", "")
        for row in rows:
            cells = [_cell(row.label, r"\ql\li180" if group else r"\ql")]
            for place, text in enumerate(row.cells):
                cells.append(_number(text, rooms[place], edges[place + 1] - edges[place]))
            border = r"\clbrdrb\brdrs\brdrw15" if row is last else ""
            yield _row(cells, edges, "", border)


def _edges(columns: int) -> list[int]:
    """Right edges of the cells."""
    whole = PAGE_TWIPS[0] - 2 * MARGIN_TWIPS
    stub = round(STUB_SHARE * whole)
    each = (whole - stub) / max(columns, 1)
    return [stub, *(round(stub + each * (place + 1)) for place in range(columns))]


def _row(cells: Sequence[str], edges: Sequence[int], kind: str, border: str) -> str:
    defined = "".join(rf"{border}\clvertalb\cellx{edge}" for edge in edges)
    return rf"\trowd\trgaph80\trkeep{kind}{defined}" + "\n" + "\n".join(cells) + "\n" + r"\row"


def _cell(text: str, style: str) -> str:
    lines = r"\line ".join(map(_text, text.split("\n")))
    return rf"\pard\intbl{style}{_SIZE} {lines}\cell" + (r"\b0" if r"\b" in style else "")


def _number(text: str, room: Room, width: int) -> str:
    """A number at the decimal tab of its column; words in the middle of it."""
    if not split(text).is_number:
        return _cell(text, r"\qc")
    taken = LETTER_TWIPS * (room.whole + room.rest)
    tab = max((width - taken) // 2, 0) + LETTER_TWIPS * room.whole
    return rf"\pard\intbl\ql\tqdec\tx{tab}{_SIZE} {_text(text)}\cell"


def _paragraph(text: str, letters: str, style: str) -> str:
    return rf"{{\pard{style}{letters} {_text(text)}\par}}"


def _text(text: str) -> str:
    """Characters that are commands, or not ASCII, as RTF writes them."""
    return "".join(_letter(letter) for letter in text)


def _letter(letter: str) -> str:
    if letter in "\\{}":
        return f"\\{letter}"
    code = ord(letter)
    if code < _ASCII_END:
        return letter if letter.isprintable() else " "
    units = [code] if code < _PLANE else [0xD800 + ((code - _PLANE) >> 10), 0xDC00 + ((code - _PLANE) & 0x3FF)]
    return "".join(rf"\u{unit - 2 * _SIGNED_END if unit >= _SIGNED_END else unit}?" for unit in units)
