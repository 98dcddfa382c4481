"""Which images are used, how they lose the patient's identity, and how lesions are found and followed in them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from trialimg.protocol.section import Digest, Label, Section

__all__ = [
    "AcquisitionRule",
    "Deidentification",
    "DeidentificationOption",
    "Device",
    "Measurement",
    "PromptKind",
    "Segmentation",
    "Tracking",
]

LengthMm = Annotated[Decimal, Field(gt=0)]


class AcquisitionRule(Section):
    """What a series of one modality must be to be read; a series that breaks it becomes a finding."""

    modality: Literal["CT", "MR", "PT"]
    """DICOM modality (0008,0060)."""
    required: bool = True
    """Whether every visit needs a series of this modality."""
    max_slice_thickness_mm: LengthMm | None = None
    """Thickest slice, and largest distance between neighbouring slices, in mm; null: any."""
    max_pixel_spacing_mm: LengthMm | None = None
    """Largest in-plane pixel edge, in mm; null: any."""
    min_coverage_mm: LengthMm | None = None
    """Shortest extent along the stack of slices, in mm; null: any."""
    contrast: Literal["required", "optional", "forbidden"] = "optional"
    """Whether a contrast agent must (not) have been given (0018,0010)."""
    kernels: tuple[str, ...] = ()
    """Reconstruction kernels let in, as shell patterns without regard to case (B3*, *soft*); empty: any."""


class DeidentificationOption(Enum):
    """An option of the Basic Application Level Confidentiality Profile, DICOM PS3.15 Annex E.3."""

    CLEAN_PIXEL_DATA = "clean_pixel_data"
    CLEAN_RECOGNIZABLE_VISUAL_FEATURES = "clean_recognizable_visual_features"
    CLEAN_GRAPHICS = "clean_graphics"
    CLEAN_STRUCTURED_CONTENT = "clean_structured_content"
    CLEAN_DESCRIPTORS = "clean_descriptors"
    RETAIN_LONGITUDINAL_FULL_DATES = "retain_longitudinal_temporal_information_full_dates"
    RETAIN_LONGITUDINAL_MODIFIED_DATES = "retain_longitudinal_temporal_information_modified_dates"
    RETAIN_PATIENT_CHARACTERISTICS = "retain_patient_characteristics"
    RETAIN_DEVICE_IDENTITY = "retain_device_identity"
    RETAIN_INSTITUTION_IDENTITY = "retain_institution_identity"
    RETAIN_UIDS = "retain_uids"
    RETAIN_SAFE_PRIVATE = "retain_safe_private"


class Deidentification(Section):
    """What is removed from a file before anyone sees it."""

    profile: Literal["basic"] = "basic"
    """Basic Application Level Confidentiality Profile of DICOM PS3.15."""
    options: tuple[DeidentificationOption, ...] = (DeidentificationOption.RETAIN_LONGITUDINAL_MODIFIED_DATES,)
    """Options of the profile (PS3.15 Annex E.3), by name."""


class Device(Enum):
    """Where a network runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class PromptKind(Enum):
    """What a reader gives to point at a lesion."""

    LINE = "line"
    BOX = "box"
    POINT = "point"
    CONTOUR = "contour"


class Segmentation(Section):
    """How a lesion becomes a mask."""

    segmenter: Label
    """Name under the entry point group trialimg.segmenters, e.g. ellipsoid, classical, monai_bundle."""
    version: str | None = None
    """Version of the segmenter that must be met; null: any, as recorded in the provenance."""
    model: str | None = None
    """Path of the model, relative to the protocol file; null for a segmenter without a model."""
    model_digest: Digest | None = None
    """Digest that the model's files must have (sha256:...)."""
    device: Device = Device.AUTO
    """Where a network runs; auto takes a GPU where there is one."""
    prompts: Annotated[tuple[PromptKind, ...], Field(min_length=1)] = (
        PromptKind.LINE,
        PromptKind.BOX,
        PromptKind.POINT,
        PromptKind.CONTOUR,
    )
    """Which prompt of a lesion is used when it has several, the preferred one first; one not named is not used."""
    parameters: Mapping[str, JsonValue] = Field(default_factory=dict)
    """Settings of the segmenter itself, by its own names; the segmenter refuses those it does not know."""


class Measurement(Section):
    """How a mask becomes a diameter."""

    convention: Literal["centre_to_centre_plus_half_pixel"] = "centre_to_centre_plus_half_pixel"
    """How a length between pixels is counted: between pixel centres, plus half of the in-plane pixel."""
    too_small_below_mm: Annotated[Decimal, Field(ge=0)] = Decimal("5")
    """A lesion that is found with a diameter below this is "too small to measure", in mm; 0: measure whatever is
    found."""


class Tracking(Section):
    """How a lesion is found again in a later scan."""

    registration: Literal["rigid", "affine"] = "affine"
    """How the later scan is brought onto the earlier one before the lesion is looked for."""
    local_margin_mm: LengthMm = Decimal("30")
    """Surroundings of a lesion that are aligned once more for it alone, beyond its edge, in mm."""
