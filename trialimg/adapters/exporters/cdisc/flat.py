"""Datasets as CSV and as Parquet."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trialimg.core.errors import ReadingError
from trialimg.services.cdisc.delivery import Column, Delivered, typed
from trialimg.services.cdisc.specification import Kind, Value
from trialimg.services.cdisc.tables import Table

__all__ = ["csv_bytes", "parquet_bytes", "read_csv", "read_parquet"]

_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.ISO_DATE: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.SAS_DATE: pa.date32(),
}


def csv_bytes(table: Table) -> bytes:
    """A dataset as CSV: UTF-8, a blank cell is missing, dates ISO 8601, numbers in their shortest exact form.

    Nothing is put before a text that a spreadsheet may take for a formula: these files are read by programs, and
    must come back as they went.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([variable.name for variable in table.variables])
    writer.writerows([_text(row.get(v.name)) for v in table.variables] for row in table.rows)
    return text.getvalue().encode()


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def read_csv(data: bytes, source: str, name: str) -> Delivered:
    """The dataset of a CSV; what its columns are is known from its name alone.

    Raises
    ------
    ReadingError
        If it is no table, or no UTF-8.
    """
    try:
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise ReadingError(f"{source} is no CSV in UTF-8 ({fault})") from fault
    if not lines or not lines[0]:
        raise ReadingError(f"{source} is empty")
    header = lines[0]
    if any(len(line) != len(header) for line in lines[1:]):
        raise ReadingError(f"{source}: a row has not one cell for each of the {len(header)} columns")
    rows = tuple({c: typed(name, c, text) for c, text in zip(header, line, strict=True)} for line in lines[1:])
    return Delivered(name, None, tuple(Column(column) for column in header), rows, source)


def parquet_bytes(table: Table) -> bytes:
    """A dataset as Parquet; labels stand in the metadata of its columns."""
    fields = [pa.field(v.name, _TYPES[v.kind], metadata={"label": v.label}) for v in table.variables]
    schema = pa.schema(fields, metadata={"name": table.name, "label": table.spec.label})
    columns = [pa.array(list(table.values(v.name)), type=_TYPES[v.kind]) for v in table.variables]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), sink, compression="zstd", store_schema=True)
    return sink.getvalue()


def read_parquet(data: bytes, source: str, name: str) -> Delivered:
    """The dataset of a Parquet file.

    Raises
    ------
    ReadingError
        If it cannot be read.
    """
    try:
        found = pq.read_table(io.BytesIO(data))
    except (pa.ArrowInvalid, pa.ArrowException, OSError) as fault:
        raise ReadingError(f"{source} is no Parquet file ({fault})") from fault
    columns = tuple(_column(field) for field in found.schema)
    rows = tuple({c: typed(name, c, value) for c, value in row.items()} for row in found.to_pylist())
    label = (found.schema.metadata or {}).get(b"label")
    return Delivered(name, label.decode() if label else None, columns, rows, source)


def _column(field: Any) -> Column:
    label = (field.metadata or {}).get(b"label")
    is_text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    return Column(
        field.name, label.decode() if label else None, is_text, None, "DATE" if pa.types.is_date(field.type) else ""
    )
