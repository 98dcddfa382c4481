"""CDISC datasets as files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.core.errors import ReadingError

if TYPE_CHECKING:
    from trialimg.services.cdisc.conformance import Finding
    from trialimg.services.cdisc.course import Study
    from trialimg.services.cdisc.delivery import Delivery
    from trialimg.services.cdisc.tables import Table

__all__ = ["core_findings", "demographics", "read_datasets", "write_datasets"]


def write_datasets(
    study: Study, tables: Sequence[Table], out: Path, *, formats: Sequence[str], created: dt.datetime
) -> tuple[tuple[Path, ...], tuple[Finding, ...]]:
    """Write datasets with their description and guide into an existing folder; the files, and what the checks found.

    Raises
    ------
    ReadingError
        With every value that a format cannot hold; then nothing is written.
    """
    from trialimg.adapters.exporters.cdisc.files import write_delivery

    return write_delivery(study, tables, out, formats=formats, created=created)


def read_datasets(folder: Path) -> Delivery:
    """The datasets of a folder, ours or anybody's.

    Raises
    ------
    IntakeError
        If there are none.
    """
    from trialimg.adapters.exporters.cdisc.files import read_delivery

    return read_delivery(folder)


def core_findings(engine: Path, folder: Path, *, timeout_seconds: float) -> tuple[Finding, ...]:
    """What the CDISC CORE engine that the user has finds in the transport files of a folder.

    Raises
    ------
    IntakeError
        If it cannot be run, takes too long, or leaves no report.
    """
    from trialimg.adapters.exporters.cdisc.core_engine import core_findings

    return core_findings(engine, folder, timeout_seconds=timeout_seconds)


def demographics(path: Path) -> tuple[Mapping[str, str], ...]:
    """The rows of a sponsor's DM.

    Raises
    ------
    ReadingError
        If it cannot be read, or is no DM.
    """
    from trialimg.services.cdisc.export import read_demographics

    try:
        return read_demographics(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as fault:
        raise ReadingError(f"{path}: cannot be read as UTF-8 text ({fault})") from fault
