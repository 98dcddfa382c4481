"""Connections to SQLite and PostgreSQL that begin a transaction as the records need it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, OperationalError

from trialimg.core import errors

__all__ = ["APPLICATION_ROLE", "BEGIN", "database_url", "faults_told", "open_engine", "shown"]

APPLICATION_ROLE = "trialimg_app"
"""The role in PostgreSQL that works with the records and cannot change what is kept for good."""

BEGIN = "begin_with"
"""Execution option: the statement that begins a transaction in SQLite."""

_WAIT_S = 60
_KNOWN = ("sqlite", "postgresql")


def database_url(where: str | Path) -> URL:
    """The address of a database: a file of SQLite, ``sqlite:///FILE`` or ``postgresql+psycopg://USER@HOST/NAME``.

    Raises
    ------
    TrialimgError
        If it is not the address of one of the two.
    """
    if isinstance(where, Path):
        return URL.create("sqlite+pysqlite", database=str(where.absolute()))
    try:
        url = make_url(where)
    except ArgumentError as fault:
        raise errors.TrialimgError(
            "the database's address cannot be read: sqlite:///FILE or postgresql://..."
        ) from fault
    if url.get_backend_name() not in _KNOWN:
        raise errors.TrialimgError(f"records are kept in SQLite or PostgreSQL, not in {url.get_backend_name()}")
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if not url.database or url.database == ":memory:":
        raise errors.TrialimgError("records need a file: sqlite:///FILE")
    return url.set(drivername="sqlite+pysqlite")


def shown(url: URL) -> str:
    """The address without its password; of SQLite the file."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def open_engine(url: URL, *, role: str = "") -> Engine:
    """Connections to a database; in PostgreSQL under a role that the user who signs in is a member of."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    options: dict[str, Any] = {"connect_timeout": _WAIT_S}
    if role:
        options["options"] = f"-c role={role}"
    try:
        return create_engine(url, connect_args=options, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as fault:
        raise errors.TrialimgError("PostgreSQL needs psycopg: pip install 'trialimg[postgresql]'") from fault


def _sqlite(url: URL) -> Engine:
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _require_file(path)
    except OSError as fault:
        raise errors.TrialimgError(f"{path}: the records cannot be kept here ({fault.strerror})") from fault
    engine = create_engine(url, connect_args={"timeout": _WAIT_S})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _require_file(path: Path) -> None:
    """A file that only its owner may read; one that is there stays shut: closing it would drop SQLite's locks."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # or the driver would begin transactions of its own
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN IMMEDIATE"))


@contextmanager
def faults_told(url: URL) -> Iterator[None]:
    """What the database refuses, in words of this project.

    Raises
    ------
    IntegrityError
        If something was to be changed that is kept for good, or kept a second time.
    TrialimgError
        If the database cannot be reached, is busy for too long, or refuses for another reason.
    """
    try:
        yield
    except IntegrityError as fault:
        raise errors.IntegrityError(f"{shown(url)}: {_first_line(fault)}") from fault
    except OperationalError as fault:
        raise errors.TrialimgError(f"{shown(url)}: the records cannot be reached ({_first_line(fault)})") from fault
    except DBAPIError as fault:
        if isinstance(fault.orig, sqlite3.DatabaseError):
            raise errors.IntegrityError(f"{shown(url)}: the file was altered ({_first_line(fault)})") from fault
        raise errors.TrialimgError(f"{shown(url)}: the database refuses ({_first_line(fault)})") from fault


def _first_line(fault: DBAPIError) -> str:
    return next(iter(str(fault.orig).splitlines()), "no reason given")
