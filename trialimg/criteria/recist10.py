"""RECIST 1.0: as RECIST 1.1 without the 5 mm rule and without a rule for nodes.

References
----------
Therasse P et al. New guidelines to evaluate the response to treatment in solid tumors.
J Natl Cancer Inst 2000;92:205-216.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import (
    Firing,
    NewLesionResponse,
    NonTargetResponse,
    TargetResponse,
    TimepointAssessment,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria import recist11
from trialimg.criteria.recist11 import Facts, conformance, overall

__all__ = ["Facts", "Rules", "assess", "conformance", "overall", "overall_firing"]


@dataclass(frozen=True)
class Rules(recist11.Rules):
    """The numbers of RECIST 1.0, by the names that RECIST 1.1 gives them."""

    pd_min_increase_mm: Decimal = Decimal(0)
    """No smallest growth in mm."""
    nodes_by_short_axis: bool = False
    """A node is a lesion like any other: longest diameter, complete response only when gone."""
    max_targets: int = 10
    max_targets_per_organ: int = 5


_DEFAULT = Rules()


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[TimepointAssessment, ...]:
    """The response at every follow-up; parameters and errors as for `trialimg.criteria.recist11.assess`."""
    judged = recist11.assess(tracks, designations, timepoints, rules, facts=facts)
    return tuple(replace(a, rule=tuple(map(_renamed, a.rule))) for a in judged)


def overall_firing(target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse) -> Firing:
    """The row of the table that was read; the table is that of RECIST 1.1."""
    return _renamed(recist11.overall_firing(target, non_target, new))


def _renamed(firing: Firing) -> Firing:
    return replace(firing, rule=firing.rule.replace("R-1.1/", "R-1.0/", 1))
