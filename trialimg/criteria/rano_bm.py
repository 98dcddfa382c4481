"""RANO-BM: brain metastases, a compartment of their own, by the sum of longest diameters.

References
----------
Lin NU et al. Response assessment criteria for brain metastases: proposal from the RANO group. Lancet Oncol
2015;16:e270-e278.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import CriterionAssessment
from trialimg.core.trial import Timepoint
from trialimg.criteria import rano
from trialimg.criteria.rano import Facts, Metric, MinorResponse, measurable

__all__ = ["Facts", "Rules", "assess", "measurable"]


@dataclass(frozen=True)
class Rules(rano.Rules):
    """The numbers of RANO-BM."""

    metric: Metric = Metric.DIAMETER
    pr_decrease: Decimal = Decimal("0.30")
    pd_increase: Decimal = Decimal("0.20")
    rano2_mr: MinorResponse = MinorResponse.NEVER
    pd_lesion_growth_mm: Decimal | None = Decimal(5)
    rt_window_weeks: Decimal | None = None
    new_lesion_measurable: bool = False
    non_target_by_size: bool = False
    flair_is_pd: bool = True
    sd_needs_steady_steroids: bool = False
    measurable_min_across_mm: Decimal = Decimal(5)
    max_targets: int = 5
    max_targets_per_compartment: int = 5
    baseline_window_days: int | None = 28


_DEFAULT = Rules()


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up; parameters and errors as for `trialimg.criteria.rano.assess`."""
    return rano.assess(tracks, designations, timepoints, rules, facts=facts)
