"""Volumetric RECIST: response by the sum of tumour volumes.

References
----------
No guideline sets the thresholds. The defaults are those of a sphere whose diameter changes by RECIST's shares, rounded
(-65 % and +40 %), as RANO 2.0 uses them: Wen PY et al. RANO 2.0. J Clin Oncol 2023;41:5187-5199. Everything beside
the sum follows Eisenhauer EA et al. RECIST 1.1. Eur J Cancer 2009;45:228-247.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import Designation, Observation, Track
from trialimg.core.responses import Firing, OverallResponse, Sums, TargetResponse, TimepointAssessment
from trialimg.core.trial import Timepoint
from trialimg.criteria.measurability import Measurable
from trialimg.criteria.recist11 import overall, overall_firing
from trialimg.criteria.record import Course, Record, dated_back, settings_of, without_nodes
from trialimg.criteria.thresholds import Quantity, require_not_negative

__all__ = ["Facts", "Rules", "assess", "measurable", "overall", "overall_firing"]

_T = TargetResponse
_ONE = Decimal(1)


@dataclass(frozen=True)
class Facts:
    """Nothing is asked of a timepoint beside its lesions."""


@dataclass(frozen=True)
class Rules:
    """The thresholds of volumetric response; volumes in mL, shares as decimals of one."""

    pr_decrease: Decimal = Decimal("0.65")
    """*Charter.* PR: sum at least this share below baseline."""
    pd_increase: Decimal = Decimal("0.40")
    """*Charter.* PD: sum at least this share above nadir ..."""
    pd_min_increase_ml: Decimal = Decimal(0)
    """*Charter.* ... and at least this much above it."""
    strict: bool = False
    """PD needs more than ``pd_increase``, not exactly it."""
    too_small_default_ml: Decimal = Decimal("0.065")
    """*Charter.* What a lesion that is seen but too small to measure counts: a sphere of 5 mm."""
    backdate_equivocal: bool = True
    max_targets: int = 5
    max_targets_per_organ: int = 2
    measurable_min_mm: Decimal = Decimal(10)
    baseline_window_days: int = 28

    def __post_init__(self) -> None:
        require_not_negative(self)
        if not 0 < self.pr_decrease < 1:
            raise ValueError(f"pr_decrease is {self.pr_decrease}; it is a share between 0 and 1")


_DEFAULT = Rules()


def measurable(rules: Rules) -> Measurable:
    """How many targets there may be, and how large they must be."""
    return Measurable(
        "V0",
        rules.max_targets,
        rules.max_targets_per_organ,
        rules.measurable_min_mm,
        baseline_window_days=rules.baseline_window_days,
    )


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[TimepointAssessment, ...]:
    """The response at every follow-up by the sum of volumes, which stand in the quantities of the observations.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`. The rules by identifier stand in
    ``docs/reference/criteria/volumetric.md``.
    """
    record = Record(tracks, designations, timepoints, facts, nothing=Facts())
    walk = _Walk(record, rules)
    return tuple(walk.at(index) for index in range(1, len(record.timepoints)))


class _Walk:
    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self._record = record
        self._rules = rules
        self._new = record.new_lesions(without_nodes(backdate=rules.backdate_equivocal))
        self._sizes = Course(record.targets, record.timepoints, _volume_ml, too_small=rules.too_small_default_ml)
        self._last_evaluable = OverallResponse.NE

    def at(self, index: int) -> TimepointAssessment:
        """One follow-up judged."""
        new = self._new[index]
        after_cr = self._last_evaluable is OverallResponse.CR
        non_target, nt_why = self._record.non_target(index, without_nodes(), after_cr=after_cr)
        target, why = self._target(index, after_cr=after_cr)
        word = overall(target, non_target, new.standing)
        if word is not OverallResponse.NE:
            self._last_evaluable = word
        back = dated_back(overall(target, non_target, new.as_read), word, new)
        row = overall_firing(target, non_target, new.standing)
        return TimepointAssessment(
            timepoint=self._record.timepoints[index],
            target=target,
            non_target=non_target,
            new_lesion=new.standing,
            overall=word,
            sums=Sums(None, None, None),
            rule=(*self._sizes.totals[index].notes, why, nt_why, new.firing, *back, row),
            settings=settings_of(self._rules),
            measures=(self._sizes.measure("volume_ml", index),),
        )

    def _target(self, index: int, *, after_cr: bool) -> tuple[TargetResponse, Firing]:
        if not self._sizes:
            return _T.NOT_APPLICABLE, Firing("VOL/V0", "no target lesion at baseline")
        total, baseline = self._sizes.totals[index], self._sizes.baseline
        grown = self._progression(index, after_cr=after_cr)
        if grown is not None:
            return _T.PD, grown
        if total.value is None:
            return _T.NE, Firing("VOL/V5", f"no sum of volumes ({total.why_missing}): NE")
        if total.gone:
            return _T.CR, Firing("VOL/V2", "every target has disappeared: CR")
        if baseline is None:
            return _T.NE, Firing("VOL/V5", "no sum of volumes at baseline: NE")
        shrunk = Quantity("sum", total.value, "mL").at_most(
            _ONE - self._rules.pr_decrease, Quantity("baseline", baseline, "mL")
        )
        if shrunk.met:
            return _T.PR, Firing("VOL/V3", f"{shrunk.sentence}: PR", shrunk.numbers)
        return _T.SD, Firing("VOL/V4", f"{shrunk.sentence}, and no PD: SD", shrunk.numbers)

    def _progression(self, index: int, *, after_cr: bool) -> Firing | None:
        """PD, which the measured lesions alone may show: those that are missing could only add to it."""
        total, nadir = self._sizes.totals[index], self._sizes.nadir(index)
        if total.measured > 0 and after_cr:
            return Firing("VOL/R14", f"targets sum to {total.measured} mL again after an overall CR: PD")
        if nadir is None or total.measured <= nadir:
            return None
        growth, least = total.measured - nadir, self._rules.pd_min_increase_ml
        if growth < least:
            return None
        if nadir == 0:
            sentence = f"nadir 0 mL, so no ratio; sum {total.measured} mL is at least {least} mL above it: PD"
            return Firing("VOL/N4", sentence, {"sum (mL)": str(total.measured), "nadir (mL)": "0"})
        grown = Quantity("sum", total.measured, "mL").at_least(
            _ONE + self._rules.pd_increase, Quantity("nadir", nadir, "mL"), strict=self._rules.strict
        )
        alone = f"{len(total.missing)} target(s) missing, the measured ones alone: " if total.missing else ""
        sentence = f"{alone}{grown.sentence} and +{growth} mL >= {least} mL: PD"
        return Firing("VOL/V1", sentence, grown.numbers) if grown.met else None


def _volume_ml(observation: Observation) -> Decimal | None:
    return observation.quantities.volume_ml
