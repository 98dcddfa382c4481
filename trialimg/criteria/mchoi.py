"""Modified Choi: as Choi, but a partial response is smaller **and** darker (renal cell carcinoma).

References
----------
Nathan PD et al. CT response assessment combining reduction in both size and arterial phase density correlates with
time to progression in metastatic renal cancer patients treated with targeted therapies. Cancer Biol Ther 2010;9:15-19.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import TimepointAssessment
from trialimg.core.trial import Timepoint
from trialimg.criteria import choi
from trialimg.criteria.choi import Facts, measurable, overall, overall_firing

__all__ = ["Facts", "Rules", "assess", "measurable", "overall", "overall_firing"]


@dataclass(frozen=True)
class Rules(choi.Rules):
    """The numbers of Choi, asked for together."""

    pr_needs_both: bool = True


_DEFAULT = Rules()


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[TimepointAssessment, ...]:
    """The response at every follow-up; parameters and errors as for `trialimg.criteria.choi.assess`."""
    judged = choi.assess(tracks, designations, timepoints, rules, facts=facts)
    return tuple(
        replace(a, rule=tuple(replace(f, rule=f.rule.replace("CHOI/", "MCHOI/")) for f in a.rule)) for a in judged
    )
