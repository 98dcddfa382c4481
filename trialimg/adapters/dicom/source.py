"""DICOM as an image source: folders indexed, series and regions read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from trialimg.adapters.dicom import rtstruct, segmentation
from trialimg.adapters.dicom.header import RT_STRUCTURE_SET, SEGMENTATION_CLASSES, read_whole, sop_class_of
from trialimg.adapters.dicom.index import index_files, index_folder
from trialimg.adapters.dicom.pixels import read_volume
from trialimg.adapters.dicom.reasons import CHANGED_MESSAGE, Reason, isolated, refusal
from trialimg.core.digest import file_digest
from trialimg.core.errors import Fault, GeometryError, IntakeError
from trialimg.core.trial import Severity
from trialimg.services.images import ContourSet, ImageIndex, SeriesRecord
from trialimg.services.ports import Progress
from trialimg.volume import Geometry, Mask, Volume

__all__ = ["DicomSource", "read_dicom_mask", "read_image", "read_regions"]


BESIDE_AN_IMAGE = frozenset({Reason.NOT_DICOM, Reason.UNSUPPORTED_CLASS, Reason.NO_REGIONS})
"""What may lie in the folder of a series without casting doubt on it."""


class DicomSource:
    """Finds DICOM images in a folder and reads them."""

    def index(self, root: Path, *, progress: Progress | None = None) -> ImageIndex:
        """Every series and contour set below a folder; files that cannot be used become findings.

        Raises
        ------
        IntakeError
            If the folder does not exist or holds no image at all.
        """
        return index_folder(root, progress)

    def volume(self, series: SeriesRecord, root: Path) -> Volume:
        """The voxels of a series in LPS mm and its physical unit (HU, SUV).

        Raises
        ------
        IntakeError
            If the series is not one whole regular stack, or its unit cannot be established, with the reason code.
        """
        return read_volume(series, root)

    def contours(self, contour_set: ContourSet, image: Volume, root: Path) -> Mapping[str, Mask]:
        """Region of each contour name, on the grid of the image that it was drawn on.

        Raises
        ------
        IntakeError
            If the file is not the one that was indexed.
        GeometryError
            If the contours lie outside of the image or between its slices.
        """
        record = contour_set.file
        path = root / record.path
        if not path.is_file() or file_digest(path) != record.digest:
            raise refusal(record.path, Reason.CHANGED, CHANGED_MESSAGE)
        return read_regions(path, image.geometry, where=record.path)


def read_image(path: Path) -> Volume:
    """The one image series in a folder, or in a multi-frame file.

    Raises
    ------
    IntakeError
        If there is not exactly one series, or part of it cannot be used.
    """
    if not path.exists():
        raise refusal(str(path), Reason.NO_SUCH, "no such file or folder")
    root = path if path.is_dir() else path.parent
    found = index_folder(path) if path.is_dir() else index_files(root, [path.name])
    if len(found.series) > 1:
        listed = "; ".join(f"{_folder(s)}: {s.modality} {s.description or s.series_uid}" for s in found.series)
        raise refusal(str(path), Reason.SEVERAL_SERIES, f"{len(found.series)} series; name the folder of one: {listed}")
    faults = tuple(
        Fault(f.where, f.code, f.message)
        for f in found.findings
        if f.severity is Severity.EXCLUDED and f.code not in BESIDE_AN_IMAGE
    )
    if faults:
        raise IntakeError(f"{path}: not one whole image series: {faults[0]}", faults)
    if path.is_file() and len(found.series[0].slice_gaps_mm) == 0:
        raise refusal(str(path), Reason.ONE_SLICE, "one slice of a series; name the folder of the series")
    return read_volume(found.series[0], root)


def _folder(series: SeriesRecord) -> str:
    return Path(series.files[0].path).parent.as_posix()


def read_regions(path: Path, grid: Geometry | None, *, where: str) -> Mapping[str, Mask]:
    """Every named region of an RTSTRUCT or SEG file, on a grid; a SEG lies on its own grid if none is given.

    Raises
    ------
    IntakeError
        If the file holds no regions.
    GeometryError
        If the regions do not lie on the grid, or contours are given no grid.
    """
    with isolated(where, Reason.UNREADABLE):
        dataset = read_whole(path, where)
        return _regions(dataset, grid, where)


def _regions(dataset: Dataset, grid: Geometry | None, where: str) -> Mapping[str, Mask]:
    sop_class = sop_class_of(dataset)
    if sop_class in SEGMENTATION_CLASSES:
        return segmentation.regions(dataset, grid or segmentation.own_grid(dataset, where), where)
    if sop_class != RT_STRUCTURE_SET:
        raise refusal(where, Reason.UNSUPPORTED_CLASS, "neither an RT Structure Set nor a Segmentation")
    if grid is None:
        raise GeometryError(f"{where}: contours need the image they were drawn on")
    found = rtstruct.regions(dataset, grid, where)
    if not found:
        raise refusal(where, Reason.NO_REGIONS, "the structure set holds no closed contour")
    return found


def read_dicom_mask(path: Path, grid: Geometry | None, *, region: str | None = None) -> Mask:
    """The regions of an RTSTRUCT or SEG file as one mask: labels 1, 2, ... with their names.

    Parameters
    ----------
    region
        Name of the one region to take, as label 1.

    Raises
    ------
    IntakeError
        If the file is not there, has no such region, or its regions overlap and none is chosen.
    GeometryError
        As for `read_regions`.
    """
    where = str(path)
    if not path.is_file():
        raise refusal(where, Reason.NO_SUCH, "a folder; name the file in it" if path.is_dir() else "no such file")
    found = read_regions(path, grid, where=where)
    if region is None:
        return _joined(found, where)
    if region not in found:
        raise refusal(where, Reason.NO_REGIONS, f"no region {region!r}; it has {', '.join(found)}")
    return found[region]


def _joined(found: Mapping[str, Mask], where: str) -> Mask:
    masks = list(found.values())
    labels = np.zeros(masks[0].array.shape, dtype=np.uint8 if len(masks) < 256 else np.uint16)
    for label, (name, mask) in enumerate(found.items(), start=1):
        inside = mask.array != 0
        if taken := np.unique(labels[inside & (labels != 0)]).tolist():
            other = list(found)[taken[0] - 1]
            raise refusal(where, Reason.OVERLAP, f"regions {other!r} and {name!r} overlap; choose one by its name")
        labels[inside] = label
    return Mask(labels, masks[0].geometry, tuple(enumerate(found, start=1)))
