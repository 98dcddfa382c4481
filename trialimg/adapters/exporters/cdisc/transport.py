"""SAS transport files, version 5, within the limits that regulators set.

References
----------
SAS Institute. The record layout of a data set in SAS transport (XPORT) format. Technical support document TS-140.
FDA. Study data technical conformance guide: names of at most 8 characters, labels of 40, texts of 200 bytes, ASCII.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
from collections.abc import Iterator, Mapping

from trialimg.core.errors import Fault, ReadingError
from trialimg.services.cdisc.delivery import SAS_EPOCH
from trialimg.services.cdisc.specification import Kind, Value, Variable
from trialimg.services.cdisc.tables import Table

__all__ = ["ibm_float", "transport_bytes", "transport_faults"]

_LONGEST_TEXT, _LONGEST_LABEL = 200, 40
_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
_RECORD, _NAMESTR_BYTES = 80, 140
_LARGEST = 1e75
_BIAS, _FRACTION_BITS = 64, 56
_MISSING = b"." + bytes(7)


def ibm_float(value: float) -> bytes:
    """A number as an IBM hexadecimal float of 8 bytes; every double of ordinary size is exact.

    Raises
    ------
    ValueError
        If it is not finite, or too large for the format.
    """
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise ValueError(f"{value} cannot stand in a transport file")
    if value == 0:
        return bytes(8)
    mantissa, exponent = math.frexp(abs(value))
    sixteens = -(-exponent // 4)
    fraction = int(math.ldexp(mantissa, _FRACTION_BITS - (4 * sixteens - exponent)))
    if sixteens + _BIAS < 0:
        raise ValueError(f"{value} is too small for a transport file")
    return bytes([(0x80 if value < 0 else 0) | (sixteens + _BIAS)]) + fraction.to_bytes(7, "big")


def transport_faults(table: Table) -> Iterator[Fault]:
    """Everything that a transport file cannot hold: names, labels, texts that are too long or not ASCII, numbers."""
    if not _NAME.fullmatch(table.name):
        yield Fault(table.name, "bad_name", "is no name of at most 8 capitals and digits")
    if len(table.spec.label) > _LONGEST_LABEL:
        yield Fault(table.name, "long_label", f"its label has more than {_LONGEST_LABEL} characters")
    for variable in table.variables:
        where = f"{table.name}.{variable.name}"
        if not _NAME.fullmatch(variable.name):
            yield Fault(where, "bad_name", "is no name of at most 8 capitals and digits")
        if len(variable.label) > _LONGEST_LABEL or not variable.label.isascii():
            yield Fault(where, "long_label", f"its label is not ASCII of at most {_LONGEST_LABEL} characters")
        for number, value in enumerate(table.values(variable.name), start=1):
            wrong = _wrong(variable, value)
            if wrong:
                yield Fault(f"{where} record {number}", "bad_value", f"{value!r} {wrong}")


def _wrong(variable: Variable, value: Value) -> str:
    if value is None:
        return ""
    if not variable.kind.is_text:
        is_number = isinstance(value, dt.date) if variable.kind is Kind.SAS_DATE else isinstance(value, int | float)
        return "" if is_number else f"is no {variable.kind.value}"
    text = str(value)
    if not text.isascii():
        return "is not ASCII; leave xpt out, or write it in ASCII where it was read"
    if any(ord(letter) < ord(" ") for letter in text):
        return "has a control character"
    return "" if len(text) <= _LONGEST_TEXT else f"has more than {_LONGEST_TEXT} bytes"


def transport_bytes(table: Table, lengths: Mapping[str, int], created: dt.datetime) -> bytes:
    """A dataset as a transport file; the same data and moment give the same bytes.

    Parameters
    ----------
    lengths
        Variable to bytes, the same in every dataset of a delivery.

    Raises
    ------
    ReadingError
        With everything that such a file cannot hold.
    """
    faults = tuple(transport_faults(table))
    if faults:
        raise ReadingError(f"{table.name} cannot be written as a transport file: {len(faults)} fault(s)", faults)
    widths = [lengths[v.name] if v.kind.is_text else 8 for v in table.variables]
    names = b"".join(_namestrs(table, widths))
    rows = b"".join(_cells(table, widths))
    return b"".join((_head(table, created), _padded(names), _header("OBS"), _padded(rows)))


def _header(kind: str, numbers: str = "0" * 30) -> bytes:
    return f"HEADER RECORD*******{kind:<8}HEADER RECORD!!!!!!!{numbers:<30}  ".encode("ascii")


def _head(table: Table, created: dt.datetime) -> bytes:
    stamp = created.strftime("%d%b%y:%H:%M:%S").upper()
    sas = f"SAS     SAS     SASLIB  9.4     {'':8}{'':24}{stamp}"
    member = f"SAS     {table.name:<8}SASDATA 9.4     {'':8}{'':24}{stamp}"
    columns = f"{'0' * 6}{len(table.variables):04d}{'0' * 20}"
    return b"".join(
        (
            _header("LIBRARY"),
            sas.encode("ascii"),
            f"{stamp:<80}".encode("ascii"),
            _header("MEMBER", f"{'0' * 17}1600000000140"),
            _header("DSCRPTR"),
            member.encode("ascii"),
            f"{stamp}{'':16}{table.spec.label:<40}{'':8}".encode("ascii"),
            _header("NAMESTR", columns),
        )
    )


def _namestrs(table: Table, widths: list[int]) -> Iterator[bytes]:
    start = 0
    for number, (variable, width) in enumerate(zip(table.variables, widths, strict=True), start=1):
        is_date = variable.kind is Kind.SAS_DATE
        form = b"DATE" if is_date else b""
        kind = 2 if variable.kind.is_text else 1
        yield struct.pack(
            ">hhhh8s40s8shhh2s8shhl52s", kind, 0, width, number,
            variable.name.encode("ascii").ljust(8), variable.label.encode("ascii").ljust(40), form.ljust(8),
            9 if is_date else 0, 0, 0, b"", b"".ljust(8), 0, 0, start, b"",
        )  # fmt: skip
        start += width


def _cells(table: Table, widths: list[int]) -> Iterator[bytes]:
    for row in table.rows:
        for variable, width in zip(table.variables, widths, strict=True):
            yield _cell(row.get(variable.name), width, is_text=variable.kind.is_text)


def _cell(value: Value, width: int, *, is_text: bool) -> bytes:
    if is_text:
        return ("" if value is None else str(value)).encode("ascii").ljust(width)
    if isinstance(value, dt.date):
        value = (value - SAS_EPOCH).days
    return _MISSING if value is None else ibm_float(float(value))


def _padded(data: bytes) -> bytes:
    return data + b" " * (-len(data) % _RECORD)
