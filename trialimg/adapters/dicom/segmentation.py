"""DICOM Segmentations: binary, fractional and label map, with any frames left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from trialimg.adapters.dicom.header import distinct_names, text_of
from trialimg.adapters.dicom.planes import frame_group, planes_of, require_voxels
from trialimg.adapters.dicom.reasons import Reason, refusal
from trialimg.adapters.dicom.stack import Plane, plane_geometry
from trialimg.core.errors import GeometryError
from trialimg.services.images import ContourSet, FileRecord
from trialimg.volume import Geometry, Mask

__all__ = ["contour_set", "own_grid", "regions"]

Pixels = npt.NDArray[Any]

FRACTION_INSIDE = 0.5
"""From this part of the maximum on, a voxel of a fractional segment is inside."""
SLICE_TOLERANCE = 0.02
"""In slices: how far a frame may lie off the segmentation's own regular grid."""


def contour_set(dataset: Dataset, record: FileRecord) -> ContourSet:
    """The names of the segments, and the series they were drawn on.

    Raises
    ------
    IntakeError
        If there is no segment.
    """
    names = tuple(_names(dataset).values())
    if not names:
        raise refusal(record.path, Reason.NO_REGIONS, "the segmentation holds no segment")
    series = [text_of(item, "SeriesInstanceUID") for item in dataset.get("ReferencedSeriesSequence") or []]
    return ContourSet(
        subject=text_of(dataset, "PatientID"),
        series_uid=series[0] if len(series) == 1 else "",
        frame_of_reference_uid=text_of(dataset, "FrameOfReferenceUID"),
        file=record,
        names=names,
    )


def own_grid(dataset: Dataset, where: str) -> Geometry:
    """The grid that a segmentation's frames span, frames left out included.

    Raises
    ------
    IntakeError
        If the frames do not lie on one regular stack.
    """
    planes = planes_of(dataset, where)
    first = planes[0]
    if any(not first.parallel_to(plane) for plane in planes):
        raise refusal(where, Reason.MIXED_ORIENTATIONS, "frames lie in several orientations")
    heights = np.array([plane.position_lps_mm for plane in planes]) @ first.normal
    spacing = _slice_spacing_mm(dataset, np.unique(np.round(heights, 3)))
    if spacing is None:
        raise refusal(where, Reason.NO_SLICE_SPACING, "the distance between slices is not stated; give the image")
    steps = (heights - heights.min()) / spacing
    if np.abs(steps - np.round(steps)).max() > SLICE_TOLERANCE:
        raise refusal(where, Reason.VARYING_SPACING, f"frames do not lie on slices {spacing:g} mm apart")
    slices = int(np.round(steps.max())) + 1
    require_voxels(slices * first.rows * first.columns, where)
    return plane_geometry(planes[int(np.argmin(heights))], slices=slices, spacing_mm=spacing)


def regions(dataset: Dataset, grid: Geometry, where: str) -> Mapping[str, Mask]:
    """The voxels of every segment on a grid, label 1, in the order of the segments' numbers; some may be empty.

    Raises
    ------
    GeometryError
        If a frame's pixels are not voxels of the grid.

    References
    ----------
    DICOM PS3.3 A.51 (Segmentation), C.8.20 (segmentation image).
    """
    names = _names(dataset)
    arrays = {number: np.zeros(grid.shape, dtype=np.uint8) for number in names}
    frames = pixel_array(dataset).reshape(-1, int(dataset.Rows), int(dataset.Columns))
    for plane, pixels in zip(planes_of(dataset, where), frames, strict=True):
        for number, inside in _segments(dataset, plane.frame, pixels):
            if number in arrays and inside.any():
                _place(inside, plane, arrays[number], grid, where)
    return {name: Mask(arrays[number], grid, ((1, name),)) for number, name in names.items()}


def _names(dataset: Dataset) -> dict[int, str]:
    """Segment number to label, without the background of a label map."""
    stated = {int(s.SegmentNumber): text_of(s, "SegmentLabel") for s in dataset.get("SegmentSequence") or []}
    return distinct_names({number: stated[number] or f"segment {number}" for number in sorted(stated) if number})


def _segments(dataset: Dataset, frame: int, pixels: Pixels) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    """The segments that one frame holds, each with its pixels."""
    kind = text_of(dataset, "SegmentationType")
    if kind == "LABELMAP":
        yield from ((int(n), pixels == n) for n in np.unique(pixels) if n)
        return
    group = frame_group(dataset, frame, "SegmentIdentificationSequence")
    number = int(group.ReferencedSegmentNumber) if group is not None else 1
    full = int(dataset.MaximumFractionalValue) if kind == "FRACTIONAL" else 1
    yield number, pixels >= FRACTION_INSIDE * full


def _place(inside: npt.NDArray[np.bool_], plane: Plane, array: Pixels, grid: Geometry, where: str) -> None:
    """Set the voxels of a grid that are a frame's pixels."""
    own = plane_geometry(plane, slices=1, spacing_mm=grid.slice_spacing_mm, third_axis=grid.matrix[:, 2])
    i, j, k = (int(n) for n in np.round(grid.to_index(plane.position_lps_mm)))
    same = grid.cropped((i, j, k), (i + plane.columns, j + plane.rows, k + 1))
    own.require_same(same, f"{where}: frame {plane.frame + 1}", "the image")
    rows, columns = np.nonzero(inside)
    rows, columns = rows + j, columns + i
    low, high = (k, rows.min(), columns.min()), (k, rows.max(), columns.max())
    if min(low) < 0 or any(index >= extent for index, extent in zip(high, grid.shape, strict=True)):
        raise GeometryError(f"{where}: frame {plane.frame + 1} has pixels outside of the image")
    array[k, rows, columns] = 1


def _slice_spacing_mm(dataset: Dataset, heights: npt.NDArray[np.float64]) -> float | None:
    """As stated, else the thickness where the nearest frames stand that far apart; None where that is not so.

    Frames may be left out, so their distances alone do not tell how far apart the slices are.
    """
    measures = frame_group(dataset, 0, "PixelMeasuresSequence") or Dataset()
    stated, thickness = (float(measures.get(k) or 0) for k in ("SpacingBetweenSlices", "SliceThickness"))
    if stated > 0:
        return stated
    nearest = float(np.diff(heights).min()) if heights.size > 1 else thickness
    return thickness if thickness > 0 and abs(nearest - thickness) <= SLICE_TOLERANCE * thickness else None
