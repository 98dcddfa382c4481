"""Every number and every contested choice of RECIST 1.1 in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from enum import Enum

__all__ = [
    "CrLost",
    "IrradiatedTarget",
    "LocalTherapy",
    "Modality",
    "PartialNonTarget",
    "PrHold",
    "Rules",
]


class PrHold(Enum):
    """What becomes of a PR when the sum rises again without reaching PD."""

    RECOMPUTE = "recompute"
    """Each timepoint is judged by its own sum; the word may fall back to SD."""
    HOLD_AFTER_PR = "hold_after_pr"
    """PR stays PR from the first PR on (trials that need no confirmation)."""
    HOLD_AFTER_CONFIRMED_PR = "hold_after_confirmed_pr"
    """PR stays PR once it was repeated after the confirmation interval (EORTC clarification)."""


class LocalTherapy(Enum):
    """What a target counts after surgery, radiation or ablation of it."""

    NOT_EVALUABLE = "not_evaluable"
    ZERO_IF_REMOVED = "zero_if_removed"
    """0 mm where it is recorded absent, otherwise not evaluable; by charter only."""
    MEASURE = "measure"
    """As any other target; by charter only."""


class IrradiatedTarget(Enum):
    """Whether a lesion treated locally before baseline may be a target."""

    NOT_MEASURABLE = "not_measurable"
    ALLOWED = "allowed"
    """The protocol vouches that it has progressed since."""


class CrLost(Enum):
    """What a lesion that comes back after an overall CR means."""

    PD = "pd"
    AMEND_TO_PR = "amend_to_pr"
    """The CR was doubtful: it is amended to PR and the sum decides now."""


class PartialNonTarget(Enum):
    """The non-target answer when some persist and others were not assessed."""

    NE = "NE"
    NON_CR_NON_PD = "NON-CR/NON-PD"


class Modality(Enum):
    """How a baseline target was imaged, for its smallest measurable size."""

    CT_MRI = "ct_mri"
    CALIPER = "caliper"
    CHEST_XRAY = "chest_xray"


@dataclass(frozen=True)
class Rules:
    """The numbers and named settings of RECIST 1.1; a protocol may override any of them by name.

    Lengths in mm, shares as decimals of one. A setting marked *charter* is a convention that the paper leaves open;
    every report prints it.
    """

    pr_decrease: Decimal = Decimal("0.30")
    """PR: sum at least this share below baseline."""
    pd_increase: Decimal = Decimal("0.20")
    """PD: sum at least this share above nadir ..."""
    pd_min_increase_mm: Decimal = Decimal(5)
    """... and at least this much above it."""
    strict: bool = False
    """PD needs more than ``pd_increase``, not exactly it."""
    nodes_by_short_axis: bool = True
    """Nodes are judged by their short axis and may be normal without vanishing."""
    node_normal_below_mm: Decimal = Decimal(10)
    node_target_min_mm: Decimal = Decimal(15)
    too_small_default_mm: Decimal = Decimal(5)
    """What a lesion that is seen but too small to measure counts."""
    pd_within_normal_nodes: bool = False
    """*Charter.* True: growth counts as PD even while all non-nodal targets are gone and all nodes are normal."""
    pr_hold: PrHold = PrHold.RECOMPUTE
    """*Charter.*"""
    confirmation_days: int = 28
    """Interval after which a repeated PR counts as confirmed, for ``pr_hold``."""
    cr_lost: CrLost = CrLost.PD
    """*Charter.* A single CR may also be declared doubtful by the reader."""
    local_therapy: LocalTherapy = LocalTherapy.NOT_EVALUABLE
    """*Charter.*"""
    missing_bound_factor: Decimal | None = None
    """*Charter.* With missing targets: answer where each missing one set to 0 mm, and set to this factor times its
    largest diameter so far, gives the same word. None: never impute."""
    partial_non_target: PartialNonTarget = PartialNonTarget.NE
    """*Charter.*"""
    new_node_pd_sa_mm: Decimal = Decimal(15)
    """*Charter.* New node of this short axis is unequivocal; from ``node_normal_below_mm`` up to it, equivocal."""
    backdate_equivocal: bool = True
    """A new lesion that is confirmed later is dated at its first, equivocal, scan."""
    new_lesion_persists: bool = True
    """A new lesion once reported counts until it is recorded absent."""
    max_targets: int = 5
    max_targets_per_organ: int = 2
    baseline_window_days: int = 28
    """Longest time from baseline imaging to the start of treatment."""
    measurable_min_mm: Decimal = Decimal(10)
    measurable_caliper_min_mm: Decimal = Decimal(10)
    measurable_xray_min_mm: Decimal = Decimal(20)
    slice_max_mm: Decimal = Decimal(5)
    """Above this slice thickness the smallest measurable size is ``slice_factor`` times the thickness."""
    slice_factor: Decimal = Decimal(2)
    irradiated_target: IrradiatedTarget = IrradiatedTarget.NOT_MEASURABLE

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Decimal | int) and not (Decimal(value).is_finite() and value >= 0):
                raise ValueError(f"{field.name} is {value}; it cannot be negative")
        if not 0 < self.pr_decrease < 1:
            raise ValueError(f"pr_decrease is {self.pr_decrease}; it is a share between 0 and 1")
        if self.new_node_pd_sa_mm < self.node_normal_below_mm:
            raise ValueError("new_node_pd_sa_mm lies below node_normal_below_mm")
