"""SAS transport files of version 5, made from their description in TS-140."""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["Cell", "transport_file"]

Cell = str | float | None


def record(text: str) -> bytes:
    return text.encode().ljust(80)


def filled(data: bytes) -> bytes:
    return data + b" " * (-len(data) % 80)


def ibm(value: float | None) -> bytes:
    """The IBM hexadecimal float of a number; SAS's plain missing value for None."""
    if value is None:
        return b"." + b"\0" * 7
    size, exponent = abs(value), 64
    while size >= 1:
        size, exponent = size / 16, exponent + 1
    while 0 < size < 1 / 16:
        size, exponent = size * 16, exponent - 1
    if size == 0:
        return b"\0" * 8
    return bytes([exponent | (0x80 if value < 0 else 0)]) + round(size * 2**56).to_bytes(7, "big")


def transport_file(columns: dict[str, Sequence[Cell]], width: int = 10) -> bytes:
    """A transport file of one data set; text cells ``width`` bytes wide."""
    header = "HEADER RECORD*******{0:<8}HEADER RECORD!!!!!!!{1}"
    stamp = "01JAN24:00:00:00"
    parts = [
        record(header.format("LIBRARY ", "0" * 30)),
        record("SAS     SAS     SASLIB  9.4     X64     ".ljust(64) + stamp),
        record(stamp),
        record(header.format("MEMBER  ", "000000000000000001600000000140")),
        record(header.format("DSCRPTR ", "0" * 30)),
        record("SAS     TR      SASDATA 9.4     X64     ".ljust(64) + stamp),
        record(stamp),
        record(header.format("NAMESTR ", f"000000{len(columns):04d}00000000000000000000")),
    ]
    names, start = b"", 0
    for number, (name, cells) in enumerate(columns.items(), start=1):
        numeric = not any(isinstance(cell, str) for cell in cells)
        length = 8 if numeric else width
        head = struct.pack(">hhhh8s40s8shhh2s8shhl52s", 1 if numeric else 2, 0, length, number, name.ljust(8).encode(),
                           b" " * 40, b" " * 8, 0, 0, 0, b"", b" " * 8, 0, 0, start, b"")  # fmt: skip
        names, start = names + head, start + length
    rows = b"".join(
        b"".join(cell.encode().ljust(width) if isinstance(cell, str) else ibm(cell) for cell in row)
        for row in zip(*columns.values(), strict=True)
    )
    return b"".join(parts) + filled(names) + record(header.format("OBS     ", "0" * 30)) + filled(rows)
