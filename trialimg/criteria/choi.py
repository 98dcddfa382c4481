"""Choi: response of gastrointestinal stromal tumours by size or attenuation on contrast-enhanced CT.

References
----------
Choi H et al. Correlation of computed tomography and positron emission tomography in patients with metastatic
gastrointestinal stromal tumor treated at a single institution with imatinib mesylate: proposal of new computed
tomography response criteria. J Clin Oncol 2007;25:1753-1759.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.lesions import Designation, Seen, Track
from trialimg.core.responses import (
    Firing,
    Measure,
    OverallResponse,
    Sums,
    TargetResponse,
    TimepointAssessment,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria.measurability import Measurable
from trialimg.criteria.recist11 import overall, overall_firing
from trialimg.criteria.record import Course, Record, dated_back, diameter_mm, settings_of, without_nodes
from trialimg.criteria.thresholds import Comparison, Quantity, require_not_negative

__all__ = [
    "Decline",
    "Facts",
    "GrowthReference",
    "Nodule",
    "Rules",
    "assess",
    "measurable",
    "overall",
    "overall_firing",
]

_ZERO, _ONE = Decimal(0), Decimal(1)
_T = TargetResponse


class GrowthReference(Enum):
    """What growth is held against; the paper does not say."""

    BASELINE = "baseline"
    NADIR = "nadir"


class Nodule(Enum):
    """An intratumoral nodule, which is progression of its own (CH3)."""

    ABSENT = "absent"
    NEW = "new"
    GROWING = "growing"


class Decline(Enum):
    """The word for what would be stable disease, but with symptomatic decline attributed to the tumour (CH4)."""

    NE = "NE"
    PD = "PD"


@dataclass(frozen=True)
class Facts:
    """Facts of one timepoint; None where nothing was said."""

    nodule: Nodule | None = None
    symptomatic_decline: bool = False
    """Attributed to tumour progression."""


@dataclass(frozen=True)
class Rules:
    """The numbers of Choi, and what the paper leaves open."""

    pr_size_decrease: Decimal = Decimal("0.10")
    """Share by which the sum of longest diameters must be below baseline."""
    pr_hu_decrease: Decimal = Decimal("0.15")
    """Share by which the mean attenuation must be below baseline."""
    pr_needs_both: bool = False
    """Partial response asks for smaller **and** darker, not for one of the two."""
    pd_size_increase: Decimal = Decimal("0.10")
    growth_reference: GrowthReference = GrowthReference.NADIR
    decline: Decline = Decline.NE
    too_small_default_mm: Decimal = Decimal(5)
    backdate_equivocal: bool = True
    measurable_min_mm: Decimal = Decimal(10)
    max_targets: int = 10
    max_targets_per_organ: int = 5

    def __post_init__(self) -> None:
        require_not_negative(self)


_DEFAULT = Rules()


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[TimepointAssessment, ...]:
    """The response at every follow-up; the mean attenuation of a lesion stands in its quantities.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this module.

    Notes
    -----
    Attenuation is the mean over the targets that have one now, held against the mean over the same targets at
    baseline; a lesion that has gone has none. The rules by identifier stand in
    ``docs/reference/criteria/choi.md``.
    """
    record = Record(tracks, designations, timepoints, facts, nothing=Facts())
    walk = _Walk(record, rules)
    return tuple(walk.at(index) for index in range(1, len(record.timepoints)))


def measurable(rules: Rules) -> Measurable:
    """How many targets there may be, and how large each must be."""
    return Measurable("CH0", rules.max_targets, rules.max_targets_per_organ, rules.measurable_min_mm)


@dataclass(frozen=True)
class _Attenuation:
    """Attenuation added over lesions, now and at baseline; as many of both, so that their ratio is that of the means.

    None where a lesion that is there has no attenuation.
    """

    now: Quantity | None
    before: Quantity | None
    lesions: int

    @property
    def measure(self) -> Measure:
        """The means."""
        if self.now is None or self.before is None:
            return Measure("mean_hu", None, None, None)
        return Measure("mean_hu", self._mean(self.now), self._mean(self.before), None)

    def _mean(self, total: Quantity) -> Decimal:
        """For the eye only: nothing is compared with it."""
        return (total.value / self.lesions).quantize(Decimal("0.01"))

    def fell(self, share: Decimal) -> Comparison | None:
        """Whether it fell by a share of baseline; None where that cannot be said."""
        if self.now is None or self.before is None or self.before.value <= 0:
            return None
        return self.now.at_most(_ONE - share, self.before)


class _Walk:
    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self._record = record
        self._rules = rules
        self._new = record.new_lesions(without_nodes(backdate=rules.backdate_equivocal))
        self._sizes = Course(record.targets, record.timepoints, diameter_mm, too_small=rules.too_small_default_mm)
        self._last_evaluable = OverallResponse.NE

    def at(self, index: int) -> TimepointAssessment:
        """One follow-up judged."""
        timepoint, new = self._record.timepoints[index], self._new[index]
        after_cr = self._last_evaluable is OverallResponse.CR
        non_target, nt_why = self._record.non_target(index, without_nodes(), after_cr=after_cr)
        hu = self._attenuation(index)
        target, why = self._target(index, hu, after_cr=after_cr)
        word = overall(target, non_target, new.standing)
        if word is not OverallResponse.NE:
            self._last_evaluable = word
        reasons = (
            *self._sizes.totals[index].notes,
            why,
            nt_why,
            new.firing,
            *dated_back(overall(target, non_target, new.as_read), word, new),
            overall_firing(target, non_target, new.standing),
        )
        size = self._sizes.measure("sum_mm", index)
        return TimepointAssessment(
            timepoint,
            target,
            non_target,
            new.standing,
            word,
            Sums(size.value, size.baseline, size.nadir),
            reasons,
            settings_of(self._rules),
            measures=(hu.measure,),
        )

    def _attenuation(self, index: int) -> _Attenuation:
        now, before = dict(self._attenuations(index)), dict(self._attenuations(0))
        pairs = [(value, before.get(lesion)) for lesion, value in now.items()]
        known = [(value, was) for value, was in pairs if value is not None and was is not None]
        if not known or len(known) < len(pairs):
            return _Attenuation(None, None, 0)
        name = "attenuation" if len(known) == 1 else f"attenuation added over {len(known)} targets"
        total, was = sum((value for value, _ in known), _ZERO), sum((was for _, was in known), _ZERO)
        return _Attenuation(Quantity(name, total, "HU"), Quantity("baseline", was, "HU"), len(known))

    def _attenuations(self, index: int) -> Iterator[tuple[str, Decimal | None]]:
        """Attenuation of each target that is there; a lesion too small to measure tells none and is left out."""
        timepoint = self._record.timepoints[index]
        for track in self._record.targets:
            seen = track.at(timepoint.id)
            if seen is None or seen.seen is Seen.NOT_EVALUABLE:
                yield track.lesion.id, None
            elif seen.seen is Seen.MEASURED:
                yield track.lesion.id, seen.quantities.mean_hu

    def _target(self, index: int, hu: _Attenuation, *, after_cr: bool) -> tuple[TargetResponse, Firing]:
        if not self._sizes:
            return _T.NOT_APPLICABLE, Firing("CHOI/CH0", "no target lesion at baseline")
        total = self._sizes.totals[index]
        fact = self._record.fact(index)
        if fact.nodule in (Nodule.NEW, Nodule.GROWING):
            return _T.PD, Firing(
                "CHOI/CH3", f"intratumoral nodule {fact.nodule.value}: PD", {"nodule": fact.nodule.value}
            )
        if after_cr and total.measured > 0:
            return _T.PD, Firing("CHOI/CH3", f"targets sum to {total.measured} mm again after an overall CR: PD")
        darker = hu.fell(self._rules.pr_hu_decrease)
        grown = self._grown(index)
        if grown is not None and (darker is None or not darker.met):
            return _progression(grown, darker)
        if total.value is None:
            return _T.NE, Firing("CHOI/CH5", f"no sum of diameters ({total.why_missing}): NE")
        if total.gone:
            return _T.CR, Firing("CHOI/CH1", "every target has disappeared: CR")
        return self._response(total.value, darker, fact)

    def _grown(self, index: int) -> Comparison | None:
        """The growth, where there is enough of it; lesions that are missing can only add to it."""
        nadir = self._sizes.nadir(index)
        reference = nadir if self._rules.growth_reference is GrowthReference.NADIR else self._sizes.baseline
        size = Quantity("sum", self._sizes.totals[index].measured, "mm")
        if reference is None or size.value <= reference:
            return None
        name = self._rules.growth_reference.value
        grown = size.at_least(_ONE + self._rules.pd_size_increase, Quantity(name, reference, "mm"))
        return grown if grown.met else None

    def _response(self, size_mm: Decimal, darker: Comparison | None, fact: Facts) -> tuple[TargetResponse, Firing]:
        if self._sizes.baseline is None:
            return _T.NE, Firing("CHOI/CH5", "no sum of diameters at baseline: NE")
        baseline = Quantity("baseline", self._sizes.baseline, "mm")
        smaller = Quantity("sum", size_mm, "mm").at_most(_ONE - self._rules.pr_size_decrease, baseline)
        met = (smaller.met, darker is not None and darker.met)
        told = f"{smaller.sentence}; {_said(darker)}"
        numbers = {**smaller.numbers, **(darker.numbers if darker else {})}
        if all(met) or (any(met) and not self._rules.pr_needs_both):
            return _T.PR, Firing("CHOI/CH2", f"{told}: PR", numbers)
        if darker is None and smaller.met is self._rules.pr_needs_both:
            return _T.NE, Firing("CHOI/CH5", f"{told}, so a response is not excluded: NE", numbers)
        if fact.symptomatic_decline:
            word = TargetResponse(self._rules.decline.value)
            return word, Firing(
                "CHOI/CH4", f"{told}; symptoms worsened by the tumour, so not SD: {word.value}", numbers
            )
        return _T.SD, Firing("CHOI/CH4", f"{told}, and no PD: SD", numbers)


def _progression(grown: Comparison, darker: Comparison | None) -> tuple[TargetResponse, Firing]:
    if darker is None:
        told = f"{grown.sentence}, but {_said(None)}, which could speak against PD: NE"
        return _T.NE, Firing("CHOI/CH5", told, grown.numbers)
    told = f"{grown.sentence}, and {darker.sentence}: PD"
    return _T.PD, Firing("CHOI/CH3", told, {**grown.numbers, **darker.numbers})


def _declined(told: str, word: TargetResponse, numbers: Mapping[str, str]) -> Firing:
    return Firing("CHOI/CH4", f"{told}; symptoms worsened by the tumour, so not SD: {word.value}", numbers)


def _said(darker: Comparison | None) -> str:
    return "the attenuation cannot be compared" if darker is None else darker.sentence
