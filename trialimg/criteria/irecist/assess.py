"""All follow-up timepoints of one subject by iRECIST: RECIST 1.1 first, then what awaits confirmation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from trialimg.core.lesions import Designation, Role, Track
from trialimg.core.responses import (
    CriterionAssessment,
    Firing,
    ImmuneNonTargetResponse,
    ImmuneResponse,
    Measure,
    NonTargetResponse,
    TargetResponse,
    TimepointAssessment,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria import recist11
from trialimg.criteria.irecist.confirmation import (
    Block,
    Category,
    Look,
    grown_further,
    progressing,
    timely,
    unsettled,
)
from trialimg.criteria.irecist.new_lesions import NewDisease, new_disease
from trialimg.criteria.irecist.overall import combined
from trialimg.criteria.irecist.rules import Facts, Rules
from trialimg.criteria.recist11.history import History, checked
from trialimg.criteria.recist11.targets import Targets
from trialimg.criteria.record import Course, diameter_mm

__all__ = ["assess"]

_DEFAULT = Rules()
_NOTHING = Facts()
_I, _N = ImmuneResponse, ImmuneNonTargetResponse
_Words = Mapping[Category, bool]
"""Progressing categories, and whether they confirm."""


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response by iRECIST at every follow-up, with that of RECIST 1.1 among its parts.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this package.

    Notes
    -----
    A response says what was known at its own scan: an iUPD stays one when a later scan confirms it. The date of the
    progression is found with the subject's endpoints. The rules by identifier stand in
    ``docs/reference/criteria/irecist.md``.

    References
    ----------
    Seymour L et al. iRECIST: guidelines for response criteria for use in trials testing immunotherapeutics.
    Lancet Oncol 2017;18:e143-e152.
    """
    known = facts or {}
    history = checked(tuple(tracks), tuple(designations), tuple(timepoints), known)
    first = recist11.assess(history.tracks, _designations(history), history.timepoints, rules, facts=known)
    new = new_disease(history.of(Role.NEW), history.timepoints, known, rules)
    walk = _Walk(rules)
    looks = _looks(history, first, new, rules)
    return tuple(walk.step(judged, look) for judged, look in zip(first, looks, strict=True))


def _designations(history: History) -> tuple[Designation, ...]:
    """The role of every lesion, those that a fragment took from its parent included."""
    return tuple(Designation("", track.lesion, history.roles[track.lesion.id]) for track in history.tracks)


def _looks(
    history: History, first: Sequence[TimepointAssessment], new: Sequence[NewDisease], rules: Rules
) -> Iterator[Look]:
    targets = Targets(history.of(Role.TARGET), rules)
    others = Course(history.of(Role.NON_TARGET), history.timepoints, diameter_mm, too_small=rules.too_small_default_mm)
    for index, (judged, disease) in enumerate(zip(first, new, strict=True), start=1):
        reading = targets.read(judged.timepoint)
        fact = history.facts.get(judged.timepoint.id)
        yield Look(
            judged.timepoint,
            judged.target,
            judged.non_target,
            reading.measured_mm if reading.counted else None,
            not reading.missing,
            others.totals[index].value,
            disease,
            fact if isinstance(fact, Facts) else _NOTHING,
        )


@dataclass
class _Walk:
    """The progression that awaits confirmation, from one timepoint to the next."""

    rules: Rules
    block: Block | None = None

    def step(self, judged: TimepointAssessment, look: Look) -> CriterionAssessment:
        """Judge one follow-up."""
        why: list[Firing] = []
        words = self._open(look, why) if self.block is None else self._follow(self.block, look, why)
        word, rule = _overall(look, words)
        why.append(_decision(rule, look, words, word, self.block))
        new = look.new
        return CriterionAssessment(
            timepoint=judged.timepoint,
            target=_target(look.target, words.get(Category.TARGET)),
            non_target=_non_target(look.non_target, words.get(Category.NON_TARGET)),
            new_lesion=judged.new_lesion,
            overall=word,
            sums=judged.sums,
            rule=(*judged.rule, *why),
            settings=judged.settings,
            measures=(Measure("new_sum_mm", new.sum_mm, None, new.nadir_mm),),
            parts={"recist11": judged.overall},
        )

    def _open(self, look: Look, why: list[Firing]) -> _Words:
        """A first iUPD, where there is a reason for one."""
        reasons = dict(progressing(look, awaited=False, rules=self.rules))
        if reasons:
            why += reasons.values()
            self.block = Block(look, frozenset(reasons), look.measured_mm if look.complete else None)
        return dict.fromkeys(reasons, False)

    def _follow(self, block: Block, look: Look, why: list[Firing]) -> _Words:
        """Confirm, keep or end the progression of a block."""
        if block.target_mm is None and look.complete and look.target is TargetResponse.PD:
            block = self.block = replace(block, target_mm=look.measured_mm)
        grown = list(grown_further(look, block, self.rules))
        if grown:
            in_time, when = timely(look, block, self.rules)
            why += [firing for _, firing in grown]
            why.append(when)
            if in_time or block.confirmed:
                self.block = replace(block, confirmed=True)
                still = dict.fromkeys((category for category, _ in unsettled(look, block)), block.confirmed)
                return {**still, **dict.fromkeys((category for category, _ in grown), True)}
        open_still = list(unsettled(look, block))
        why += [firing for _, firing in open_still]
        if open_still or grown:
            categories = (category for category, _ in (*open_still, *grown))
            return dict.fromkeys(categories, block.confirmed)
        if _evaluable(look):
            self.block = None
            why.append(Firing("iRECIST/I6", f"no longer PD: the iUPD of {block.first.timepoint.id} is reset"))
        return {}


def _evaluable(look: Look) -> bool:
    return combined(look.target, look.non_target, new_persist=False)[0] is not _I.NE


def _overall(look: Look, words: _Words) -> tuple[ImmuneResponse, str]:
    if any(words.values()):
        return _I.PD, "I4"
    if words:
        return _I.UNCONFIRMED_PD, "I1"
    return combined(look.target, look.non_target, new_persist=bool(look.new.present))


def _decision(rule: str, look: Look, words: _Words, word: ImmuneResponse, block: Block | None) -> Firing:
    target = _target(look.target, words.get(Category.TARGET)).value
    non_target = _non_target(look.non_target, words.get(Category.NON_TARGET)).value
    new = _new(look, words.get(Category.NEW))
    sentence = f"target {target}, non-target {non_target}, new lesions {new}: overall {word.value}"
    numbers = {"target": target, "non_target": non_target, "new_lesions": new}
    if words and block is not None:
        day = block.first.timepoint.progression_date
        sentence += f", progression since {day}"
        numbers["first_iupd"] = str(day)
    return Firing(f"iRECIST/{rule}", sentence, numbers)


def _target(word: TargetResponse, confirms: bool | None) -> ImmuneResponse:
    if word is TargetResponse.PD:
        return _I.PD if confirms else _I.UNCONFIRMED_PD
    return _I[word.name]


def _non_target(word: NonTargetResponse, confirms: bool | None) -> ImmuneNonTargetResponse:
    if confirms is not None:
        return _N.PD if confirms else _N.UNCONFIRMED_PD
    return _N[word.name]


def _new(look: Look, confirms: bool | None) -> str:
    if confirms is not None:
        return "iCPD" if confirms else "iUPD"
    return "not progressing" if look.new.present else "none"
