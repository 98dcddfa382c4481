"""What people prove themselves by lies sealed in both databases; what lay in the clear is sealed by the migration."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from trialimg.adapters.store.engine import database_url, open_engine
from trialimg.adapters.store.sealed_secrets import SECRET_KEYS_VARIABLE, SecretSeal
from trialimg.adapters.store.sql import SqlStore, migrate
from trialimg.adapters.store.tables import secret
from trialimg.core.errors import IntegrityError, TrialimgError

SEED = b"twenty bytes of seed"
OLD = Path(__file__).with_name("records_0001.sql")


@pytest.fixture
def seal(tmp_path) -> SecretSeal:
    return SecretSeal(tmp_path / "keys" / "secrets.keys")


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    return tmp_path / "records.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")


def raw(address, name: str) -> bytes:
    """What a reader of the database sees."""
    engine = open_engine(database_url(address))
    with engine.connect() as connection:
        kept = connection.execute(sa.select(secret.c.value).where(secret.c.name == name)).scalar_one()
    engine.dispose()
    return bytes(kept)


def keep(store: SqlStore, name: str, value: bytes) -> None:
    with store.changing() as transaction:
        transaction.keep_secret(name, value)


def read(store: SqlStore, name: str) -> bytes | None:
    with store.reading() as transaction:
        return transaction.secret(name)


@pytest.mark.parametrize("kind", ["totp", "password", "former"])
def test_a_proof_is_nowhere_in_the_database_and_comes_back_whole(address, seal, kind):
    store = SqlStore(address, seal)
    keep(store, f"{kind}:ana", SEED)
    assert SEED not in raw(address, f"{kind}:ana")
    assert read(store, f"{kind}:ana") == SEED
    store.close()


def test_the_same_seed_lies_differently_each_time(address, seal):
    store = SqlStore(address, seal)
    keep(store, "totp:ana", SEED)
    first = raw(address, "totp:ana")
    keep(store, "totp:ana", SEED)
    assert raw(address, "totp:ana") != first
    store.close()


def test_a_seed_put_under_another_name_opens_nothing(address, seal):
    store = SqlStore(address, seal)
    keep(store, "totp:ana", SEED)
    engine = open_engine(database_url(address))
    with engine.begin() as connection:
        moved = sa.update(secret).values(name="totp:rita").where(secret.c.name == "totp:ana")
        connection.execute(moved)
    engine.dispose()
    with pytest.raises(IntegrityError, match="totp:rita"):
        read(store, "totp:rita")
    store.close()


def test_a_seed_written_by_another_program_is_refused(address, seal):
    store, foreign = SqlStore(address, seal), SqlStore(address)
    keep(foreign, "totp:ana", SEED)
    with pytest.raises(IntegrityError, match="does not seal"):
        read(store, "totp:ana")
    store.close()
    foreign.close()


def test_without_the_keys_nothing_opens_and_no_others_are_made(tmp_path, address, seal):
    store = SqlStore(address, seal)
    keep(store, "totp:ana", SEED)
    store.close()
    elsewhere = SecretSeal(tmp_path / "elsewhere" / "secrets.keys")
    stranger = SqlStore(address, elsewhere)
    for attempt in (lambda: read(stranger, "totp:ana"), lambda: keep(stranger, "totp:bob", SEED)):
        with pytest.raises(TrialimgError, match="put the folder of keys back"):
            attempt()
    assert not elsewhere.has_keys
    with pytest.raises(TrialimgError, match="without the keys"):
        read(SqlStore(address), "totp:ana")
    stranger.close()


def test_keys_of_the_environment_come_first_and_former_ones_still_open(tmp_path, seal, monkeypatch):
    store = SqlStore(tmp_path / "records.sqlite", seal)
    monkeypatch.setenv(SECRET_KEYS_VARIABLE, "ab" * 32)
    keep(store, "totp:ana", SEED)
    monkeypatch.setenv(SECRET_KEYS_VARIABLE, f"{'ab' * 32} {'cd' * 32}")
    keep(store, "totp:bob", SEED)
    assert (read(store, "totp:ana"), read(store, "totp:bob")) == (SEED, SEED)
    monkeypatch.setenv(SECRET_KEYS_VARIABLE, "ab" * 32)
    with pytest.raises(IntegrityError, match="none of the key-encryption keys"):
        read(store, "totp:bob")
    assert not (tmp_path / "keys").exists()


def test_the_keys_are_for_their_owner_alone(tmp_path, seal):
    keep(SqlStore(tmp_path / "records.sqlite", seal), "totp:ana", SEED)
    assert (tmp_path / "keys" / "secrets.keys").stat().st_mode & 0o777 == 0o600


def test_what_needs_no_seal_is_kept_as_it_is(address, seal):
    store = SqlStore(address, seal)
    keep(store, "seen:abc", b"2026-01-01")
    assert raw(address, "seen:abc") == b"2026-01-01"
    assert not seal.has_keys
    store.close()


def before_sealing(address) -> None:
    """A database as the version before this one left it."""
    store = SqlStore(address)
    keep(store, "totp:ana", SEED)
    keep(store, "seen:abc", b"2026-01-01")
    store.close()
    engine = open_engine(database_url(address))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0002'"))
    engine.dispose()


def test_seeds_kept_in_the_clear_are_sealed_by_the_migration(address, seal):
    before_sealing(address)
    assert raw(address, "totp:ana") == SEED
    assert migrate(address, seal) == ("0002", "0003")
    assert SEED not in raw(address, "totp:ana")
    store = SqlStore(address, seal)
    assert (read(store, "totp:ana"), read(store, "seen:abc")) == (SEED, b"2026-01-01")
    store.close()


def test_a_migration_without_the_keys_leaves_everything_as_it_was(address):
    before_sealing(address)
    with pytest.raises(TrialimgError, match="trialimg store migrate"):
        migrate(address)
    assert raw(address, "totp:ana") == SEED


def test_the_first_version_is_brought_up_with_its_seeds_sealed(tmp_path, seal):
    path = tmp_path / "records.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(OLD.read_text())
    connection.close()
    migrate(path, seal)
    assert b"seed" not in raw(path, "totp:ana")
