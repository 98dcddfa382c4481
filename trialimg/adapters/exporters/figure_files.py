"""A figure as a file: SVG, PDF or PNG, all of the same drawing, none by a browser."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pypdfium2

from trialimg.adapters.exporters.figures.static import drawn, figure_svg
from trialimg.adapters.exporters.rendering import environment, pdf_of
from trialimg.adapters.exporters.writing import write_whole
from trialimg.core.errors import ReadingError
from trialimg.services.figures.figure import Figure

__all__ = ["FORMATS", "pdf_of_figure", "png_of_figure", "write_figure"]

POINTS_PER_INCH = 72
PRINT_DPI = 300


def write_figure(figure: Figure, path: Path) -> Path:
    """The figure with its title and footnotes in the format that the file's name ends in.

    Raises
    ------
    ReadingError
        If that is none of SVG, PDF and PNG.
    """
    made = FORMATS.get(path.suffix.lower())
    if made is None:
        raise ReadingError(
            f"{path}: a figure is written as {', '.join(FORMATS)}, not as {path.suffix or 'a bare name'}"
        )
    return write_whole(path, made(figure))


def pdf_of_figure(figure: Figure) -> bytes:
    """One page of the drawing's own size, tagged, with its letters in it."""
    drawing = drawn(figure, has_words=True)
    svg = drawing.svg(figure.words, title=figure.title)
    return pdf_of(environment().get_template("figure.html.j2").render(figure=figure, drawing=drawing, svg=svg))


def png_of_figure(figure: Figure, *, dots_per_inch: int = PRINT_DPI) -> bytes:
    """The page of the PDF in pixels."""
    document = pypdfium2.PdfDocument(pdf_of_figure(figure))
    try:
        picture = document[0].render(scale=dots_per_inch / POINTS_PER_INCH).to_pil()
    finally:
        document.close()
    data = io.BytesIO()
    picture.convert("RGB").save(data, format="PNG", optimize=True, dpi=(dots_per_inch, dots_per_inch))
    return data.getvalue()


def _svg(figure: Figure) -> bytes:
    return figure_svg(figure, has_words=True).encode()


FORMATS: dict[str, Callable[[Figure], bytes]] = {".svg": _svg, ".pdf": pdf_of_figure, ".png": png_of_figure}
