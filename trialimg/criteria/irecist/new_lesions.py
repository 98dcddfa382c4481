"""New lesions by iRECIST: measured apart from the targets, with a sum of their own (I2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import Lesion, LesionKind, Observation, Seen, Track
from trialimg.core.responses import NewLesionResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria.irecist.rules import Rules
from trialimg.criteria.new_targets import Limits, new_targets
from trialimg.criteria.recist11.baseline import counted_organ
from trialimg.criteria.recist11.facts import Facts
from trialimg.criteria.recist11.new_lesions import standing_words
from trialimg.criteria.record import Course, diameter_mm

__all__ = ["NewDisease", "new_disease"]


@dataclass(frozen=True, slots=True)
class NewDisease:
    """The new lesions of one timepoint."""

    present: frozenset[str]
    """Unequivocal, and not recorded absent since."""
    fresh: frozenset[str]
    """Of these, those that were not there at the timepoint before."""
    targets: frozenset[str]
    """New-lesion targets, present or gone again."""
    sum_mm: Decimal | None
    """Sum of the new-lesion targets; None where one is missing, or there is none."""
    nadir_mm: Decimal | None
    """Smallest such sum before this timepoint, of the same new-lesion targets."""
    others_mm: Decimal | None
    """Recorded diameters of the other new lesions that are present; None where one has none, or there are none."""
    unseen: frozenset[str]
    """Present by an earlier record, but not assessed here."""


def new_disease(
    tracks: Sequence[Track], timepoints: Sequence[Timepoint], facts: Mapping[str, Facts], rules: Rules
) -> tuple[NewDisease, ...]:
    """The new lesions at every follow-up, in their order; ``timepoints`` starts with baseline."""
    words = standing_words(tracks, timepoints, facts, rules)
    there = [
        frozenset(name for name, word in words.items() if word[index] is NewLesionResponse.UNEQUIVOCAL)
        for index in range(len(timepoints) - 1)
    ]
    return tuple(_Follower(tracks, timepoints, (frozenset(), *there), rules).walk())


class _Follower:
    def __init__(
        self, tracks: Sequence[Track], timepoints: Sequence[Timepoint], present: Sequence[frozenset[str]], rules: Rules
    ) -> None:
        self._tracks = {track.lesion.id: track for track in tracks}
        self._timepoints = timepoints
        self._present = present
        self._joined = new_targets(tracks, timepoints, present, _limits(rules))
        self._courses = {
            name: Course([self._tracks[name]], timepoints, diameter_mm, too_small=rules.too_small_default_mm)
            for name in self._joined
        }

    def walk(self) -> Iterator[NewDisease]:
        sums_mm: list[Decimal] = []
        for index in range(1, len(self._timepoints)):
            if index in self._joined.values():
                sums_mm = []
            disease = self._at(index, nadir_mm=min(sums_mm, default=None))
            if disease.sum_mm is not None:
                sums_mm.append(disease.sum_mm)
            yield disease

    def _at(self, index: int, *, nadir_mm: Decimal | None) -> NewDisease:
        present = self._present[index]
        targets = frozenset(name for name, joined in self._joined.items() if joined <= index)
        sum_mm = _total([self._courses[name].totals[index].value for name in targets])
        seen = {name: self._tracks[name].at(self._timepoints[index].id) for name in present & self._tracks.keys()}
        others = [o.diameter_mm if o is not None else None for n, o in seen.items() if n not in targets]
        unseen = frozenset(n for n, o in seen.items() if o is None or o.seen is Seen.NOT_EVALUABLE)
        return NewDisease(
            present, present - self._present[index - 1], targets, sum_mm, nadir_mm, _total(others), unseen
        )


def _limits(rules: Rules) -> Limits:
    """Targets among the new lesions: measurable as at baseline, at most five, at most two in an organ."""

    def measurable(seen: Observation) -> bool:
        node = rules.nodes_by_short_axis and seen.lesion.kind is LesionKind.NODAL
        smallest_mm = rules.node_target_min_mm if node else rules.measurable_min_mm
        return seen.diameter_mm is not None and seen.diameter_mm >= smallest_mm

    def places(lesion: Lesion) -> Mapping[str, int]:
        organ = counted_organ(lesion, rules)
        return {"all": rules.max_new_targets, f"organ {organ}": rules.max_new_targets_per_organ}

    return Limits(diameter_mm, measurable, places, when_first_seen=True)


def _total(sizes: Sequence[Decimal | None]) -> Decimal | None:
    known = [size for size in sizes if size is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(sizes) else None
