"""The imaging charter as one HTML text, and as PDF."""

from __future__ import annotations

from pathlib import Path

from trialimg.adapters.exporters.rendering import environment, pdf_of
from trialimg.adapters.exporters.wording import short_digest
from trialimg.adapters.exporters.writing import write_whole
from trialimg.services.trials_charter import Charter

__all__ = ["charter_html", "charter_pdf", "write_charter"]


def charter_html(charter: Charter) -> str:
    """The charter; the same protocol and history give the same text."""
    template = environment().get_template("charter.html.j2")
    return template.render(charter=charter, digest=short_digest(charter.digest))


def charter_pdf(charter: Charter) -> bytes:
    """The charter in pages."""
    return pdf_of(charter_html(charter))


def write_charter(charter: Charter, folder: Path) -> tuple[Path, ...]:
    """Write `charter.html` and `charter.pdf` into an existing folder."""
    html = charter_html(charter)
    files = {"charter.html": html.encode(), "charter.pdf": pdf_of(html)}
    return tuple(write_whole(folder / name, data) for name, data in files.items())
