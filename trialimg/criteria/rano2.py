"""RANO 2.0: gliomas of adults, enhancing, non-enhancing or mixed.

References
----------
Wen PY et al. RANO 2.0: update to the Response Assessment in Neuro-Oncology criteria for high- and low-grade gliomas in
adults. J Clin Oncol 2023;41:5187-5199.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import CriterionAssessment
from trialimg.core.trial import Timepoint
from trialimg.criteria import rano
from trialimg.criteria.rano import Facts, measurable

__all__ = ["Facts", "Rules", "assess", "measurable"]


@dataclass(frozen=True)
class Rules(rano.Rules):
    """The numbers of RANO 2.0: those of the engine."""


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
