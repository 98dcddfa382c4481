"""How answers about responses leave: as a CSV on stdout or in a file, or as one JSON document."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from trialimg.cli.output import print_json
from trialimg.core.errors import ReadingError
from trialimg.services.xport import is_xport, xport_as_csv

__all__ = ["give", "read_text", "write_whole"]

Cells = Mapping[str, Any]


def read_text(path: Path) -> str:
    """The text of a table; of a SAS transport file the data set as CSV.

    Raises
    ------
    ReadingError
        If the file cannot be read, or is neither UTF-8 text nor a transport file of version 5.
    """
    try:
        data = path.read_bytes()
        return xport_as_csv(data, str(path)) if is_xport(data) else data.decode("utf-8-sig")
    except OSError as refused:
        raise ReadingError(f"{path}: {refused.strerror}") from refused
    except UnicodeDecodeError as refused:
        raise ReadingError(f"{path}: not a UTF-8 text file; save the table as CSV (UTF-8)") from refused


def give(name: str, rows: Sequence[Cells], about: Cells, *, as_json: bool, out: Path | None) -> None:
    """Print the rows as CSV, or everything as JSON, or write the rows as CSV into a file.

    Parameters
    ----------
    name
        What a row is; the key of the rows in JSON.
    about
        What JSON says beside the rows.
    """
    if out is not None:
        write_whole(out, _csv(rows))
    if as_json:
        print_json({**about, name: [{key: _json(cell) for key, cell in row.items()} for row in rows]})
    elif out is None:
        click.echo(_csv(rows), nl=False)


def write_whole(path: Path, text: str) -> None:
    """Write a file under a name of its own first, so that it is there whole or not at all.

    Raises
    ------
    ReadingError
        If the place cannot be written to.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)
    except OSError as refused:
        part.unlink(missing_ok=True)
        raise ReadingError(f"{path} cannot be written: {refused.strerror}") from refused


def _csv(rows: Sequence[Cells]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    columns = list(rows[0]) if rows else []
    writer.writerow(columns)
    writer.writerows([_text(row[column]) for column in columns] for row in rows)
    return file.getvalue()


def _text(cell: object) -> str:
    """Blank for nothing, Y or N for a truth value, numbers plain."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "Y" if cell else "N"
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)


def _json(cell: object) -> object:
    if isinstance(cell, Decimal):
        return float(cell)
    return cell.isoformat() if isinstance(cell, dt.date) else cell
