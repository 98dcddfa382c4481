"""All follow-up timepoints of one subject as one reader saw them, judged in order of date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache

from trialimg.core.lesions import Designation, Role, Track
from trialimg.core.responses import (
    Firing,
    NewLesionResponse,
    NonTargetResponse,
    OverallResponse,
    Sums,
    TargetResponse,
    TimepointAssessment,
)
from trialimg.core.settings import shown
from trialimg.core.trial import Timepoint
from trialimg.criteria.recist11.facts import Facts
from trialimg.criteria.recist11.history import checked
from trialimg.criteria.recist11.new_lesions import NewLesions, judge_new_lesions
from trialimg.criteria.recist11.non_targets import judge_non_targets
from trialimg.criteria.recist11.overall import overall, overall_firing
from trialimg.criteria.recist11.rules import CrLost, PrHold, Rules
from trialimg.criteria.recist11.targets import TargetReading, Targets, judge_targets

__all__ = ["DEFAULT_RULES", "assess"]

DEFAULT_RULES = Rules()
_NO_TARGET = (TargetResponse.NOT_APPLICABLE, Firing("R-1.1/T0", "no target lesion at baseline"))


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = DEFAULT_RULES,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[TimepointAssessment, ...]:
    """The response at every follow-up of one subject, as one reader saw it.

    Parameters
    ----------
    tracks
        Every lesion that the reader follows. Fragments of a split target are lesions of their own with
        ``split_from``; a target whose diameter is already the sum of its fragments needs nothing more.
    designations
        The role of each lesion, all by one reader. A fragment takes its parent's role if it has none.
    timepoints
        Baseline (order 0) first, then every follow-up in order of date.
    facts
        What is known of a timepoint as a whole (FDG-PET, tumour markers, a CR that is doubted), by timepoint id.

    Returns
    -------
    tuple of TimepointAssessment
        One per follow-up, in order. Each rule that decided something stands in ``rule`` with its numbers; an answer
        that later knowledge changed keeps the earlier one there.

    Raises
    ------
    ReadingError
        Naming everything that contradicts itself: two roles of a lesion, two readers, timepoints out of order,
        observations of unknown timepoints, lesions that merge or split in a circle.

    Notes
    -----
    The rules by identifier stand in ``docs/reference/criteria/recist11.md``.

    References
    ----------
    Eisenhauer EA et al. New response evaluation criteria in solid tumours: revised RECIST guideline (version 1.1).
    Eur J Cancer 2009;45:228-247. Schwartz LH et al. RECIST 1.1: update and clarification. Eur J Cancer 2016;62:132-137.
    """
    history = checked(tuple(tracks), tuple(designations), tuple(timepoints), facts or {})
    new = judge_new_lesions(history.of(Role.NEW), history.timepoints, history.facts, rules)
    walk = _Walk(Targets(history.of(Role.TARGET), rules), history.of(Role.NON_TARGET), history.facts, rules)
    walk.start(history.timepoints[0])
    for timepoint, new_lesions in zip(history.timepoints[1:], new, strict=True):
        walk.step(timepoint, new_lesions)
    return tuple(walk.done)


@lru_cache(maxsize=32)
def _settings(rules: Rules) -> Mapping[str, str]:
    return shown(rules)


@dataclass
class _Walk:
    """What must be remembered from one timepoint to the next."""

    targets: Targets
    non_targets: tuple[Track, ...]
    facts: Mapping[str, Facts]
    rules: Rules
    baseline_mm: Decimal | None = None
    doubted: set[str] = field(default_factory=set)
    """Timepoints whose CR was amended: their sums set no nadir."""
    done: list[TimepointAssessment] = field(default_factory=list)
    settings: Mapping[str, str] = field(default_factory=dict)

    def start(self, baseline: Timepoint) -> None:
        self.settings = _settings(self.rules)
        if self.targets:
            self.baseline_mm = self.targets.read(baseline).sum_mm

    def step(self, timepoint: Timepoint, new: NewLesions) -> None:
        """Judge one follow-up; a CR that it throws doubt on is amended first."""
        markers = self.facts[timepoint.id].markers if timepoint.id in self.facts else None
        reading = self.targets.read(timepoint) if self.targets else None
        after_cr = self._after_cr()
        non_target, non_target_why = judge_non_targets(
            self.non_targets, timepoint, markers, after_cr=after_cr, rules=self.rules
        )
        back_target = after_cr and reading is not None and reading.visible
        back_non_target = non_target_why.rule == "R-1.1/R14"
        if (back_target or back_non_target) and self._cr_is_doubted():
            self._amend_cr(timepoint, target=back_target)
            after_cr = False
            non_target, non_target_why = judge_non_targets(
                self.non_targets, timepoint, markers, after_cr=False, rules=self.rules
            )
        target, target_why = self._target(timepoint, reading, after_cr=after_cr)
        notes = reading.notes if reading is not None else ()
        self._keep(timepoint, reading, target, non_target, new, (*notes, *target_why, non_target_why))

    def _keep(
        self,
        timepoint: Timepoint,
        reading: TargetReading | None,
        target: TargetResponse,
        non_target: NonTargetResponse,
        new: NewLesions,
        why: tuple[Firing, ...],
    ) -> None:
        sum_mm = reading.sum_mm if reading is not None else None
        word = overall(target, non_target, new.standing)
        why = (*why, new.firing)
        if new.standing is not new.as_read:
            why = (*why, _pre_image(target, non_target, new.as_read, word))
        why = (*why, overall_firing(target, non_target, new.standing))
        sums = Sums(sum_mm, self.baseline_mm, self._nadir_mm())
        self.done.append(
            TimepointAssessment(timepoint, target, non_target, new.standing, word, sums, why, self.settings)
        )

    def _target(
        self, timepoint: Timepoint, reading: TargetReading | None, *, after_cr: bool
    ) -> tuple[TargetResponse, tuple[Firing, ...]]:
        if reading is None:
            return _NO_TARGET[0], (_NO_TARGET[1],)
        word, why = judge_targets(
            reading,
            baseline_mm=self.baseline_mm,
            nadir_mm=self._nadir_mm(),
            reappeared=after_cr,
            bounds_mm=self._bounds_mm(reading, timepoint),
            rules=self.rules,
        )
        if word is TargetResponse.SD and self._pr_is_held():
            held = Firing(
                "R-1.1/H1",
                f"SD by its sum, but a PR was reached and no PD since ({self.rules.pr_hold.value}): PR",
                {"as_computed": word.value},
            )
            return TargetResponse.PR, (why, held)
        return word, (why,)

    def _nadir_mm(self) -> Decimal | None:
        sums = [a.sums.sum_mm for a in self.done if a.sums.sum_mm is not None and a.timepoint.id not in self.doubted]
        if self.baseline_mm is not None:
            sums.append(self.baseline_mm)
        return min(sums, default=None)

    def _bounds_mm(self, reading: TargetReading, timepoint: Timepoint) -> tuple[Decimal, Decimal] | None:
        """The sum with every missing target at 0 mm, and at its largest plausible size; None without that check."""
        factor = self.rules.missing_bound_factor
        if factor is None or not reading.missing or not reading.counted:
            return None
        high_mm = reading.measured_mm
        for lesion, _ in reading.missing:
            largest_mm = self.targets.largest_mm(lesion, timepoint.order)
            if largest_mm is None:
                return None
            high_mm += factor * largest_mm
        return reading.measured_mm, high_mm

    def _after_cr(self) -> bool:
        last = self._last_evaluable()
        return last is not None and last.overall is OverallResponse.CR

    def _last_evaluable(self) -> TimepointAssessment | None:
        return next((a for a in reversed(self.done) if a.overall is not OverallResponse.NE), None)

    def _cr_is_doubted(self) -> bool:
        if self.rules.cr_lost is CrLost.AMEND_TO_PR:
            return True
        last = self._last_evaluable()
        fact = self.facts.get(last.timepoint.id) if last is not None else None
        return fact is not None and fact.cr_doubtful

    def _amend_cr(self, timepoint: Timepoint, *, target: bool) -> None:
        """Turn the run of CR before this timepoint into PR, keeping in its rules what it was."""
        for index in range(len(self.done) - 1, -1, -1):
            was = self.done[index]
            if was.overall is OverallResponse.NE:
                continue
            if was.overall is not OverallResponse.CR:
                break
            self.done[index] = _amended(was, timepoint, target=target)
            if target:
                self.doubted.add(was.timepoint.id)

    def _pr_is_held(self) -> bool:
        """Whether a PR (or better) since the last PD binds the answer, as ``pr_hold`` says."""
        if self.rules.pr_hold is PrHold.RECOMPUTE:
            return False
        first: TimepointAssessment | None = None
        confirmed = False
        for a in self.done:
            if OverallResponse.PD is a.overall:
                first, confirmed = None, False
            elif a.target in (TargetResponse.PR, TargetResponse.CR):
                first = first or a
                days = (a.timepoint.date - first.timepoint.date).days
                confirmed = confirmed or (a is not first and days >= self.rules.confirmation_days)
            elif a.target is TargetResponse.SD and not confirmed:
                first = None
        return first is not None and (confirmed or self.rules.pr_hold is PrHold.HOLD_AFTER_PR)


def _amended(was: TimepointAssessment, timepoint: Timepoint, *, target: bool) -> TimepointAssessment:
    why = Firing(
        "R-1.1/R14",
        f"was CR; a lesion is back at {timepoint.id} and the CR is in doubt, so it is amended: PR",
        {"overall_before": was.overall.value, "amended_at": timepoint.id},
    )
    new_target = TargetResponse.PR if target and was.target is TargetResponse.CR else was.target
    new_non_target = was.non_target if target else NonTargetResponse.NON_CR_NON_PD
    row = overall_firing(new_target, new_non_target, was.new_lesion)
    word = overall(new_target, new_non_target, was.new_lesion)
    return replace(was, target=new_target, non_target=new_non_target, overall=word, rule=(*was.rule, why, row))


def _pre_image(
    target: TargetResponse, non_target: NonTargetResponse, as_read: NewLesionResponse, word: OverallResponse
) -> Firing:
    before = overall(target, non_target, as_read)
    return Firing(
        "R-1.1/R17",
        f"overall was {before.value} as first read; with the new lesion confirmed it is {word.value}",
        {"overall_before": before.value, "new_lesion_before": as_read.value},
    )
