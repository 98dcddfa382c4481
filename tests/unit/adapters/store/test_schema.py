"""The tables and the steps that make them say the same, and every version that was ever released can be brought up."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from trialimg.adapters.store import schema
from trialimg.adapters.store.engine import BEGIN, database_url, open_engine
from trialimg.adapters.store.rows import ENTRY_FIELDS
from trialimg.adapters.store.sealed_secrets import SecretSeal
from trialimg.adapters.store.sql import SqlStore, migrate
from trialimg.adapters.store.tables import HEAD, TABLES, entry
from trialimg.core.errors import TrialimgError
from trialimg.ledger.sealed import Redacted
from trialimg.services.records import Place
from trialimg.services.store_verification import verify_store

OLD = Path(__file__).with_name("records_0001.sql")


@pytest.fixture
def old(tmp_path) -> Path:
    """Records that the first version of the tables holds."""
    path = tmp_path / "records.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(OLD.read_text())
    connection.close()
    return path


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
def test_the_migrations_make_the_tables_that_the_code_uses(where, tmp_path, request):
    address = tmp_path / "records.sqlite" if where == "sqlite" else request.getfixturevalue("postgresql_url")
    assert migrate(address) == ("", HEAD)
    assert migrate(address) == (HEAD, HEAD)
    engine = open_engine(database_url(address))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection.execution_options(**{BEGIN: "BEGIN"}))
        assert compare_metadata(context, TABLES) == []
    engine.dispose()


def test_the_columns_of_an_entry_are_its_fields_in_their_order():
    assert tuple(column.name for column in entry.columns) == ENTRY_FIELDS


def test_the_last_step_is_the_one_that_the_tables_name():
    assert ScriptDirectory(str(schema._MIGRATIONS)).get_current_head() == HEAD


@pytest.mark.requirement("P11-03")
@pytest.mark.requirement("A11-10")
def test_records_in_tables_of_the_first_version_are_brought_up_and_verify(old):
    seal = SecretSeal(old.with_name("secrets.keys"))
    with pytest.raises(TrialimgError, match="trialimg store migrate"):
        SqlStore(old, seal)
    assert migrate(old, seal) == ("0001", HEAD)
    store = SqlStore(old, seal)
    report = verify_store(store)
    assert (report.findings, report.entries, report.records, report.redacted, report.checkpoints) == ((), 8, 7, 1, 1)
    with store.reading() as transaction:
        first, second = transaction.versions("case", "T1/C1")
        assert isinstance(first.content, Redacted)
        assert second.body == {"subject": "S1", "n": 2}
        assert [found.id for found in transaction.find("case", Place("T1", state="received"))] == ["T1/C1"]
        assert transaction.secret("totp:ana") == b"\x00seed\xff"


def test_a_migration_that_fails_leaves_the_tables_as_they_were(old, monkeypatch):
    with sqlite3.connect(old) as connection:
        connection.execute("CREATE INDEX current_by_state ON current (state)")  # in the way of the last statement
    before = dump(old)
    with pytest.raises(TrialimgError, match="already exists"):
        migrate(old)
    assert dump(old) == before


def dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        return list(connection.iterdump())


def test_tables_of_a_later_version_are_left_alone(tmp_path):
    path = tmp_path / "records.sqlite"
    migrate(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for attempt in (SqlStore, migrate):
        with pytest.raises(TrialimgError, match="use the newer software"):
            attempt(path)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ("FROM current WHERE kind = ? AND person = ? AND id > ? ORDER BY id", "current_by_person"),
        ("FROM current WHERE kind = ? AND person = ? AND state = ? AND id > ? ORDER BY id", "current_by_person_state"),
        ("FROM current WHERE kind = ? AND trial = ? AND id > ? ORDER BY id", "current_by_trial"),
        ("FROM current WHERE kind = ? AND trial = ? AND state = ? AND id > ? ORDER BY id", "current_by_trial_state"),
        ("FROM current WHERE kind = ? AND case_id = ? AND id > ? ORDER BY id", "current_by_case"),
        ("FROM current WHERE kind = ? AND state = ? AND id > ? ORDER BY id", "current_by_state"),
        ("FROM entry WHERE trial = ? AND sequence > ? ORDER BY sequence LIMIT 1000", "entry_by_trial"),
        ("FROM entry WHERE who = ? AND sequence > ? ORDER BY sequence LIMIT 1000", "entry_by_who"),
        ("FROM entry WHERE action = ? AND sequence > ? ORDER BY sequence LIMIT 1000", "entry_by_action"),
        ("FROM entry WHERE object_kind = ? AND object_id = ? AND sequence > ? ORDER BY sequence", "entry_by_object"),
        ("FROM entry WHERE at >= ? ORDER BY at, sequence LIMIT 1", "entry_by_time"),
    ],
)
def test_a_search_goes_by_an_index(tmp_path, asked, index):
    path = tmp_path / "records.sqlite"
    migrate(path)
    with sqlite3.connect(path) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * {asked}", ["x"] * asked.count("?")).fetchall()
    assert f"INDEX {index} " in plan[0][3]
