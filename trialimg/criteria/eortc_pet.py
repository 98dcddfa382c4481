"""EORTC 1999: metabolic response by the change of FDG uptake in the tumours of baseline.

References
----------
Young H et al. Measurement of clinical and subclinical tumour response using [18F]-fluorodeoxyglucose and positron
emission tomography: review and 1999 EORTC recommendations. Eur J Cancer 1999;35:1773-1782.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.lesions import Designation, Observation, Seen, Track
from trialimg.core.responses import (
    CriterionAssessment,
    Firing,
    MetabolicResponse,
    NewLesionResponse,
    NonTargetResponse,
    Sums,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria.measurability import Measurable
from trialimg.criteria.record import Course, Record, dated_back, settings_of, without_nodes
from trialimg.criteria.thresholds import Comparison, Quantity, require_not_negative

__all__ = ["Facts", "Pooling", "Rules", "assess", "measurable"]

_M = MetabolicResponse
_ONE = Decimal(1)


class Pooling(Enum):
    """How the uptake of several lesions becomes one number; the recommendations leave it open."""

    SUM = "sum"
    HOTTEST = "hottest"


@dataclass(frozen=True)
class Facts:
    """Facts of one scan; None where nothing was said."""

    cycles: int | None = None
    """Cycles of treatment completed before it."""
    like_background: bool | None = None
    """No lesion stands out from the normal tissue around it."""


@dataclass(frozen=True)
class Rules:
    """The numbers of the EORTC recommendations."""

    pmr_decrease_one_cycle: Decimal = Decimal("0.15")
    """At least this share below baseline after one cycle."""
    pmr_decrease_later: Decimal = Decimal("0.25")
    """More than this share below baseline after more than one."""
    pmd_increase: Decimal = Decimal("0.25")
    """More than this share above baseline."""
    pmd_extent_increase: Decimal = Decimal("0.20")
    """More than this share above baseline in a lesion's longest diameter."""
    pooling: Pooling = Pooling.SUM
    backdate_equivocal: bool = True

    def __post_init__(self) -> None:
        require_not_negative(self)


_DEFAULT = Rules()


def measurable(_rules: Rules) -> Measurable:
    """The recommendations limit neither number nor size."""
    return Measurable("EO0")


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The metabolic response at every follow-up; the uptake of a lesion stands in its ``sul_peak``.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this module.

    Notes
    -----
    The rules by identifier stand in ``docs/reference/criteria/eortc_pet.md``.
    """
    record = Record(tracks, designations, timepoints, facts, nothing=Facts())
    walk = _Walk(record, rules)
    return tuple(walk.at(index) for index in range(1, len(record.timepoints)))


class _Walk:
    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self._record = record
        self._rules = rules
        self._new = record.new_lesions(without_nodes(backdate=rules.backdate_equivocal))
        self._uptake = Course(record.targets, record.timepoints, _uptake, too_small=None)

    def at(self, index: int) -> CriterionAssessment:
        """One follow-up scan judged."""
        new = self._new[index]
        non_target, nt_why = self._record.non_target(index, without_nodes(), after_cr=False)
        word, why = self._target(index)
        overall, decided = _overall(word, non_target, new.standing)
        before, _ = _overall(word, non_target, new.as_read)
        return CriterionAssessment(
            self._record.timepoints[index],
            word,
            non_target,
            new.standing,
            overall,
            Sums(None, None, None),
            (why, nt_why, new.firing, *dated_back(before, overall, new), decided),
            settings_of(self._rules),
            measures=(self._uptake.measure("uptake_sum", index),),
        )

    def _pooled(self, index: int) -> Decimal:
        parts = self._uptake.totals[index].parts.values()
        if self._rules.pooling is Pooling.HOTTEST:
            return max(parts, default=Decimal(0))
        return sum(parts, Decimal(0))

    def _target(self, index: int) -> tuple[MetabolicResponse, Firing]:
        first, now = self._uptake.totals[0], self._uptake.totals[index]
        grown = self._grown_extent(index)
        if grown is not None:
            return _M.PMD, grown
        if first.value is None or first.value == 0:
            return _M.NE, Firing("EORTC/EO0", f"no uptake at baseline to compare with ({first.why_missing}): NE")
        uptake, baseline = Quantity("uptake", self._pooled(index), "SUV"), Quantity("baseline", self._pooled(0), "SUV")
        hotter = uptake.at_least(_ONE + self._rules.pmd_increase, baseline, strict=True)
        if hotter.met:
            return _M.PMD, Firing("EORTC/EO4", f"{hotter.sentence}: PMD", hotter.numbers)
        if now.value is None:
            return _M.NE, Firing("EORTC/EO0", f"uptake not known ({now.why_missing}): NE")
        fact = self._record.fact(index)
        if now.gone or fact.like_background is True:
            return _M.CMR, Firing("EORTC/EO1", "no lesion stands out from normal tissue: CMR")
        return self._partial(uptake, baseline, fact.cycles)

    def _partial(self, uptake: Quantity, baseline: Quantity, cycles: int | None) -> tuple[MetabolicResponse, Firing]:
        early = uptake.at_most(_ONE - self._rules.pmr_decrease_one_cycle, baseline)
        later = uptake.at_most(_ONE - self._rules.pmr_decrease_later, baseline, strict=True)
        if cycles is None:
            return _either(early, later)
        decisive = early if cycles <= 1 else later
        told = f"after {cycles} cycle(s) {decisive.sentence}"
        if decisive.met:
            return _M.PMR, Firing("EORTC/EO2", f"{told}: PMR", decisive.numbers)
        return _M.SMD, Firing("EORTC/EO3", f"{told}, and no PMD: SMD", decisive.numbers)

    def _grown_extent(self, index: int) -> Firing | None:
        first, now = self._record.timepoints[0].id, self._record.timepoints[index].id
        factor = _ONE + self._rules.pmd_extent_increase
        for track in self._record.targets:
            was, seen = track.at(first), track.at(now)
            if was is None or seen is None or was.diameter_mm is None or seen.diameter_mm is None:
                continue
            name = f"longest diameter of {track.lesion.id}"
            larger = Quantity(name, seen.diameter_mm, "mm").at_least(
                factor, Quantity("baseline", was.diameter_mm, "mm"), strict=True
            )
            if larger.met:
                return Firing("EORTC/EO5", f"{larger.sentence}: PMD", larger.numbers)
        return None


def _uptake(observation: Observation) -> Decimal | None:
    return observation.quantities.sul_peak if observation.seen is Seen.MEASURED else None


def _either(early: Comparison, later: Comparison) -> tuple[MetabolicResponse, Firing]:
    """The word where the number of cycles is not known: only what both limits agree on."""
    if later.met:
        return _M.PMR, Firing(
            "EORTC/EO2", f"cycles not recorded; {later.sentence}, enough for either: PMR", later.numbers
        )
    if not early.met:
        return _M.SMD, Firing("EORTC/EO3", f"cycles not recorded; {early.sentence}, too little for either: SMD")
    return _M.NE, Firing("EORTC/EO0", f"cycles not recorded; {early.sentence}, but {later.sentence}: NE", early.numbers)


def _overall(
    word: MetabolicResponse, non_target: NonTargetResponse, new: NewLesionResponse
) -> tuple[MetabolicResponse, Firing]:
    told = f"uptake {word.value}, non-target {non_target.value}, new lesion {new.value}: overall"
    if new is NewLesionResponse.UNEQUIVOCAL or non_target is NonTargetResponse.PD:
        return _M.PMD, Firing("EORTC/EO6", f"{told} PMD")
    persists = non_target in (NonTargetResponse.NON_CR_NON_PD, NonTargetResponse.NE)
    answer = _M.PMR if word is _M.CMR and persists else word
    return answer, Firing("EORTC/EO6", f"{told} {answer.value}")
