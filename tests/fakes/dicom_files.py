"""Small DICOM files made by hand, so that a test says in one line what is odd about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    RTStructureSetStorage,
    SegmentationStorage,
)

CLASSES = {"CT": CTImageStorage, "MR": MRImageStorage, "PT": PositronEmissionTomographyImageStorage}
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
OBLIQUE = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)
SPACING_MM = (0.5, 0.75)  # between columns, between rows
PLACEMENT = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
ORIGIN = (-10.0, 20.0, 30.0)


def uid(*parts: int) -> str:
    return ".".join(["1.2.826.0.1.3680043.10.543", *map(str, parts)])


def slice_of(
    pixels: np.ndarray, position: Sequence[float], *, modality: str = "CT", series: int = 1, **facts
) -> Dataset:
    """One slice with pixels as given; ``facts`` replace attributes, None takes one away."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = CLASSES[modality]
    data.SOPInstanceUID = uid(series, *(int(abs(round(p * 1000))) + 1 for p in position))
    data.PatientID, data.StudyInstanceUID, data.SeriesInstanceUID = "S1", uid(7), uid(series)
    data.FrameOfReferenceUID, data.Modality, data.StudyDate = uid(9), modality, "20240131"
    data.ImageType, data.SeriesDescription = ["ORIGINAL", "PRIMARY", "AXIAL"], "chest"
    data.ImagePositionPatient, data.ImageOrientationPatient = list(position), list(AXIAL)
    data.PixelSpacing, data.SliceThickness = [SPACING_MM[1], SPACING_MM[0]], 2.0
    data.RescaleSlope, data.RescaleIntercept = 1, -1024 if modality == "CT" else 0
    with_pixels(data, pixels)
    for keyword, value in facts.items():
        setattr(data, keyword, value)
        if value is None:
            delattr(data, keyword)
    return data


def with_pixels(data: Dataset, pixels: np.ndarray) -> None:
    """Put an array of whole numbers, shape (rows, columns) or (frames, rows, columns), into a data set."""
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape[-2:]
    bits = pixels.dtype.itemsize * 8
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.add_new("PixelData", "OW", pixels.tobytes() + b"\0" * (pixels.nbytes % 2))


def stack(array: np.ndarray, *, gap_mm: float = 2.0, orientation: Sequence[float] = AXIAL, **facts) -> list[Dataset]:
    """The slices of an array of shape (slices, rows, columns), along the normal of their orientation."""
    normal = np.cross(orientation[:3], orientation[3:])
    return [
        slice_of(pixels, np.asarray(ORIGIN) + k * gap_mm * normal, ImageOrientationPatient=list(orientation), **facts)
        for k, pixels in enumerate(array)
    ]


def save(datasets: Iterable[Dataset], folder: Path, *, name: str = "i{}") -> list[Path]:
    """Write each data set to a file numbered in the order given."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, data in enumerate(datasets):
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        paths.append(folder / name.format(number))
        data.save_as(paths[-1], enforce_file_format=True)
    return paths


def compressed_by_gdcm(data: Dataset, compressor: str, folder: Path) -> None:
    """Replace a data set's unsigned pixels by what ITK's GDCM makes of them: ``JPEG`` (lossless) or ``JPEG2000``."""
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.UseCompressionOn()
    writer.SetCompressor(compressor)
    writer.SetFileName(str(folder / "compressed.dcm"))
    writer.Execute(sitk.GetImageFromArray(data.pixel_array[None]))
    made = dcmread(folder / "compressed.dcm")
    (folder / "compressed.dcm").unlink()
    data.file_meta.TransferSyntaxUID = made.file_meta.TransferSyntaxUID
    data.PixelData = made.PixelData
    data["PixelData"].is_undefined_length = True


def item(**facts) -> Dataset:
    data = Dataset()
    for keyword, value in facts.items():
        setattr(data, keyword, value)
    return data


def enhanced(array: np.ndarray, *, order: Sequence[int], gap_mm: float = 2.0) -> Dataset:
    """A multi-frame CT whose frames stand in the given order."""
    data = slice_of(array[list(order)], ORIGIN, SOPClassUID=EnhancedCTImageStorage)
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
    ):
        delattr(data, keyword)
    data.NumberOfFrames = len(order)
    data.SharedFunctionalGroupsSequence = Items([_shared()])
    data.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = Items(
        [item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")]
    )
    data.PerFrameFunctionalGroupsSequence = Items([_at(k, gap_mm) for k in order])
    return data


def _shared() -> Dataset:
    measures = item(PixelSpacing=[SPACING_MM[1], SPACING_MM[0]], SliceThickness=2.0)
    return item(
        PlaneOrientationSequence=Items([item(ImageOrientationPatient=list(AXIAL))]),
        PixelMeasuresSequence=Items([measures]),
    )


def _at(k: int, gap_mm: float, offset_mm: Sequence[float] = (0, 0)) -> Dataset:
    position = [ORIGIN[0] + offset_mm[0], ORIGIN[1] + offset_mm[1], ORIGIN[2] + k * gap_mm]
    return item(PlanePositionSequence=Items([item(ImagePositionPatient=position)]))


def segmentation(
    frames: np.ndarray, *, slices: Sequence[int], segments: Sequence[int], kind: str = "BINARY", **facts
) -> Dataset:
    """A SEG of frames, each with its slice and its segment's number; one byte a pixel unless BINARY."""
    data = slice_of(frames, ORIGIN, SOPClassUID=SegmentationStorage, Modality="SEG")
    offset_mm = facts.pop("offset_mm", (0, 0))
    data.SegmentationType, data.NumberOfFrames = kind, len(frames)
    data.SharedFunctionalGroupsSequence = Items([_shared()])
    data.PerFrameFunctionalGroupsSequence = Items([_at(k, 2.0, offset_mm) for k in slices])
    for group, number in zip(data.PerFrameFunctionalGroupsSequence, segments, strict=True):
        group.SegmentIdentificationSequence = Items([item(ReferencedSegmentNumber=number)])
    data.SegmentSequence = Items([item(SegmentNumber=n, SegmentLabel=f"part {n}") for n in sorted(set(segments))])
    data.ReferencedSeriesSequence = Items([item(SeriesInstanceUID=uid(1))])
    if kind == "BINARY":
        data.BitsAllocated = data.BitsStored = 1
        data.HighBit = 0
        packed = np.packbits(frames.ravel() != 0, bitorder="little").tobytes()
        data.PixelData = packed + b"\0" * (len(packed) % 2)
    for keyword, value in facts.items():
        setattr(data, keyword, value)
    return data


def structure_set(regions: dict[str, list[np.ndarray]], *, kind: str = "CLOSED_PLANAR") -> Dataset:
    """An RTSTRUCT with contours, points of shape (n, 3) in LPS mm, under each name."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = RTStructureSetStorage, uid(5)
    data.PatientID, data.SeriesInstanceUID, data.Modality = "S1", uid(6), "RTSTRUCT"
    study = item(RTReferencedSeriesSequence=Items([item(SeriesInstanceUID=uid(1))]))
    frame = item(FrameOfReferenceUID=uid(9), RTReferencedStudySequence=Items([study]))
    data.ReferencedFrameOfReferenceSequence = Items([frame])
    data.StructureSetROISequence = Items(
        [item(ROINumber=n, ROIName=name.split("#")[0]) for n, name in enumerate(regions, start=1)]
    )
    data.ROIContourSequence = Items(
        [
            item(ReferencedROINumber=n, ContourSequence=Items([_contour(points, kind) for points in contours]))
            for n, contours in enumerate(regions.values(), start=1)
        ]
    )
    return data


def _contour(points: np.ndarray, kind: str) -> Dataset:
    values = [float(f"{value:.6f}") for value in np.asarray(points).ravel()]
    return item(ContourGeometricType=kind, NumberOfContourPoints=len(points), ContourData=values)
