"""The tables of the records; `migrations` makes them, a test holds the two together."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

__all__ = ["HEAD", "TABLES", "checkpoint", "current", "detail", "entry", "node", "secret", "version"]

HEAD = "0003"
"""Revision of the migrations that these tables have."""

WORD = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared and sorted by its bytes, in every database."""
NUMBER = BigInteger().with_variant(Integer, "sqlite")

TABLES = MetaData()

entry = Table(
    "entry",
    TABLES,
    Column("sequence", NUMBER, primary_key=True, autoincrement=False),
    Column("trial", WORD, nullable=False),
    Column("trial_sequence", NUMBER, nullable=False),
    Column("previous", WORD, nullable=False),
    Column("at", WORD, nullable=False),
    Column("who", WORD, nullable=False),
    Column("role", WORD, nullable=False),
    Column("action", WORD, nullable=False),
    Column("object_kind", WORD, nullable=False),
    Column("object_id", WORD, nullable=False),
    Column("object_version", NUMBER, nullable=False),
    Column("old", WORD, nullable=False),
    Column("new", WORD, nullable=False),
    Column("detail", WORD, nullable=False),
    Column("software", WORD, nullable=False),
    Index("entry_by_trial", "trial", "sequence"),
    Index("entry_by_who", "who", "sequence"),
    Index("entry_by_action", "action", "sequence"),
    Index("entry_by_object", "object_kind", "object_id", "sequence"),
    Index("entry_by_time", "at", "sequence"),
    sqlite_strict=True,
)
"""The audit trail, one row an entry of the ledger; its leaf hash stands in `node`."""

detail = Table(
    "detail",
    TABLES,
    Column("sequence", NUMBER, primary_key=True, autoincrement=False),
    Column("salt", WORD),
    Column("content", WORD),
    Column("digest", WORD),
    Column("redacted_by", NUMBER),
    sqlite_strict=True,
)
"""The reason that an entry gives: salt and content, or after a redaction digest and who justifies it."""

version = Table(
    "version",
    TABLES,
    Column("kind", WORD, primary_key=True),
    Column("id", WORD, primary_key=True),
    Column("version", NUMBER, primary_key=True, autoincrement=False),
    Column("trial", WORD, nullable=False),
    Column("case_id", WORD, nullable=False),
    Column("person", WORD, nullable=False),
    Column("state", WORD, nullable=False),
    Column("entry", NUMBER, nullable=False, unique=True),
    Column("salt", WORD),
    Column("content", WORD),
    Column("digest", WORD),
    Column("redacted_by", NUMBER),
    sqlite_strict=True,
)
"""Every version of every record; content as in `detail`."""

current = Table(
    "current",
    TABLES,
    Column("kind", WORD, primary_key=True),
    Column("id", WORD, primary_key=True),
    Column("version", NUMBER, nullable=False),
    Column("trial", WORD, nullable=False),
    Column("case_id", WORD, nullable=False),
    Column("person", WORD, nullable=False),
    Column("state", WORD, nullable=False),
    Index("current_by_person", "kind", "person", "id"),
    Index("current_by_person_state", "kind", "person", "state", "id"),
    Index("current_by_trial", "kind", "trial", "id"),
    Index("current_by_trial_state", "kind", "trial", "state", "id"),
    Index("current_by_case", "kind", "case_id", "id"),
    Index("current_by_state", "kind", "state", "id"),
    sqlite_strict=True,
)
"""The latest version of each record and where it lies: what is searched. `version` says the same."""

node = Table(
    "node",
    TABLES,
    Column("level", NUMBER, primary_key=True, autoincrement=False),
    Column("index", NUMBER, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""The Merkle tree over all entries."""

checkpoint = Table(
    "checkpoint",
    TABLES,
    Column("number", NUMBER, primary_key=True, autoincrement=False),
    Column("text", WORD, nullable=False),
    sqlite_strict=True,
)
"""Signed checkpoints, oldest first."""

secret = Table(
    "secret",
    TABLES,
    Column("name", WORD, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_strict=True,
)
"""What is never exported; the only rows that are replaced and forgotten, besides `current`."""
