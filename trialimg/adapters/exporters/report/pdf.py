"""The report as `report.pdf`, made from the same text as the HTML."""

from __future__ import annotations

from pathlib import Path

from trialimg.adapters.exporters.rendering import pdf_of
from trialimg.adapters.exporters.report.page import html_of
from trialimg.adapters.exporters.writing import write_whole
from trialimg.services.results import TrialResult

__all__ = ["PdfExporter", "pdf_of"]


class PdfExporter:
    """`report.pdf`: the report in pages, tagged for screen readers (PDF/UA-1)."""

    name = "pdf"
    version = "4"

    def export(self, result: TrialResult, out: Path) -> tuple[Path, ...]:
        """Write the report into a folder."""
        return (write_whole(out / "report.pdf", pdf_of(html_of(result))),)
