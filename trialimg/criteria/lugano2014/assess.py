"""All follow-up timepoints of one subject by the Lugano classification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import (
    CriterionAssessment,
    Firing,
    LymphomaResponse,
    NewLesionResponse,
    NonTargetResponse,
    Sums,
    TargetResponse,
)
from trialimg.core.trial import Timepoint
from trialimg.criteria.lugano2014.ct import Ct, Spleen, counts_as_new
from trialimg.criteria.lugano2014.facts import (
    Facts,
    FivePoint,
    Marrow,
    Uptake,
    five_point_score,
    require_references,
)
from trialimg.criteria.lugano2014.rules import Rules
from trialimg.criteria.recist11.new_lesions import NewLesions
from trialimg.criteria.record import Record, dated_back, settings_of, without_nodes

__all__ = ["Reading", "Readings", "Sign", "assess"]

_L, _T, _N = LymphomaResponse, TargetResponse, NonTargetResponse
_DEFAULT = Rules()
_NEGATIVE = (FivePoint.ONE, FivePoint.TWO, FivePoint.THREE, FivePoint.X)


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up: metabolic where there is a PET, otherwise anatomic.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this package. The diameter of
    every lesion, nodes too, is its longest; the one perpendicular to it stands in its quantities.

    Notes
    -----
    The rules by identifier stand in ``docs/reference/criteria/lugano.md``.
    """
    record = Record(tracks, designations, timepoints, facts, nothing=Facts())
    readings = Readings(record, rules)
    return tuple(readings.answer(index) for index in range(1, len(record.timepoints)))


class Sign(Enum):
    """What speaks for progression."""

    LESION = "lesion"
    NEW = "new lesion"
    SPLEEN = "spleen"
    NON_TARGET = "non-target"
    MARROW = "marrow"


@dataclass(frozen=True)
class Reading:
    """One timepoint by CT and PET."""

    target: TargetResponse
    non_target: NonTargetResponse
    new: NewLesions
    signs: tuple[tuple[Sign, Firing], ...]
    """What speaks for progression on CT, in marrow, or as a new lesion."""
    ct: LymphomaResponse
    pet: LymphomaResponse | None
    """None where there was no PET."""
    overall: LymphomaResponse
    why: tuple[Firing, ...]

    @property
    def progression(self) -> LymphomaResponse:
        """The word that progression has here."""
        return _L.PAD if self.pet is None else _L.PMD

    @property
    def parts(self) -> dict[str, Enum]:
        return {"ct": self.ct, **({} if self.pet is None else {"pet": self.pet})}


class Readings:
    """Every timepoint of one subject, ready to be read."""

    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        require_references(record.timepoints, [record.fact(i) for i in range(len(record.timepoints))])
        self.record = record
        self.rules = rules
        self.ct = Ct(record, rules)
        self.spleen = Spleen(record, rules)
        self._new = record.new_lesions(without_nodes(backdate=rules.backdate_equivocal))

    def answer(self, index: int) -> CriterionAssessment:
        """The reading as an assessment."""
        return self.assessment(index, self.at(index))

    def assessment(self, index: int, reading: Reading) -> CriterionAssessment:
        """A reading with what was measured."""
        return CriterionAssessment(
            self.record.timepoints[index],
            reading.target,
            reading.non_target,
            reading.new.standing,
            reading.overall,
            Sums(None, None, None),
            reading.why,
            settings_of(self.rules),
            measures=(self.ct.products.measure("spd_mm2", index),),
            parts=reading.parts,
        )

    def at(self, index: int) -> Reading:
        """One follow-up."""
        new = self._new[index]
        size, size_why = self.ct.target(index)
        non_target, nt_why = self.record.non_target(index, without_nodes(), after_cr=False)
        signs = tuple(self._signs(index, non_target, nt_why, new))
        target = _T.PD if any(sign is Sign.LESION for sign, _ in signs) else size
        ct, ct_why = self._ct(index, size, non_target, signs)
        pet, pet_why = self._pet(index, signs)
        governs = pet is not None and self.rules.fdg_avid
        overall = pet if pet is not None and governs else ct
        decided = _why("L11", f"{'PET' if governs else 'CT'} governs: overall {overall.value}")
        notes = self.ct.products.totals[index].notes
        found = tuple(firing for _, firing in signs)
        back = dated_back(size, overall, new) if len(signs) == 1 else ()
        why = (*notes, size_why, nt_why, new.firing, *found, *back, *ct_why, *pet_why, decided)
        return Reading(target, non_target, new, signs, ct, pet if governs else None, overall, why)

    def _signs(
        self, index: int, non_target: NonTargetResponse, nt_why: Firing, new: NewLesions
    ) -> Iterator[tuple[Sign, Firing]]:
        for grown in self.ct.grown_lesions(index):
            yield Sign.LESION, grown
        spleen = self.spleen.progression(index)
        if spleen is not None:
            yield Sign.SPLEEN, spleen
        if non_target is _N.PD:
            yield Sign.NON_TARGET, _why("L10", nt_why.sentence)
        order, fact = self.record.timepoints[index].order, self.record.fact(index)
        sized = any(counts_as_new(track, order, self.rules) for track in self.record.new)
        back = new.standing is not new.as_read
        if new.standing is NewLesionResponse.UNEQUIVOCAL and (sized or back):
            yield Sign.NEW, _why("L10", f"{new.firing.sentence}: PD")
        if fact.new_focus:
            yield Sign.NEW, _why("L4", "new avid focus consistent with lymphoma: PD")
        if fact.marrow is Marrow.NEW:
            yield Sign.MARROW, _why("L10", "new or recurrent involvement of marrow: PD")

    def _ct(
        self, index: int, target: TargetResponse, non_target: NonTargetResponse, signs: Sequence[tuple[Sign, Firing]]
    ) -> tuple[LymphomaResponse, tuple[Firing, ...]]:
        if signs:
            return _L.PAD, ()
        if target is _T.NOT_APPLICABLE:
            word = {_N.CR: _L.CAR, _N.NON_CR_NON_PD: _L.SAD}.get(non_target, _L.NE)
            return word, (_why("L5" if word is _L.CAR else "L7", f"non-targets {non_target.value}: {word.value}"),)
        if target is _T.NE:
            return _L.NE, ()
        if target is _T.SD:
            return _L.SAD, ()
        return self._regressed(index, target, non_target)

    def _regressed(
        self, index: int, target: TargetResponse, non_target: NonTargetResponse
    ) -> tuple[LymphomaResponse, tuple[Firing, ...]]:
        """Complete or partial, as spleen, marrow and non-targets allow."""
        marrow = self.record.fact(index).marrow
        clear = non_target in (_N.CR, _N.NOT_APPLICABLE) and marrow in (None, Marrow.NORMAL)
        if target is _T.CR and clear and self.spleen.normal(index):
            return _L.CAR, (_why("L5", "spleen, marrow and non-targets normal as well: CAR"),)
        regressed, why = self.spleen.regressed(index)
        if regressed is None:
            return _L.NE, (why,)
        word = _L.PAR if regressed else _L.SAD
        return word, (why,)

    def _pet(
        self, index: int, signs: Sequence[tuple[Sign, Firing]]
    ) -> tuple[LymphomaResponse | None, tuple[Firing, ...]]:
        fact = self.record.fact(index)
        score, measured = self._score(fact)
        if score is None:
            return None, ()
        told = f"{measured}score {score.value}"
        if any(sign in (Sign.NEW, Sign.MARROW) for sign, _ in signs):
            return _L.PMD, (_why("L4", f"{told} with new disease: PMD"),)
        if score in _NEGATIVE:
            return _without_uptake(told, fact.marrow)
        return _with_uptake(told, fact)

    def _score(self, fact: Facts) -> tuple[FivePoint | None, str]:
        """The five-point score and what it was measured from; a reader's own score stands."""
        lesion, mediastinum, liver = fact.lesion_suv, fact.mediastinum_suv, fact.liver_suv
        if lesion is None or mediastinum is None or liver is None:
            return fact.deauville, ""
        factor = self.rules.deauville5_factor
        score = five_point_score(
            lesion, mediastinum=mediastinum, liver=liver, markedly=factor, background=fact.background_suv
        )
        told = f"SUVmax {lesion} beside mediastinum {mediastinum}, liver {liver} (5: {factor} x liver)"
        if fact.deauville in (None, score):
            return score, f"{told}: "
        return fact.deauville, f"{told} would be score {score.value}, but the reader says "


def _without_uptake(told: str, marrow: Marrow | None) -> tuple[LymphomaResponse, tuple[Firing, ...]]:
    if marrow is Marrow.REDUCED:
        return _L.PMR, (_why("L2", f"{told}, but uptake of marrow reduced, not gone: PMR"),)
    if marrow is Marrow.PERSISTENT:
        return _L.NMR, (_why("L3", f"{told}, but uptake of marrow persists: NMR"),)
    return _L.CMR, (_why("L1", f"{told}, with or without a residual mass: CMR"),)


def _with_uptake(told: str, fact: Facts) -> tuple[LymphomaResponse, tuple[Firing, ...]]:
    words = {Uptake.DECREASED: (_L.PMR, "L2"), Uptake.UNCHANGED: (_L.NMR, "L3"), Uptake.INCREASED: (_L.PMD, "L4")}
    if fact.uptake is None:
        return _L.NE, (_why("L2", f"{told}, but uptake against baseline not recorded: NE"),)
    word, rule = words[fact.uptake]
    told = f"{told}, uptake {fact.uptake.value}"
    if word is _L.PMR and fact.marrow is Marrow.PERSISTENT:
        return _L.NMR, (_why("L3", f"{told}, but uptake of marrow persists: NMR"),)
    return word, (Firing(f"LUGANO/{rule}", f"{told}: {word.value}"),)


def _why(rule: str, sentence: str) -> Firing:
    return Firing(f"LUGANO/{rule}", sentence)
