"""What every printed document shares: templates, letters, colours of the responses, and the way to PDF."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from weasyprint import HTML
from weasyprint.urls import URLFetcher

from trialimg.adapters.exporters.figures.letters import font_faces
from trialimg.adapters.exporters.figures.look import look_of
from trialimg.core.digest import digest_of

__all__ = ["environment", "pdf_of"]

_HERE = Path(__file__).parent
_UNIVERSAL_ACCESS = (
    b'<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part>'
    b'</rdf:Description><rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" '
    b'xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">'
    b'<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification'
    b"</pdfaSchema:schema><pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>"
    b"<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>"
    b'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer'
    b"</pdfaProperty:valueType><pdfaProperty:category>internal</pdfaProperty:category><pdfaProperty:description>"
    b"Part of ISO 14289 to which the document conforms</pdfaProperty:description></rdf:li></rdf:Seq>"
    b"</pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"
)
"""PDF/UA-1 as XMP says it, and the schema that describes the word to readers of PDF/A."""


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
    """Pages of the text; no clock and no chance stands in them, and nothing is fetched from outside.

    Notes
    -----
    To be kept for long (PDF/A-2a: letters and colours embedded, tagged) and to be read aloud (PDF/UA-1). One set of
    metadata claims both; PDF/A asks that the words which only PDF/UA knows are described there.
    """
    page = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=("data",)))
    data: bytes = page.write_pdf(
        pdf_variant="pdf/a-2a", pdf_identifier=digest_of(html.encode()).encode(), finisher=_claim_accessibility
    )
    return data


def _claim_accessibility(document: object, pdf: Any) -> None:
    """Add the identification of PDF/UA-1 to the metadata of a PDF/A."""
    del document
    for item in pdf.objects:
        if getattr(item, "extra", {}).get("Type") == "/Metadata":
            item.stream = [part.replace(b"</rdf:RDF>", _UNIVERSAL_ACCESS + b"</rdf:RDF>") for part in item.stream]
