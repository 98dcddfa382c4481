"""irRC: immune-related response criteria, by the products of two diameters, new lesions included.

References
----------
Wolchok JD et al. Guidelines for the evaluation of immune therapy activity in solid tumors: immune-related response
criteria. Clin Cancer Res 2009;15:7412-7420.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import Designation, Lesion, Observation, Track
from trialimg.core.responses import CriterionAssessment, ImmuneRelatedResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria.immune_burden import Scheme, judge
from trialimg.criteria.measurability import Measurable
from trialimg.criteria.new_targets import Limits
from trialimg.criteria.record import Record, product_mm2, settings_of, without_nodes
from trialimg.criteria.thresholds import require_not_negative

__all__ = ["Facts", "Rules", "assess", "measurable"]

_SKIN = frozenset({"skin", "cutaneous", "subcutaneous", "subcutis"})


@dataclass(frozen=True)
class Facts:
    """Nothing is asked of a timepoint beside its lesions."""


@dataclass(frozen=True)
class Rules:
    """The numbers of irRC; lengths in mm, products in mm², shares as decimals of one."""

    pr_decrease: Decimal = Decimal("0.50")
    pd_increase: Decimal = Decimal("0.25")
    pd_min_increase_mm2: Decimal = Decimal(0)
    confirmation_days: int = 28
    """A progression is confirmed by another one at least so many days later, with none but NE between."""
    measurable_min_mm: Decimal = Decimal(5)
    """Both diameters."""
    max_visceral: int = 10
    max_cutaneous: int = 5
    max_per_organ: int = 5
    too_small_default_mm2: Decimal = Decimal(25)
    """*Charter.* What a lesion that is seen but too small to measure counts: 5 by 5 mm."""

    def __post_init__(self) -> None:
        require_not_negative(self)
        if not 0 < self.pr_decrease < 1:
            raise ValueError(f"pr_decrease is {self.pr_decrease}; it is a share between 0 and 1")


_DEFAULT = Rules()


def measurable(rules: Rules) -> Measurable:
    """How many index lesions there may be, and how large they must be."""
    return Measurable(
        "IM1",
        rules.max_visceral + rules.max_cutaneous,
        rules.max_per_organ,
        min_long_mm=rules.measurable_min_mm,
        min_short_mm=rules.measurable_min_mm,
    )


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up by the sum of products of two diameters, measurable new lesions included.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; the second diameter stands in the
    quantities of the observations. The rules by identifier stand in ``docs/reference/criteria/irrc.md``.
    """
    record: Record[object] = Record(tracks, designations, timepoints, facts, nothing=Facts())
    return judge(record, _scheme(rules))


def _scheme(rules: Rules) -> Scheme:
    def large_enough(seen: Observation) -> bool:
        lengths = (seen.diameter_mm, seen.quantities.short_axis_mm)
        return all(mm is not None and mm >= rules.measurable_min_mm for mm in lengths)

    def places(lesion: Lesion) -> Mapping[str, int]:
        organ = lesion.organ.strip().lower()
        site, most = ("cutaneous", rules.max_cutaneous) if organ in _SKIN else ("visceral", rules.max_visceral)
        return {site: most} if organ in _SKIN else {site: most, f"organ {organ}": rules.max_per_organ}

    return Scheme(
        name="irRC",
        words=ImmuneRelatedResponse,
        size=product_mm2,
        unit="mm2",
        measure="spd_mm2",
        too_small=rules.too_small_default_mm2,
        new=Limits(product_mm2, large_enough, places, when_first_seen=False),
        pr_decrease=rules.pr_decrease,
        pd_increase=rules.pd_increase,
        pd_min_increase=rules.pd_min_increase_mm2,
        confirmation_days=rules.confirmation_days,
        other_progression=False,
        recist=without_nodes(),
        settings=settings_of(rules),
    )
