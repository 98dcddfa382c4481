"""Key image: the slice of a measurement, with the outline and diameters drawn on it as lines."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from PIL import Image

from trialimg.adapters.exporters.figures.drawing import Drawing, Point
from trialimg.services.results import KeyImage

__all__ = ["field_of_view_mm", "key_image_svg"]

OUTLINE = "#ffb000"
DIAMETER = "#58d7ff"
LARGEST_EDGE = 256
"""Pixels; a larger cut is made smaller for the report, its lines are not."""
SCALE_BARS_MM = (50, 20, 10, 5, 2, 1)


def field_of_view_mm(images: Sequence[KeyImage]) -> float:
    """The edge of the smallest square that holds each of the images, in mm: one scale for all of them."""
    return max(max(_size_mm(image)) for image in images)


def key_image_svg(image: KeyImage, words: str, *, view_mm: float, edge_px: float) -> str:
    """The image in a square of a given width in mm, drawn with a given edge in CSS pixels.

    Lines are drawn as vectors over the untouched pixels. Letters at the edges: the patient's right (R) and left (L), as
    in an axial slice whose columns run from right to left of the patient.
    """
    scale = edge_px / view_mm
    dx, dy = image.pixel_spacing_mm
    width_mm, height_mm = _size_mm(image)
    left, top = (edge_px - width_mm * scale) / 2, (edge_px - height_mm * scale) / 2

    def place(point: Point) -> Point:
        """From pixels, centres at whole numbers, to the paper."""
        return left + (point[0] + 0.5) * dx * scale, top + (point[1] + 0.5) * dy * scale

    drawing = Drawing(edge_px, edge_px)
    drawing.rect((0, 0), (edge_px, edge_px), fill="#000000")
    drawing.image((left, top), (width_mm * scale, height_mm * scale), _png_address(image))
    for outline in image.outlines:
        drawing.polygon([place(p) for p in outline], fill="none", stroke=OUTLINE, stroke_width=1.1)
    for line, dashes in ((image.long_axis, "none"), (image.short_axis, "3 2")):
        if line:
            start, end = (place(p) for p in line)
            drawing.line(start, end, stroke=DIAMETER, stroke_width=1.3, stroke_dasharray=dashes)
    if image.right_to_left:
        _draw_sides(drawing, edge_px)
    _draw_scale(drawing, edge_px, scale)
    return drawing.svg(words)


def _size_mm(image: KeyImage) -> tuple[float, float]:
    """Width and height of the cut."""
    rows, columns = image.grey.shape
    dx, dy = image.pixel_spacing_mm
    return columns * dx, rows * dy


def _draw_sides(drawing: Drawing, edge_px: float) -> None:
    for letter, x in (("R", 8.0), ("L", edge_px - 8)):
        drawing.text((x, edge_px / 2 + 4), letter, fill="#ffffff", font_weight=600, text_anchor="middle")


def _draw_scale(drawing: Drawing, edge_px: float, scale: float) -> None:
    bar_mm = next((mm for mm in SCALE_BARS_MM if mm * scale <= 0.3 * edge_px), SCALE_BARS_MM[-1])
    right, y = edge_px - 8, edge_px - 8
    drawing.line((right - bar_mm * scale, y), (right, y), stroke="#ffffff", stroke_width=2)
    drawing.text((right, y - 5), f"{bar_mm} mm", fill="#ffffff", font_size=9.5, text_anchor="end")


def _png_address(image: KeyImage) -> str:
    picture = Image.fromarray(image.grey)
    picture.thumbnail((LARGEST_EDGE, LARGEST_EDGE), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    picture.save(data, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
