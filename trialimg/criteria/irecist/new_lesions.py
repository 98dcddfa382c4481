"""New lesions by iRECIST: measured apart from the targets, with a sum of their own (I2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import LesionKind, Observation, Seen, Track
from trialimg.core.responses import NewLesionResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria.irecist.rules import Rules
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
    return tuple(_Follower(tracks, timepoints, words, rules).walk())


class _Follower:
    def __init__(
        self,
        tracks: Sequence[Track],
        timepoints: Sequence[Timepoint],
        words: Mapping[str, tuple[NewLesionResponse, ...]],
        rules: Rules,
    ) -> None:
        self._tracks = {track.lesion.id: track for track in tracks}
        self._timepoints = timepoints
        self._words = words
        self._rules = rules
        self._courses: dict[str, Course] = {}
        """Of the new-lesion targets."""
        self._sums_mm: list[Decimal] = []
        """Since the last of them joined."""

    def walk(self) -> Iterator[NewDisease]:
        before: frozenset[str] = frozenset()
        for index in range(1, len(self._timepoints)):
            present = frozenset(n for n, w in self._words.items() if w[index - 1] is NewLesionResponse.UNEQUIVOCAL)
            yield self._at(index, present, present - before)
            before = present

    def _at(self, index: int, present: frozenset[str], fresh: frozenset[str]) -> NewDisease:
        if self._choose(index, fresh - self._courses.keys()):
            self._sums_mm = []
        nadir_mm = min(self._sums_mm, default=None)
        sizes = [course.totals[index].value for course in self._courses.values()]
        sum_mm = _total(sizes)
        if sum_mm is not None:
            self._sums_mm.append(sum_mm)
        seen = {name: self._seen(name, index) for name in present & self._tracks.keys()}
        others = [o.diameter_mm if o is not None else None for n, o in seen.items() if n not in self._courses]
        unseen = frozenset(n for n, o in seen.items() if o is None or o.seen is Seen.NOT_EVALUABLE)
        return NewDisease(present, fresh, frozenset(self._courses), sum_mm, nadir_mm, _total(others), unseen)

    def _choose(self, index: int, candidates: frozenset[str]) -> bool:
        """Make measurable new lesions targets of their own, the largest first, up to the limits; whether any was."""
        in_organ = Counter(counted_organ(self._tracks[name].lesion, self._rules) for name in self._courses)
        sized = [(o.diameter_mm, name) for name in candidates if (o := self._seen(name, index)) is not None]
        chosen = False
        for size_mm, name in sorted(((s, n) for s, n in sized if s is not None), key=lambda pair: (-pair[0], pair[1])):
            track = self._tracks[name]
            organ = counted_organ(track.lesion, self._rules)
            full = len(self._courses) >= self._rules.max_new_targets
            if full or in_organ[organ] >= self._rules.max_new_targets_per_organ:
                continue
            if size_mm >= self._smallest_mm(track):
                too_small = self._rules.too_small_default_mm
                self._courses[name] = Course([track], self._timepoints, diameter_mm, too_small=too_small)
                in_organ[organ] += 1
                chosen = True
        return chosen

    def _smallest_mm(self, track: Track) -> Decimal:
        node = self._rules.nodes_by_short_axis and track.lesion.kind is LesionKind.NODAL
        return self._rules.node_target_min_mm if node else self._rules.measurable_min_mm

    def _seen(self, name: str, index: int) -> Observation | None:
        track = self._tracks.get(name)
        return track.at(self._timepoints[index].id) if track is not None else None


def _total(sizes: Sequence[Decimal | None]) -> Decimal | None:
    known = [size for size in sizes if size is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(sizes) else None
