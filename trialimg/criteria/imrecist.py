"""imRECIST: immune-modified response by the sum of diameters, measurable new lesions included.

References
----------
Hodi FS et al. Immune-modified response evaluation criteria in solid tumors (imRECIST): refining guidelines to assess
the clinical benefit of cancer immunotherapy. J Clin Oncol 2018;36:850-858.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import CriterionAssessment, ImmuneModifiedResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria.immune_burden import judge
from trialimg.criteria.irrecist import DiameterRules, Facts, conformance, diameter_scheme
from trialimg.criteria.record import Record

__all__ = ["Facts", "Rules", "assess", "conformance"]


@dataclass(frozen=True)
class Rules(DiameterRules):
    """The numbers of imRECIST, by the names that irRECIST gives them."""


_DEFAULT = Rules()


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up; neither a new lesion alone nor non-targets alone are progression.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`. The rules by identifier stand in
    ``docs/reference/criteria/imrecist.md``.
    """
    record: Record[object] = Record(tracks, designations, timepoints, facts, nothing=Facts())
    return judge(record, diameter_scheme("imRECIST", ImmuneModifiedResponse, rules, other=False))
