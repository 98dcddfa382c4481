"""What in a data set tells who the patient is: the intake refuses it, de-identification has to come before.

References
----------
DICOM PS3.15 Annex E, Table E.1-1: attributes of the Basic Application Level Confidentiality Profile. Of these, the
attributes below name a person, a place of care or a record of it directly.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from trialimg.adapters.dicom.header import PIXEL_TAGS, text_of
from trialimg.core.errors import Fault

__all__ = ["identity_faults"]

NAMING = frozenset({
    "PatientBirthDate", "PatientBirthTime", "PatientBirthName", "PatientMotherBirthName", "OtherPatientNames",
    "OtherPatientIDs", "OtherPatientIDsSequence", "PatientAddress", "PatientTelephoneNumbers",
    "PatientTelecomInformation", "MilitaryRank", "MedicalRecordLocator", "IssuerOfPatientID",
    "PatientInsurancePlanCodeSequence",
    "ResponsiblePerson", "ResponsibleOrganization", "AccessionNumber", "AdmissionID", "ReferringPhysicianName",
    "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers", "ReferringPhysicianIdentificationSequence",
    "PhysiciansOfRecord", "PerformingPhysicianName", "NameOfPhysiciansReadingStudy", "RequestingPhysician",
    "ConsultingPhysicianName", "OperatorsName", "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName",
    "PersonName", "PersonAddress", "PersonTelephoneNumbers", "PatientComments", "AdditionalPatientHistory",
    "RequestAttributesSequence", "ReviewerName", "ContentCreatorName", "VerifyingObserverName",
})  # fmt: skip
"""Attributes that are empty, or absent, in a file that is taken."""
RETAIN_SAFE_PRIVATE = "113111"
"""Code (DCM) by which a file says that the private attributes it still has were found safe (PS3.15 E.3.10)."""
DEEPEST = 32


def identity_faults(dataset: Dataset) -> tuple[Fault, ...]:
    """Everything that tells, or may tell, who the patient is; nothing of what it says."""
    faults = [*_declared(dataset), *_names(dataset)]
    may_be_private = RETAIN_SAFE_PRIVATE in _methods(dataset)
    found: dict[str, None] = {}
    for place, element in _walk(dataset):
        if element.tag.is_private and not may_be_private:
            found.setdefault("private_elements")
        elif element.keyword in NAMING and not _is_empty(element.value):
            found.setdefault(f"identifier {element.keyword}{place}")
    for what in found:
        if what == "private_elements":
            message = "private attributes, which nobody can know to be safe; remove them, or declare code 113111 (DCM)"
            faults.append(Fault("private", "private_elements", message))
        else:
            keyword = what.partition(" ")[2]
            faults.append(Fault(keyword, "identifier", f"{keyword} is filled; de-identify the file first"))
    return tuple(faults)


def _declared(dataset: Dataset) -> Iterator[Fault]:
    if text_of(dataset, "PatientIdentityRemoved").upper() != "YES":
        message = "Patient Identity Removed (0012,0062) is not YES; de-identify the file first"
        yield Fault("PatientIdentityRemoved", "not_deidentified", message)
    if text_of(dataset, "BurnedInAnnotation").upper() == "YES":
        message = "Burned In Annotation (0028,0301) is YES: the pixels show text; clean them first"
        yield Fault("BurnedInAnnotation", "burned_in_annotation", message)


def _names(dataset: Dataset) -> Iterator[Fault]:
    """A patient's name that is nothing but the code is none."""
    name, code = text_of(dataset, "PatientName").strip("^ "), text_of(dataset, "PatientID")
    if name and name != code:
        message = "Patient's Name is something else than the Patient ID; write the subject's code in both, or neither"
        yield Fault("PatientName", "identifier", message)


def _methods(dataset: Dataset) -> frozenset[str]:
    """Codes of the ways by which the file says that it was de-identified."""
    return frozenset(text_of(item, "CodeValue") for item in dataset.get("DeidentificationMethodCodeSequence") or ())


def _walk(dataset: Dataset, place: str = "", depth: int = 0) -> Iterator[tuple[str, DataElement]]:
    if depth > DEEPEST:
        raise RecursionError(f"sequences within sequences, more than {DEEPEST} deep")
    for tag in sorted(set(dataset.keys()) - set(PIXEL_TAGS)):
        element = dataset[tag]
        yield place, element
        if element.VR == "SQ":
            for item in element.value:
                yield from _walk(item, f" in {element.keyword or element.tag}", depth + 1)


def _is_empty(value: object) -> bool:
    return value is None or not str(value).strip(" ^\0") or (hasattr(value, "__len__") and len(value) == 0)
