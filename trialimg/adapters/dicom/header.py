"""One DICOM file's header as facts; nothing of the pixels is read."""

from __future__ import annotations

import datetime as dt
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    LegacyConvertedEnhancedCTImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

from trialimg.adapters.dicom.planes import planes_of
from trialimg.adapters.dicom.reasons import Reason, refusal
from trialimg.adapters.dicom.stack import Plane

__all__ = [
    "IMAGE_CLASSES",
    "RT_STRUCTURE_SET",
    "SEGMENTATION_CLASSES",
    "ImageHeader",
    "distinct_names",
    "image_header",
    "read_header",
    "read_whole",
    "require_pixels",
    "sop_class_of",
    "text_of",
]

FILE_LIMIT_BYTES = 4 << 30
HEADER_LIMIT_BYTES = 256 << 20
"""Most that is read of a file without its pixels, and most that a deflated file may inflate to."""
UNSTATED_SYNTAX = {
    (True, True): ImplicitVRLittleEndian,
    (False, True): ExplicitVRLittleEndian,
    (False, False): ExplicitVRBigEndian,
}
PIXEL_TAGS = (0x7FE00010, 0x7FE00008, 0x7FE00009)

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
SEGMENTATION_CLASSES = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
"""Segmentation and Label Map Segmentation."""
IMAGE_CLASSES = frozenset(
    {
        CTImageStorage,
        MRImageStorage,
        PositronEmissionTomographyImageStorage,
        EnhancedCTImageStorage,
        EnhancedMRImageStorage,
        LegacyConvertedEnhancedCTImageStorage,
        LegacyConvertedEnhancedMRImageStorage,
    }
)


@dataclass(frozen=True)
class ImageHeader:
    """What one image file says; None or an empty text is "not said"."""

    path: str
    subject: str
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    modality: str
    acquisition_date: dt.date | None
    description: str
    planes: tuple[Plane, ...]
    slice_thickness_mm: float | None
    slice_spacing_mm: float | None
    """As stated (Spacing Between Slices); positions decide where there are several."""
    kernel: str | None
    contrast_agent: str | None
    manufacturer: str | None
    model_name: str | None
    localizer: bool
    lossy: bool


def read_header(path: Path, where: str) -> tuple[Dataset, int]:
    """A DICOM file parsed up to its pixels, and the place in the file where they begin.

    Raises
    ------
    IntakeError
        If it is not a DICOM file, or holds more than this package reads.
    """
    _require_readable(path, where)
    with path.open("rb") as file:
        forced = not _has_preamble(file, where)
        bounded = cast(BinaryIO, _Bounded(file, HEADER_LIMIT_BYTES, where))
        dataset = pydicom.dcmread(bounded, stop_before_pixels=True, force=forced)
        return _object(dataset, where), file.tell()


def read_whole(path: Path, where: str) -> Dataset:
    """A DICOM file parsed with its pixels.

    Raises
    ------
    IntakeError
        As for `read_header`.
    """
    _require_readable(path, where)
    with path.open("rb") as file:
        forced = not _has_preamble(file, where)
        dataset = _object(pydicom.dcmread(file, force=forced), where)
    if "TransferSyntaxUID" not in dataset.file_meta:  # files without preamble do not say
        implicit, little = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = UNSTATED_SYNTAX[bool(implicit), bool(little)]
    return dataset


def require_pixels(dataset: Dataset, path: Path, *, end_of_header: int, where: str) -> None:
    """Refuse an image file that ends before its header or its pixels do; compressed pixels are seen when decoded.

    Raises
    ------
    IntakeError
        Says how many bytes are missing.
    """
    size = path.stat().st_size
    if end_of_header > size:
        raise refusal(where, Reason.TRUNCATED, "the file ends within its header")
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if not dataset.get("Rows") or syntax == DeflatedExplicitVRLittleEndian:
        return
    implicit, little = dataset.original_encoding
    order: Literal["little", "big"] = "big" if little is False else "little"
    with path.open("rb") as file:
        file.seek(end_of_header)
        start = file.read(8 if implicit else 12)
    tag = int.from_bytes(start[:2], order) << 16 | int.from_bytes(start[2:4], order)
    if tag not in PIXEL_TAGS:
        raise refusal(where, Reason.TRUNCATED if start else Reason.NO_PIXELS, "the file holds no pixels")
    if syntax is not None and not syntax.is_private and syntax.is_encapsulated:
        return
    values = dataset.Rows * dataset.Columns * int(dataset.get("NumberOfFrames") or 1)
    expected = values * dataset.get("SamplesPerPixel", 1) * dataset.BitsAllocated // 8
    there = size - end_of_header - len(start)
    if there < expected:
        raise refusal(where, Reason.TRUNCATED, f"{expected} bytes of pixels are promised, {there} follow")


def _require_readable(path: Path, where: str) -> None:
    if not path.is_file():
        raise refusal(where, Reason.NOT_A_FILE, "not a regular file, or a folder that cannot be listed")
    size = path.stat().st_size
    if size == 0:
        raise refusal(where, Reason.EMPTY, "the file is empty")
    if size > FILE_LIMIT_BYTES:
        raise refusal(where, Reason.TOO_LARGE, f"{size} bytes; at most {FILE_LIMIT_BYTES} are read")


def _object(dataset: Dataset, where: str) -> Dataset:
    if not sop_class_of(dataset):
        raise refusal(where, Reason.NOT_DICOM, "no SOP Class UID; not a DICOM object")
    return dataset


class _Bounded:
    """A file of which only so many bytes may be read; what is skipped is free."""

    def __init__(self, file: BinaryIO, limit_bytes: int, where: str) -> None:
        self._file, self._left, self._where = file, limit_bytes, where
        self.seek, self.tell, self.name = file.seek, file.tell, file.name

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise refusal(self._where, Reason.TOO_LARGE, f"its header holds more than {HEADER_LIMIT_BYTES} bytes")
        return data


def _has_preamble(file: BinaryIO, where: str) -> bool:
    """Whether there is one; old files without must at least begin with a group 2 or 8 element."""
    start = file.read(132)
    file.seek(0)
    if start[128:] == b"DICM":
        _require_bounded_inflation(file, where)
        return True
    if start[:2] not in (b"\x02\x00", b"\x08\x00", b"\x00\x08"):
        raise refusal(where, Reason.NOT_DICOM, "not a DICOM file")
    return False


def _require_bounded_inflation(file: BinaryIO, where: str) -> None:
    """Refuse a deflated data set that would fill the memory, before it is inflated as a whole."""
    meta = pydicom.filereader.read_file_meta_info(file.name)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    file.seek(132 + 12 + int(meta.get("FileMetaInformationGroupLength", 0)))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    total = 0
    while (chunk := inflater.unconsumed_tail or file.read(1 << 20)) and total <= HEADER_LIMIT_BYTES:
        total += len(inflater.decompress(chunk, 1 << 20))
    file.seek(0)
    if total > HEADER_LIMIT_BYTES:
        raise refusal(where, Reason.TOO_LARGE, f"inflates to more than {HEADER_LIMIT_BYTES} bytes")


def image_header(dataset: Dataset, path: str) -> ImageHeader:
    """The facts of one image.

    Raises
    ------
    IntakeError
        If the image cannot be placed in the patient, or is not a grey-scale image.
    """
    series_uid = text_of(dataset, "SeriesInstanceUID")
    if not series_uid:
        raise refusal(path, Reason.NO_SERIES_UID, "no Series Instance UID")
    if not (dataset.get("Rows") and dataset.get("Columns")):
        raise refusal(path, Reason.NO_PIXELS, "the file holds no pixels")
    if dataset.get("SamplesPerPixel", 1) != 1 or text_of(dataset, "PhotometricInterpretation") != "MONOCHROME2":
        raise refusal(path, Reason.NOT_GREYSCALE, f"{text_of(dataset, 'PhotometricInterpretation')} pixels")
    localizer = "LOCALIZER" in [str(v).upper() for v in _values(dataset.get("ImageType"))]
    measures = _shared(dataset, "PixelMeasuresSequence") or dataset
    return ImageHeader(
        path=path,
        subject=text_of(dataset, "PatientID"),
        study_uid=text_of(dataset, "StudyInstanceUID"),
        series_uid=series_uid,
        frame_of_reference_uid=text_of(dataset, "FrameOfReferenceUID"),
        modality=text_of(dataset, "Modality"),
        acquisition_date=_date(dataset),
        description=text_of(dataset, "SeriesDescription"),
        planes=() if localizer else planes_of(dataset, path),
        slice_thickness_mm=_positive(measures.get("SliceThickness")),
        slice_spacing_mm=_positive(measures.get("SpacingBetweenSlices")),
        kernel="\\".join(str(v) for v in _values(dataset.get("ConvolutionKernel"))) or None,
        contrast_agent=text_of(dataset, "ContrastBolusAgent") if "ContrastBolusAgent" in dataset else None,
        manufacturer=text_of(dataset, "Manufacturer") or None,
        model_name=text_of(dataset, "ManufacturerModelName") or None,
        localizer=localizer,
        lossy=text_of(dataset, "LossyImageCompression") == "01",
    )


def sop_class_of(dataset: Dataset) -> str:
    """What kind of object it is; media directories say so in their file meta information only."""
    return text_of(dataset, "SOPClassUID") or text_of(dataset.file_meta, "MediaStorageSOPClassUID")


def text_of(dataset: Dataset, keyword: str) -> str:
    """A value as text without padding; empty where it is not there."""
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip(" \0")


def distinct_names(names: Mapping[int, str]) -> dict[int, str]:
    """The names, those that several regions share with the region's number added."""
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    return {number: f"{name} ({number})" if name in shared else name for number, name in names.items()}


def _values(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, pydicom.multival.MultiValue | list | tuple) else [value]


def _positive(value: Any) -> float | None:
    return float(value) if value not in (None, "") and float(value) > 0 else None


def _shared(dataset: Dataset, keyword: str) -> Dataset | None:
    groups = dataset.get("SharedFunctionalGroupsSequence")
    inner = groups[0].get(keyword) if groups else None
    return inner[0] if inner else None


def _date(dataset: Dataset) -> dt.date | None:
    """When the image was taken: its own date first, then the study's (a later reconstruction has a later series)."""
    for keyword in ("AcquisitionDate", "AcquisitionDateTime", "StudyDate", "SeriesDate"):
        digits = text_of(dataset, keyword).replace(".", "")[:8]
        if len(digits) == 8 and digits.isdigit() and digits > "19":
            try:
                return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
            except ValueError:
                continue
    return None
