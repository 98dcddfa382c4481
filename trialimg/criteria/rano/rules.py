"""Every number and contested choice of the RANO family in one frozen value; the defaults are those of RANO 2.0."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.criteria.measurability import Measurable
from trialimg.criteria.thresholds import require_not_negative

__all__ = [
    "ConfirmReference",
    "Disease",
    "EarlyProgression",
    "LesionReference",
    "Metric",
    "MinorResponse",
    "Rules",
    "Unstated",
    "measurable",
]


class Metric(Enum):
    """What is measured of a lesion; one for the whole trial."""

    PRODUCT = "product"
    """Longest diameter times the one perpendicular to it."""
    VOLUME = "volume"
    DIAMETER = "diameter"


class Disease(Enum):
    """Which tumour is scored; fixed in advance for the whole trial."""

    ENHANCING = "enhancing"
    NON_ENHANCING = "non_enhancing"
    MIXED = "mixed"
    """Both; a lesion's organ says which of the two it is."""


class MinorResponse(Enum):
    """Where a minor response is scored."""

    NON_ENHANCING = "non_enhancing"
    """In non-enhancing and mixed disease."""
    ALWAYS = "always"
    NEVER = "never"


class EarlyProgression(Enum):
    """What progression soon after radiotherapy is, where neither histology nor its place prove it."""

    HOLD = "hold"
    """Not to be told from pseudoprogression: neither SD nor PD."""
    PRELIMINARY = "preliminary"
    """Preliminary, until a later scan confirms it."""


class ConfirmReference(Enum):
    """What a confirming scan must exceed."""

    NADIR = "nadir"
    PRELIMINARY = "preliminary"
    """The scan of the preliminary progression, by the same share once more."""


class LesionReference(Enum):
    """What the growth of a single lesion is held against."""

    NADIR_TIMEPOINT = "nadir_timepoint"
    """Its size at the timepoint of the smallest sum."""
    OWN_NADIR = "own_nadir"


class Unstated(Enum):
    """How steroids or clinical state are taken where nothing was said of them."""

    ASSUME_STABLE = "assume_stable"
    """As no obstacle; the answer says so."""
    NE = "NE"


@dataclass(frozen=True)
class Rules:
    """The numbers of the RANO family."""

    metric: Metric = Metric.PRODUCT
    disease: Disease = Disease.ENHANCING
    pr_decrease: Decimal = Decimal("0.50")
    mr_decrease: Decimal = Decimal("0.25")
    pd_increase: Decimal = Decimal("0.25")
    volume_pr_decrease: Decimal = Decimal("0.65")
    volume_mr_decrease: Decimal = Decimal("0.40")
    volume_pd_increase: Decimal = Decimal("0.40")
    rano2_mr: MinorResponse = MinorResponse.NON_ENHANCING
    pd_lesion_growth_mm: Decimal | None = None
    """Progression of the sum also needs one lesion larger by this much."""
    lesion_growth_reference: LesionReference = LesionReference.NADIR_TIMEPOINT
    rt_window_weeks: Decimal | None = Decimal(12)
    """Progression up to so many weeks after radiotherapy is early; None: never."""
    rt_window_inclusive: bool = True
    early_progression: EarlyProgression = EarlyProgression.PRELIMINARY
    confirm_pd_always: bool = False
    """For treatments with frequent pseudoprogression: every progression waits for confirmation."""
    confirm_clinical_pd: bool = False
    """Clinical decline also waits for confirmation."""
    confirmation_days: int = 28
    rano_confirm_ref: ConfirmReference = ConfirmReference.NADIR
    new_lesion_is_pd: bool = True
    """False under immunotherapy (RANO-BM)."""
    new_lesion_measurable: bool = True
    """A new lesion progresses only once it is measurable."""
    non_target_by_size: bool = True
    """A measured non-target that has grown is added to the targets, and both together must have progressed."""
    flair_is_pd: bool = False
    enhancement_bars_response: bool = False
    cr_needs_targets: bool = False
    """Without measurable disease the best word is SD."""
    sd_needs_steady_steroids: bool = True
    unstated: Unstated = Unstated.ASSUME_STABLE
    backdate_equivocal: bool = True
    too_small_default_mm: Decimal = Decimal(5)
    measurable_min_mm: Decimal = Decimal(10)
    measurable_min_across_mm: Decimal = Decimal(10)
    slice_max_mm: Decimal = Decimal(5)
    slice_factor: Decimal = Decimal(2)
    max_targets: int = 3
    max_targets_per_compartment: int = 3
    baseline_window_days: int | None = None

    def __post_init__(self) -> None:
        require_not_negative(self)

    @property
    def is_mixed(self) -> bool:
        return self.disease is Disease.MIXED

    @property
    def shares(self) -> tuple[Decimal, Decimal, Decimal]:
        """Decrease for PR, decrease for MR and increase for PD of what is measured."""
        if self.metric is Metric.VOLUME:
            return self.volume_pr_decrease, self.volume_mr_decrease, self.volume_pd_increase
        return self.pr_decrease, self.mr_decrease, self.pd_increase

    @property
    def scores_minor(self) -> bool:
        if self.rano2_mr is MinorResponse.NON_ENHANCING:
            return self.disease is not Disease.ENHANCING
        return self.rano2_mr is MinorResponse.ALWAYS


def measurable(rules: Rules) -> Measurable:
    """How many targets there may be, and how large each must be."""
    return Measurable(
        "G1",
        4 if rules.is_mixed else rules.max_targets,
        2 if rules.is_mixed else rules.max_targets_per_compartment,
        rules.measurable_min_mm,
        rules.measurable_min_across_mm,
        slice_factor=rules.slice_factor,
        slice_max_mm=rules.slice_max_mm,
        baseline_window_days=rules.baseline_window_days,
    )
