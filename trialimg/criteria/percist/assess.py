"""All follow-up scans of one subject by PERCIST."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from trialimg.core.lesions import Designation, Seen, Track
from trialimg.core.responses import (
    CriterionAssessment,
    Firing,
    Measure,
    MetabolicResponse,
    NewLesionResponse,
    NonTargetResponse,
    OverallResponse,
    Sums,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria import recist11
from trialimg.criteria.percist.rules import Facts, Reference, Rules
from trialimg.criteria.percist.scans import comparable, measurable_baseline
from trialimg.criteria.record import Record, dated_back, settings_of, without_nodes
from trialimg.criteria.thresholds import Quantity

__all__ = ["assess"]

_M = MetabolicResponse
_ONE = Decimal(1)
_DEFAULT = Rules()
_Answer = tuple[MetabolicResponse, tuple[Firing, ...]]


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The metabolic response at every follow-up; SULpeak of a lesion stands in its quantities.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this package. Those of
    baseline (liver, uptake time) are needed.

    Notes
    -----
    The hottest lesion of each scan is compared, which need not be the same one. The rules by identifier stand in
    ``docs/reference/criteria/percist.md``.
    """
    followed, roles = tuple(tracks), tuple(designations)
    record = Record(followed, roles, timepoints, facts, nothing=Facts())
    walk = _Walk(record, rules)
    sizes = _sizes(followed, roles, timepoints)
    answers = (walk.at(index) for index in range(1, len(record.timepoints)))
    return tuple(
        _with_size(answer, record.fact(index).recist or sizes.get(index), rules)
        for index, answer in enumerate(answers, start=1)
    )


def _sizes(
    tracks: Sequence[Track], roles: Sequence[Designation], timepoints: Sequence[Timepoint]
) -> Mapping[int, OverallResponse]:
    """RECIST 1.1 of every follow-up by the diameters; nothing where none were taken at baseline."""
    first = timepoints[0].id
    if all((seen := track.at(first)) is None or seen.diameter_mm is None for track in tracks):
        return {}
    return {i: a.overall for i, a in enumerate(recist11.assess(tracks, roles, timepoints), start=1)}


def _with_size(answer: CriterionAssessment, size: OverallResponse | None, rules: Rules) -> CriterionAssessment:
    """The answer; where size progresses while uptake has gone, with the scan that the paper then asks for (PE5)."""
    if size is not OverallResponse.PD or answer.overall is not _M.CMR:
        return answer
    told = f"CMR, but RECIST shows PD: a further scan within {rules.follow_up_weeks} weeks must decide"
    due = Firing("PERCIST/PE5", told, {"recist": size.value})
    return replace(answer, rule=(*answer.rule[:-1], due, answer.rule[-1]), parts={"recist": size})


@dataclass(frozen=True)
class _Uptake:
    """SULpeak of the lesions of one scan."""

    by_lesion: Mapping[str, Decimal]
    absent: frozenset[str]
    missing: tuple[str, ...]
    """Targets that are neither measured nor absent."""

    @property
    def hottest(self) -> Decimal | None:
        """None where a target is missing, or nothing takes up tracer."""
        return None if self.missing else max(self.by_lesion.values(), default=None)


class _Walk:
    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self._record = record
        self._rules = rules
        self._new = record.new_lesions(without_nodes(backdate=rules.backdate_equivocal))
        self._uptake = [self._read(timepoint) for timepoint in record.timepoints]
        self._measurable = measurable_baseline(self._uptake[0].hottest, record.fact(0), rules)

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
            (*why, nt_why, new.firing, *dated_back(before, overall, new), decided),
            settings_of(self._rules),
            measures=(
                Measure("sul_peak", self._uptake[index].hottest, self._uptake[0].hottest, self._nadir(index)),
                Measure("sul_peak_sum", self._sum(index), self._sum(0), None),
            ),
        )

    def _read(self, timepoint: Timepoint) -> _Uptake:
        found: dict[str, Decimal] = {}
        absent: set[str] = set()
        missing: list[str] = []
        targets = {track.lesion.id for track in self._record.targets}
        for track in (*self._record.targets, *self._record.non_targets):
            seen, name = track.at(timepoint.id), track.lesion.id
            if seen is not None and seen.quantities.sul_peak is not None:
                found[name] = seen.quantities.sul_peak
            elif seen is not None and seen.seen is Seen.ABSENT:
                absent.add(name)
            elif name in targets:
                missing.append(name)
        return _Uptake(found, frozenset(absent), tuple(missing))

    def _nadir(self, index: int) -> Decimal | None:
        return min((u.hottest for u in self._uptake[:index] if u.hottest is not None), default=None)

    def _sum(self, index: int) -> Decimal | None:
        """Sum of the hottest targets, as many in all and per organ as the rules allow (PE3)."""
        uptake = self._uptake[index]
        if uptake.missing:
            return None
        organs = {track.lesion.id: track.lesion.organ for track in self._record.targets}
        taken: list[str] = []
        hottest_first = sorted((name for name in uptake.by_lesion if name in organs), key=uptake.by_lesion.__getitem__)
        for name in reversed(hottest_first):
            of_organ = sum(organs[other] == organs[name] for other in taken)
            if len(taken) < self._rules.max_targets and of_organ < self._rules.max_targets_per_organ:
                taken.append(name)
        return sum((uptake.by_lesion[name] for name in taken), Decimal(0)) if taken else None

    def _target(self, index: int) -> _Answer:
        fact, baseline = self._record.fact(index), self._record.fact(0)
        if self._measurable.stops:
            return _M.NE, (self._measurable.firing,)
        obstacles = tuple(comparable(fact, baseline, self._rules))
        stops = tuple(o.firing for o in obstacles if o.stops)
        if stops:
            return _M.NE, stops
        why = (self._measurable.firing, *(o.firing for o in obstacles))
        word, last = self._change(index)
        return word, (*why, last)

    def _change(self, index: int) -> tuple[MetabolicResponse, Firing]:
        for grown in self._progressions(index):
            return _M.PMD, grown
        uptake = self._uptake[index]
        if uptake.missing:
            return _M.NE, Firing("PERCIST/PE3", f"{', '.join(uptake.missing)} without SULpeak and no PMD: NE")
        complete = self._complete(index)
        if complete is not None:
            return _M.CMR, complete
        return self._partial(index)

    def _progressions(self, index: int) -> Iterator[Firing]:
        rules, fact = self._rules, self._record.fact(index)
        hotter = self._hotter(index)
        if hotter is not None:
            yield hotter
        tlg, was = fact.tlg, self._record.fact(0).tlg
        if tlg is not None and was is not None and tlg > (_ONE + rules.tlg_increase) * was:
            sentence = f"TLG {tlg} > {_ONE + rules.tlg_increase} x baseline {was}: PMD"
            yield Firing("PERCIST/PE7", sentence, {"tlg": str(tlg), "baseline": str(was)})
        if fact.extent_increased:
            yield Firing("PERCIST/PE7", "the visible extent of uptake has increased: PMD")

    def _hotter(self, index: int) -> Firing | None:
        """The rise of the hottest lesion, where there is enough of it; lesions that are missing can only add to it."""
        rules = self._rules
        now = max(self._uptake[index].by_lesion.values(), default=None)
        nadir = rules.pmd_reference is Reference.NADIR
        reference = self._nadir(index) if nadir else self._uptake[0].hottest
        if now is None or reference is None:
            return None
        strict, least, growth = rules.percist_pmd_strict, rules.pmd_min_increase_sul, now - reference
        held_against = Quantity(rules.pmd_reference.value, reference, "SUL")
        share = Quantity("hottest lesion", now, "SUL").at_least(_ONE + rules.pmd_increase, held_against, strict=strict)
        if not share.met or growth < least or (strict and growth == least):
            return None
        sentence = f"{share.sentence} and +{growth} {'>' if strict else '>='} {least} SUL: PMD"
        return Firing("PERCIST/PE7", sentence, share.numbers)

    def _complete(self, index: int) -> Firing | None:
        uptake, fact = self._uptake[index], self._record.fact(index)
        if not uptake.by_lesion:
            return Firing("PERCIST/PE5", "no lesion takes up tracer: CMR")
        liver, hottest = fact.liver_sul_mean, max(uptake.by_lesion.values())
        if liver is None or hottest >= liver or fact.like_background is not True:
            return None
        sentence = f"every lesion below the liver mean ({hottest} < {liver} SUL) and like its background: CMR"
        return Firing("PERCIST/PE5", sentence, {"hottest": str(hottest), "liver": str(liver)})

    def _partial(self, index: int) -> tuple[MetabolicResponse, Firing]:
        rules, now, was = self._rules, self._uptake[index].hottest, self._uptake[0].hottest
        if now is None or was is None:
            return _M.NE, Firing("PERCIST/PE3", "the hottest lesion is not known: NE")
        hot, strict = Quantity("hottest lesion", now, "SUL"), rules.percist_pmr_strict
        share = hot.at_most(_ONE - rules.pmr_decrease, Quantity("baseline", was, "SUL"), strict=strict)
        fall, least = was - now, rules.pmr_min_decrease_sul
        enough = fall > least if strict else fall >= least
        told = f"{share.sentence}, {_signed(-fall)} SUL ({least} SUL needed)"
        grown = self._grown_elsewhere(index)
        if share.met and enough and not grown:
            return _M.PMR, Firing("PERCIST/PE6", f"{told}: PMR", share.numbers)
        if share.met and enough:
            return _M.SMD, Firing("PERCIST/PE6", f"{told}, but {', '.join(grown)} grew by more: SMD", share.numbers)
        return _M.SMD, Firing("PERCIST/PE8", f"{told}, and no PMD: SMD", share.numbers)

    def _grown_elsewhere(self, index: int) -> list[str]:
        """Lesions with more uptake or a larger diameter than baseline by more than the limit of progression."""
        factor = _ONE + self._rules.pmd_increase
        first, now = self._record.timepoints[0].id, self._record.timepoints[index].id
        grown: list[str] = []
        for track in (*self._record.targets, *self._record.non_targets):
            was, seen = track.at(first), track.at(now)
            if was is None or seen is None:
                continue
            pairs = (
                (seen.quantities.sul_peak, was.quantities.sul_peak),
                (seen.diameter_mm, was.diameter_mm),
            )
            if any(a is not None and b is not None and a > factor * b for a, b in pairs):
                grown.append(track.lesion.id)
        return grown


def _overall(
    word: MetabolicResponse, non_target: NonTargetResponse, new: NewLesionResponse
) -> tuple[MetabolicResponse, Firing]:
    """The overall word: new or clearly worse lesions progress; a lesion that persists is no complete response."""
    numbers = {"target": word.value, "non_target": non_target.value, "new_lesion": new.value}
    told = f"uptake {word.value}, non-target {non_target.value}, new lesion {new.value}: overall"
    if new is NewLesionResponse.UNEQUIVOCAL or non_target is NonTargetResponse.PD:
        return _M.PMD, Firing("PERCIST/PE9", f"{told} PMD", numbers)
    persists = non_target in (NonTargetResponse.NON_CR_NON_PD, NonTargetResponse.NE)
    answer = _M.PMR if word is _M.CMR and persists else word
    return answer, Firing("PERCIST/PE9", f"{told} {answer.value}", numbers)


def _signed(value: Decimal) -> str:
    return f"{value:+f}"
