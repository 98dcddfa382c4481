"""SAS transport files (XPT, version 5), as regulators receive them, turned into a table of text.

References
----------
SAS Institute. The record layout of a data set in SAS transport (XPORT) format. Technical support document TS-140.
"""

from __future__ import annotations

import csv
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from trialimg.core.errors import ReadingError

__all__ = ["is_xport", "xport_as_csv"]

_RECORD = 80
_LIBRARY = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_NAMESTR = b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!"
_OBS = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
_NAMESTR_BYTES = 140
_NUMERIC = 1
_BIAS, _FRACTION_BITS = 64, 56


@dataclass(frozen=True)
class _Variable:
    name: str
    numeric: bool
    start: int
    length: int

    def text(self, row: bytes) -> str:
        """The cell of a row; blank where SAS says missing."""
        cell = row[self.start : self.start + self.length]
        return _number(cell) if self.numeric else cell.decode("utf-8", "replace").rstrip()


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
    names_at, rows_at = data.find(_NAMESTR), data.find(_OBS)
    if not is_xport(data) or names_at < 0 or rows_at < names_at:
        raise ReadingError(f"{source} is no SAS transport file of version 5, or is cut off; save the table as CSV")
    count = int(data[names_at + 54 : names_at + 58])
    first = names_at + _RECORD
    variables = [_variable(data[first + n * _NAMESTR_BYTES :]) for n in range(count)]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([variable.name for variable in variables])
    for row in _rows(data[rows_at + _RECORD :], max(v.start + v.length for v in variables)):
        writer.writerow([variable.text(row) for variable in variables])
    return file.getvalue()


def _variable(described: bytes) -> _Variable:
    kind, _, length, _, name = struct.unpack(">hhhh8s", described[:16])
    (start,) = struct.unpack(">l", described[84:88])
    return _Variable(name.decode("ascii").strip(), kind == _NUMERIC, start, length)


def _rows(data: bytes, length: int) -> Iterator[bytes]:
    """Whole rows; the blanks that fill the last record are none."""
    for start in range(0, len(data) - length + 1, length):
        row = data[start : start + length]
        if row.strip(b" ") or data[start:].strip(b" "):
            yield row


def _number(cell: bytes) -> str:
    """An IBM hexadecimal float as text; blank for a missing value (a letter, dot or underscore, then zeros)."""
    cell = cell.ljust(8, b"\0")
    if cell[0] in b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ" and not any(cell[1:]):
        return ""
    fraction = int.from_bytes(cell[1:], "big")
    size = fraction * 16.0 ** ((cell[0] & 0x7F) - _BIAS) / 2.0**_FRACTION_BITS
    return format(-size if cell[0] & 0x80 else size, ".15g")
