"""What the database itself forbids, whatever software speaks to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.fakes.records import granted, memory_records
from tests.postgresql import new_database
from trialimg.adapters.store.engine import APPLICATION_ROLE
from trialimg.adapters.store.sql import SqlStore
from trialimg.core.access import Action, Role
from trialimg.core.errors import TrialimgError
from trialimg.ledger.bundle_format import CHECKPOINTS, DETAILS, ENTRIES, RECORDS
from trialimg.services.records import Place

Execute = Callable[[str], Any]
KEPT = ("entry", "detail", "version", "node", "checkpoint")
COLUMN = {"entry": "who", "detail": "content", "version": "content", "node": "level", "checkpoint": "text"}


def fill(store: SqlStore) -> None:
    records = memory_records(store)
    analyst = granted(records, "ana", Role.ANALYST)
    for number in range(3):
        with records.change(analyst, Action.RECEIVE_CASES, trial="T1") as journal:
            place = Place("T1", "T1/C1")
            journal.write("case", "T1/C1", {"n": number}, action="receive_case", place=place, reason="it came")
    with store.changing() as transaction:
        transaction.keep_checkpoint("signed")


def kept(store: SqlStore) -> list[list[bytes]]:
    with store.reading() as transaction:
        rows = [[line.data for line in transaction.lines(name)] for name in (ENTRIES, RECORDS, DETAILS, CHECKPOINTS)]
        assert list(transaction.disagreements()) == []
        return rows


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(tmp_path / "records.sqlite")
    fill(store)
    yield store
    store.close()


@pytest.fixture
def sqlite_client(sqlite_store: SqlStore) -> Iterator[Execute]:
    """Another program that has the file open."""
    connection = sqlite3.connect(sqlite_store.address, isolation_level=None)
    yield connection.execute
    connection.close()


@pytest.fixture(scope="module")
def database(postgresql_server: str) -> str:
    """One for all of these tests, which change nothing in it."""
    return new_database(postgresql_server)


@pytest.fixture(scope="module")
def postgresql_store(database: str) -> Iterator[SqlStore]:
    store = SqlStore(database)
    fill(store)
    yield store
    store.close()


@pytest.fixture
def owner(postgresql_store: SqlStore, database: str) -> Iterator[Execute]:
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection.execute


@pytest.fixture
def clerk_url(owner: Execute, database: str) -> str:
    """Somebody who has the rights of the application, and no others."""
    if owner("SELECT 1 FROM pg_roles WHERE rolname = 'clerk'").fetchone() is None:
        owner(f"CREATE ROLE clerk LOGIN IN ROLE {APPLICATION_ROLE}")
    return database.replace("owner@", "clerk@")


@pytest.fixture
def application(clerk_url: str) -> Iterator[Execute]:
    with psycopg.connect(clerk_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection.execute


@pytest.mark.requirement("P11-05")
@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_no_row_of_the_audit_trail_is_changed_or_deleted_in_sqlite(sqlite_store, sqlite_client, table, change):
    before = kept(sqlite_store)
    with pytest.raises(sqlite3.IntegrityError, match=f"rows of {table} are kept for good"):
        sqlite_client(change.format(table, COLUMN[table]))
    assert kept(sqlite_store) == before


@pytest.mark.requirement("P11-05")
@pytest.mark.parametrize("table", KEPT)
def test_no_row_of_the_audit_trail_is_replaced_by_another_in_sqlite(sqlite_store, sqlite_client, table):
    before = kept(sqlite_store)
    with pytest.raises(sqlite3.IntegrityError, match=f"rows of {table} are kept for good"):
        sqlite_client(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")
    assert kept(sqlite_store) == before


@pytest.mark.requirement("P11-05")
@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_the_application_role_may_not_change_the_audit_trail_in_postgresql(application, table, change):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        application(change.format(table, f'"{COLUMN[table]}"'))


@pytest.mark.requirement("P11-05")
@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_even_the_owner_is_stopped_by_triggers_in_postgresql(postgresql_store, owner, table, change):
    before = kept(postgresql_store)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match=f"rows of {table} are kept for good"):
        owner(change.format(table, f'"{COLUMN[table]}"'))
    assert kept(postgresql_store) == before


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE entry",
        "DROP TRIGGER entry_is_kept ON entry",
        "ALTER TABLE entry DISABLE TRIGGER ALL",
        "ALTER TABLE entry ADD COLUMN x text",
        "CREATE TABLE public.mine (x text)",
        "SET session_replication_role = replica",
        "UPDATE alembic_version SET version_num = '0'",
        "DROP FUNCTION trialimg_is_kept() CASCADE",
        "CREATE OR REPLACE FUNCTION trialimg_is_kept() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
        "ALTER ROLE trialimg_app SUPERUSER",
        "SET ROLE owner",
    ],
)
def test_the_application_role_may_not_take_the_rules_away(application, statement):
    before = application("SELECT count(*) FROM entry").fetchone()
    with pytest.raises(psycopg.errors.Error):
        application(statement)
        pytest.fail("the statement was carried out")
    assert application("SELECT count(*) FROM entry").fetchone() == before


@pytest.mark.requirement("E6-04")
@pytest.mark.parametrize("table", ["detail", "version"])
def test_the_redaction_function_refuses_without_a_justifying_entry(postgresql_store, application, table):
    before = kept(postgresql_store)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="kept for good"):
        application(f"SELECT trialimg_tombstone_{table}(sequence, new, sequence) FROM entry WHERE trial = 'T1'")
    assert kept(postgresql_store) == before


def test_what_the_redaction_function_changes_is_not_a_caller_s_own_table(postgresql_store, application):
    """A function with the owner's rights must not be led astray by the caller's search path."""
    before = kept(postgresql_store)
    application("CREATE TEMP TABLE entry AS SELECT * FROM public.entry")
    application(
        "INSERT INTO pg_temp.entry SELECT 99, trial, 9, previous, at, who, role, 'redact', object_kind, object_id, "
        "object_version, new, new, new, software FROM public.entry WHERE sequence = 3"
    )
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        application("SELECT public.trialimg_tombstone_version(3, new, 99) FROM public.entry WHERE sequence = 3")
    assert kept(postgresql_store) == before


def test_the_store_itself_works_as_the_application_role(postgresql_store):
    with postgresql_store.reading() as transaction:
        asked = "SELECT current_user, current_setting('transaction_isolation')"
        assert tuple(transaction._connection.exec_driver_sql(asked).one()) == (APPLICATION_ROLE, "repeatable read")


def test_a_member_of_the_role_works_and_cannot_migrate(postgresql_server, owner, clerk_url):
    store = SqlStore(clerk_url)
    with store.changing() as transaction:
        transaction.keep_secret("a", b"b")
    store.close()
    owner("CREATE DATABASE empty_one STRATEGY file_copy")
    try:
        with pytest.raises(TrialimgError, match="permission denied"):
            SqlStore(postgresql_server.format("empty_one").replace("owner@", "clerk@"))
    finally:
        owner("DROP DATABASE empty_one WITH (FORCE)")


@pytest.mark.parametrize("address", ["mysql://a/b", "sqlite://", "sqlite:///:memory:", "not an address"])
def test_an_address_of_something_else_is_refused(address):
    with pytest.raises(TrialimgError):
        SqlStore(address)


def test_a_password_never_stands_in_an_error():
    with pytest.raises(TrialimgError, match="cannot be reached") as refusal:
        SqlStore("postgresql://ana:geheim@127.0.0.1:1/records")
    assert "geheim" not in str(refusal.value)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "records.sqlite"
    path.write_bytes(b"something else" * 1000)
    with pytest.raises(TrialimgError, match=r"records\.sqlite"):
        SqlStore(path)
    with pytest.raises(TrialimgError, match="cannot be kept here"):
        SqlStore(path / "below")
