"""The imaging charter as one HTML text, and as PDF."""

from __future__ import annotations

from trialimg.adapters.exporters.rendering import environment, pdf_of
from trialimg.adapters.exporters.wording import short_digest
from trialimg.services.trials_charter import Charter

__all__ = ["charter_html", "charter_pdf"]


def charter_html(charter: Charter) -> str:
    """The charter; the same protocol and history give the same text."""
    template = environment().get_template("charter.html.j2")
    return template.render(charter=charter, digest=short_digest(charter.digest))


def charter_pdf(charter: Charter) -> bytes:
    """The charter in pages."""
    return pdf_of(charter_html(charter))
