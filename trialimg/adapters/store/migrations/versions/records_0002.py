"""Indices: a worklist and a page of the audit trail are found without reading everything."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_INDICES = (
    ("entry_by_trial", "entry", ["trial", "sequence"]),
    ("entry_by_who", "entry", ["who", "sequence"]),
    ("entry_by_action", "entry", ["action", "sequence"]),
    ("entry_by_object", "entry", ["object_kind", "object_id", "sequence"]),
    ("entry_by_time", "entry", ["at", "sequence"]),
    ("current_by_person", "current", ["kind", "person", "id"]),
    ("current_by_person_state", "current", ["kind", "person", "state", "id"]),
    ("current_by_trial", "current", ["kind", "trial", "id"]),
    ("current_by_trial_state", "current", ["kind", "trial", "state", "id"]),
    ("current_by_case", "current", ["kind", "case_id", "id"]),
    ("current_by_state", "current", ["kind", "state", "id"]),
)


def upgrade() -> None:
    """Make the indices."""
    for name, table, columns in _INDICES:
        op.create_index(name, table, columns)
