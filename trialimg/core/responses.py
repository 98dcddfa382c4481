"""The words of response: one enum per category, and an answer that carries its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from trialimg.core.trial import Timepoint

__all__ = [
    "BestOverallResponse",
    "Firing",
    "NewLesionResponse",
    "NonTargetResponse",
    "OverallResponse",
    "Sums",
    "TargetResponse",
    "TimepointAssessment",
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
class TimepointAssessment:
    """One timepoint judged: the response of each category and the rules that decided it."""

    timepoint: Timepoint
    target: TargetResponse
    non_target: NonTargetResponse
    new_lesion: NewLesionResponse
    overall: OverallResponse
    sums: Sums
    rule: tuple[Firing, ...]
    """In order of reasoning; the last one decided the overall response."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Named profile settings that were in force."""


def _difference(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return None if left is None or right is None else left - right


def _percent(value: Decimal | None, reference: Decimal | None) -> Decimal | None:
    if value is None or reference is None or reference == 0:
        return None
    return (value - reference) * 100 / reference
