"""One reader's record of one subject, laid out as a criterion reads it: roles, sums by timepoint, baseline, nadir."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

from trialimg.core.lesions import Designation, Observation, Role, Seen, Track
from trialimg.core.responses import Firing, Measure, NewLesionResponse, NonTargetResponse
from trialimg.core.settings import shown
from trialimg.core.trial import Timepoint
from trialimg.criteria.recist11.history import checked
from trialimg.criteria.recist11.new_lesions import NewLesions, judge_new_lesions
from trialimg.criteria.recist11.non_targets import judge_non_targets
from trialimg.criteria.recist11.rules import Rules as Recist11Rules

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = [
    "Course",
    "Record",
    "Size",
    "Total",
    "dated_back",
    "diameter_mm",
    "product_mm2",
    "settings_of",
    "without_nodes",
]

FactsT = TypeVar("FactsT")
Size = Callable[[Observation], Decimal | None]
"""What a measured lesion counts; None where that was not measured."""

_ZERO = Decimal(0)


def diameter_mm(observation: Observation) -> Decimal | None:
    """The recorded diameter."""
    return observation.diameter_mm


def product_mm2(observation: Observation) -> Decimal | None:
    """Longest diameter times the diameter perpendicular to it."""
    short_mm = observation.quantities.short_axis_mm
    if observation.diameter_mm is None or short_mm is None:
        return None
    return observation.diameter_mm * short_mm


@dataclass(frozen=True)
class Total:
    """The lesions of a role at one timepoint, added up."""

    parts: Mapping[str, Decimal]
    """What each lesion counts, by lesion."""
    missing: tuple[tuple[str, str], ...] = ()
    """Lesions that could not be given a number, with the reason."""
    notes: tuple[Firing, ...] = ()

    @property
    def measured(self) -> Decimal:
        """Sum of those that could be given a number."""
        return sum(self.parts.values(), _ZERO)

    @property
    def value(self) -> Decimal | None:
        """The sum; None where a lesion is missing, or there is none."""
        return None if self.missing or not self.parts else self.measured

    @property
    def gone(self) -> bool:
        """Every lesion was looked for and none was there."""
        return self.value == 0

    @property
    def why_missing(self) -> str:
        return "; ".join(f"{lesion}: {why}" for lesion, why in self.missing) or "no lesion recorded"


class Course:
    """What the lesions of one role come to at every timepoint, baseline first.

    Parameters
    ----------
    too_small
        What a lesion counts that is seen but too small to measure, in the unit of ``size``; None: it is missing.

    Notes
    -----
    Local therapy makes a lesion missing from then on; what has split counts by its fragments, what has merged in the
    mass it merged into; what is not recorded, or not evaluable, is missing. Nothing missing becomes a number.
    """

    def __init__(
        self, tracks: Sequence[Track], timepoints: Sequence[Timepoint], size: Size, *, too_small: Decimal | None
    ) -> None:
        self._size = size
        self._too_small = too_small
        self._tracks = {track.lesion.id: track for track in tracks}
        self.totals = tuple(self._total(timepoint) for timepoint in timepoints)

    def __bool__(self) -> bool:
        return bool(self._tracks)

    @property
    def baseline(self) -> Decimal | None:
        """The sum at baseline; None where there is no lesion or one could not be measured."""
        return self.totals[0].value

    def nadir(self, index: int) -> Decimal | None:
        """Smallest complete sum before a timepoint, baseline included."""
        return min((t.value for t in self.totals[:index] if t.value is not None), default=None)

    def nadir_index(self, index: int) -> int | None:
        """Which timepoint gave the nadir: the latest, where several did."""
        low = self.nadir(index)
        return None if low is None else max(i for i, t in enumerate(self.totals[:index]) if t.value == low)

    def lowest(self, lesion: str, index: int) -> Decimal | None:
        """Smallest number of one lesion before a timepoint, baseline included."""
        return min((t.parts[lesion] for t in self.totals[:index] if lesion in t.parts), default=None)

    def measure(self, name: str, index: int) -> Measure:
        """The sum at a timepoint with what it is compared with."""
        return Measure(name, self.totals[index].value, self.baseline, self.nadir(index))

    def _total(self, timepoint: Timepoint) -> Total:
        parts: dict[str, Decimal] = {}
        missing: list[tuple[str, str]] = []
        notes: list[Firing] = []
        for name, track in self._tracks.items():
            if track.lesion.split_from is not None and not _exists(track, timepoint):
                continue
            number, why = self._number(track, timepoint)
            if number is None:
                missing.append((name, why))
                continue
            parts[name] = number
            if why:
                notes.append(_note(name, number, why))
        return Total(parts, tuple(missing), tuple(notes))

    def _number(self, track: Track, timepoint: Timepoint) -> tuple[Decimal | None, str]:
        seen = track.at(timepoint.id)
        if any(o.local_therapy and o.timepoint.order <= timepoint.order for o in track.observations):
            return None, "treated locally"
        if seen is not None and seen.seen is Seen.MEASURED:
            number = self._size(seen)
            return number, "" if number is not None else "seen, but not measured as this criterion needs it"
        if seen is not None and seen.seen is Seen.TOO_SMALL:
            return self._too_small, "R10: too small to measure"
        return self._elsewhere(track, timepoint) or _unmeasured(seen)

    def _elsewhere(self, track: Track, timepoint: Timepoint) -> tuple[Decimal | None, str] | None:
        """What a lesion counts that is measured in others: merged into a mass, or split into fragments."""
        merged = [o.merged_into for o in track.observations if o.merged_into and o.timepoint.order <= timepoint.order]
        if merged:
            mass = merged[-1]
            inside = mass in self._tracks
            return (_ZERO, f"R12: merged, measured in {mass}") if inside else (None, f"merged into {mass}, no target")
        pieces = [t for t in self._tracks.values() if t.lesion.split_from == track.lesion.id]
        if any(piece.at(timepoint.id) is not None for piece in pieces):
            return _ZERO, "R11: split, its fragments stand in for it"
        return None


def _exists(fragment: Track, timepoint: Timepoint) -> bool:
    return any(o.timepoint.order <= timepoint.order for o in fragment.observations)


def _unmeasured(observation: Observation | None) -> tuple[Decimal | None, str]:
    if observation is None:
        return None, "not recorded"
    return (_ZERO, "") if observation.seen is Seen.ABSENT else (None, observation.reason)


def _note(lesion: str, number: Decimal, why: str) -> Firing:
    rule, _, reason = why.partition(": ")
    return Firing(f"R-1.1/{rule}", f"{lesion} counts {number}: {reason}", {"counts": str(number)})


class Record(Generic[FactsT]):
    """The lesions by role, the timepoints in order, and what is known of each timepoint.

    Raises
    ------
    ReadingError
        Naming everything that contradicts itself.
    """

    def __init__(
        self,
        tracks: Iterable[Track],
        designations: Iterable[Designation],
        timepoints: Sequence[Timepoint],
        facts: Mapping[str, FactsT] | None,
        *,
        nothing: FactsT,
    ) -> None:
        history = checked(tuple(tracks), tuple(designations), tuple(timepoints), {})
        self.timepoints = history.timepoints
        self.targets = history.of(Role.TARGET)
        self.non_targets = history.of(Role.NON_TARGET)
        self.new = history.of(Role.NEW)
        self._facts = facts or {}
        self._nothing = nothing

    def fact(self, index: int) -> FactsT:
        """What is known of a timepoint; where nothing was said, the facts with nothing known."""
        return self._facts.get(self.timepoints[index].id, self._nothing)

    def new_lesions(self, rules: Recist11Rules) -> tuple[NewLesions, ...]:
        """New lesions at every timepoint by RECIST's rules (R16, R17, R19), baseline included for its place only."""
        found = judge_new_lesions(self.new, self.timepoints, {}, rules)
        return (_NOTHING_NEW, *found)

    def non_target(self, index: int, rules: Recist11Rules, *, after_cr: bool) -> tuple[NonTargetResponse, Firing]:
        """The word of the non-target lesions by RECIST's rules (NT0 to NT4, R14)."""
        return judge_non_targets(self.non_targets, self.timepoints[index], None, after_cr=after_cr, rules=rules)


_NOTHING_NEW = NewLesions(
    NewLesionResponse.NO, NewLesionResponse.NO, Firing("R-1.1/R16", "baseline: nothing can be new: no")
)


def without_nodes(*, backdate: bool = True) -> Recist11Rules:
    """The rules by which non-target and new lesions are read where nodes are lesions like any other."""
    return _without_nodes(backdate)


@lru_cache(maxsize=2)
def _without_nodes(backdate: bool) -> Recist11Rules:
    return Recist11Rules(nodes_by_short_axis=False, backdate_equivocal=backdate)


def dated_back(before: Enum, now: Enum, new: NewLesions) -> tuple[Firing, ...]:
    """What the overall response was before a new lesion was confirmed; empty where it was not dated back."""
    if new.standing is new.as_read:
        return ()
    sentence = f"overall was {before.value} as first read; with the new lesion confirmed it is {now.value}"
    return (
        Firing("R-1.1/R17", sentence, {"overall_before": str(before.value), "new_lesion_before": new.as_read.value}),
    )


@lru_cache(maxsize=64)
def settings_of(rules: DataclassInstance) -> Mapping[str, str]:
    """Every setting of some rules as text."""
    return shown(rules)
