"""Where the frames of one DICOM object lie: single-frame attributes or functional groups."""

from __future__ import annotations

import math
from typing import Any

from pydicom.dataset import Dataset

from trialimg.adapters.dicom.reasons import Reason, refusal
from trialimg.adapters.dicom.stack import Plane

__all__ = ["frame_group", "planes_of", "require_voxels"]

VOXEL_LIMIT = 1 << 31
_PLACEMENT = {
    "PixelSpacing": "PixelMeasuresSequence",
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
}


def planes_of(dataset: Dataset, where: str) -> tuple[Plane, ...]:
    """The plane of every frame, in the order of the frames.

    Raises
    ------
    IntakeError
        If position, orientation or pixel spacing of a frame is not stated or cannot be right.

    References
    ----------
    DICOM PS3.3 C.7.6.2 (image plane), C.7.6.16 (multi-frame functional groups).
    """
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    count = int(dataset.get("NumberOfFrames") or 1)
    require_voxels(rows * columns * count, where)
    if not dataset.get("PerFrameFunctionalGroupsSequence"):
        return (_plane({keyword: dataset.get(keyword) for keyword in _PLACEMENT}, where, (rows, columns, 0)),)
    described = len(dataset.PerFrameFunctionalGroupsSequence)
    if described != count:
        raise refusal(where, Reason.TRUNCATED, f"{count} frames are promised, {described} are described")
    return tuple(
        _plane(_placement(dataset, frame), f"{where}, frame {frame + 1}", (rows, columns, frame))
        for frame in range(count)
    )


def require_voxels(count: int, where: str) -> None:
    """Refuse more voxels than are held in memory at once, before they are.

    Raises
    ------
    IntakeError
        Says how many there are, and how many may be.
    """
    if count > VOXEL_LIMIT:
        raise refusal(where, Reason.TOO_LARGE, f"{count} voxels; at most {VOXEL_LIMIT} are read")


def frame_group(dataset: Dataset, frame: int, keyword: str) -> Dataset | None:
    """A functional group of a frame: its own, else the one that all frames share."""
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    for group in (dataset.PerFrameFunctionalGroupsSequence[frame], *shared[:1]):
        if items := group.get(keyword):
            item: Dataset = items[0]
            return item
    return None


def _placement(dataset: Dataset, frame: int) -> dict[str, Any]:
    groups = {keyword: frame_group(dataset, frame, group) for keyword, group in _PLACEMENT.items()}
    return {keyword: None if group is None else group.get(keyword) for keyword, group in groups.items()}


def _plane(placement: dict[str, Any], where: str, size_and_frame: tuple[int, int, int]) -> Plane:
    spacing = _numbers(placement["PixelSpacing"], 2)
    if spacing is None or min(spacing) <= 0:
        raise refusal(where, Reason.NO_PIXEL_SPACING, "no pixel spacing; lengths cannot be measured")
    position = _numbers(placement["ImagePositionPatient"], 3)
    if position is None:
        raise refusal(where, Reason.NO_POSITION, "no Image Position (Patient)")
    orientation = _numbers(placement["ImageOrientationPatient"], 6)
    if orientation is None:
        raise refusal(where, Reason.NO_ORIENTATION, "no Image Orientation (Patient)")
    row, column = orientation[:3], orientation[3:]
    inner = sum(a * b for a, b in zip(row, column, strict=True))
    if abs(inner) > 1e-3 or any(abs(math.hypot(*axis) - 1) > 1e-3 for axis in (row, column)):
        message = "Image Orientation (Patient) does not hold two perpendicular unit vectors"
        raise refusal(where, Reason.BAD_ORIENTATION, message)
    return Plane(
        (position[0], position[1], position[2]),
        (row[0], row[1], row[2], column[0], column[1], column[2]),
        (spacing[1], spacing[0]),
        *size_and_frame,
    )


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    if value is None or value == "" or not hasattr(value, "__len__") or len(value) != count:
        return None
    numbers = tuple(float(v) for v in value)
    return numbers if all(math.isfinite(n) for n in numbers) else None
