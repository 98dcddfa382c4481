"""RANO-LGG: low-grade gliomas, measured on T2/FLAIR.

References
----------
van den Bent MJ et al. Response assessment in neuro-oncology (a report of the RANO group): assessment of outcome in
trials of diffuse low-grade gliomas. Lancet Oncol 2011;12:583-593.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import CriterionAssessment
from trialimg.core.trial import Timepoint
from trialimg.criteria import rano
from trialimg.criteria.rano import Disease, Facts, measurable

__all__ = ["Facts", "Rules", "assess", "measurable"]


@dataclass(frozen=True)
class Rules(rano.Rules):
    """The numbers of RANO-LGG."""

    disease: Disease = Disease.NON_ENHANCING
    rt_window_weeks: Decimal | None = None
    new_lesion_measurable: bool = False
    non_target_by_size: bool = False
    enhancement_bars_response: bool = True
    max_targets: int = 5
    max_targets_per_compartment: int = 5


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
