"""One timepoint as it stands alone: what speaks for progression, and the word it would have without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import Observation, Track
from trialimg.core.responses import Firing, NewLesionResponse, NonTargetResponse, RanoResponse
from trialimg.criteria.rano.compartments import combined, compartments, size_of
from trialimg.criteria.rano.facts import Change, Clinical, Facts, Steroids
from trialimg.criteria.rano.rules import Rules, Unstated
from trialimg.criteria.recist11.new_lesions import NewLesions
from trialimg.criteria.record import Record, without_nodes
from trialimg.criteria.thresholds import Quantity

__all__ = ["Reading", "Readings"]

_R = RanoResponse
_RESPONSES = frozenset({_R.CR, _R.PR, _R.MR})
_OFF_STEROIDS = (Steroids.OFF, Steroids.PHYSIOLOGICAL)
_ONE, _ZERO = Decimal(1), Decimal(0)


@dataclass(frozen=True)
class Reading:
    """One timepoint before earlier and later ones are looked at."""

    target: RanoResponse
    """The combined word of the targets by size."""
    parts: dict[str, RanoResponse]
    """The word of each compartment, in mixed disease."""
    non_target: NonTargetResponse
    new: NewLesions
    why: tuple[Firing, ...]
    imaging: tuple[Firing, ...]
    """Imaging that speaks for progression."""
    clinical: tuple[Firing, ...]
    """Clinical decline that does."""
    without_pd: tuple[RanoResponse, tuple[Firing, ...]]
    """The word it would have if nothing did, with the reasons; ``hold`` where neither SD nor PD can be said."""

    @property
    def progresses(self) -> bool:
        return bool(self.imaging or self.clinical)


class Readings:
    """Every timepoint of one subject, ready to be read alone."""

    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self.record = record
        self.rules = rules
        self.compartments = compartments(record.targets, record.timepoints, rules)
        self._new = record.new_lesions(without_nodes(backdate=rules.backdate_equivocal))

    def at(self, index: int, *, after_cr: bool) -> Reading:
        """One follow-up."""
        judged = {c.name: c.judge(index) for c in self.compartments}
        target = _R.NOT_APPLICABLE
        for word, _ in judged.values():
            target = combined(target, word)
        non_target, nt_why = self.record.non_target(index, without_nodes(), after_cr=after_cr)
        notes = tuple(note for c in self.compartments for note in c.course.totals[index].notes)
        new = self._new[index]
        sizes = tuple(firing for _, firing in judged.values())
        imaging = (
            *(firing for word, firing in judged.values() if word is _R.PD),
            *self._other_imaging(index, non_target, nt_why, new),
        )
        return Reading(
            target,
            {name: word for name, (word, _) in judged.items()} if self.rules.is_mixed else {},
            non_target,
            new,
            (*notes, *sizes, nt_why, new.firing),
            imaging,
            tuple(self._clinical(index)),
            self._without_pd(index, target, non_target),
        )

    def _other_imaging(
        self, index: int, non_target: NonTargetResponse, nt_why: Firing, new: NewLesions
    ) -> Iterator[Firing]:
        fact, rules = self.record.fact(index), self.rules
        if non_target is NonTargetResponse.PD:
            yield _why("G10", f"{nt_why.sentence}")
        elif rules.non_target_by_size:
            yield from self._grown_non_targets(index)
        if new.standing is NewLesionResponse.UNEQUIVOCAL and rules.new_lesion_is_pd and self._new_counts(index):
            yield _why("G9", f"{new.firing.sentence}: PD")
        if rules.flair_is_pd and fact.flair is Change.INCREASED:
            yield _why("G9", "T2/FLAIR significantly increased: PD")

    def _new_counts(self, index: int) -> bool:
        """Whether a new lesion is measurable, where that is asked; one without sizes is taken at the reader's word."""
        if not self.rules.new_lesion_measurable:
            return True
        order = self.record.timepoints[index].order
        last = (_last(track, order) for track in self.record.new)
        return any(seen is not None and self._is_measurable(seen) is not False for seen in last)

    def _is_measurable(self, seen: Observation) -> bool | None:
        """None where its diameters were not recorded."""
        long_mm, short_mm = seen.diameter_mm, seen.quantities.short_axis_mm
        if long_mm is None or short_mm is None:
            return None
        return long_mm >= self.rules.measurable_min_mm and short_mm >= self.rules.measurable_min_across_mm

    def _grown_non_targets(self, index: int) -> Iterator[Firing]:
        """Non-targets that grew, together with the targets (G10)."""
        size, share = size_of(self.rules), _ONE + self.rules.shares[2]
        now, before, names = _ZERO, _ZERO, []
        for track in self.record.non_targets:
            seen = track.at(self.record.timepoints[index].id)
            value = None if seen is None else size(seen)
            if seen is None or value is None or not self._is_measurable(seen):
                continue
            reference = self._non_target_nadir(track, index)
            if reference is None or value >= share * reference:
                now, before = now + value, before + (reference or _ZERO)
                names.append(track.lesion.id)
        if not names:
            return
        unit = self.compartments[0].unit
        for compartment in self.compartments:
            now += compartment.course.totals[index].measured
            before += compartment.course.nadir(index) or _ZERO
        grown = Quantity("targets and grown non-targets", now, unit).at_least(share, Quantity("nadir", before, unit))
        if grown.met and now > before:
            yield _why("G10", f"{', '.join(names)} grown or become measurable; {grown.sentence}: PD", grown.numbers)

    def _non_target_nadir(self, track: Track, index: int) -> Decimal | None:
        """Smallest measurable size before; None where it was not measurable yet."""
        size, order = size_of(self.rules), self.record.timepoints[index].order
        earlier = [o for o in track.observations if o.timepoint.order < order and self._is_measurable(o)]
        return min((value for o in earlier if (value := size(o)) is not None), default=None)

    def _clinical(self, index: int) -> Iterator[Firing]:
        if self.record.fact(index).clinical is Clinical.WORSE:
            yield _why("G14", "clinical decline attributed to the tumour: PD")

    def _without_pd(
        self, index: int, target: RanoResponse, non_target: NonTargetResponse
    ) -> tuple[RanoResponse, tuple[Firing, ...]]:
        word, why = self._size_and_others(target, non_target)
        if word in (_R.NE, _R.NED):
            return word, tuple(why)
        word, more = self._with_other_signs(index, word)
        why += more
        unstated = self._unstated(index)
        if unstated and self.rules.unstated is Unstated.NE:
            return _R.NE, (*why, _why("G13", f"{unstated} not recorded: NE"))
        if unstated and word is not _R.NON_CR_NON_PD:
            why.append(_why("G13", f"{unstated} not recorded: taken as no obstacle (unstated)"))
        word, more = self._with_steroids(index, word)
        return word, (*why, *more)

    def _size_and_others(
        self, target: RanoResponse, non_target: NonTargetResponse
    ) -> tuple[RanoResponse, list[Firing]]:
        """Targets and non-targets together."""
        if target is _R.NOT_APPLICABLE:
            return self._non_target_only(non_target)
        word = _R.SD if target is _R.PD else target
        persist = non_target in (NonTargetResponse.NON_CR_NON_PD, NonTargetResponse.NE)
        if word is _R.CR and persist:
            return _R.PR, [_why("G6", f"targets gone, but non-targets {non_target.value}: PR")]
        return word, []

    def _non_target_only(self, non_target: NonTargetResponse) -> tuple[RanoResponse, list[Firing]]:
        words = {
            NonTargetResponse.CR: _R.CR,
            NonTargetResponse.NE: _R.NE,
            NonTargetResponse.NOT_APPLICABLE: _R.NED,
        }
        word = words.get(non_target, _R.SD if self.rules.cr_needs_targets else _R.NON_CR_NON_PD)
        if word is _R.CR and self.rules.cr_needs_targets:
            return _R.SD, [_why("G6", "no measurable disease at baseline, so no CR: SD at best")]
        return word, []

    def _with_other_signs(self, index: int, word: RanoResponse) -> tuple[RanoResponse, list[Firing]]:
        """What enhancement that is not measured, and a new lesion that is no progression, take from a response."""
        fact = self.record.fact(index)
        if word in _RESPONSES and self.rules.enhancement_bars_response and fact.enhancement is Change.INCREASED:
            return _R.SD, [_why("G17", f"{word.value} by size, but enhancement is new or increased: SD")]
        if word is _R.CR and self._new[index].standing is NewLesionResponse.UNEQUIVOCAL:
            return _R.PR, [_why("G6", "all targets gone, but a new lesion that is no PD of its own: PR")]
        return word, []

    def _unstated(self, index: int) -> str:
        fact = self.record.fact(index)
        named = (("steroids", fact.steroids), ("clinical state", fact.clinical))
        return " and ".join(name for name, value in named if value is None)

    def _with_steroids(self, index: int, word: RanoResponse) -> tuple[RanoResponse, list[Firing]]:
        fact = self.record.fact(index)
        dose = fact.steroids
        higher = "a higher steroid dose" + ("" if fact.steroid_reason is None else f" ({fact.steroid_reason.value})")
        if dose is Steroids.INCREASED and (word in _RESPONSES or word is _R.SD):
            if self.rules.sd_needs_steady_steroids:
                return _R.HOLD, [_why("G13", f"{word.value} but for {higher}: neither SD nor PD, hold")]
            if word in _RESPONSES:
                return _R.SD, [_why("G13", f"{word.value} but for {higher}: SD")]
        if word is _R.CR and dose is not None and dose not in _OFF_STEROIDS:
            return _R.PR, [_why("G6", f"all gone, but on steroids ({dose.value}): PR")]
        return word, []


def _last(track: Track, order: int) -> Observation | None:
    """The latest observation up to a timepoint."""
    return next((o for o in reversed(track.observations) if o.timepoint.order <= order), None)


def _why(rule: str, sentence: str, numbers: dict[str, str] | None = None) -> Firing:
    return Firing(f"RANO/{rule}", sentence, numbers or {})
