"""All tables of one database into another, whichever two they are."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, select

from trialimg.adapters.store.tables import TABLES
from trialimg.core.errors import TrialimgError

__all__ = ["copy_file", "copy_tables", "new_file", "require_empty", "to_one_file"]

_PAGE = 5000
_ONE_FILE = "PRAGMA journal_mode = DELETE"


def copy_tables(source: Connection, target: Connection) -> None:
    """Copy every row, in the order of the keys."""
    for table in TABLES.sorted_tables:
        asked = select(table).order_by(*table.primary_key.columns)
        rows = source.execution_options(yield_per=_PAGE).execute(asked)
        for part in rows.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in part])


def require_empty(connection: Connection, where: str) -> None:
    """Demand that nothing was kept yet.

    Raises
    ------
    TrialimgError
        Naming the place that holds records.
    """
    for table in TABLES.sorted_tables:
        if connection.execute(select(func.count()).select_from(table)).scalar():
            raise TrialimgError(f"{where}: there are records already; restore into an empty place")


def copy_file(engine: Engine, target: Path) -> None:
    """Copy an SQLite database as it is at one moment, while others go on writing, into one file."""
    connection = engine.raw_connection()
    copied = sqlite3.connect(target)
    try:
        source = connection.driver_connection
        if not isinstance(source, sqlite3.Connection):
            raise TrialimgError("only a database of SQLite is a file")
        source.backup(copied)
        copied.execute(_ONE_FILE)
    finally:
        copied.close()
        connection.close()


def to_one_file(engine: Engine) -> None:
    """Leave an SQLite database without the two files that stand beside it while it is in use."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute(_ONE_FILE)
    finally:
        connection.close()


def new_file(path: Path) -> None:
    """Make an empty file that only its owner may read.

    Raises
    ------
    TrialimgError
        If it is there already or cannot be made.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as fault:
        raise TrialimgError(f"{path}: cannot be written ({fault.strerror})") from fault
