"""The modules that every object of the synthetic trial carries (DICOM PS3.3 A.1.4, C.7.1 to C.7.5, C.12.1)."""

from __future__ import annotations

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from trialimg.services.sample_scan import ScanHeader

__all__ = ["MANUFACTURER", "decimal", "started"]

MANUFACTURER = "trialimg phantom"
_IMPLEMENTATION_UID = UID("2.25.228470263470921548731846537612091574330")
_IMPLEMENTATION_VERSION = "TRIALIMG_1"


def started(header: ScanHeader, *, sop_class: UID, instance_uid: str, syntax: UID) -> Dataset:
    """A dataset with file meta information, patient, study, frame of reference and equipment."""
    dataset = Dataset()
    dataset.file_meta = _file_meta(sop_class, instance_uid, syntax)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = instance_uid
    day, time = header.date.strftime("%Y%m%d"), header.time.strftime("%H%M%S")
    dataset.StudyDate, dataset.StudyTime = day, time
    dataset.AccessionNumber = ""
    dataset.Manufacturer = MANUFACTURER
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = header.visit
    dataset.PatientName = header.subject
    dataset.PatientID = header.subject
    dataset.PatientBirthDate = ""
    dataset.PatientSex = ""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Synthetic phantom"
    dataset.StudyInstanceUID = header.study_uid
    dataset.StudyID = header.visit
    dataset.FrameOfReferenceUID = header.frame_of_reference_uid
    dataset.PositionReferenceIndicator = ""
    return dataset


def decimal(value: float) -> str:
    """A number as decimal string (VR DS), to a thousandth."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _file_meta(sop_class: UID, instance_uid: str, syntax: UID) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = UID(instance_uid)
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = _IMPLEMENTATION_UID
    meta.ImplementationVersionName = _IMPLEMENTATION_VERSION
    return meta
