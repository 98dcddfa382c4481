"""CDISC Dataset-JSON 1.1.

References
----------
CDISC. Dataset-JSON specification, version 1.1, 2024.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from trialimg.core.errors import ReadingError
from trialimg.services.cdisc.delivery import Column, Delivered, typed
from trialimg.services.cdisc.specification import Kind, Value, Variable
from trialimg.services.cdisc.tables import Table

__all__ = ["dataset_json_bytes", "read_dataset_json"]

_TYPES = {
    Kind.TEXT: "string",
    Kind.ISO_DATE: "string",  # a date of which only a part is known is no date
    Kind.INTEGER: "integer",
    Kind.FLOAT: "double",
    Kind.SAS_DATE: "date",
}
_NUMBERS = ("integer", "double", "float", "decimal")


def dataset_json_bytes(table: Table, lengths: Mapping[str, int], study: str, created: dt.datetime) -> bytes:
    """A dataset as Dataset-JSON; OIDs are those of the Define-XML beside it.

    Parameters
    ----------
    lengths
        Variable to bytes.
    study
        Code of the study.
    """
    document = {
        "datasetJSONCreationDateTime": created.strftime("%Y-%m-%dT%H:%M:%S"),
        "datasetJSONVersion": "1.1.0",
        "fileOID": f"{study}.{table.name}",
        "originator": study,
        "sourceSystem": {"name": "trialimg", "version": "1"},
        "studyOID": f"ST.{study}",
        "metaDataVersionOID": f"MDV.{study}.{table.spec.standard.value.upper()}",
        "metaDataRef": f"define-{table.spec.standard.value}.xml",
        "itemGroupOID": f"IG.{table.name}",
        "records": len(table.rows),
        "name": table.name,
        "label": table.spec.label,
        "columns": [_column(table, variable, lengths) for variable in table.variables],
        "rows": [[_cell(row.get(v.name)) for v in table.variables] for row in table.rows],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _column(table: Table, variable: Variable, lengths: Mapping[str, int]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "itemOID": f"IT.{table.name}.{variable.name}",
        "name": variable.name,
        "label": variable.label,
        "dataType": _TYPES[variable.kind],
    }
    if variable.kind.is_text:
        described["length"] = lengths[variable.name]
    if variable.kind is Kind.SAS_DATE:
        described |= {"targetDataType": "integer", "displayFormat": "E8601DA."}
    if variable.key:
        keys = [key for key in table.spec.keys if key in {v.name for v in table.variables}]
        described["keySequence"] = keys.index(variable.name) + 1
    return described


def _cell(value: Value) -> str | int | float | None:
    return value.isoformat() if isinstance(value, dt.date) else value


def read_dataset_json(data: bytes, source: str) -> Delivered:
    """The dataset of a Dataset-JSON file.

    Raises
    ------
    ReadingError
        If it is none, or its rows do not fit its columns.
    """
    try:
        document = json.loads(data)
        columns = tuple(_read_column(one) for one in document["columns"])
        rows = document["rows"]
        if any(not isinstance(row, list) or len(row) != len(columns) for row in rows):
            raise ReadingError(f"{source}: a row has not one value for each of the {len(columns)} columns")
        if document["records"] != len(rows):
            raise ReadingError(f"{source}: says {document['records']} records, and has {len(rows)}")
        name = str(document["name"])
        cells = tuple(
            {c.name: typed(name, c.name, value) for c, value in zip(columns, row, strict=True)} for row in rows
        )
        return Delivered(name, document.get("label"), columns, cells, source)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise ReadingError(f"{source} is no Dataset-JSON 1.1 ({fault})") from fault


def _read_column(described: Mapping[str, Any]) -> Column:
    kind, target = described["dataType"], described.get("targetDataType")
    is_text = kind not in _NUMBERS and target is None
    form = "DATE" if kind == "date" and target == "integer" else ""
    return Column(described["name"], described.get("label"), is_text, described.get("length"), form)
