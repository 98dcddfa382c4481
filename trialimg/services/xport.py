"""SAS transport files (XPT, version 5), as regulators receive them, turned into a table of text.

References
----------
SAS Institute. The record layout of a data set in SAS transport (XPORT) format. Technical support document TS-140.
"""

from __future__ import annotations

import csv
import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from trialimg.core.errors import ReadingError

__all__ = ["XportTable", "XportVariable", "is_xport", "read_xport", "xport_as_csv"]

_RECORD = 80
_LIBRARY = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_NAMESTR = b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!"
_OBS = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
_NAMESTR_BYTES = 140
_MEMBER_AT = 5 * _RECORD
_NUMERIC = 1
_BIAS, _FRACTION_BITS = 64, 56


@dataclass(frozen=True)
class XportVariable:
    """One column of a transport file."""

    name: str
    label: str
    numeric: bool
    start: int
    length: int
    form: str
    """Name of the SAS format; blank where there is none."""

    def value(self, row: bytes) -> str | float | None:
        """The cell of a row; None where it is missing or blank."""
        cell = row[self.start : self.start + self.length]
        return _number(cell) if self.numeric else cell.decode("utf-8", "replace").rstrip() or None

    def text(self, row: bytes) -> str:
        """The cell of a row as text; blank where SAS says missing."""
        value = self.value(row)
        return format(value, ".15g") if isinstance(value, float) else value or ""


@dataclass(frozen=True)
class XportTable:
    """The one data set of a transport file."""

    name: str
    label: str
    variables: tuple[XportVariable, ...]
    rows: tuple[tuple[str | float | None, ...], ...]


def is_xport(data: bytes) -> bool:
    """Whether some bytes are a transport file of version 5."""
    return data.startswith(_LIBRARY)


def xport_as_csv(data: bytes, source: str) -> str:
    """The one data set of a transport file as CSV, numbers in their shortest decimal form.

    Parameters
    ----------
    source
        File name, as the user knows it, for the messages.

    Raises
    ------
    ReadingError
        If the file is cut off, or not of version 5.
    """
    variables, rows = _parts(data, source)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([variable.name for variable in variables])
    for row in rows:
        writer.writerow([variable.text(row) for variable in variables])
    return file.getvalue()


def read_xport(data: bytes, source: str) -> XportTable:
    """The one data set of a transport file, with the names and labels that it gives.

    Raises
    ------
    ReadingError
        If the file is cut off, or not of version 5.
    """
    variables, rows = _parts(data, source)
    member = data[_MEMBER_AT : _MEMBER_AT + 2 * _RECORD]
    name, label = (member[at : at + size].decode("utf-8", "replace").strip() for at, size in ((8, 8), (112, 40)))
    return XportTable(name, label, variables, tuple(tuple(v.value(row) for v in variables) for row in rows))


def _parts(data: bytes, source: str) -> tuple[tuple[XportVariable, ...], Iterator[bytes]]:
    """The columns and the raw rows."""
    names_at, rows_at = data.find(_NAMESTR), data.find(_OBS)
    if not is_xport(data) or names_at < 0 or rows_at < names_at:
        raise ReadingError(f"{source} is no SAS transport file of version 5, or is cut off; save the table as CSV")
    first = names_at + _RECORD
    try:
        count = int(data[names_at + 54 : names_at + 58])
        variables = tuple(_variable(data[first + n * _NAMESTR_BYTES :][:_NAMESTR_BYTES]) for n in range(count))
    except (ValueError, struct.error) as fault:
        raise ReadingError(f"{source}: the description of its columns cannot be read; save the table as CSV") from fault
    length = max((v.start + v.length for v in variables), default=0)
    return variables, _rows(data[rows_at + _RECORD :], length) if length > 0 else iter(())


def _variable(described: bytes) -> XportVariable:
    kind, _, length, _, name, label, form = struct.unpack(">hhhh8s40s8s", described[:64])
    (start,) = struct.unpack(">l", described[84:88])
    text = label.decode("utf-8", "replace").strip()
    return XportVariable(
        name.decode("ascii").strip(), text, kind == _NUMERIC, start, length, form.decode("ascii", "replace").strip()
    )


def _rows(data: bytes, length: int) -> Iterator[bytes]:
    """Whole rows; the blanks that fill the last record are none."""
    for start in range(0, len(data) - length + 1, length):
        row = data[start : start + length]
        if row.strip(b" ") or data[start:].strip(b" "):
            yield row


def _number(cell: bytes) -> float | None:
    """An IBM hexadecimal float; None for a missing value (a letter, dot or underscore, then zeros)."""
    cell = cell.ljust(8, b"\0")
    if cell[0] in b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ" and not any(cell[1:]):
        return None
    fraction = int.from_bytes(cell[1:], "big")
    size = math.ldexp(fraction, 4 * ((cell[0] & 0x7F) - _BIAS) - _FRACTION_BITS)
    return -size if cell[0] & 0x80 else size
