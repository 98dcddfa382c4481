"""The report as `report.html`."""

from __future__ import annotations

from pathlib import Path

from trialimg.adapters.exporters.report.page import html_of
from trialimg.adapters.exporters.writing import write_whole
from trialimg.services.results import TrialResult

__all__ = ["HtmlExporter"]


class HtmlExporter:
    """`report.html`: one file with its styles, letters and images in it."""

    name = "html"
    version = "4"

    def export(self, result: TrialResult, out: Path) -> tuple[Path, ...]:
        """Write the report into a folder."""
        return (write_whole(out / "report.html", html_of(result).encode()),)
