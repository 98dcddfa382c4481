"""How wide words are in the letters of the report, so that they can be placed and wrapped."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from PIL import ImageFont

__all__ = ["font_faces", "text_width", "wrapped"]

_HERE = Path(__file__).parents[1] / "fonts"
_FONTS = ((400, _HERE / "ReportSans-Regular.ttf"), (600, _HERE / "ReportSans-SemiBold.ttf"))
_MEASURED_AT = 100


def text_width(text: str, size: float, *, is_bold: bool = False) -> float:
    """Width of the widest line of a text, in the unit of the letters' size."""
    font = _font(is_bold)
    return max((font.getlength(line) for line in text.split("\n")), default=0.0) * size / _MEASURED_AT


def wrapped(text: str, size: float, width: float) -> list[str]:
    """A text in lines no wider than a width; a word that is wider stands alone."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def font_faces() -> str:
    """The report's own letters as rules of style, so that a text reads alike wherever it is opened."""
    faces = []
    for weight, path in _FONTS:
        data = base64.b64encode(path.read_bytes()).decode()
        source = f"url(data:font/ttf;base64,{data}) format('truetype')"
        faces.append(f"@font-face{{font-family:'Report Sans';font-weight:{weight};src:{source}}}")
    return "\n".join(faces)


@cache
def _font(is_bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONTS[is_bold][1]), _MEASURED_AT, layout_engine=ImageFont.Layout.BASIC)
