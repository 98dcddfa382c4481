"""irRECIST: immune-related response by the sum of diameters, measurable new lesions included.

References
----------
Nishino M et al. Developing a common language for tumor response to immunotherapy: immune-related response criteria
using unidimensional measurements. Clin Cancer Res 2013;19:3936-3943. Bohnsack O et al. Adaptation of the immune
related response criteria: irRECIST. Ann Oncol 2014;25(suppl 4):iv369.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import lru_cache

from trialimg.core.lesions import Designation, Lesion, LesionKind, Observation, Track
from trialimg.core.responses import CriterionAssessment, ImmuneRelatedResponse
from trialimg.core.trial import Finding, Timepoint
from trialimg.criteria import recist11
from trialimg.criteria.immune_burden import Scheme, Words, judge
from trialimg.criteria.new_targets import Limits
from trialimg.criteria.recist11 import BaselineTarget
from trialimg.criteria.recist11.baseline import counted_organ
from trialimg.criteria.record import Record, diameter_mm, settings_of
from trialimg.criteria.thresholds import require_not_negative

__all__ = ["DiameterRules", "Facts", "Rules", "assess", "conformance", "diameter_scheme"]


@dataclass(frozen=True)
class Facts:
    """Nothing is asked of a timepoint beside its lesions."""


@dataclass(frozen=True)
class DiameterRules:
    """The numbers that irRECIST and imRECIST take from RECIST 1.1, and those for new lesions; lengths in mm."""

    pr_decrease: Decimal = Decimal("0.30")
    """PR: burden at least this share below baseline."""
    pd_increase: Decimal = Decimal("0.20")
    """PD: burden at least this share above nadir ..."""
    pd_min_increase_mm: Decimal = Decimal(5)
    """... and at least this much above it."""
    confirmation_days: int = 28
    """A progression is confirmed by another one at least so many days later, with none but NE between."""
    nodes_by_short_axis: bool = True
    node_normal_below_mm: Decimal = Decimal(10)
    node_target_min_mm: Decimal = Decimal(15)
    too_small_default_mm: Decimal = Decimal(5)
    """What a lesion that is seen but too small to measure counts."""
    new_node_pd_sa_mm: Decimal = Decimal(15)
    """*Charter.* New node of this short axis is unequivocal; from ``node_normal_below_mm`` up to it, equivocal."""
    backdate_equivocal: bool = True
    new_lesion_persists: bool = True
    """A new lesion once reported counts until it is recorded absent."""
    measurable_min_mm: Decimal = Decimal(10)
    max_targets: int = 5
    max_targets_per_organ: int = 2
    max_new_targets: int = 5
    """New lesions that are measured and counted in the burden."""
    max_new_targets_per_organ: int = 2
    baseline_window_days: int = 28

    def __post_init__(self) -> None:
        require_not_negative(self)
        if not 0 < self.pr_decrease < 1:
            raise ValueError(f"pr_decrease is {self.pr_decrease}; it is a share between 0 and 1")


@dataclass(frozen=True)
class Rules(DiameterRules):
    """The numbers of irRECIST."""

    irrecist_nt_pd: bool = False
    """*Charter.* Progression of non-targets, and a new lesion that cannot be measured, is progression; the sources
    disagree. False: it only bars a complete response."""


_DEFAULT = Rules()


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up by the sum of diameters, measurable new lesions included.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`. The rules by identifier stand in
    ``docs/reference/criteria/irrecist.md``.
    """
    record: Record[object] = Record(tracks, designations, timepoints, facts, nothing=Facts())
    return judge(record, diameter_scheme("irRECIST", ImmuneRelatedResponse, rules, other=rules.irrecist_nt_pd))


def conformance(
    subject: str,
    targets: Iterable[BaselineTarget],
    baseline: Timepoint,
    *,
    start_date: dt.date | None,
    rules: DiameterRules = _DEFAULT,
    non_targets: Iterable[Observation] = (),
) -> tuple[Finding, ...]:
    """Everything about the choice of lesions that RECIST 1.1 does not allow; empty if nothing."""
    return recist11.conformance(
        subject, targets, baseline, start_date=start_date, rules=_as_recist(rules), non_targets=non_targets
    )


@lru_cache(maxsize=32)
def _as_recist(rules: DiameterRules) -> recist11.Rules:
    """RECIST 1.1 by those of its settings that are used here."""
    shared = {field.name for field in fields(rules)} & {field.name for field in fields(recist11.Rules)}
    return recist11.Rules(**{name: getattr(rules, name) for name in shared})


def diameter_scheme(name: str, words: Words, rules: DiameterRules, *, other: bool) -> Scheme:
    """The burden as a sum of diameters by RECIST's sizes and shares.

    Parameters
    ----------
    other
        Progression beside the burden counts.
    """

    def large_enough(seen: Observation) -> bool:
        node = rules.nodes_by_short_axis and seen.lesion.kind is LesionKind.NODAL
        smallest_mm = rules.node_target_min_mm if node else rules.measurable_min_mm
        return seen.diameter_mm is not None and seen.diameter_mm >= smallest_mm

    def places(lesion: Lesion) -> Mapping[str, int]:
        organ = counted_organ(lesion, _as_recist(rules))
        return {"all": rules.max_new_targets, f"organ {organ}": rules.max_new_targets_per_organ}

    return Scheme(
        name=name,
        words=words,
        size=diameter_mm,
        unit="mm",
        measure="burden_mm",
        too_small=rules.too_small_default_mm,
        new=Limits(diameter_mm, large_enough, places, when_first_seen=False),
        pr_decrease=rules.pr_decrease,
        pd_increase=rules.pd_increase,
        pd_min_increase=rules.pd_min_increase_mm,
        confirmation_days=rules.confirmation_days,
        other_progression=other,
        recist=_as_recist(rules),
        settings=settings_of(rules),
    )
