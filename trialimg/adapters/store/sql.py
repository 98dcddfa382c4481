"""Records in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, func, select

from trialimg.adapters.store import schema
from trialimg.adapters.store.copying import copy_file, copy_tables, new_file, require_empty, to_one_file
from trialimg.adapters.store.engine import APPLICATION_ROLE, BEGIN, database_url, faults_told, open_engine, shown
from trialimg.adapters.store.sealed_secrets import SecretSeal
from trialimg.adapters.store.transaction import SqlTransaction

__all__ = ["SqlStore", "migrate"]


def migrate(where: str | Path, seal: SecretSeal | None = None) -> tuple[str, str]:
    """Bring a database's tables to this software's version; the version before (empty: none) and after.

    Parameters
    ----------
    seal
        Seals what an earlier version kept in the clear.

    Raises
    ------
    TrialimgError
        If the database cannot be reached, or its tables are of a later version.
    """
    url = database_url(where)
    engine = open_engine(url)
    try:
        with faults_told(url):
            return schema.migrate(engine, seal)
    finally:
        engine.dispose()


class SqlStore:
    """The records of one database; a process that forks opens its own.

    Readers see one moment and are never held up. Whoever changes holds the one lock from the beginning, so that what
    a use case read is still so when it writes.
    """

    def __init__(self, where: str | Path, seal: SecretSeal | None = None) -> None:
        """Open the records, and make the tables where the database is empty.

        Parameters
        ----------
        seal
            Of what people prove themselves by; without it, what is sealed cannot be read.

        Raises
        ------
        TrialimgError
            If the database cannot be reached, or its tables are of another version.
        """
        self._url, self._seal = database_url(where), seal
        self.address = shown(self._url)
        """Where the records are, without a password."""
        found = self._revision()
        if found:
            schema.require_head(found)
        else:
            migrate(where, seal)
        self._engine = open_engine(self._url, role=APPLICATION_ROLE)
        self._is_postgresql = self._engine.dialect.name == "postgresql"

    @contextmanager
    def reading(self) -> Iterator[SqlTransaction]:
        """The records at one moment; nothing is kept."""
        with faults_told(self._url), self._reading() as connection:
            yield SqlTransaction(connection, self._seal)

    @contextmanager
    def changing(self) -> Iterator[SqlTransaction]:
        """The records under the lock of whoever changes them; kept when the block ends, forgotten when it raises."""
        with faults_told(self._url), self._changing() as connection:
            transaction = SqlTransaction(connection, self._seal)
            yield transaction
            transaction.flush()

    def snapshot(self, target: Path) -> None:
        """Write all records of one moment into a new file of SQLite."""
        new_file(target)
        if not self._is_postgresql:
            with faults_told(self._url):
                copy_file(self._engine, target)
            return
        migrate(target)
        engine = open_engine(database_url(target))
        try:
            with faults_told(self._url), self._reading() as source, engine.begin() as copied:
                copy_tables(source, copied)
            to_one_file(engine)
        finally:
            engine.dispose()

    def restore(self, snapshot: Path) -> None:
        """Take the records of a snapshot that has this software's tables, whole or not at all.

        Raises
        ------
        TrialimgError
            If there are records already.
        """
        source = SqlStore(snapshot)
        try:
            with faults_told(self._url), self._changing() as connection, source._reading() as copied:
                require_empty(connection, self.address)
                copy_tables(copied, connection)
        finally:
            source.close()

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        how = {"isolation_level": "REPEATABLE READ"} if self._is_postgresql else {BEGIN: "BEGIN"}
        with self._engine.connect() as connection:
            yield connection.execution_options(**how)

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            if self._is_postgresql:
                connection.execute(select(func.pg_advisory_xact_lock(schema.WRITE_LOCK)))
            yield connection

    def _revision(self) -> str:
        engine = open_engine(self._url)
        try:
            with faults_told(self._url), engine.connect() as connection:
                return schema.revision(connection.execution_options(**{BEGIN: "BEGIN"}))
        finally:
            engine.dispose()
