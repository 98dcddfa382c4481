"""The voxels of one series in its physical unit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGExtended12Bit

from trialimg.adapters.dicom.header import ImageHeader, image_header, read_whole, text_of
from trialimg.adapters.dicom.pet import pet_facts
from trialimg.adapters.dicom.planes import frame_group
from trialimg.adapters.dicom.reasons import CHANGED_MESSAGE, Reason, isolated, refusal
from trialimg.adapters.dicom.stack import Plane, stack_geometry, stack_of
from trialimg.core.digest import file_digest
from trialimg.core.errors import Fault, IntakeError
from trialimg.imaging.suv import suv_factor
from trialimg.services.images import FileRecord, SeriesRecord
from trialimg.volume import Geometry, Unit, Volume

__all__ = ["read_volume"]

Array = npt.NDArray[Any]


def read_volume(series: SeriesRecord, root: Path) -> Volume:
    """The voxels of a series as HU (CT), SUV by body weight (PET) or the scanner's own numbers (MR).

    Raises
    ------
    IntakeError
        If the series is not one whole regular stack, a file changed since it was indexed, its pixels cannot be
        decoded, or the unit cannot be established.
    """
    where = f"series {series.series_uid}"
    planes: list[tuple[Plane, Array]] = []
    headers: list[Dataset] = []
    single_slice_mm: float | None = None
    for record in series.files:
        dataset, header = _intact(record, root)
        single_slice_mm = header.slice_spacing_mm or header.slice_thickness_mm
        planes += zip(header.planes, _frames(dataset, header, root / record.path), strict=True)
        dataset.pop("PixelData", None)
        headers.append(dataset)
    array, geometry = _stacked(planes, single_slice_mm, where)
    if series.modality != "PT":
        return Volume(array, geometry, series.modality, _unit(headers[0], series.modality))
    with isolated(where, Reason.UNREADABLE):
        facts = pet_facts(headers, where)
    factor = suv_factor(facts, where)
    step = f"SUV by body weight: stored values x {factor:.9g}"
    return Volume((array.astype(np.float64) * factor).astype(np.float32), geometry, "PT", Unit.SUV_BW, (step,))


def _intact(record: FileRecord, root: Path) -> tuple[Dataset, ImageHeader]:
    """A file with its pixels, if its bytes are still those whose digest was recorded."""
    path = root / record.path
    if not path.is_file() or file_digest(path) != record.digest:
        raise refusal(record.path, Reason.CHANGED, CHANGED_MESSAGE)
    with isolated(record.path, Reason.UNREADABLE):
        dataset = read_whole(path, record.path)
        return dataset, image_header(dataset, record.path)


def _stacked(planes: Sequence[tuple[Plane, Array]], lone_slice_mm: float | None, where: str) -> tuple[Array, Geometry]:
    places = [plane for plane, _ in planes]
    stack = stack_of(places)
    if stack.faults:
        faults = tuple(Fault(where, reason.value, message) for reason, message in stack.faults)
        raise IntakeError(f"{where} is not one regular stack: {'; '.join(f.message for f in faults)}", faults)
    geometry = stack_geometry(places, stack, lone_slice_mm)
    if geometry is None:
        raise refusal(where, Reason.NO_SLICE_SPACING, "a lone slice without thickness")
    array = np.stack([planes[i][1] for i in stack.order])
    return (array.astype(np.float32) if array.dtype.kind == "f" else _smallest(array)), geometry


def _frames(dataset: Dataset, header: ImageHeader, path: Path) -> list[Array]:
    """The rescaled frames of one file, one for each of its planes."""
    where = header.path
    with isolated(where, Reason.UNDECODABLE):
        lines = [_line(dataset, plane.frame, where) for plane in header.planes]
        if not _decoder_at_hand(dataset):
            return [_smallest(_through_gdcm(dataset, path, where))]
        stored = pixel_array(dataset).reshape(-1, int(dataset.Rows), int(dataset.Columns))
        if len(stored) != len(lines):
            message = f"the file holds {len(stored)} frames and describes {len(lines)}"
            raise refusal(where, Reason.UNDECODABLE, message)
        return [_rescaled(frame, *line) for frame, line in zip(stored, lines, strict=True)]


def _decoder_at_hand(dataset: Dataset) -> bool:
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax is None or not syntax.is_encapsulated:
        return True
    if syntax == JPEGExtended12Bit and dataset.BitsStored > 8:  # Pillow, which decodes it, does 8 bits only
        return False
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _through_gdcm(dataset: Dataset, path: Path, where: str) -> Array:
    """Pixels of a transfer syntax that pydicom has no decoder for (JPEG lossless), rescaled by ITK's GDCM reader."""
    if int(dataset.get("NumberOfFrames") or 1) > 1:
        syntax = dataset.file_meta.TransferSyntaxUID.name
        raise refusal(where, Reason.UNDECODABLE, f"several frames in {syntax}; no decoder at hand")
    frame: Array = sitk.GetArrayFromImage(sitk.ReadImage(str(path), imageIO="GDCMImageIO"))[0]
    return frame


def _transformation(dataset: Dataset, frame: int) -> Dataset:
    """What holds the rescale attributes of a frame; empty if nothing does."""
    if not dataset.get("PerFrameFunctionalGroupsSequence"):
        return dataset
    return frame_group(dataset, frame, "PixelValueTransformationSequence") or Dataset()


def _line(dataset: Dataset, frame: int, where: str) -> tuple[float, float]:
    """Rescale slope and intercept of a frame: CT and PET must state them (PS3.3 C.8.2.1, C.8.9.4), MR need not."""
    stated = _transformation(dataset, frame)
    slope, intercept = text_of(stated, "RescaleSlope"), text_of(stated, "RescaleIntercept")
    if slope and intercept:
        return float(slope), float(intercept)
    if text_of(dataset, "Modality") in ("CT", "PT"):
        raise refusal(where, Reason.NO_RESCALE, "rescale slope and intercept are not stated; the unit is unknown")
    return 1.0, 0.0


def _rescaled(stored: Array, slope: float, intercept: float) -> Array:
    if slope.is_integer() and intercept.is_integer():
        return _smallest(stored.astype(np.int64) * int(slope) + int(intercept))
    return stored.astype(np.float64) * slope + intercept


def _smallest(array: Array) -> Array:
    """Whole numbers in 16 bits where they fit, else in 32."""
    if array.dtype.kind == "f":
        return array
    fits = array.min() >= np.iinfo(np.int16).min and array.max() <= np.iinfo(np.int16).max
    return array.astype(np.int16 if fits else np.int32)


def _unit(dataset: Dataset, modality: str) -> Unit:
    """HU for CT unless its rescale type says otherwise (maps of dual energy, label images)."""
    stated = text_of(_transformation(dataset, 0), "RescaleType")
    return Unit.HU if modality == "CT" and stated in ("", "HU") else Unit.ARBITRARY
