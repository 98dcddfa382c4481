"""RT Structure Sets: closed contours in patient coordinates as regions on an image's grid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from trialimg.adapters.dicom.header import distinct_names, text_of
from trialimg.adapters.dicom.reasons import Reason, refusal
from trialimg.core.errors import GeometryError
from trialimg.imaging.contour import filled
from trialimg.services.images import ContourSet, FileRecord
from trialimg.volume import Geometry, Mask

__all__ = ["contour_set", "regions"]

FloatArray = npt.NDArray[np.float64]

CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
SAME_PLANE_MM = 1e-2
SLICE_TOLERANCE = 0.5
"""In slices: a contour belongs to the slice whose slab it lies in, all of its points."""
EDGE_TOLERANCE = 1.0
"""In voxels beyond the outermost centres: outlines of what touches the border run half a voxel outside."""


def contour_set(dataset: Dataset, record: FileRecord) -> ContourSet:
    """The names of the regions in a structure set, and the series it was drawn on.

    Raises
    ------
    IntakeError
        If it holds no closed contour.
    """
    names = tuple(_contours_by_name(dataset))
    if not names:
        raise refusal(record.path, Reason.NO_REGIONS, "the structure set holds no closed contour")
    frames = dataset.get("ReferencedFrameOfReferenceSequence") or []
    series = {
        text_of(item, "SeriesInstanceUID")
        for frame in frames
        for study in frame.get("RTReferencedStudySequence") or []
        for item in study.get("RTReferencedSeriesSequence") or []
    }
    frame_uids = {text_of(frame, "FrameOfReferenceUID") for frame in frames} | {
        text_of(roi, "ReferencedFrameOfReferenceUID") for roi in dataset.get("StructureSetROISequence") or []
    }
    return ContourSet(
        subject=text_of(dataset, "PatientID"),
        series_uid=_only(series),
        frame_of_reference_uid=_only(frame_uids) or text_of(dataset, "FrameOfReferenceUID"),
        file=record,
        names=names,
    )


def regions(dataset: Dataset, geometry: Geometry, where: str) -> Mapping[str, Mask]:
    """The region of every name that has closed contours, as a mask with label 1.

    Raises
    ------
    GeometryError
        If a contour lies outside of the image or across its slices, or several planes of contours fall on one slice.
    """
    return {
        name: Mask(_drawn(contours, geometry, f"{where}: region {name}"), geometry, ((1, name),))
        for name, contours in _contours_by_name(dataset).items()
    }


def _contours_by_name(dataset: Dataset) -> dict[str, list[FloatArray]]:
    """Closed contours, points of shape (n, 3) in LPS mm, of every region that has any; in order of ROI number."""
    stated = {int(roi.ROINumber): text_of(roi, "ROIName") for roi in dataset.get("StructureSetROISequence") or []}
    contours = {
        int(item.ReferencedROINumber): [
            np.asarray(contour.ContourData, dtype=np.float64).reshape(-1, 3)
            for contour in item.get("ContourSequence") or []
            if text_of(contour, "ContourGeometricType") in CLOSED and len(contour.ContourData) >= 9
        ]
        for item in dataset.get("ROIContourSequence") or []
    }
    drawn = sorted(number for number, lines in contours.items() if lines)
    names = distinct_names({number: stated.get(number) or f"ROI {number}" for number in drawn})
    return {names[number]: contours[number] for number in drawn}


def _drawn(contours: Sequence[FloatArray], geometry: Geometry, what: str) -> npt.NDArray[np.uint8]:
    array = np.zeros(geometry.shape, dtype=np.uint8)
    by_slice: dict[int, list[FloatArray]] = defaultdict(list)
    for contour in contours:
        index = geometry.to_index(contour)
        by_slice[_slice_of(contour, index, geometry, what)].append(index)
    _require_every_slice(sorted(by_slice), what)
    for k, polygons in sorted(by_slice.items()):
        _require_one_plane(polygons, k, geometry, what)
        array[k] = filled([polygon[:, :2] for polygon in polygons], geometry.shape[1:])
    if not array.any():
        raise GeometryError(f"{what} encloses no voxel centre of the image")
    return array


def _slice_of(contour: FloatArray, index: FloatArray, geometry: Geometry, what: str) -> int:
    """The one slice whose slab holds the contour."""
    k = int(np.round(index[:, 2].mean()))
    if np.abs(index[:, 2] - k).max() > SLICE_TOLERANCE + 1e-3:
        raise GeometryError(f"{what} has a contour across slices; it was drawn on slices of another orientation")
    last = np.asarray(geometry.size) - 1
    beyond = ((index < -EDGE_TOLERANCE) | (index > last + EDGE_TOLERANCE)).any(axis=1)
    if beyond.any():
        geometry.require_point(contour[np.argmax(beyond)], f"{what}: contour point")
    return min(max(k, 0), int(last[2]))


def _require_one_plane(polygons: Sequence[FloatArray], k: int, geometry: Geometry, what: str) -> None:
    heights = np.array([polygon[:, 2].mean() for polygon in polygons]) * geometry.slice_spacing_mm
    if np.ptp(heights) > SAME_PLANE_MM:
        raise GeometryError(
            f"{what} has contours in several planes within slice {k + 1}, up to {np.ptp(heights):.2f} mm apart; "
            "it was drawn on a finer stack of slices than this image"
        )


def _require_every_slice(slices: Sequence[int], what: str) -> None:
    """Refuse contours on every second, third ... slice: the region between them is not said."""
    steps = np.diff(slices)
    if len(steps) > 1 and steps.min() > 1:
        raise GeometryError(
            f"{what} has contours on slices {', '.join(str(k + 1) for k in slices[:4])} ... and none between; "
            "interpolate them in the program that drew them"
        )


def _only(values: set[Any]) -> str:
    """The one value; empty where there is none or there are several."""
    stated = sorted(value for value in values if value)
    return stated[0] if len(stated) == 1 else ""
