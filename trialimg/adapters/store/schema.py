"""Which version the tables of a database have, and the way to the version of this software."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select, text

from trialimg.adapters.store.sealed_secrets import SecretSeal
from trialimg.adapters.store.tables import HEAD
from trialimg.core.errors import TrialimgError

__all__ = ["WRITE_LOCK", "migrate", "require_head", "revision"]

WRITE_LOCK = 0x7472_6961_6C69_6D67
"""Key of the PostgreSQL advisory lock that whoever changes the records holds."""

_MIGRATIONS = Path(__file__).with_name("migrations")


def revision(connection: Connection) -> str:
    """Version of the tables; empty where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def migrate(engine: Engine, seal: SecretSeal | None = None) -> tuple[str, str]:
    """Bring the tables to this software's version, whole or not at all; the version before and the one after.

    Raises
    ------
    TrialimgError
        If they are of a later version than this software knows.
    """
    from alembic import command
    from alembic.config import Config

    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(WRITE_LOCK)))
        before = revision(connection)
        _require_known(before)
        if before != HEAD:
            config = Config(attributes={"connection": connection, "seal": seal})
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            command.upgrade(config, "head")
        return before, revision(connection)


def require_head(found: str) -> None:
    """Demand tables of this software's version.

    Raises
    ------
    TrialimgError
        Saying which version they have, and what to do.
    """
    _require_known(found)
    if found != HEAD:
        raise TrialimgError(
            f"the records are kept in tables of version {found}, this software needs {HEAD}: back them up, "
            "then run `trialimg store migrate`"
        )


def _require_known(found: str) -> None:
    if found > HEAD:
        raise TrialimgError(
            f"the records are kept in tables of version {found}, this software knows {HEAD}: use the newer software"
        )
