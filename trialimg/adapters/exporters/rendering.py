"""What every printed document shares: templates, letters, colours of the responses, and the way to PDF."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from weasyprint import HTML
from weasyprint.urls import URLFetcher

from trialimg.adapters.exporters.figures.letters import font_faces
from trialimg.adapters.exporters.figures.look import look_of
from trialimg.core.digest import digest_of

__all__ = ["environment", "pdf_of"]

_HERE = Path(__file__).parent


@cache
def environment() -> Environment:
    """Templates that escape every text and refuse a word that nobody gave them."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(fonts=font_faces(), look_of=look_of)
    return made


def pdf_of(html: str) -> bytes:
    """Pages of the text; no clock and no chance stands in them, and nothing is fetched from outside."""
    page = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=("data",)))
    data: bytes = page.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=digest_of(html.encode()).encode())
    return data
