"""What people prove themselves by is sealed from now on: each kept in the clear before is sealed where it lies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from trialimg.adapters.store.sealed_secrets import is_sealed, needs_seal
from trialimg.core.errors import TrialimgError

revision = "0003"
down_revision = "0002"

_secret = sa.table("secret", sa.column("name"), sa.column("value", sa.LargeBinary))


def upgrade() -> None:
    """Seal what lies in the clear."""
    connection, seal = op.get_bind(), context.config.attributes.get("seal")
    kept = [(name, bytes(value)) for name, value in connection.execute(sa.select(_secret.c.name, _secret.c.value))]
    for name, value in kept:
        if not needs_seal(name) or is_sealed(value):
            continue
        if seal is None:
            raise TrialimgError("people's secrets are sealed in these tables: migrate them by `trialimg store migrate`")
        sealed = seal.sealed(name, value, may_make_keys=True)
        connection.execute(sa.update(_secret).where(_secret.c.name == name).values(value=sealed))
