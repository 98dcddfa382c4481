"""What the headers of a PET series say about dose and time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import DA, DT, TM

from trialimg.adapters.dicom.header import text_of
from trialimg.core.errors import Fault, IntakeError
from trialimg.imaging.suv import PetFacts

__all__ = ["pet_facts"]


def pet_facts(datasets: Sequence[Dataset], where: str) -> PetFacts:
    """The facts that all slices share, and the earliest of their acquisition times.

    Raises
    ------
    IntakeError
        If slices contradict one another.
    """
    stated = [_facts(dataset) for dataset in datasets]
    first = replace(stated[0], first_acquisition=None)
    if any(replace(facts, first_acquisition=None) != first for facts in stated):
        fault = Fault(where, "suv_contradiction", "slices state different weights, doses, units or times")
        raise IntakeError(f"{where}: {fault.message}", (fault,))
    times = [facts.first_acquisition for facts in stated if facts.first_acquisition is not None]
    return replace(first, first_acquisition=min(times, default=None))


def _facts(dataset: Dataset) -> PetFacts:
    tracers = dataset.get("RadiopharmaceuticalInformationSequence") or [Dataset()]
    tracer = tracers[0]
    start = text_of(tracer, "RadiopharmaceuticalStartDateTime")
    return PetFacts(
        units=text_of(dataset, "Units"),
        suv_type=text_of(dataset, "SUVType"),
        corrections=tuple(str(v) for v in _listed(dataset.get("CorrectedImage"))),
        decay_correction=text_of(dataset, "DecayCorrection"),
        weight_kg=_number(dataset, "PatientWeight"),
        dose_bq=_number(tracer, "RadionuclideTotalDose"),
        half_life_s=_number(tracer, "RadionuclideHalfLife"),
        injection=_moment(start),
        injection_time=_time(text_of(tracer, "RadiopharmaceuticalStartTime")),
        series_start=_joined(dataset, "SeriesDate", "SeriesTime"),
        first_acquisition=_joined(dataset, "AcquisitionDate", "AcquisitionTime"),
        private_scan_start=_moment(_private(dataset, 0x0009, "GEMS_PETD_01", 0x0D)),
        private_suv_factor=_private_number(dataset),
    )


def _listed(value: object) -> list[object]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, MultiValue) else [value]


def _number(dataset: Dataset, keyword: str) -> float | None:
    text = text_of(dataset, keyword)
    return float(text) if text else None


def _joined(dataset: Dataset, date: str, time: str) -> dt.datetime | None:
    day, clock = text_of(dataset, date), _time(text_of(dataset, time))
    return dt.datetime.combine(DA(day), clock) if day and clock is not None else None


def _time(text: str) -> dt.time | None:
    return TM(text) if text else None


def _moment(text: str) -> dt.datetime | None:
    """Local time; a time zone, where stated, is the scanner's own and is left out."""
    moment = DT(text) if len(text) >= 14 else None
    return moment.replace(tzinfo=None) if moment is not None else None


def _private(dataset: Dataset, group: int, creator: str, element: int) -> str:
    try:
        value = dataset.private_block(group, creator)[element].value
    except KeyError:
        return ""
    return value.decode("ascii", "replace").strip(" \0") if isinstance(value, bytes) else str(value).strip()


def _private_number(dataset: Dataset) -> float | None:
    text = _private(dataset, 0x7053, "Philips PET Private Group", 0x00)
    return float(text) or None if text else None
