"""Tables of the records, what may never be changed in them, and the role that works with them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CONTENT = (("salt", _WORD), ("content", _WORD), ("digest", _WORD), ("redacted_by", _NUMBER))
_PLACE = (("trial", _WORD), ("case_id", _WORD), ("person", _WORD), ("state", _WORD))


def upgrade() -> None:
    """Make what an empty database lacks."""
    _make_tables()
    if op.get_bind().dialect.name == "postgresql":
        for statement in _POSTGRESQL:
            op.execute(sa.text(statement))
    else:
        for statement in _SQLITE:
            op.get_bind().exec_driver_sql(statement)


def _make_tables() -> None:
    words = ("previous", "at", "who", "role", "action", "object_kind", "object_id")
    digests = ("old", "new", "detail", "software")
    _table(
        "entry",
        _key("sequence"),
        *_needed(("trial", _WORD), ("trial_sequence", _NUMBER), *((name, _WORD) for name in words)),
        *_needed(("object_version", _NUMBER), *((name, _WORD) for name in digests)),
    )
    _table("detail", _key("sequence"), *_optional(*_CONTENT))
    _table(
        "version",
        sa.Column("kind", _WORD, primary_key=True),
        sa.Column("id", _WORD, primary_key=True),
        _key("version"),
        *_needed(*_PLACE),
        sa.Column("entry", _NUMBER, nullable=False, unique=True),
        *_optional(*_CONTENT),
    )
    _table(
        "current",
        sa.Column("kind", _WORD, primary_key=True),
        sa.Column("id", _WORD, primary_key=True),
        *_needed(("version", _NUMBER), *_PLACE),
    )
    hashes = _needed(("hash", sa.LargeBinary()))
    op.create_table("node", _key("level"), _key("index"), *hashes, sqlite_strict=True, sqlite_with_rowid=False)
    _table("checkpoint", _key("number"), *_needed(("text", _WORD)))
    _table("secret", sa.Column("name", _WORD, primary_key=True), *_needed(("value", sa.LargeBinary())))


def _table(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(name, *columns, sqlite_strict=True)


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, _NUMBER, primary_key=True, autoincrement=False)


def _needed(*columns: tuple[str, Any]) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name, kind in columns]


def _optional(*columns: tuple[str, Any]) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name, kind in columns]


_APPEND_ONLY = {
    "entry": "sequence = NEW.sequence",
    "detail": "sequence = NEW.sequence",
    "version": "kind = NEW.kind AND id = NEW.id AND version = NEW.version",
    "node": "level = NEW.level AND \"index\" = NEW.\"index\"",
    "checkpoint": "number = NEW.number",
}  # fmt: skip
"""Tables whose rows stay, and how a row is known again."""

_DETAIL_JUSTIFIED = """
    NEW.sequence = OLD.sequence AND NEW.salt IS NULL AND NEW.content IS NULL AND EXISTS (
        SELECT 1 FROM entry AS it JOIN entry AS why ON why.sequence = NEW.redacted_by
        WHERE it.sequence = OLD.sequence AND it.detail = NEW.digest AND why.action = 'redact' AND why.old = NEW.digest
          AND why.trial = it.trial AND why.detail <> ''
          AND why.object_kind = 'ledger.detail' AND why.object_id = CAST(OLD.sequence AS TEXT))"""

_VERSION_JUSTIFIED = """
    NEW.kind = OLD.kind AND NEW.id = OLD.id AND NEW.version = OLD.version AND NEW.entry = OLD.entry
    AND NEW.trial = OLD.trial AND NEW.case_id = OLD.case_id AND NEW.person = OLD.person AND NEW.state = OLD.state
    AND NEW.salt IS NULL AND NEW.content IS NULL AND EXISTS (
        SELECT 1 FROM entry AS it JOIN entry AS why ON why.sequence = NEW.redacted_by
        WHERE it.sequence = OLD.entry AND it.new = NEW.digest AND why.action = 'redact' AND why.old = NEW.digest
          AND why.trial = it.trial AND why.detail <> ''
          AND why.object_kind = OLD.kind AND why.object_id = OLD.id AND why.object_version = OLD.version)"""

_JUSTIFIED = {"detail": _DETAIL_JUSTIFIED, "version": _VERSION_JUSTIFIED}
"""When a row may give way to its tombstone: an entry of the ledger says so, and the digest stays."""


def _sqlite() -> list[str]:
    refuse = "BEGIN SELECT RAISE(ABORT, '{}'); END"
    made = []
    for table, same in _APPEND_ONLY.items():
        end = refuse.format(f"rows of {table} are kept for good")
        again = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - names of this file; stops OR REPLACE
        changed = f" WHEN ({_JUSTIFIED[table]}) IS NOT TRUE" if table in _JUSTIFIED else ""
        made += [
            f"CREATE TRIGGER {table}_is_new BEFORE INSERT ON {table} WHEN {again} {end}",
            f"CREATE TRIGGER {table}_is_kept BEFORE DELETE ON {table} {end}",
            f"CREATE TRIGGER {table}_is_same BEFORE UPDATE ON {table}{changed} {end}",
        ]
    return made


def _postgresql() -> list[str]:
    made = [_ROLE, *_GRANTS, _KEPT_FUNCTION]
    for table in _APPEND_ONLY:
        deleted = "DELETE" if table in _JUSTIFIED else "UPDATE OR DELETE"
        made.append(_TRIGGER.format(f"{table}_is_kept", deleted, table, "ROW", "trialimg_is_kept"))
        made.append(_TRIGGER.format(f"{table}_is_whole", "TRUNCATE", table, "STATEMENT", "trialimg_is_kept"))
    for table, justified in _JUSTIFIED.items():
        made.append(_SAME_FUNCTION.format(table=table, justified=justified))
        made.append(_TRIGGER.format(f"{table}_is_same", "UPDATE", table, "ROW", f"trialimg_{table}_is_same"))
    return [*made, *_TOMBSTONES]


_TRIGGER = "CREATE TRIGGER {} BEFORE {} ON {} FOR EACH {} EXECUTE FUNCTION {}()"

_ROLE = """
DO $$ BEGIN
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'trialimg_app') THEN
            CREATE ROLE trialimg_app NOLOGIN;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- made by another database's owner just now
    END;
    IF NOT pg_has_role(current_user, 'trialimg_app', 'MEMBER') THEN
        GRANT trialimg_app TO CURRENT_USER;
    END IF;
END $$"""

_GRANTS = (
    "GRANT SELECT, INSERT ON entry, detail, version, node, checkpoint TO trialimg_app",
    "GRANT SELECT, INSERT, UPDATE ON current TO trialimg_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON secret TO trialimg_app",
    "GRANT SELECT ON alembic_version TO trialimg_app",
)

_KEPT_FUNCTION = """
CREATE FUNCTION trialimg_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are kept for good', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$"""

_SAME_FUNCTION = """
CREATE FUNCTION trialimg_{table}_is_same() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF ({justified}) IS NOT TRUE THEN
        RAISE EXCEPTION 'rows of {table} are kept for good' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$"""

_TOMBSTONES = (
    """
CREATE FUNCTION trialimg_tombstone_detail(at_sequence bigint, its_digest text, justified_by bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER AS $$
    UPDATE detail SET salt = NULL, content = NULL, digest = its_digest, redacted_by = justified_by
    WHERE sequence = at_sequence
$$""",
    """
CREATE FUNCTION trialimg_tombstone_version(at_sequence bigint, its_digest text, justified_by bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER AS $$
    UPDATE version SET salt = NULL, content = NULL, digest = its_digest, redacted_by = justified_by
    WHERE entry = at_sequence
$$""",
    *(
        statement
        for table in _JUSTIFIED
        for statement in (
            f"REVOKE ALL ON FUNCTION trialimg_tombstone_{table}(bigint, text, bigint) FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION trialimg_tombstone_{table}(bigint, text, bigint) TO trialimg_app",
        )
    ),
    # What runs with the owner's rights must find the owner's tables, not those of whoever calls it.
    """
DO $$
DECLARE one record;
BEGIN
    FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
               WHERE proname LIKE 'trialimg\\_%' AND pronamespace = current_schema()::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one.name, current_schema());
    END LOOP;
END $$""",
)

_SQLITE = _sqlite()
_POSTGRESQL = _postgresql()
