"""What is printed from the records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialimg.adapters.exporters.invoice.files import BillFiles
    from trialimg.services.archive_export import CopyWriter
    from trialimg.services.trials_charter import Charter

__all__ = ["bill_files", "charter_files", "inspection_files"]


def bill_files() -> BillFiles:
    """What writes bills and statements as files."""
    from trialimg.adapters.exporters.invoice.files import BillFiles

    return BillFiles()


def inspection_files() -> CopyWriter:
    """What writes inspection copies as files."""
    from trialimg.adapters.exporters.inspection import InspectionFiles

    return InspectionFiles()


def charter_files(charter: Charter, folder: Path) -> tuple[Path, ...]:
    """Write a charter as HTML and PDF into an existing folder."""
    from trialimg.adapters.exporters.charter import write_charter

    return write_charter(charter, folder)
