"""WHO 1979: response by the sum of products of two diameters.

References
----------
World Health Organization. WHO handbook for reporting results of cancer treatment. Offset publication 48, Geneva 1979.
Miller AB et al. Reporting results of cancer treatment. Cancer 1981;47:207-214.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import (
    CriterionAssessment,
    Firing,
    NewLesionResponse,
    NonTargetResponse,
    OverallResponse,
    Sums,
    TargetResponse,
    WhoResponse,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria import recist11
from trialimg.criteria.measurability import Measurable
from trialimg.criteria.record import Course, Record, dated_back, product_mm2, settings_of, without_nodes
from trialimg.criteria.thresholds import Comparison, Quantity, require_not_negative

__all__ = ["Facts", "ProgressionOf", "Rules", "assess", "measurable", "overall", "overall_firing"]

_T, _N, _W = TargetResponse, NonTargetResponse, WhoResponse
_ONE = Decimal(1)


class ProgressionOf(Enum):
    """What has to grow for progression."""

    ANY_LESION = "any_lesion"
    """One or more lesions, each against its own smallest product so far (WHO)."""
    SUM = "sum"
    """The sum, against its nadir (as Wolchok read WHO)."""


@dataclass(frozen=True)
class Facts:
    """Facts of one timepoint."""

    estimated_decrease: bool = False
    """Disease that cannot be measured is estimated to have shrunk by half or more."""


@dataclass(frozen=True)
class Rules:
    """The numbers of WHO 1979; products in mm², shares as decimals of one."""

    pr_decrease: Decimal = Decimal("0.50")
    """PR: sum of products at least this share below baseline."""
    pd_increase: Decimal = Decimal("0.25")
    """PD: at least this share above the smallest before."""
    who_pd: ProgressionOf = ProgressionOf.ANY_LESION
    """*Charter.*"""
    too_small_default_mm2: Decimal = Decimal(25)
    """*Charter.* What a lesion that is seen but too small to measure counts: 5 by 5 mm."""
    backdate_equivocal: bool = True

    def __post_init__(self) -> None:
        require_not_negative(self)
        if not 0 < self.pr_decrease < 1:
            raise ValueError(f"pr_decrease is {self.pr_decrease}; it is a share between 0 and 1")


_DEFAULT = Rules()
_WORDS = {
    OverallResponse.CR: _W.CR,
    OverallResponse.PR: _W.PR,
    OverallResponse.SD: _W.NC,
    OverallResponse.NON_CR_NON_PD: _W.NC,
    OverallResponse.PD: _W.PD,
    OverallResponse.NE: _W.NE,
    OverallResponse.NED: _W.NED,
}


def measurable(rules: Rules) -> Measurable:  # noqa: ARG001 - every criterion is asked the same way
    """WHO limits neither the number of lesions nor their size."""
    return Measurable("W0")


def overall(target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse) -> WhoResponse:
    """The overall response, by the table of RECIST with NC for SD; a target SD is NC."""
    return _WORDS[recist11.overall(target, non_target, new)]


def overall_firing(target: TargetResponse, non_target: NonTargetResponse, new: NewLesionResponse) -> Firing:
    """The row of the table that was read."""
    word, read = overall(target, non_target, new), _target_word(target).value
    sentence = f"target {read}, non-target {non_target.value}, new lesion {new.value}: overall {word.value}"
    numbers = {"target": read, "non_target": non_target.value, "new_lesion": new.value}
    return Firing("WHO/W6", sentence, numbers)


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up by the products of two diameters.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; the second diameter stands in the
    quantities of the observations. The rules by identifier stand in ``docs/reference/criteria/who.md``.
    """
    record = Record(tracks, designations, timepoints, facts, nothing=Facts())
    walk = _Walk(record, rules)
    return tuple(walk.at(index) for index in range(1, len(record.timepoints)))


class _Walk:
    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self._record = record
        self._rules = rules
        self._new = record.new_lesions(without_nodes(backdate=rules.backdate_equivocal))
        self._sizes = Course(record.targets, record.timepoints, product_mm2, too_small=rules.too_small_default_mm2)
        self._last_evaluable = _W.NE

    def at(self, index: int) -> CriterionAssessment:
        """One follow-up judged."""
        new = self._new[index]
        after_cr = self._last_evaluable is _W.CR
        non_target, nt_why = self._record.non_target(index, without_nodes(), after_cr=after_cr)
        target, why = self._target(index, after_cr=after_cr)
        word = overall(target, non_target, new.standing)
        last = [*dated_back(overall(target, non_target, new.as_read), word, new)]
        last.append(overall_firing(target, non_target, new.standing))
        if word is _W.NC and target is _T.NOT_APPLICABLE and self._record.fact(index).estimated_decrease:
            word = _W.PR
            last.append(Firing("WHO/W5", "disease that cannot be measured is estimated to have halved: PR"))
        if word is not _W.NE:
            self._last_evaluable = word
        return CriterionAssessment(
            timepoint=self._record.timepoints[index],
            target=_target_word(target),
            non_target=non_target,
            new_lesion=new.standing,
            overall=word,
            sums=Sums(None, None, None),
            rule=(*self._sizes.totals[index].notes, why, nt_why, new.firing, *last),
            settings=settings_of(self._rules),
            measures=(self._sizes.measure("spd_mm2", index),),
        )

    def _target(self, index: int, *, after_cr: bool) -> tuple[TargetResponse, Firing]:
        if not self._sizes:
            return _T.NOT_APPLICABLE, Firing("WHO/W0", "no measured lesion at baseline")
        total, baseline = self._sizes.totals[index], self._sizes.baseline
        if after_cr and total.measured > 0:
            return _T.PD, Firing("WHO/W1", f"lesions of {total.measured} mm2 are back after a CR: PD")
        grown = self._grown(index)
        if grown is not None:
            return _T.PD, grown
        if total.value is None:
            return _T.NE, Firing("WHO/W4", f"no sum of products ({total.why_missing}): NE")
        if total.gone:
            return _T.CR, Firing("WHO/W2", "every measured lesion has disappeared: CR")
        if baseline is None:
            return _T.NE, Firing("WHO/W4", "no sum of products at baseline: NE")
        shrunk = Quantity("sum", total.value, "mm2").at_most(
            _ONE - self._rules.pr_decrease, Quantity("baseline", baseline, "mm2")
        )
        word, shown = (_T.PR, "PR") if shrunk.met else (_T.SD, "and no PD: NC")
        return word, Firing("WHO/W3", f"{shrunk.sentence}: {shown}", shrunk.numbers)

    def _grown(self, index: int) -> Firing | None:
        """PD by what has to grow; None where it has not."""
        total = self._sizes.totals[index]
        if self._rules.who_pd is ProgressionOf.SUM:
            return self._compared("sum", total.measured, self._sizes.nadir(index))
        for lesion, product in total.parts.items():
            grown = self._compared(lesion, product, self._sizes.lowest(lesion, index))
            if grown is not None:
                return grown
        return None

    def _compared(self, name: str, product: Decimal, lowest: Decimal | None) -> Firing | None:
        if lowest is None or product <= lowest:
            return None
        if lowest == 0:
            return Firing("WHO/N4", f"{name} {product} mm2, after it had disappeared: PD", {name: str(product)})
        grown: Comparison = Quantity(name, product, "mm2").at_least(
            _ONE + self._rules.pd_increase, Quantity("its smallest", lowest, "mm2")
        )
        return Firing("WHO/W1", f"{grown.sentence}: PD", grown.numbers) if grown.met else None


def _target_word(word: TargetResponse) -> WhoResponse:
    return _W.NC if word is _T.SD else WhoResponse[word.name]
