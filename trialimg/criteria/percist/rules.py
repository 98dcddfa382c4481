"""Every number and contested choice of PERCIST, and the facts of a scan that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.responses import OverallResponse
from trialimg.criteria.measurability import Measurable
from trialimg.criteria.thresholds import require_not_negative

__all__ = ["Facts", "LeanMass", "Reference", "Rules", "SulPeak", "Unknown", "measurable"]


class Reference(Enum):
    """What a rise of uptake is held against."""

    BASELINE = "baseline"
    NADIR = "nadir"


class Unknown(Enum):
    """What follows where it is not known whether two scans may be compared."""

    NOTE = "note"
    """They are compared, and the answer says what was not known."""
    NE = "NE"


class SulPeak(Enum):
    """The sphere whose mean is SULpeak."""

    SPHERE_12_MM = "12mm"
    """12 mm across, 0.905 mL."""
    SPHERE_1_ML = "1ml"
    """1 mL, 12.4 mm across."""


class LeanMass(Enum):
    """The formula of lean body mass in SUL."""

    JAMES = "james"
    JANMAHASATIAN = "janmahasatian"


@dataclass(frozen=True)
class Facts:
    """Facts of one scan; None where nothing was said."""

    liver_sul_mean: Decimal | None = None
    """Sphere of 3 cm in the right lobe."""
    liver_sul_sd: Decimal | None = None
    blood_pool_sul_mean: Decimal | None = None
    """Descending aorta; stands in for a diseased liver."""
    blood_pool_sul_sd: Decimal | None = None
    liver_diseased: bool = False
    uptake_minutes: Decimal | None = None
    """From injection to scan."""
    same_scanner: bool | None = None
    """Same scanner and reconstruction as at baseline."""
    like_background: bool | None = None
    """No lesion stands out from the tissue around it, or from blood pool."""
    tlg: Decimal | None = None
    """Total lesion glycolysis of the (up to five) measured lesions, SUL x mL."""
    sulpeak_def: SulPeak | None = None
    """The sphere that this scan's ``sul_peak`` were measured with."""
    lean_mass: LeanMass | None = None
    """The formula behind them."""
    recist: OverallResponse | None = None
    """Response by RECIST at this timepoint, where it does not follow from the diameters."""
    extent_increased: bool = False
    """Visible extent of uptake is larger by more than the limit, by the reader's word."""


@dataclass(frozen=True)
class Rules:
    """The numbers of PERCIST 1.0."""

    sulpeak_def: SulPeak = SulPeak.SPHERE_12_MM
    """The sphere of the trial; a scan measured with another one cannot be compared."""
    lean_mass: LeanMass = LeanMass.JAMES
    follow_up_weeks: Decimal = Decimal(4)
    """A complete response where RECIST shows progression asks for a further scan by then."""
    liver_factor: Decimal = Decimal("1.5")
    """Measurable: hottest lesion at least so many times the liver mean ..."""
    liver_sds: Decimal = Decimal(2)
    """... plus so many standard deviations."""
    blood_pool_factor: Decimal = Decimal("2.0")
    blood_pool_sds: Decimal = Decimal(2)
    pmr_decrease: Decimal = Decimal("0.30")
    pmr_min_decrease_sul: Decimal = Decimal("0.8")
    percist_pmr_strict: bool = False
    """A response needs more than these decreases, not exactly them."""
    pmd_increase: Decimal = Decimal("0.30")
    pmd_min_increase_sul: Decimal = Decimal("0.8")
    percist_pmd_strict: bool = True
    """Progression needs more than these increases, not exactly them."""
    pmd_reference: Reference = Reference.BASELINE
    tlg_increase: Decimal = Decimal("0.75")
    liver_change: Decimal = Decimal("0.20")
    """Comparable scans: the liver mean changed by at most this share ..."""
    liver_change_sul: Decimal = Decimal("0.3")
    """... and by less than this."""
    uptake_difference_minutes: Decimal = Decimal(15)
    uptake_earliest_minutes: Decimal = Decimal(50)
    uptake_latest_minutes: Decimal = Decimal(70)
    unknown_comparability: Unknown = Unknown.NOTE
    max_targets: int = 5
    max_targets_per_organ: int = 2
    backdate_equivocal: bool = True

    def __post_init__(self) -> None:
        require_not_negative(self)


def measurable(rules: Rules) -> Measurable:
    """How many lesions are measured."""
    return Measurable("PE3", rules.max_targets, rules.max_targets_per_organ)
