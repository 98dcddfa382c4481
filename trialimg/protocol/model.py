"""A trial protocol: everything that a run rests on, checked and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from trialimg.billing.plan import PricePlan
from trialimg.core.digest import digest_of, plain
from trialimg.core.errors import InvalidValueError
from trialimg.protocol.analysis import Endpoints, Response, Statistics
from trialimg.protocol.consistency import inconsistencies
from trialimg.protocol.images import AcquisitionRule, Deidentification, Measurement, Segmentation, Tracking
from trialimg.protocol.oversight import Oversight
from trialimg.protocol.section import Label, Section
from trialimg.protocol.tables import Tables
from trialimg.protocol.trial import Arms, Schedule, Sites, Trial
from trialimg.radiomics.settings import RadiomicsSettings
from trialimg.review.design import ReadingDesign

__all__ = ["SCHEMA", "Protocol", "exact_text", "full", "protocol_digest"]

SCHEMA = "trialimg/protocol/v1"
_LONGEST_TEXT = 40
"""Digits before or after the point beyond which a number keeps its exponent."""


class Protocol(Section):
    """One trial's protocol: what is scanned when, how it is measured, judged, read, analysed and paid."""

    model_config = ConfigDict(title=SCHEMA)

    schema_id: Literal["trialimg/protocol/v1"] = Field(alias="schema")
    """Which description of a protocol file this one follows."""
    trial: Trial
    """The trial that the protocol belongs to."""
    arms: Arms
    """Blinded labels of the treatment arms; what they stand for is not known here."""
    sites: Sites
    """Codes of the sites, in quotes."""
    schedule: Schedule
    """When the scans are planned."""
    acquisition: Annotated[tuple[AcquisitionRule, ...], Field(min_length=1)]
    """What a series must be to be read, one rule per modality."""
    deidentification: Deidentification = Deidentification()
    """What is removed from a file before anyone sees it."""
    segmentation: Segmentation
    """How a lesion becomes a mask."""
    measurement: Measurement = Measurement()
    """How a mask becomes a diameter."""
    tracking: Tracking = Tracking()
    """How a lesion is found again in a later scan."""
    response: Response
    """How a timepoint is judged."""
    radiomics: RadiomicsSettings = RadiomicsSettings()
    """How radiomic features are computed."""
    reading: ReadingDesign = ReadingDesign()
    """Who reads a case, and how two reads become one answer."""
    endpoints: Endpoints = Field(default=Endpoints(), validate_default=True)
    """What is concluded for each subject."""
    statistics: Statistics = Statistics()
    """How the cohort is estimated and the arms are compared."""
    tables: Tables = Tables()
    """Which records count where the tumour tables are made by others."""
    oversight: Oversight = Oversight()
    """How the trial is watched over while it runs."""
    price_plan: PricePlan | None = None
    """What the sponsor pays; null: nothing is charged."""
    exports: tuple[Label, ...] = ("html", "pdf", "csv", "parquet")
    """Forms in which the results are written, by exporter name; the manifest is always written."""

    @field_validator("endpoints", mode="after")
    @classmethod
    def _at_planned_visits(cls, endpoints: Endpoints, info: ValidationInfo) -> Endpoints:
        schedule = info.data.get("schedule")
        try:
            return endpoints.at_visits(schedule.visits) if schedule else endpoints
        except ValueError:  # visits that contradict one another: named below, each at its own place
            return endpoints

    @model_validator(mode="after")
    def _sections_agree(self) -> Protocol:
        if faults := tuple(inconsistencies(full(self))):
            raise InvalidValueError(*faults)
        return self

    @property
    def digest(self) -> str:
        """What the protocol says, as one digest: the same however it is written down."""
        return protocol_digest(self)


def full(protocol: Section) -> dict[str, Any]:
    """The protocol (or a part of it) as JSON types, every default filled in; exact numbers as text, shortest form."""
    answer: dict[str, Any] = plain(_canonical(protocol.model_dump(by_alias=True)))
    return answer


def protocol_digest(protocol: Protocol) -> str:
    """``sha256:<hex>`` over all settings, defaults filled in: comments, order and spelt-out defaults do not count."""
    return digest_of(full(protocol))


def _canonical(value: object) -> object:
    if isinstance(value, Decimal):
        return exact_text(value)
    if isinstance(value, Mapping):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value


def exact_text(value: Decimal) -> str:
    """A number without needless zeros: 0.70 and 0.7 are one setting."""
    if abs(value.adjusted()) > _LONGEST_TEXT:
        return str(value)
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
