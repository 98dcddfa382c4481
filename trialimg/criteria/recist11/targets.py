"""Target lesions: what each counts at a timepoint, and the word of their sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.lesions import Lesion, LesionKind, Observation, Seen, Track
from trialimg.core.responses import Firing, TargetResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria.recist11.rules import LocalTherapy, Rules

__all__ = ["TargetReading", "Targets", "judge_targets"]

_ZERO = Decimal(0)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class TargetReading:
    """The targets of one timepoint, added up."""

    measured_mm: Decimal
    """Sum of those that could be given a diameter."""
    missing: tuple[tuple[Lesion, str], ...]
    """Those that could not, with the reason."""
    counted: int
    gone: bool
    """Every counted non-nodal target at 0 mm, every counted node normal."""
    visible: bool
    """At least one counted non-nodal target above 0 mm, or a node that is not normal."""
    notes: tuple[Firing, ...]

    @property
    def sum_mm(self) -> Decimal | None:
        """Sum of diameters; None where a target is missing."""
        return None if self.missing or not self.counted else self.measured_mm


class Targets:
    """The target lesions of one subject and reader, ready to be read timepoint by timepoint."""

    def __init__(self, tracks: Iterable[Track], rules: Rules) -> None:
        self._rules = rules
        self._lesions: list[Lesion] = []
        self._seen: dict[str, dict[str, Observation]] = {}
        self._parents: dict[str, str] = {}
        self._fragments: dict[str, list[str]] = {}
        self._first_order: dict[str, int] = {}
        self._treated_from: dict[str, int] = {}
        self._merged_from: dict[str, tuple[int, str]] = {}
        for track in tracks:
            self._add(track)
        for fragment in self._parents:
            for ancestor in self._ancestors(fragment):
                self._fragments.setdefault(ancestor, []).append(fragment)

    def _add(self, track: Track) -> None:
        lesion = track.lesion
        self._lesions.append(lesion)
        self._seen[lesion.id] = {o.timepoint.id: o for o in track.observations}
        if lesion.split_from is not None:
            self._parents[lesion.id] = lesion.split_from
        for observation in track.observations:
            order = observation.timepoint.order
            self._first_order.setdefault(lesion.id, order)
            if observation.local_therapy:
                self._treated_from.setdefault(lesion.id, order)
            if observation.merged_into is not None:
                self._merged_from.setdefault(lesion.id, (order, observation.merged_into))

    def __bool__(self) -> bool:
        return bool(self._lesions)

    def _ancestors(self, fragment: str) -> Iterator[str]:
        parent = self._parents.get(fragment)
        while parent is not None:
            yield parent
            parent = self._parents.get(parent)

    def read(self, timepoint: Timepoint) -> TargetReading:
        """Every target's diameter at a timepoint, added up."""
        total, counted, gone, visible = _ZERO, 0, True, False
        missing: list[tuple[Lesion, str]] = []
        notes: list[Firing] = []
        for lesion in self._lesions:
            if lesion.split_from is not None and not self._exists(lesion, timepoint):
                continue
            diameter_mm, why = self._diameter_mm(lesion, timepoint)
            if diameter_mm is None:
                missing.append((lesion, why))
                continue
            if why:
                notes.append(_note(lesion, diameter_mm, why))
            total += diameter_mm
            counted += 1
            if not self._is_normal(lesion, diameter_mm):
                gone, visible = False, True
        return TargetReading(total, tuple(missing), counted, gone, visible, tuple(notes))

    def largest_mm(self, lesion: Lesion, before_order: int) -> Decimal | None:
        """The largest diameter of a lesion before a timepoint; None where it was never measured."""
        sizes = [
            o.diameter_mm
            for o in self._seen[lesion.id].values()
            if o.diameter_mm is not None and o.timepoint.order < before_order
        ]
        return max(sizes, default=None)

    def _exists(self, fragment: Lesion, timepoint: Timepoint) -> bool:
        """Whether a fragment has been recorded yet."""
        first = self._first_order.get(fragment.id)
        return first is not None and timepoint.order >= first

    def _is_normal(self, lesion: Lesion, diameter_mm: Decimal) -> bool:
        if self._rules.nodes_by_short_axis and lesion.kind is LesionKind.NODAL:
            return diameter_mm < self._rules.node_normal_below_mm
        return diameter_mm == 0

    def _diameter_mm(self, lesion: Lesion, timepoint: Timepoint) -> tuple[Decimal | None, str]:
        """What a lesion counts, with the rule and the reason where that is not plainly its own measurement."""
        observation = self._seen[lesion.id].get(timepoint.id)
        if self._is_treated(lesion, timepoint):
            return self._after_local_therapy(observation)
        if observation is not None and observation.diameter_mm is not None:
            return observation.diameter_mm, ""
        if observation is not None and observation.seen is Seen.TOO_SMALL:
            return self._rules.too_small_default_mm, "R10: too small to measure"
        if self._is_merged(lesion, timepoint):
            return self._after_merging(lesion)
        stand_in = self._split_stand_in(lesion, timepoint)
        return (_ZERO, stand_in) if stand_in else _unmeasured(observation)

    def _is_treated(self, lesion: Lesion, timepoint: Timepoint) -> bool:
        if self._rules.local_therapy is LocalTherapy.MEASURE:
            return False
        start = self._treated_from.get(lesion.id)
        return start is not None and timepoint.order >= start

    def _after_local_therapy(self, observation: Observation | None) -> tuple[Decimal | None, str]:
        removed = observation is not None and observation.seen is Seen.ABSENT
        if removed and self._rules.local_therapy is LocalTherapy.ZERO_IF_REMOVED:
            return _ZERO, "R15: removed by local therapy, no residual"
        return None, "treated locally (R15)"

    def _is_merged(self, lesion: Lesion, timepoint: Timepoint) -> bool:
        merged = self._merged_from.get(lesion.id)
        return merged is not None and timepoint.order >= merged[0]

    def _after_merging(self, lesion: Lesion) -> tuple[Decimal | None, str]:
        mass = self._merged_from[lesion.id][1]
        if mass in self._seen:
            return _ZERO, f"R12: merged, measured in {mass}"
        return None, f"merged into {mass}, which is not a target"

    def _split_stand_in(self, lesion: Lesion, timepoint: Timepoint) -> str:
        """Which relatives measure a lesion that has split, or come together again; empty if none does."""
        if self._any_seen(self._fragments.get(lesion.id, ()), timepoint):
            return "R11: split, its fragments stand in for it"
        for ancestor in self._ancestors(lesion.id):
            whole = self._seen.get(ancestor, {}).get(timepoint.id)
            alone = not self._any_seen(self._fragments[ancestor], timepoint)
            if alone and whole is not None and whole.seen is not Seen.NOT_EVALUABLE:
                return f"R11: fragment, recorded in {ancestor}"
        return ""

    def _any_seen(self, lesions: Iterable[str], timepoint: Timepoint) -> bool:
        return any(timepoint.id in self._seen[lesion] for lesion in lesions)


def _unmeasured(observation: Observation | None) -> tuple[Decimal | None, str]:
    if observation is None:
        return None, "not recorded"
    if observation.seen is Seen.ABSENT:
        return _ZERO, ""
    return None, observation.reason or "measured, but without a diameter"


def judge_targets(
    reading: TargetReading,
    *,
    baseline_mm: Decimal | None,
    nadir_mm: Decimal | None,
    reappeared: bool,
    bounds_mm: tuple[Decimal, Decimal] | None,
    rules: Rules,
) -> tuple[TargetResponse, Firing]:
    """The word of the target lesions, by the first of T1 to T5 that applies.

    Parameters
    ----------
    baseline_mm, nadir_mm
        Sum at baseline, and the smallest evaluable sum before this timepoint; None where unknown.
    reappeared
        A target is back after an overall complete response (R14).
    bounds_mm
        With missing targets: the sum with each of them at 0 mm and at its largest plausible size; None without
        the bound check.
    """
    if reappeared and reading.visible:
        sentence = f"targets sum to {reading.measured_mm} mm again after an overall CR: PD"
        return TargetResponse.PD, Firing("R-1.1/R14", sentence, {"sum_mm": str(reading.measured_mm)})
    grown = _progression(reading, nadir_mm, rules)
    if grown is not None:
        return TargetResponse.PD, grown
    if reading.missing or not reading.counted:
        return _with_missing(reading, baseline_mm, bounds_mm, rules)
    if reading.gone:
        return TargetResponse.CR, _complete(reading, rules)
    return _against_baseline(reading.measured_mm, baseline_mm, rules)


def _progression(reading: TargetReading, nadir_mm: Decimal | None, rules: Rules) -> Firing | None:
    if nadir_mm is None or not reading.counted or (reading.gone and not rules.pd_within_normal_nodes):
        return None
    sum_mm = reading.measured_mm
    limit_mm = (_ONE + rules.pd_increase) * nadir_mm
    growth_mm = sum_mm - nadir_mm
    enough = sum_mm > limit_mm if rules.strict else sum_mm >= limit_mm
    if growth_mm <= 0 or not enough or growth_mm < rules.pd_min_increase_mm:
        return None
    if nadir_mm == 0:
        return _from_nothing(sum_mm, rules)
    sign = ">" if rules.strict else ">="
    what = f"{len(reading.missing)} target(s) missing, the measured ones alone" if reading.missing else "sum"
    sentence = (
        f"{what} {sum_mm} mm {sign} {_ONE + rules.pd_increase} x nadir {nadir_mm} mm = {limit_mm} mm "
        f"and +{growth_mm} mm >= {rules.pd_min_increase_mm} mm: PD"
    )
    numbers = {"sum_mm": str(sum_mm), "nadir_mm": str(nadir_mm), "limit_mm": str(limit_mm), "growth_mm": str(growth_mm)}
    return Firing("R-1.1/R13" if reading.missing else "R-1.1/T1", sentence, numbers)


def _from_nothing(sum_mm: Decimal, rules: Rules) -> Firing:
    sentence = f"nadir 0 mm, so no ratio; sum {sum_mm} mm is at least {rules.pd_min_increase_mm} mm above it: PD"
    return Firing("R-1.1/N4", sentence, {"sum_mm": str(sum_mm), "nadir_mm": "0"})


def _with_missing(
    reading: TargetReading, baseline_mm: Decimal | None, bounds_mm: tuple[Decimal, Decimal] | None, rules: Rules
) -> tuple[TargetResponse, Firing]:
    reasons = "; ".join(f"{lesion.id}: {why}" for lesion, why in reading.missing)
    numbers = {"measured_mm": str(reading.measured_mm), "missing": str(len(reading.missing))}
    if bounds_mm is not None:
        low, high = (_against_baseline(bound, baseline_mm, rules)[0] for bound in bounds_mm)
        if low is high is not TargetResponse.NE:
            sentence = f"missing ({reasons}), but {bounds_mm[0]} mm and {bounds_mm[1]} mm both give {low.value}"
            return low, Firing("R-1.1/R13b", sentence, numbers)
    sentence = f"no sum of diameters ({reasons}) and no PD without it: NE"
    return TargetResponse.NE, Firing("R-1.1/T2", sentence, numbers)


def _complete(reading: TargetReading, rules: Rules) -> Firing:
    sentence = "every target has disappeared: CR"
    if reading.measured_mm > 0:
        sentence = (
            f"every non-nodal target 0 mm, every target node < {rules.node_normal_below_mm} mm "
            f"(sum {reading.measured_mm} mm): CR"
        )
    return Firing("R-1.1/T3", sentence, {"sum_mm": str(reading.measured_mm)})


def _against_baseline(sum_mm: Decimal, baseline_mm: Decimal | None, rules: Rules) -> tuple[TargetResponse, Firing]:
    if baseline_mm is None:
        return TargetResponse.NE, Firing("R-1.1/T2", "no sum of diameters at baseline: NE", {"sum_mm": str(sum_mm)})
    share = _ONE - rules.pr_decrease
    limit_mm = share * baseline_mm
    numbers = {"sum_mm": str(sum_mm), "baseline_mm": str(baseline_mm), "limit_mm": str(limit_mm)}
    if sum_mm <= limit_mm:
        sentence = f"sum {sum_mm} mm <= {share} x baseline {baseline_mm} mm = {limit_mm} mm: PR"
        return TargetResponse.PR, Firing("R-1.1/T4", sentence, numbers)
    sentence = f"sum {sum_mm} mm > {share} x baseline {baseline_mm} mm = {limit_mm} mm, and no PD: SD"
    return TargetResponse.SD, Firing("R-1.1/T5", sentence, numbers)


def _note(lesion: Lesion, diameter_mm: Decimal, why: str) -> Firing:
    rule, _, reason = why.partition(": ")
    return Firing(f"R-1.1/{rule}", f"{lesion.id} counts {diameter_mm} mm: {reason}", {"diameter_mm": str(diameter_mm)})
