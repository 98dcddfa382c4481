"""What irRC, irRECIST and imRECIST share: one burden of index and new lesions, and a progression to be confirmed.

References
----------
Wolchok JD et al. Guidelines for the evaluation of immune therapy activity in solid tumors: immune-related response
criteria. Clin Cancer Res 2009;15:7412-7420. Further papers stand at the criteria.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from trialimg.core.lesions import LesionKind, Observation
from trialimg.core.responses import (
    CriterionAssessment,
    Firing,
    ImmuneModifiedResponse,
    ImmuneRelatedResponse,
    Measure,
    NewLesionResponse,
    NonTargetResponse,
    Sums,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria.new_targets import Limits, new_targets
from trialimg.criteria.recist11.new_lesions import standing_words
from trialimg.criteria.recist11.rules import Rules as Recist11Rules
from trialimg.criteria.record import Course, Record
from trialimg.criteria.thresholds import Quantity

__all__ = ["Scheme", "judge"]

_ONE, _ZERO = Decimal(1), Decimal(0)
Words = type[ImmuneRelatedResponse] | type[ImmuneModifiedResponse]
Word = ImmuneRelatedResponse | ImmuneModifiedResponse


@dataclass(frozen=True)
class Scheme:
    """One of the three criteria, as its rules ask for it."""

    name: str
    """Before the rule identifiers."""
    words: Words
    size: Callable[[Observation], Decimal | None]
    unit: str
    measure: str
    too_small: Decimal
    """What a lesion counts that is seen but too small to measure."""
    new: Limits
    pr_decrease: Decimal
    pd_increase: Decimal
    pd_min_increase: Decimal
    confirmation_days: int
    other_progression: bool
    """Progression of non-targets, or a new lesion that cannot be measured, is progression."""
    recist: Recist11Rules
    """By which nodes, non-targets and new lesions are read."""
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Burden:
    """Index lesions and measured new lesions of one timepoint, added up."""

    measured: Decimal
    complete: bool
    gone: bool
    why_missing: str
    new: Decimal

    @property
    def value(self) -> Decimal | None:
        return self.measured if self.complete else None


def judge(record: Record[object], scheme: Scheme) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up, in the words of the scheme."""
    walk = _Walk(record, scheme)
    return tuple(walk.at(index) for index in range(1, len(record.timepoints)))


class _Walk:
    def __init__(self, record: Record[object], scheme: Scheme) -> None:
        self._record = record
        self._scheme = scheme
        self._reported = record.new_lesions(scheme.recist)
        words = standing_words(record.new, record.timepoints, {}, scheme.recist)
        self._present = (
            frozenset[str](),
            *(
                frozenset(name for name, word in words.items() if word[n] is NewLesionResponse.UNEQUIVOCAL)
                for n in range(len(record.timepoints) - 1)
            ),
        )
        self._index = self._course(())
        self._joined = new_targets(record.new, record.timepoints, self._present, scheme.new)
        self._new = {t.lesion.id: self._course((t.lesion.id,)) for t in record.new if t.lesion.id in self._joined}
        self._nodes = {t.lesion.id for t in (*record.targets, *record.new) if t.lesion.kind is LesionKind.NODAL}
        self._burdens = [self._burden(index) for index in range(len(record.timepoints))]
        self._since: Timepoint | None = None
        """The first of the progressions that await confirmation, or have it."""
        self._confirmed = False

    def _course(self, new: Sequence[str]) -> Course:
        tracks = [t for t in self._record.new if t.lesion.id in new] if new else self._record.targets
        return Course(tracks, self._record.timepoints, self._scheme.size, too_small=self._scheme.too_small)

    def at(self, index: int) -> CriterionAssessment:
        """One follow-up judged."""
        timepoint, reported = self._record.timepoints[index], self._reported[index]
        non_target, nt_why = self._record.non_target(index, self._scheme.recist, after_cr=False)
        target, why = self._by_burden(index)
        word, last = self._overall(index, target, non_target)
        in_mm = self._scheme.unit == "mm"
        measure = Measure(self._scheme.measure, self._burdens[index].value, self._burdens[0].value, self._nadir(index))
        return CriterionAssessment(
            timepoint=timepoint,
            target=target,
            non_target=non_target,
            new_lesion=reported.standing,
            overall=word,
            sums=Sums(measure.value, measure.baseline, measure.nadir) if in_mm else _NO_SUMS,
            rule=(*self._index.totals[index].notes, *why, nt_why, reported.firing, *last),
            settings=self._scheme.settings,
            measures=() if in_mm else (measure,),
        )

    def _burden(self, index: int) -> _Burden:
        own = self._index.totals[index]
        added = [course.totals[index] for name, course in self._new.items() if self._joined[name] <= index]
        new = sum((total.measured for total in added), _ZERO)
        parts = {name: size for total in (own, *added) for name, size in total.parts.items()}
        missing = [total.why_missing for total in (own, *added) if total.missing]
        complete = not missing and bool(parts)
        gone = complete and all(self._is_normal(name, size) for name, size in parts.items())
        return _Burden(own.measured + new, complete, gone, "; ".join(missing) or "no lesion recorded", new)

    def _is_normal(self, lesion: str, size: Decimal) -> bool:
        if self._scheme.recist.nodes_by_short_axis and lesion in self._nodes:
            return size < self._scheme.recist.node_normal_below_mm
        return size == 0

    def _nadir(self, index: int) -> Decimal | None:
        return min((b.value for b in self._burdens[:index] if b.value is not None), default=None)

    def _by_burden(self, index: int) -> tuple[Word, tuple[Firing, ...]]:
        """The word of the burden, a progression still unconfirmed."""
        words, name, now = self._scheme.words, self._scheme.name, self._burdens[index]
        if not self._index and not any(joined <= index for joined in self._joined.values()):
            return words.NOT_APPLICABLE, (Firing(f"{name}/B0", "no index lesion at baseline"),)
        added = () if not now.new else (self._added(now),)
        grown = self._grown(index)
        if grown is not None:
            return words.UNCONFIRMED_PD, (*added, grown)
        baseline = self._burdens[0].value
        if now.value is None or (baseline is None and self._index):
            why = f"no burden ({now.why_missing})" if now.value is None else "no burden at baseline"
            return words.NE, (*added, Firing(f"{name}/B5", f"{why}: NE"))
        if now.gone:
            return words.CR, (*added, Firing(f"{name}/B2", f"all measured lesions have disappeared: {words.CR.value}"))
        return self._against_baseline(now.value, baseline or _ZERO, added)

    def _against_baseline(
        self, value: Decimal, baseline: Decimal, added: tuple[Firing, ...]
    ) -> tuple[Word, tuple[Firing, ...]]:
        scheme = self._scheme
        burden, first = Quantity("burden", value, scheme.unit), Quantity("baseline", baseline, scheme.unit)
        shrunk = burden.at_most(_ONE - scheme.pr_decrease, first)
        word, rule = (scheme.words.PR, "B3") if shrunk.met else (scheme.words.SD, "B4")
        return word, (*added, Firing(f"{scheme.name}/{rule}", f"{shrunk.sentence}: {word.value}", shrunk.numbers))

    def _added(self, now: _Burden) -> Firing:
        unit = self._scheme.unit
        sentence = f"new lesions of {now.new} {unit} count in the burden of {now.measured} {unit}"
        return Firing(f"{self._scheme.name}/B1", sentence, {f"new ({unit})": str(now.new)})

    def _grown(self, index: int) -> Firing | None:
        """Growth over the nadir, which what was measured may show alone; what is missing could only add to it."""
        scheme, now, nadir = self._scheme, self._burdens[index], self._nadir(index)
        low = nadir if nadir is not None or self._index else _ZERO
        if low is None or now.measured <= low or now.gone:
            return None
        growth, least = now.measured - low, scheme.pd_min_increase
        if growth < least:
            return None
        if low == 0:
            sentence = f"nadir 0 {scheme.unit}, so no ratio; burden {now.measured} {scheme.unit} now"
            return Firing(f"{scheme.name}/N4", sentence, {f"burden ({scheme.unit})": str(now.measured)})
        grown = Quantity("burden", now.measured, scheme.unit).at_least(
            _ONE + scheme.pd_increase, Quantity("nadir", low, scheme.unit)
        )
        sentence = f"{grown.sentence} and +{growth} {scheme.unit}"
        return Firing(f"{scheme.name}/B6", sentence, grown.numbers) if grown.met else None

    def _overall(self, index: int, target: Word, non_target: NonTargetResponse) -> tuple[Word, tuple[Firing, ...]]:
        words, name = self._scheme.words, self._scheme.name
        unmeasured = self._present[index] - {n for n, joined in self._joined.items() if joined <= index}
        elsewhere = self._elsewhere(non_target, unmeasured)
        if target is words.UNCONFIRMED_PD or elsewhere:
            return self._progression(index, elsewhere)
        word, why = self._without_progression(target, non_target, unmeasured)
        last = Firing(f"{name}/B7", why, {"burden": target.value, "non_target": non_target.value})
        if word is words.NE or self._since is None:
            return word, (last,)
        sentence = f"{word.value}, so the progression of {self._since.id} does not stand"
        self._since, self._confirmed = None, False
        return word, (Firing(f"{name}/B9", sentence), last)

    def _elsewhere(self, non_target: NonTargetResponse, unmeasured: frozenset[str]) -> str:
        """Progression beside the burden, where the settings let it count; empty if there is none."""
        if not self._scheme.other_progression:
            return ""
        if non_target is NonTargetResponse.PD:
            return "non-target lesions progressed"
        return f"new lesion {', '.join(sorted(unmeasured))} that is not measured" if unmeasured else ""

    def _progression(self, index: int, elsewhere: str) -> tuple[Word, tuple[Firing, ...]]:
        words, name, now = self._scheme.words, self._scheme.name, self._record.timepoints[index]
        first = self._since = self._since or now
        days = (now.date - first.date).days
        self._confirmed = self._confirmed or (first is not now and days >= self._scheme.confirmation_days)
        word = words.PD if self._confirmed else words.UNCONFIRMED_PD
        wait = f"{days} days after that of {first.id}" if first is not now else "the first"
        sentence = (
            f"{elsewhere or 'the burden progressed'}, {wait}; {self._scheme.confirmation_days} confirm: {word.value}"
        )
        numbers = {"days": str(days), "progression_date": str(first.progression_date)}
        return word, (Firing(f"{name}/B8", sentence, numbers),)

    def _without_progression(
        self, target: Word, non_target: NonTargetResponse, unmeasured: frozenset[str]
    ) -> tuple[Word, str]:
        words = self._scheme.words
        cleared = non_target in (NonTargetResponse.CR, NonTargetResponse.NOT_APPLICABLE) and not unmeasured
        word = target
        if target is words.CR and not cleared:
            word = words.PR
        elif target is words.NOT_APPLICABLE:
            word = _without_burden(words, non_target, unmeasured)
        bars = "; lesions that are not measured persist, which bars a complete response" if word is not target else ""
        return word, f"burden {target.value}, non-target {non_target.value}{bars}: overall {word.value}"


def _without_burden(words: Words, non_target: NonTargetResponse, unmeasured: frozenset[str]) -> Word:
    if non_target is NonTargetResponse.NE:
        return words.NE
    if unmeasured or non_target in (NonTargetResponse.NON_CR_NON_PD, NonTargetResponse.PD):
        return words.SD
    return words.CR if non_target is NonTargetResponse.CR else words.NED


_NO_SUMS = Sums(None, None, None)
