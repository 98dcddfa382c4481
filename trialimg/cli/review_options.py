"""What the verbs of `trialimg review` have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from trialimg.core.errors import IntakeError
from trialimg.core.reading import Seat

__all__ = ["CODE", "SEAT", "columns", "given_text", "trial_option"]

SEAT = click.Choice([seat.value for seat in Seat])
CODE = click.STRING

trial_option = click.option("--trial", required=True, envvar="TRIALIMG_TRIAL", help="Code of the trial.")


def given_text(path: Path) -> str:
    """The text of a table.

    Raises
    ------
    IntakeError
        If it cannot be read as UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise IntakeError(f"{path}: cannot be read as UTF-8 text: {wrong}") from None


def columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str], otherwise: str) -> str:
    """Rows as a plain table that can be read and cut."""
    if not rows:
        return otherwise
    head = [name.replace("_", " ") for name in names]
    lines = [head, *([_cell(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(names))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def _cell(value: object) -> str:
    return ("yes" if value else "") if isinstance(value, bool) else str(value)
