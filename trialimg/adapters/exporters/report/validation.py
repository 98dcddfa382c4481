"""How far the software that made the report has been validated, as the dossier of its tests says."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import trialimg
from trialimg.adapters.exporters.report.grid import Grid

__all__ = ["Validation", "validation_in_force", "validation_of"]

_PACKAGE = Path(trialimg.__file__).parent
_DOSSIERS = (_PACKAGE / "validation" / "results.md", _PACKAGE.parent / "docs" / "validation" / "results.md")
"""Where the dossier lies: in a wheel, in the source."""
_HEAD = re.compile(r"run of the tests of trialimg (?P<version>\S+)\. (?P<n>\d+) requirements: (?P<counts>[^.]+)\.")
_OUTCOME = re.compile(r"`(?P<test>[^`]+)` (?:(?P<count>\d+) )?(?P<outcome>passed|failed|error|skipped)\b")


@dataclass(frozen=True)
class Validation:
    """What the dossier counts; None where there is none for this software."""

    note: str
    grid: Grid | None


def validation_in_force() -> Validation:
    """The counts of the dossier that lies beside the installed software."""
    for dossier in _DOSSIERS:
        if dossier.is_file():
            return validation_of(dossier.read_text(encoding="utf-8"), trialimg.__version__)
    absent = f"docs/validation/results.md of the source of trialimg {trialimg.__version__}"
    return Validation(f"Not available: this installation does not carry {absent}.", None)


def validation_of(dossier: str, version: str) -> Validation:
    """The counts of a dossier, where it is one of this version of the software.

    Notes
    -----
    A test that proves several requirements counts once.
    """
    head = _HEAD.search(dossier)
    if head is None:
        return Validation("Not available: the table of requirements does not say which version was tested.", None)
    if head["version"] != version:
        return Validation(f"Not available: the tests were run on version {head['version']}, not {version}.", None)
    tests = {(one["test"], one["outcome"]): int(one["count"] or 1) for one in _OUTCOME.finditer(dossier)}
    outcomes: Counter[str] = Counter()
    for (_, outcome), count in tests.items():
        outcomes[outcome] += count
    statuses = [part.strip().split(" ", 1) for part in head["counts"].split(",")]
    rows = [("Requirements", head["n"]), *((f"\N{HORIZONTAL ELLIPSIS} {word}", count) for count, word in statuses)]
    rows += [(f"Tests that name a requirement: {outcome}", str(count)) for outcome, count in sorted(outcomes.items())]
    note = (
        f"Of trialimg {version}, by the last kept run of its tests; docs/validation/results.md of its source names "
        "every requirement with its tests. The configuration of a trial is validated apart from it."
    )
    return Validation(note, Grid(("What was counted", "Count"), tuple(rows)))
