"""RECIL 2017: response of lymphoma by the sum of the longest diameters of up to three lesions.

References
----------
Younes A et al. International Working Group consensus response evaluation criteria in lymphoma (RECIL 2017).
Ann Oncol 2017;28:1436-1447.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.lesions import Designation, LesionKind, Track
from trialimg.core.responses import (
    CriterionAssessment,
    Firing,
    NewLesionResponse,
    NonTargetResponse,
    RecilResponse,
    Sums,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria.measurability import Measurable
from trialimg.criteria.record import Course, Record, dated_back, diameter_mm, settings_of, without_nodes
from trialimg.criteria.thresholds import Quantity, require_not_negative

__all__ = ["Facts", "Marrow", "Pet", "Rules", "assess", "measurable"]

_R, _N = RecilResponse, NonTargetResponse
_ONE = Decimal(1)


class Pet(Enum):
    """FDG-PET of the timepoint."""

    NORMAL = "normal"
    """Five-point score 1 to 3."""
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


@dataclass(frozen=True)
class Rules:
    """The numbers of RECIL 2017."""

    pr_decrease: Decimal = Decimal("0.30")
    mr_decrease: Decimal = Decimal("0.10")
    pd_increase: Decimal = Decimal("0.20")
    """More than this share above nadir."""
    relapse_min_mm: Decimal = Decimal(20)
    """Size of a lesion that makes a relapse after complete response."""
    node_normal_below_mm: Decimal = Decimal(10)
    too_small_default_mm: Decimal = Decimal(5)
    backdate_equivocal: bool = True
    max_targets: int = 3
    measurable_min_mm: Decimal = Decimal(15)

    def __post_init__(self) -> None:
        require_not_negative(self)


_DEFAULT = Rules()


def measurable(rules: Rules) -> Measurable:
    """How many targets there may be, and how large each must be."""
    return Measurable("RL0", rules.max_targets, min_long_mm=rules.measurable_min_mm)


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up; the diameter of every lesion, nodes too, is its longest.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this module.

    Notes
    -----
    The rules by identifier stand in ``docs/reference/criteria/recil.md``.
    """
    walk = _Walk(Record(tracks, designations, timepoints, facts, nothing=Facts()), rules)
    return tuple([walk.at(index) for index in range(1, len(walk.record.timepoints))])


class _Walk:
    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self.record = record
        self._rules = rules
        self._new = record.new_lesions(without_nodes(backdate=rules.backdate_equivocal))
        self._sizes = Course(record.targets, record.timepoints, diameter_mm, too_small=rules.too_small_default_mm)
        self._last: RecilResponse | None = None

    def at(self, index: int) -> CriterionAssessment:
        """One follow-up judged."""
        new = self._new[index]
        after_cr = self._last is _R.CR
        non_target, nt_why = self.record.non_target(index, without_nodes(), after_cr=after_cr)
        target, why = self._target(index, after_cr=after_cr)
        word, decided = self._overall(index, target, non_target, new.standing)
        before, _ = self._overall(index, target, non_target, new.as_read)
        self._last = self._last if word is _R.NE else word
        size = self._sizes.measure("sum_mm", index)
        return CriterionAssessment(
            self.record.timepoints[index],
            target,
            non_target,
            new.standing,
            word,
            Sums(size.value, size.baseline, size.nadir),
            (*self._sizes.totals[index].notes, why, nt_why, new.firing, *dated_back(before, word, new), decided),
            settings_of(self._rules),
        )

    def _target(self, index: int, *, after_cr: bool) -> tuple[RecilResponse, Firing]:
        total, baseline, nadir = self._sizes.totals[index], self._sizes.baseline, self._sizes.nadir(index)
        for grown in self._progressions(index, nadir, after_cr=after_cr):
            return _R.PD, grown
        if total.value is None or baseline is None:
            return _R.NE, Firing("RECIL/RL5", f"no sum now or at baseline ({total.why_missing}), no PD without: NE")
        if self._normal(index):
            return _R.CR, Firing("RECIL/RL1", "targets gone, nodes of normal size: CR")
        now, was = Quantity("sum", total.value, "mm"), Quantity("baseline", baseline, "mm")
        partial = now.at_most(_ONE - self._rules.pr_decrease, was)
        if partial.met:
            return _R.PR, Firing("RECIL/RL2", f"{partial.sentence}: PR", partial.numbers)
        minor = now.at_most(_ONE - self._rules.mr_decrease, was)
        if minor.met:
            return _R.MR, Firing("RECIL/RL3", f"{minor.sentence}: MR", minor.numbers)
        return _R.SD, Firing("RECIL/RL4", f"{minor.sentence}, and no PD: SD", minor.numbers)

    def _progressions(self, index: int, nadir: Decimal | None, *, after_cr: bool) -> Iterator[Firing]:
        total, rules = self._sizes.totals[index], self._rules
        if after_cr or nadir == 0:
            back = [name for name, size in total.parts.items() if size >= rules.relapse_min_mm]
            if back:
                yield Firing("RECIL/RL6", f"{', '.join(back)} at least {rules.relapse_min_mm} mm after CR: PD")
            return
        if nadir is None or total.measured <= nadir:
            return
        share = _ONE + rules.pd_increase
        grown = Quantity("sum", total.measured, "mm").at_least(share, Quantity("nadir", nadir, "mm"), strict=True)
        if grown.met:
            yield Firing("RECIL/RL6", f"{grown.sentence}: PD", grown.numbers)

    def _normal(self, index: int) -> bool:
        parts = self._sizes.totals[index].parts
        kinds = {track.lesion.id: track.lesion.kind for track in self.record.targets}
        limit = self._rules.node_normal_below_mm
        return all(size < limit if kinds[name] is LesionKind.NODAL else size == 0 for name, size in parts.items())

    def _overall(
        self, index: int, target: RecilResponse, non_target: NonTargetResponse, new: NewLesionResponse
    ) -> tuple[RecilResponse, Firing]:
        fact = self.record.fact(index)
        told = f"targets {target.value}, non-targets {non_target.value}, new lesion {new.value}"
        if new is NewLesionResponse.UNEQUIVOCAL or non_target is _N.PD or fact.marrow is Marrow.NEW:
            return _R.PD, Firing("RECIL/RL6", f"{told}{', marrow new' if fact.marrow is Marrow.NEW else ''}: PD")
        clear = non_target in (_N.CR, _N.NOT_APPLICABLE) and fact.marrow is not Marrow.INVOLVED
        if target in (_R.CR, _R.PR) and fact.pet is Pet.NORMAL and fact.marrow is not Marrow.INVOLVED:
            return _R.CR, Firing("RECIL/RL1", f"{told}, PET normal: CR")
        if target is _R.CR and (fact.pet is Pet.POSITIVE or not clear):
            return _R.PR, Firing("RECIL/RL2", f"{told}, but PET, marrow or non-targets are not normal: PR")
        return target, Firing("RECIL/RL7", f"{told}: overall {target.value}")
