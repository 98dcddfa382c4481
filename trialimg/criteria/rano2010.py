"""RANO 2010: high-grade gliomas.

References
----------
Wen PY et al. Updated response assessment criteria for high-grade gliomas: Response Assessment in Neuro-Oncology working
group. J Clin Oncol 2010;28:1963-1972.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import CriterionAssessment
from trialimg.core.trial import Timepoint
from trialimg.criteria import rano
from trialimg.criteria.rano import EarlyProgression, Facts, MinorResponse, measurable

__all__ = ["Facts", "Rules", "assess", "measurable"]


@dataclass(frozen=True)
class Rules(rano.Rules):
    """The numbers of RANO 2010."""

    rano2_mr: MinorResponse = MinorResponse.NEVER
    rt_window_inclusive: bool = False
    early_progression: EarlyProgression = EarlyProgression.HOLD
    new_lesion_measurable: bool = False
    non_target_by_size: bool = False
    flair_is_pd: bool = True
    cr_needs_targets: bool = True
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
