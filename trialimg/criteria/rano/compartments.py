"""Target lesions of one compartment, enhancing or not, and how the words of two become one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.lesions import Observation, Track
from trialimg.core.responses import Firing, Measure, RanoResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria.rano.rules import Disease, LesionReference, Metric, Rules
from trialimg.criteria.record import Course, Size, diameter_mm, product_mm2
from trialimg.criteria.thresholds import Quantity

__all__ = ["Compartment", "combined", "compartments", "size_of"]

_R = RanoResponse
_ONE = Decimal(1)
_UNITS = {Metric.PRODUCT: ("spd_mm2", "mm2"), Metric.VOLUME: ("volume_ml", "mL"), Metric.DIAMETER: ("sum_mm", "mm")}
_BEST_FIRST = (_R.CR, _R.PR, _R.MR, _R.SD)


def combined(one: RanoResponse, other: RanoResponse) -> RanoResponse:
    """The word of two compartments (G11): PD if either, NE if either, a response beside SD stays, else the lower."""
    words = {one, other} - {_R.NOT_APPLICABLE}
    if not words:
        return _R.NOT_APPLICABLE
    for decisive in (_R.PD, _R.NE):
        if decisive in words:
            return decisive
    partial = words & {_R.PR, _R.MR}
    if _R.SD in words and partial:
        return partial.pop()
    return max(words, key=_BEST_FIRST.index)


def size_of(rules: Rules) -> Size:
    """What a lesion counts in the trial's metric."""
    if rules.metric is Metric.PRODUCT:
        return product_mm2
    return _volume_ml if rules.metric is Metric.VOLUME else diameter_mm


def compartments(tracks: Sequence[Track], timepoints: Sequence[Timepoint], rules: Rules) -> tuple[Compartment, ...]:
    """The compartments that are scored: one, or in mixed disease two, told apart by the lesions' organ.

    Raises
    ------
    ReadingError
        In mixed disease, naming every lesion whose organ is neither of the two.
    """
    if not rules.is_mixed:
        return (Compartment(rules.disease.value, tracks, timepoints, rules),)
    names = (Disease.ENHANCING.value, Disease.NON_ENHANCING.value)
    strangers = [track.lesion for track in tracks if track.lesion.organ not in names]
    if strangers:
        text = f"mixed disease: the organ of a target is {' or '.join(names)}, not {{!r}}"
        faults = tuple(Fault(lesion.id, "no_compartment", text.format(lesion.organ)) for lesion in strangers)
        raise ReadingError(f"{len(faults)} target(s) of no compartment, nothing was judged", faults)
    return tuple(Compartment(name, [t for t in tracks if t.lesion.organ == name], timepoints, rules) for name in names)


class Compartment:
    """The targets of one compartment, judged by size alone."""

    def __init__(self, name: str, tracks: Sequence[Track], timepoints: Sequence[Timepoint], rules: Rules) -> None:
        self.name = name
        self._rules = rules
        self.unit = _UNITS[rules.metric][1]
        self.course = Course(tracks, timepoints, size_of(rules), too_small=_too_small(rules))

    def measure(self, index: int) -> Measure:
        """The sum, with the compartment's name before it in mixed disease."""
        name = _UNITS[self._rules.metric][0]
        return self.course.measure(f"{self.name}_{name}" if self._rules.is_mixed else name, index)

    def judge(self, index: int) -> tuple[RanoResponse, Firing]:
        """The word of the sum, by the first of G9, NE, G6, G7, G8 that applies."""
        if not self.course:
            return _R.NOT_APPLICABLE, _why("G4", f"no {self.name} target at baseline")
        grown = self.progression(index)
        if grown is not None:
            return _R.PD, grown
        total, baseline = self.course.totals[index], self.course.baseline
        if total.value is None:
            return _R.NE, _why("G4", f"no sum ({total.why_missing}) and no PD without it: NE")
        if baseline is None:
            return _R.NE, _why("G4", "no sum at baseline: NE")
        if total.gone:
            return _R.CR, _why("G6", f"every {self.name} target has disappeared: CR")
        return self._smaller(Quantity("sum", total.value, self.unit), Quantity("baseline", baseline, self.unit))

    def progression(self, index: int, *, above: int | None = None) -> Firing | None:
        """The growth of the sum over its nadir, or over an earlier timepoint, where there is enough of it."""
        total = self.course.totals[index]
        reference = self.course.nadir(index) if above is None else self.course.totals[above].value
        if reference is None or total.measured <= reference:
            return None
        name = "nadir" if above is None else "the preliminary progression"
        if reference == 0:
            sentence = f"targets back to {total.measured} {self.unit} after all had gone; no ratio to a nadir of 0: PD"
            return _why("N4", sentence)
        now, share = Quantity("sum", total.measured, self.unit), _ONE + self._rules.shares[2]
        grown = now.at_least(share, Quantity(name, reference, self.unit))
        if not grown.met:
            return None
        one = self._lesion_growth(index)
        return None if one is None else _why("G9", f"{grown.sentence}{one}: PD", grown.numbers)

    def _lesion_growth(self, index: int) -> str | None:
        """Which lesion grew enough of its own; empty where none needs to, None where none did."""
        least_mm = self._rules.pd_lesion_growth_mm
        if least_mm is None:
            return ""
        own = self._rules.lesion_growth_reference is LesionReference.OWN_NADIR
        at = None if own else self.course.nadir_index(index)
        for lesion, now_mm in self.course.totals[index].parts.items():
            own = self._rules.lesion_growth_reference is LesionReference.OWN_NADIR
            was_mm = (
                self.course.lowest(lesion, index) if own or at is None else self.course.totals[at].parts.get(lesion)
            )
            if was_mm is not None and now_mm - was_mm >= least_mm:
                return f", and {lesion} from {was_mm} to {now_mm} mm (+{now_mm - was_mm} >= {least_mm} mm)"
        return None

    def _smaller(self, now: Quantity, baseline: Quantity) -> tuple[RanoResponse, Firing]:
        for_pr, for_mr, _ = self._rules.shares
        partial = now.at_most(_ONE - for_pr, baseline)
        if partial.met:
            return _R.PR, _why("G7", f"{partial.sentence}: PR", partial.numbers)
        minor = now.at_most(_ONE - for_mr, baseline)
        if self._rules.scores_minor and minor.met:
            return _R.MR, _why("G8", f"{minor.sentence}: MR", minor.numbers)
        return _R.SD, _why("G7", f"{partial.sentence}, and no PD: SD", partial.numbers)


def _too_small(rules: Rules) -> Decimal | None:
    side = rules.too_small_default_mm
    return {Metric.PRODUCT: side * side, Metric.DIAMETER: side, Metric.VOLUME: None}[rules.metric]


def _volume_ml(observation: Observation) -> Decimal | None:
    return observation.quantities.volume_ml


def _why(rule: str, sentence: str, numbers: dict[str, str] | None = None) -> Firing:
    return Firing(f"RANO/{rule}", sentence, numbers or {})
