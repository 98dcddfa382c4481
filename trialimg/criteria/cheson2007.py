"""Cheson 2007 (IWG): response of lymphoma by products of diameters, PET and marrow.

References
----------
Cheson BD et al. Revised response criteria for malignant lymphoma. J Clin Oncol 2007;25:579-586.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.lesions import Designation, LesionKind, Observation, Seen, Track
from trialimg.core.responses import (
    Firing,
    NewLesionResponse,
    NonTargetResponse,
    OverallResponse,
    Sums,
    TargetResponse,
    TimepointAssessment,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria.measurability import Measurable
from trialimg.criteria.recist11 import overall
from trialimg.criteria.record import Course, Record, dated_back, product_mm2, settings_of, without_nodes
from trialimg.criteria.thresholds import Quantity, require_not_negative

__all__ = ["Facts", "Marrow", "Pet", "Rules", "assess", "measurable"]

_T, _O = TargetResponse, OverallResponse
_ONE, _ZERO = Decimal(1), Decimal(0)


class Pet(Enum):
    """FDG-PET of the timepoint."""

    NEGATIVE = "negative"
    POSITIVE = "positive"


class Marrow(Enum):
    """Bone marrow."""

    NORMAL = "normal"
    INVOLVED = "involved"
    NEW = "new"


@dataclass(frozen=True)
class Facts:
    """Facts of one timepoint; None where nothing was said."""

    pet: Pet | None = None
    marrow: Marrow | None = None
    spleen_liver_enlarged: bool | None = None
    """Spleen or liver larger than normal."""


@dataclass(frozen=True)
class Rules:
    """The numbers of Cheson 2007."""

    fdg_avid: bool = True
    """A mass of any size that is PET-negative is no disease; needs an avid lymphoma with a positive PET before."""
    pr_decrease: Decimal = Decimal("0.50")
    pd_increase: Decimal = Decimal("0.50")
    pd_node_short_mm: Decimal = Decimal(10)
    """A single node progresses by its longest diameter only with a shorter one above this."""
    new_lesion_mm: Decimal = Decimal(15)
    """A new lesion longer than this is progression."""
    node_normal_mm: Decimal = Decimal(15)
    """Longest diameter of a normal node."""
    node_small_mm: Decimal = Decimal(11)
    """A node from this to ``node_normal_mm`` at baseline is normal by its shorter diameter."""
    node_small_short_mm: Decimal = Decimal(10)
    too_small_default_mm: Decimal = Decimal(5)
    backdate_equivocal: bool = True
    max_targets: int = 6

    def __post_init__(self) -> None:
        require_not_negative(self)


_DEFAULT = Rules()


def measurable(rules: Rules) -> Measurable:
    """How many masses are measured."""
    return Measurable("IW0", rules.max_targets)


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[TimepointAssessment, ...]:
    """The response at every follow-up; the diameter of every lesion, nodes too, is its longest.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this module.

    Notes
    -----
    The rules by identifier stand in ``docs/reference/criteria/cheson2007.md``.
    """
    record = Record(tracks, designations, timepoints, facts, nothing=Facts())
    walk = _Walk(record, rules)
    return tuple(walk.at(index) for index in range(1, len(record.timepoints)))


class _Walk:
    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self._record = record
        self._rules = rules
        self._new = record.new_lesions(without_nodes(backdate=rules.backdate_equivocal))
        side = rules.too_small_default_mm
        self._products = Course(record.targets, record.timepoints, product_mm2, too_small=side * side)

    def at(self, index: int) -> TimepointAssessment:
        """One follow-up judged."""
        new = self._new[index]
        non_target, nt_why = self._record.non_target(index, without_nodes(), after_cr=False)
        target, why = self._target(index)
        counted = new.standing
        if counted is NewLesionResponse.UNEQUIVOCAL and new.as_read is counted and not self._new_counts(index):
            counted = NewLesionResponse.EQUIVOCAL
        word, decided = self._overall(index, target, non_target, counted)
        before, _ = self._overall(index, target, non_target, new.as_read)
        return TimepointAssessment(
            self._record.timepoints[index],
            target,
            non_target,
            counted,
            word,
            Sums(None, None, None),
            (*self._products.totals[index].notes, why, nt_why, new.firing, *dated_back(before, word, new), decided),
            settings_of(self._rules),
            measures=(self._products.measure("spd_mm2", index),),
        )

    def _new_counts(self, index: int) -> bool:
        """Whether a new lesion is longer than the limit; one without sizes is taken at the reader's word."""
        order, limit = self._record.timepoints[index].order, self._rules.new_lesion_mm
        for track in self._record.new:
            seen = next((o for o in reversed(track.observations) if o.timepoint.order <= order), None)
            if (
                seen is not None
                and seen.seen is not Seen.ABSENT
                and (seen.diameter_mm is None or seen.diameter_mm > limit)
            ):
                return True
        return False

    def _target(self, index: int) -> tuple[TargetResponse, Firing]:
        if not self._products:
            return _T.NOT_APPLICABLE, Firing("IWG/IW0", "no target lesion at baseline")
        for grown in self._progressions(index):
            return _T.PD, grown
        total, baseline = self._products.totals[index], self._products.baseline
        if total.value is None or baseline is None:
            return _T.NE, Firing("IWG/IW5", f"no sum of products ({total.why_missing}) and no PD without it: NE")
        if all(self._is_normal(track, index) for track in self._record.targets):
            return _T.CR, Firing("IWG/IW1", "every node of normal size, every other mass gone: CR")
        spd = Quantity("SPD", total.value, "mm2")
        fell = spd.at_most(_ONE - self._rules.pr_decrease, Quantity("baseline", baseline, "mm2"))
        if fell.met:
            return _T.PR, Firing("IWG/IW2", f"{fell.sentence}: PR", fell.numbers)
        return _T.SD, Firing("IWG/IW3", f"{fell.sentence}, and no PD: SD", fell.numbers)

    def _progressions(self, index: int) -> Iterator[Firing]:
        share = _ONE + self._rules.pd_increase
        total, nadir = self._products.totals[index], self._products.nadir(index)
        if nadir is not None and nadir > 0 and len(self._record.targets) > 1:
            grown = Quantity("SPD", total.measured, "mm2").at_least(share, Quantity("nadir", nadir, "mm2"))
            if grown.met:
                yield Firing("IWG/IW4", f"{grown.sentence}: PD", grown.numbers)
        for track in self._record.targets:
            yield from self._single(track, index, share)

    def _single(self, track: Track, index: int, share: Decimal) -> Iterator[Firing]:
        """One lesion by its longest diameter over its own smallest; a node only with enough width before."""
        now = self._seen(track, index)
        earlier = [
            o for i in range(index) if (o := self._seen(track, i)) is not None and o.seen is not Seen.NOT_EVALUABLE
        ]
        if now is None or now.diameter_mm is None or not earlier:
            return
        smallest = min(earlier, key=lambda o: o.diameter_mm or _ZERO)
        name, node = track.lesion.id, track.lesion.kind is LesionKind.NODAL
        if smallest.diameter_mm is None:
            if smallest.seen is Seen.ABSENT and now.diameter_mm > self._rules.new_lesion_mm:
                yield Firing("IWG/IW4", f"{name} had gone and is back with {now.diameter_mm} mm: PD")
            return
        width_mm = smallest.quantities.short_axis_mm
        if not node or width_mm is None or width_mm <= self._rules.pd_node_short_mm:
            yield from self._extranodal(track, index, share)
            return
        longer = Quantity(f"{name} long", now.diameter_mm, "mm").at_least(
            share, Quantity("own smallest", smallest.diameter_mm, "mm")
        )
        if longer.met:
            yield Firing("IWG/IW4", f"{longer.sentence}: PD", longer.numbers)

    def _extranodal(self, track: Track, index: int, share: Decimal) -> Iterator[Firing]:
        """A nodule of an organ by its product over its own smallest."""
        name = track.lesion.id
        now, lowest = self._products.totals[index].parts.get(name), self._products.lowest(name, index)
        if track.lesion.kind is LesionKind.NODAL or now is None or not lowest:
            return
        larger = Quantity(f"{name} product", now, "mm2").at_least(share, Quantity("own smallest", lowest, "mm2"))
        if larger.met:
            yield Firing("IWG/IW4", f"{larger.sentence}: PD", larger.numbers)

    def _is_normal(self, track: Track, index: int) -> bool:
        now, first = self._seen(track, index), self._seen(track, 0)
        if now is None or now.seen is Seen.ABSENT or self._products.totals[index].parts.get(track.lesion.id) == 0:
            return True
        if track.lesion.kind is not LesionKind.NODAL:
            return False
        rules = self._rules
        length_mm = rules.too_small_default_mm if now.diameter_mm is None else now.diameter_mm
        if first is None or first.diameter_mm is None or first.diameter_mm > rules.node_normal_mm:
            return length_mm <= rules.node_normal_mm
        width_mm = now.quantities.short_axis_mm
        if first.diameter_mm >= rules.node_small_mm and width_mm is not None:
            return width_mm <= rules.node_small_short_mm
        return length_mm < rules.node_small_mm

    def _seen(self, track: Track, index: int) -> Observation | None:
        return track.at(self._record.timepoints[index].id)

    def _overall(
        self, index: int, target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse
    ) -> tuple[OverallResponse, Firing]:
        fact = self._record.fact(index)
        told = f"targets {target.value}, non-targets {non_target.value}, new lesion {new.value}"
        by_table = overall(target, non_target, new)
        if by_table is _O.PD or fact.marrow is Marrow.NEW:
            return _O.PD, Firing("IWG/IW4", f"{told}{', marrow new' if fact.marrow is Marrow.NEW else ''}: PD")
        clear = fact.marrow is not Marrow.INVOLVED and fact.spleen_liver_enlarged is not True
        if fact.pet is Pet.NEGATIVE and self._rules.fdg_avid and clear and by_table is not _O.NE:
            return _O.CR, Firing("IWG/IW1", f"{told}; PET negative, so a mass of any size is no disease: CR")
        if by_table is _O.CR and (not clear or fact.pet is Pet.POSITIVE):
            return _O.PR, Firing("IWG/IW2", f"{told}, but PET, marrow, spleen or liver is not normal: PR")
        return by_table, Firing("IWG/IW6", f"{told}: overall {by_table.value}")
