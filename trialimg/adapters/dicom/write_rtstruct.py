"""A reader's drawing as RT Structure Set Storage (DICOM PS3.3 A.19)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage

from trialimg.adapters.dicom.write_header import decimal, started
from trialimg.services.sample_scan import Contour, Drawing

__all__ = ["structure_set"]

_DETACHED_STUDY_MANAGEMENT = "1.2.840.10008.3.1.2.3.1"
"""The class that PS3.3 C.8.8.5 has stand for the study in RT Referenced Study Sequence."""
_COLOURS = (
    ("255", "96", "64"),
    ("64", "192", "255"),
    ("255", "208", "48"),
    ("128", "224", "96"),
    ("208", "128", "255"),
)


def structure_set(drawing: Drawing) -> Dataset:
    """Every region as closed planar contours that name the image they lie on."""
    header = drawing.header
    dataset = started(header, sop_class=RTStructureSetStorage, instance_uid=drawing.uid, syntax=ExplicitVRLittleEndian)
    dataset.Modality = "RTSTRUCT"
    dataset.SeriesInstanceUID = drawing.series_uid
    dataset.SeriesNumber = "2"
    dataset.SeriesDescription = "Lesions by the site reader"
    dataset.OperatorsName = drawing.reader
    dataset.InstanceNumber = "1"
    dataset.StructureSetLabel = "LESIONS"
    dataset.StructureSetDate = header.date.strftime("%Y%m%d")
    dataset.StructureSetTime = header.time.strftime("%H%M%S")
    dataset.ApprovalStatus = "UNAPPROVED"
    dataset.ReferencedFrameOfReferenceSequence = Items([_referenced_frame(drawing)])
    numbered = list(enumerate(drawing.regions, start=1))
    dataset.StructureSetROISequence = Items([_roi(number, name, drawing) for number, (name, _) in numbered])
    dataset.ROIContourSequence = Items([_roi_contour(number, contours) for number, (_, contours) in numbered])
    dataset.RTROIObservationsSequence = Items([_observation(number, drawing.reader) for number, _ in numbered])
    return dataset


def _referenced_frame(drawing: Drawing) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = drawing.header.series_uid
    series.ContourImageSequence = Items([_image(uid) for uid in drawing.image_uids])
    study = Dataset()
    study.ReferencedSOPClassUID = _DETACHED_STUDY_MANAGEMENT
    study.ReferencedSOPInstanceUID = drawing.header.study_uid
    study.RTReferencedSeriesSequence = Items([series])
    frame = Dataset()
    frame.FrameOfReferenceUID = drawing.header.frame_of_reference_uid
    frame.RTReferencedStudySequence = Items([study])
    return frame


def _roi(number: int, name: str, drawing: Drawing) -> Dataset:
    roi = Dataset()
    roi.ROINumber = number
    roi.ReferencedFrameOfReferenceUID = drawing.header.frame_of_reference_uid
    roi.ROIName = name
    roi.ROIGenerationAlgorithm = "MANUAL"
    return roi


def _roi_contour(number: int, contours: Sequence[Contour]) -> Dataset:
    item = Dataset()
    item.ROIDisplayColor = list(_COLOURS[(number - 1) % len(_COLOURS)])
    item.ContourSequence = Items([_contour(contour) for contour in contours])
    item.ReferencedROINumber = number
    return item


def _contour(contour: Contour) -> Dataset:
    item = Dataset()
    item.ContourImageSequence = Items([_image(contour.image_uid)])
    item.ContourGeometricType = "CLOSED_PLANAR"
    item.NumberOfContourPoints = len(contour.points_lps_mm)
    item.ContourData = [decimal(value) for point in contour.points_lps_mm for value in point]
    return item


def _observation(number: int, reader: str) -> Dataset:
    item = Dataset()
    item.ObservationNumber = number
    item.ReferencedROINumber = number
    item.RTROIInterpretedType = ""
    item.ROIInterpreter = reader
    return item


def _image(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = CTImageStorage
    item.ReferencedSOPInstanceUID = uid
    return item
