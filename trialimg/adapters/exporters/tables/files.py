"""A summary table as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trialimg.adapters.exporters.rendering import pdf_of
from trialimg.adapters.exporters.tables.html import table_page
from trialimg.adapters.exporters.tables.rtf import rtf_of
from trialimg.adapters.exporters.writing import write_whole
from trialimg.core.errors import ReadingError
from trialimg.services.tabulation.table import SummaryTable

__all__ = ["FORMATS", "write_table"]


def write_table(table: SummaryTable, path: Path) -> Path:
    """The table with its title and footnotes in the format that the file's name ends in.

    Raises
    ------
    ReadingError
        If that is none of HTML, RTF and PDF.
    """
    made = FORMATS.get(path.suffix.lower())
    if made is None:
        known, given = ", ".join(FORMATS), path.suffix or "a bare name"
        raise ReadingError(f"{path}: a table is written as {known}, not as {given}")
    return write_whole(path, made(table))


def _html(table: SummaryTable) -> bytes:
    return table_page(table).encode()


def _pdf(table: SummaryTable) -> bytes:
    return pdf_of(table_page(table))


FORMATS: dict[str, Callable[[SummaryTable], bytes]] = {".html": _html, ".rtf": rtf_of, ".pdf": _pdf}
