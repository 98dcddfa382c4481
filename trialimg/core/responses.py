"""The words of response: one enum per category, and an answer that carries its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from trialimg.core.trial import Timepoint

__all__ = [
    "BestOverallResponse",
    "BoneResponse",
    "CriterionAssessment",
    "Firing",
    "ImmuneModifiedResponse",
    "ImmuneNonTargetResponse",
    "ImmuneRelatedResponse",
    "ImmuneResponse",
    "LymphomaResponse",
    "Measure",
    "MetabolicResponse",
    "NewLesionResponse",
    "NonTargetResponse",
    "OverallResponse",
    "Pcwg3Response",
    "PsaResponse",
    "RanoResponse",
    "RecilResponse",
    "Sums",
    "TargetResponse",
    "TimepointAssessment",
    "WhoResponse",
]


class TargetResponse(Enum):
    """Response of the target lesions (SDTM TRGRESP)."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NE = "NE"
    NOT_APPLICABLE = "NA"
    """No target lesion was chosen at baseline."""


class NonTargetResponse(Enum):
    """Response of the non-target lesions (SDTM NTRGRESP)."""

    CR = "CR"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    NE = "NE"
    NOT_APPLICABLE = "NA"
    """No non-target lesion at baseline."""


class NewLesionResponse(Enum):
    """New lesions at a timepoint (SDTM NEWLPROG)."""

    NO = "no"
    EQUIVOCAL = "equivocal"
    UNEQUIVOCAL = "unequivocal"


class OverallResponse(Enum):
    """Overall response at a timepoint (SDTM OVRLRESP)."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    NE = "NE"
    NED = "NED"
    """No disease at baseline and none since."""
    ND = "ND"
    """Not done: the assessment did not take place."""


class MetabolicResponse(Enum):
    """Response on FDG-PET by PERCIST or EORTC."""

    CMR = "CMR"
    PMR = "PMR"
    SMD = "SMD"
    PMD = "PMD"
    NE = "NE"


class RanoResponse(Enum):
    """Response in neuro-oncology."""

    CR = "CR"
    PR = "PR"
    MR = "MR"
    """Minor response."""
    SD = "SD"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    PRELIMINARY_PD = "preliminary PD"
    """Progression that a later scan has yet to confirm."""
    HOLD = "hold"
    """Neither SD nor PD can be said yet."""
    NE = "NE"
    NED = "NED"
    NOT_APPLICABLE = "NA"


class LymphomaResponse(Enum):
    """Response in lymphoma: metabolic where a PET governs, anatomic on CT alone, indeterminate by LYRIC."""

    CMR = "CMR"
    PMR = "PMR"
    NMR = "NMR"
    PMD = "PMD"
    CAR = "CAR"
    PAR = "PAR"
    SAD = "SAD"
    PAD = "PAD"
    IR1 = "IR1"
    IR2 = "IR2"
    IR3 = "IR3"
    NE = "NE"
    ND = "ND"
    """Not done: the assessment did not take place."""


class RecilResponse(Enum):
    """Response in lymphoma by RECIL 2017."""

    CR = "CR"
    PR = "PR"
    MR = "MR"
    SD = "SD"
    PD = "PD"
    NE = "NE"


class BoneResponse(Enum):
    """Response of bone lesions on the bone scan (PCWG3)."""

    PD = "PD"
    PDU = "PDu"
    """Progression that a later scan has yet to confirm."""
    NON_PD = "NON-PD"
    NED = "NED"
    NE = "NE"


class Pcwg3Response(Enum):
    """Overall response in prostate cancer, soft tissue and bone together."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    PDU = "PDu"
    NE = "NE"
    NED = "NED"


class PsaResponse(Enum):
    """What PSA says at a timepoint (PCWG3); it does not enter the overall response."""

    PSA90 = "PSA90"
    """At least 90 % below baseline, confirmed."""
    PSA50 = "PSA50"
    NON_PD = "NON-PD"
    PD = "PD"
    NE = "NE"


class ImmuneResponse(Enum):
    """Response under immunotherapy by iRECIST: of the target lesions, and overall."""

    CR = "iCR"
    PR = "iPR"
    SD = "iSD"
    NON_CR_NON_PD = "NON-iCR/NON-iUPD"
    UNCONFIRMED_PD = "iUPD"
    """Progression that a later scan has yet to confirm."""
    PD = "iCPD"
    """Progression that a later scan has confirmed."""
    NE = "NE"
    NED = "NED"
    NOT_APPLICABLE = "NA"
    """No target lesion was chosen at baseline."""


class ImmuneNonTargetResponse(Enum):
    """Response of the non-target lesions by iRECIST."""

    CR = "iCR"
    NON_CR_NON_PD = "NON-iCR/NON-iUPD"
    UNCONFIRMED_PD = "iUPD"
    PD = "iCPD"
    NE = "NE"
    NOT_APPLICABLE = "NA"


class ImmuneRelatedResponse(Enum):
    """Response of the whole burden, new lesions included, by irRC and irRECIST."""

    CR = "irCR"
    PR = "irPR"
    SD = "irSD"
    UNCONFIRMED_PD = "unconfirmed irPD"
    PD = "irPD"
    """Progression that a later scan has confirmed."""
    NE = "NE"
    NED = "NED"
    NOT_APPLICABLE = "NA"


class ImmuneModifiedResponse(Enum):
    """Response of the whole burden, new lesions included, by imRECIST."""

    CR = "imCR"
    PR = "imPR"
    SD = "imSD"
    UNCONFIRMED_PD = "unconfirmed imPD"
    PD = "imPD"
    """Progression that a later scan has confirmed."""
    NE = "NE"
    NED = "NED"
    NOT_APPLICABLE = "NA"


class WhoResponse(Enum):
    """Response by the WHO handbook of 1979: of the target lesions, and overall."""

    CR = "CR"
    PR = "PR"
    NC = "NC"
    """No change."""
    PD = "PD"
    NE = "NE"
    NED = "NED"
    NOT_APPLICABLE = "NA"


class BestOverallResponse(Enum):
    """Best overall response of a subject (ADaM PARAMCD BOR / CBOR)."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    NE = "NE"
    NED = "NED"
    ND = "ND"
    MISSING = "MISSING"
    """No assessment after baseline at all."""


@dataclass(frozen=True)
class Firing:
    """One rule that decided something, with the numbers it compared."""

    rule: str
    """Identifier of the rule in the criterion's documentation page, e.g. ``R-1.1/T4``."""
    sentence: str
    """The comparison in words and numbers, e.g. ``44.2 mm <= 0.7 x 66.3 mm``."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """The compared quantities by name with unit, exact, as text."""


@dataclass(frozen=True)
class Sums:
    """The sum of diameters and what it is compared with; None is "not known", never zero."""

    sum_mm: Decimal | None
    baseline_mm: Decimal | None
    nadir_mm: Decimal | None
    """Smallest evaluable sum before this timepoint, baseline included."""

    @property
    def change_from_baseline_mm(self) -> Decimal | None:
        return _difference(self.sum_mm, self.baseline_mm)

    @property
    def change_from_nadir_mm(self) -> Decimal | None:
        return _difference(self.sum_mm, self.nadir_mm)

    @property
    def change_from_baseline_pct(self) -> Decimal | None:
        return _percent(self.sum_mm, self.baseline_mm)

    @property
    def change_from_nadir_pct(self) -> Decimal | None:
        """None when the nadir is 0 mm: the ratio is undefined."""
        return _percent(self.sum_mm, self.nadir_mm)


@dataclass(frozen=True)
class Measure:
    """What a criterion measures beside, or instead of, the sum of diameters; None is "not known", never zero."""

    name: str
    """Quantity and unit, e.g. ``spd_mm2``."""
    value: Decimal | None
    baseline: Decimal | None
    nadir: Decimal | None
    """Smallest evaluable value before this timepoint, baseline included."""

    @property
    def change_from_baseline_pct(self) -> Decimal | None:
        return _percent(self.value, self.baseline)

    @property
    def change_from_nadir_pct(self) -> Decimal | None:
        return _percent(self.value, self.nadir)


@dataclass(frozen=True)
class CriterionAssessment:
    """One timepoint judged by a criterion in its own words, with the rules that decided it."""

    timepoint: Timepoint
    target: Enum
    non_target: Enum
    new_lesion: NewLesionResponse
    overall: Enum
    sums: Sums
    rule: tuple[Firing, ...]
    """In order of reasoning; the last one decided the overall response."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Named profile settings that were in force."""
    measures: tuple[Measure, ...] = ()
    """The leading one first."""
    parts: Mapping[str, Enum] = field(default_factory=dict)
    """Answers that the overall response was put together from, where a criterion has further ones (``bone``)."""


@dataclass(frozen=True)
class TimepointAssessment(CriterionAssessment):
    """One timepoint judged in the words of RECIST."""

    target: TargetResponse
    non_target: NonTargetResponse
    overall: OverallResponse


def _difference(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return None if left is None or right is None else left - right


def _percent(value: Decimal | None, reference: Decimal | None) -> Decimal | None:
    if value is None or reference is None or reference <= 0:
        return None
    return (value - reference) * 100 / reference
