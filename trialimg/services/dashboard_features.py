"""Tables of features to be taken away; each taking is in the ledger, with the digest of what was taken."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from trialimg.core.access import Actor
from trialimg.core.errors import AccessError
from trialimg.services.dashboard_downloads import may_take_outputs, taken
from trialimg.services.journal import Records
from trialimg.services.spreadsheet import harmless

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["take_table"]


def take_table(
    records: Records, actor: Actor, trial: str, *, file: str, rows: Sequence[DataclassInstance | Mapping[str, Any]]
) -> bytes:
    """Rows as CSV, once it is in the ledger that they were taken.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports, or not yet those that compare arms.
    """
    if not may_take_outputs(records, actor, trial):
        raise AccessError(f"{trial} is blinded: what goes with outcomes is given out after unblinding")
    table = _csv([_plain(row) for row in rows])
    return taken(records, actor, trial, file=file, content=table)


def _plain(row: DataclassInstance | Mapping[str, Any]) -> dict[str, Any]:
    found = row if isinstance(row, Mapping) else {one.name: getattr(row, one.name) for one in fields(row)}
    blank = {name: "" if value is None else value for name, value in found.items()}
    return {name: harmless(value) if isinstance(value, str) else value for name, value in blank.items()}


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, list(rows[0]) if rows else [], lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue().encode()
