"""Every number and contested choice of the Lugano classification in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.criteria.measurability import Measurable
from trialimg.criteria.thresholds import require_not_negative

__all__ = ["Rules", "SizeBand", "measurable"]


class SizeBand(Enum):
    """Whose size decides whether a lesion must grow by the smaller or the larger step."""

    NADIR = "nadir"
    NOW = "now"


@dataclass(frozen=True)
class Rules:
    """The numbers of the Lugano classification."""

    fdg_avid: bool = True
    """PET governs where there is one; false: CT governs always."""
    node_normal_mm: Decimal = Decimal(15)
    """A node of at most this longest diameter is normal."""
    extranodal_new_mm: Decimal = Decimal(10)
    """A new extranodal lesion larger than this is progression."""
    pr_decrease: Decimal = Decimal("0.50")
    too_small_default_mm: Decimal = Decimal(5)
    """Each diameter of a lesion too small to measure."""
    pd_ppd_increase: Decimal = Decimal("0.50")
    """Of one lesion's product over its own nadir."""
    pd_step_small_mm: Decimal = Decimal(5)
    pd_step_large_mm: Decimal = Decimal(10)
    pd_band_mm: Decimal = Decimal(20)
    """Up to this size a lesion must grow by the small step, above it by the large one."""
    size_band: SizeBand = SizeBand.NADIR
    lugano_step_strict: bool = False
    """A lesion must grow by more than its step, not by exactly it."""
    spleen_normal_mm: Decimal = Decimal(130)
    spleen_pr_decrease: Decimal = Decimal("0.50")
    """More than this share of the excess over normal must be gone."""
    spleen_pd_increase: Decimal = Decimal("0.50")
    """More than this share of the excess over normal has been added."""
    spleen_pd_new_mm: Decimal = Decimal(20)
    """Growth that makes a spleen of normal length progress."""
    spleen_new_strict: bool = False
    deauville5_factor: Decimal = Decimal(2)
    """So many times the liver's SUVmax is "markedly" above it."""
    backdate_equivocal: bool = True
    node_measurable_mm: Decimal = Decimal(15)
    extranodal_measurable_mm: Decimal = Decimal(10)
    max_targets: int = 6

    def __post_init__(self) -> None:
        require_not_negative(self)


def measurable(rules: Rules) -> Measurable:
    """How many targets there may be, and how long each must be."""
    long_mm, node_mm = rules.extranodal_measurable_mm, rules.node_measurable_mm
    return Measurable("L0", rules.max_targets, min_long_mm=long_mm, min_node_mm=node_mm, strict=True)
