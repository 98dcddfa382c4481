"""RECIST diameters, volume and extent of a lesion's mask.

References
----------
Eisenhauer EA et al. New response evaluation criteria in solid tumours: revised RECIST guideline (version 1.1).
Eur J Cancer 2009;45:228. Miller AB et al. Reporting results of cancer treatment. Cancer 1981;47:207 (WHO).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from trialimg.core.errors import GeometryError
from trialimg.core.prompts import PointLps
from trialimg.imaging import diameters
from trialimg.imaging.diameters import Chord
from trialimg.volume import Geometry, Mask

__all__ = ["CONVENTION", "FLAGS", "VERSION", "LesionMeasurement", "measure", "measure_all", "measure_fragments"]

VERSION = "1"
"""Changes whenever the same mask may give another number."""
CONVENTION = "centre_to_centre_plus_half_pixel"
"""Long axis and largest 3D extent: between pixel centres + 1/2 pixel. Short axis and width, whose direction is given:
between the edges of pixels - 1/4 pixel. A pixel's size is the square root of its area."""
FLAGS = {
    "long_axis_leaves_lesion": "the long axis runs outside of the lesion (a bent or ring-like shape)",
    "near_tie": "a diameter at least 30 degrees away, in this or another slice, is less than half a pixel shorter",
    "few_pixels": "fewer than 12 pixels in the measured region: the diameters are coarse",
    "several_components": "the label consists of more than one connected part; diameters are those of one part",
    "thick_slices": "slices are more than 5 mm apart",
    "not_axial": "slices are tilted by more than 30 degrees against the axial plane",
    "touches_image_border": "the lesion may go on beyond the image",
}
"""What each flag of a measurement says."""

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

_THICK_MM = 5.0
_TILT_DEGREES = 30.0
_FEW_PIXELS = 12
_SLACK_MM = 1e-3


@dataclass(frozen=True)
class LesionMeasurement:
    """One lesion measured; lengths unrounded in mm, points in LPS mm."""

    label: int
    long_axis_mm: float
    short_axis_mm: float
    caliper_width_mm: float
    """Extent of the whole lesion across the long axis, in the same slice; for quality control."""
    volume_ml: float
    max_3d_mm: float
    who_product_mm2: float
    """Long axis x short axis (WHO 1979)."""
    slice_index: int
    long_axis_lps_mm: tuple[PointLps, PointLps]
    short_axis_lps_mm: tuple[PointLps, PointLps]
    flags: tuple[str, ...]
    convention: str
    """How a length between pixels is counted, so that the value can be reproduced."""


def measure(mask: Mask, label: int) -> LesionMeasurement:
    """The diameters, volume and extent of one label, all of its parts together.

    Raises
    ------
    GeometryError
        If no voxel has the label.
    """
    places = ndimage.find_objects((mask.array == label).astype(np.uint8))
    if not places:
        present = ", ".join(map(str, mask.labels)) or "none, the mask is empty"
        raise GeometryError(f"no voxel of the mask has label {label}; labels present: {present}")
    return _measured(_Part(mask.array[places[0]] == label, _low(places[0]), mask.geometry), label)


def measure_all(mask: Mask) -> tuple[LesionMeasurement, ...]:
    """Every label of a mask, ascending.

    Raises
    ------
    GeometryError
        If the mask is empty.
    """
    _require_region(mask)
    boxes = enumerate(ndimage.find_objects(mask.array.astype(np.int32, copy=False)), start=1)
    return tuple(
        _measured(_Part(mask.array[box] == label, _low(box), mask.geometry), label) for label, box in boxes if box
    )


def measure_fragments(mask: Mask) -> tuple[LesionMeasurement, ...]:
    """Every connected part of every label (voxels that share a corner are connected), largest first.

    Raises
    ------
    GeometryError
        If the mask is empty.
    """
    _require_region(mask)
    parts = [
        _measured(_Part(components[box] == number, _low(box), mask.geometry), label)
        for label in mask.labels
        for components in [ndimage.label(mask.array == label, np.ones((3, 3, 3)))[0]]
        for number, box in enumerate(ndimage.find_objects(components), start=1)
    ]
    return tuple(sorted(parts, key=lambda part: -part.volume_ml))


@dataclass(frozen=True, eq=False)
class _Part:
    """A region cut out of its grid."""

    array: BoolArray
    low: tuple[int, int, int]
    """Index (i, j, k) of its first voxel in the grid."""
    grid: Geometry

    @property
    def pixel_mm(self) -> float:
        return float(np.sqrt(np.prod(self.grid.in_plane_spacing_mm)))

    def to_lps(self, chord: Chord, k: int) -> tuple[PointLps, PointLps]:
        """Ends of a line in slice ``k`` of the part, as patient coordinates."""
        plane = np.array([chord.start_mm, chord.end_mm]) / np.asarray(self.grid.in_plane_spacing_mm)
        index = np.column_stack([plane, [k, k]]) + np.asarray(self.low)
        start, end = self.grid.to_lps(index).tolist()
        return (start[0], start[1], start[2]), (end[0], end[1], end[2])


@dataclass(frozen=True, eq=False)
class _Section:
    """One connected region of one slice."""

    k: int
    region: BoolArray
    corners: npt.NDArray[np.intp]
    diameter: Chord


def _measured(part: _Part, label: int) -> LesionMeasurement:
    sections = list(_sections(part))
    longest = max(section.diameter.length_mm for section in sections)
    chosen = next(s for s in sections if s.diameter.length_mm >= longest - 1e-6)
    across = diameters.short_axis(chosen.region, part.grid.in_plane_spacing_mm, chosen.diameter)
    long_axis = chosen.diameter.lengthened(part.pixel_mm / 2)
    # in a region of few pixels the two conventions may cross
    shortened = max(part.pixel_mm / 4, across.chord.length_mm - long_axis.length_mm)
    short_axis = across.chord.lengthened(-shortened)
    return LesionMeasurement(
        label=label,
        long_axis_mm=long_axis.length_mm,
        short_axis_mm=short_axis.length_mm,
        caliper_width_mm=across.caliper_width_mm - shortened,
        volume_ml=float(np.count_nonzero(part.array)) * part.grid.voxel_volume_mm3 / 1000,
        max_3d_mm=_max_3d_mm(sections, part),
        who_product_mm2=long_axis.length_mm * short_axis.length_mm,
        slice_index=part.low[2] + chosen.k,
        long_axis_lps_mm=part.to_lps(long_axis, chosen.k),
        short_axis_lps_mm=part.to_lps(short_axis, chosen.k),
        flags=tuple(_flags(part, sections, chosen)),
        convention=CONVENTION,
    )


def _sections(part: _Part) -> Iterator[_Section]:
    for k, plane in enumerate(part.array):
        components, count = ndimage.label(plane, np.ones((3, 3)))
        for number in range(1, count + 1):
            region = plane if count == 1 else components == number
            corner_pixels = diameters.corners(region)
            diameter = diameters.longest_diameter(corner_pixels, part.grid.in_plane_spacing_mm)
            yield _Section(k, region, corner_pixels, diameter)


def _max_3d_mm(sections: list[_Section], part: _Part) -> float:
    index = np.concatenate([np.column_stack([s.corners, np.full(len(s.corners), s.k)]) for s in sections])
    points: FloatArray = index * np.asarray(part.grid.spacing_mm)
    with suppress(QhullError):  # all in one plane or line, or too few: every point stays
        points = points[ConvexHull(points).vertices]
    return float(pdist(points).max(initial=0.0)) + part.pixel_mm / 2


def _flags(part: _Part, sections: list[_Section], chosen: _Section) -> Iterator[str]:
    grid = part.grid
    if diameters.leaves(chosen.region, grid.in_plane_spacing_mm, chosen.diameter):
        yield "long_axis_leaves_lesion"
    if _near_tie(sections, part, chosen.diameter):
        yield "near_tie"
    if np.count_nonzero(chosen.region) < _FEW_PIXELS:
        yield "few_pixels"
    if ndimage.label(part.array, np.ones((3, 3, 3)))[1] > 1:
        yield "several_components"
    if grid.slice_spacing_mm > _THICK_MM + _SLACK_MM:
        yield "thick_slices"
    if abs(grid.matrix[2, 2]) < np.cos(np.radians(_TILT_DEGREES)):
        yield "not_axial"
    ends = np.add(part.low, part.array.shape[::-1])
    if min(part.low) == 0 or bool(np.any(ends == grid.size)):
        yield "touches_image_border"


def _near_tie(sections: list[_Section], part: _Part, best: Chord) -> bool:
    limit_mm = best.length_mm - part.pixel_mm / 2
    return any(
        diameters.longest_diameter(s.corners, part.grid.in_plane_spacing_mm, away_from=best).length_mm > limit_mm
        for s in sections
        if s.diameter.length_mm > limit_mm > 0
    )


def _require_region(mask: Mask) -> None:
    if mask.is_empty:
        raise GeometryError("the mask is empty: there is no lesion to measure")


def _low(box: Any) -> tuple[int, int, int]:
    """Index (i, j, k) of the first voxel of a box given as slices (k, j, i)."""
    return box[2].start, box[1].start, box[0].start
