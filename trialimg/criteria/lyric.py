"""LYRIC: the Lugano classification under immunotherapy, with indeterminate responses.

References
----------
Cheson BD et al. Refinement of the Lugano Classification lymphoma response criteria in the era of immunomodulatory
therapy. Blood 2016;128:2489-2496.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import CriterionAssessment, Firing, LymphomaResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria import lugano2014
from trialimg.criteria.lugano2014 import Reading, Readings, Uptake, measurable
from trialimg.criteria.lugano2014.assess import Sign
from trialimg.criteria.record import Course, Record, product_mm2
from trialimg.criteria.thresholds import Comparison, Quantity

__all__ = ["Biopsy", "Clinical", "Facts", "Rules", "assess", "measurable"]

_L = LymphomaResponse
_ONE = Decimal(1)
_INDETERMINATE = frozenset({_L.IR1, _L.IR2, _L.IR3})


class Clinical(Enum):
    """Clinical state."""

    STABLE = "stable"
    WORSE = "worse"
    """Decline attributed to lymphoma."""


class Biopsy(Enum):
    """Of a lesion that made a response indeterminate."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


@dataclass(frozen=True)
class Facts(lugano2014.Facts):
    """Facts of one timepoint; None where nothing was said."""

    clinical: Clinical | None = None
    weeks_on_treatment: Decimal | None = None
    """None: counted from the date of the baseline scan."""
    biopsy: Biopsy | None = None


@dataclass(frozen=True)
class Rules(lugano2014.Rules):
    """The numbers of the Lugano classification, and those of indeterminate responses."""

    ir_increase: Decimal = Decimal("0.50")
    """Of the sum of products, or of one lesion's product, over nadir."""
    ir1_weeks: Decimal = Decimal(12)
    ir1_pd_increase: Decimal = Decimal("0.10")
    """A further increase of the sum of products that makes an IR1 progression."""


_DEFAULT = Rules()


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up; parameters and errors as for `trialimg.criteria.lugano2014.assess`.

    Returns
    -------
    tuple of CriterionAssessment
        One per follow-up. An indeterminate response that turns out to be progression is dated back and keeps in its
        rules what it was.

    Notes
    -----
    The rules by identifier stand in ``docs/reference/criteria/lugano.md``.
    """
    record = Record(tracks, designations, timepoints, facts, nothing=Facts())
    course = _Course(record, rules)
    for index in range(1, len(record.timepoints)):
        course.step(index)
    return course.answers()


def _lugano_record(record: Record[Facts]) -> Record[lugano2014.Facts]:
    return record  # type: ignore[return-value]  # facts of LYRIC are facts of Lugano


@dataclass
class _Open:
    """An indeterminate response that waits."""

    word: LymphomaResponse
    since: list[int] = field(default_factory=list)


class _Course:
    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self._record = record
        self._rules = rules
        self._readings = Readings(_lugano_record(record), rules)
        side = rules.too_small_default_mm
        self._new = Course(record.new, record.timepoints, product_mm2, too_small=side * side)
        self._spd = self._readings.ct.products
        self._done: dict[int, tuple[Reading, LymphomaResponse, list[Firing]]] = {}
        self._open: _Open | None = None

    def answers(self) -> tuple[CriterionAssessment, ...]:
        """Every follow-up as it stands now."""
        return tuple(
            replace(self._readings.assessment(index, reading), overall=word, rule=(*reading.why, *why))
            for index, (reading, word, why) in self._done.items()
        )

    def step(self, index: int) -> None:
        """Judge one follow-up, and settle what waited for it."""
        reading = self._readings.at(index)
        word, why = self._alone(index, reading)
        if self._open is not None:
            confirmed = self._confirmation(index, self._open, reading)
            if confirmed is not None:
                self._done[index] = (reading, reading.progression, [confirmed])
                self._date_back(self._open, reading.progression, index)
                self._open = None
                return
            word, why = self._still_open(self._open, reading, word, why)
        self._done[index] = (reading, word, why)
        self._remember(index, word)

    def _alone(self, index: int, reading: Reading) -> tuple[LymphomaResponse, list[Firing]]:
        """The word of a timepoint without regard to earlier indeterminate responses."""
        kinds = {sign for sign, _ in reading.signs}
        if kinds & {Sign.SPLEEN, Sign.NON_TARGET, Sign.MARROW}:
            return reading.overall, [_why("LY3", "progression other than by size, new lesion or uptake: as Lugano")]
        grown = self._grown(index)
        if grown is not None:
            return self._ir1(index, reading, grown)
        if Sign.NEW in kinds or Sign.LESION in kinds or self._one_grown(index):
            what = "a new lesion" if Sign.NEW in kinds else f"{self._one_grown(index) or 'one lesion grown'}"
            return _L.IR2, [_why("LY2", f"{what}, but the sum of products has not grown by half: IR2")]
        fact = self._record.fact(index)
        if fact.uptake is Uptake.INCREASED and reading.pet is _L.PMD:
            return _L.IR3, [_why("LY3", "uptake increased without progression of size: IR3")]
        return reading.overall, []

    def _ir1(self, index: int, reading: Reading, grown: Comparison) -> tuple[LymphomaResponse, list[Firing]]:
        weeks = self._weeks(index)
        if self._record.fact(index).clinical is Clinical.WORSE:
            return reading.progression, [_why("LY1", f"{grown.sentence}, with clinical decline: PD", grown.numbers)]
        limit = self._rules.ir1_weeks
        if weeks <= limit:
            told = f"{grown.sentence} at week {weeks:.4g} <= {limit}, without clinical decline: IR1"
            return _L.IR1, [_why("LY1", told, grown.numbers)]
        told = f"{grown.sentence} at week {weeks:.4g} > {limit}: PD"
        return reading.progression, [_why("LY1", told, grown.numbers)]

    def _grown(self, index: int) -> Comparison | None:
        """The growth of the sum of products, where there is enough of it."""
        nadir = self._spd.nadir(index)
        spd = self._spd.totals[index].measured
        if nadir is None or spd <= nadir:
            return None
        more = Quantity("SPD", spd, "mm2").at_least(_ONE + self._rules.ir_increase, Quantity("nadir", nadir, "mm2"))
        return more if more.met else None

    def _one_grown(self, index: int) -> str:
        """A target whose product grew by half over its own nadir; empty if none did."""
        for lesion, product in self._spd.totals[index].parts.items():
            lowest = self._spd.lowest(lesion, index)
            if lowest is None or lowest == 0 or product <= lowest:
                continue
            own = Quantity(f"{lesion} product", product, "mm2")
            more = own.at_least(_ONE + self._rules.ir_increase, Quantity("own nadir", lowest, "mm2"))
            if more.met:
                return more.sentence
        return ""

    def _weeks(self, index: int) -> Decimal:
        stated = self._record.fact(index).weeks_on_treatment
        if stated is not None:
            return stated
        first, now = self._record.timepoints[0].date, self._record.timepoints[index].date
        return Decimal((now - first).days) / 7

    def _confirmation(self, index: int, waiting: _Open, reading: Reading) -> Firing | None:
        """Why an indeterminate response has turned out to be progression; None where it has not."""
        if self._record.fact(index).biopsy is Biopsy.POSITIVE:
            return _why("LY4", f"{waiting.word.value} proven by biopsy: PD")
        if waiting.word is _L.IR1:
            return self._ir1_confirmed(index, waiting.since[0])
        if waiting.word is _L.IR2:
            return self._ir2_confirmed(index)
        if any(sign in (Sign.LESION, Sign.NEW) for sign, _ in reading.signs):
            return _why("LY4", "IR3, and now progression by size or a new lesion: PD")
        return None

    def _ir1_confirmed(self, index: int, since: int) -> Firing | None:
        was, now = self._spd.totals[since].value, self._spd.totals[index].measured
        if was is None:
            return None
        share = _ONE + self._rules.ir1_pd_increase
        more = Quantity("SPD", now, "mm2").at_least(share, Quantity("IR1", was, "mm2"))
        step = self._readings.ct.stepped(index, since)
        return _why("LY4", f"{more.sentence}, and {step}: PD", more.numbers) if more.met and step else None

    def _ir2_confirmed(self, index: int) -> Firing | None:
        """The sum of products with that of new lesions added, over the nadir of targets."""
        nadir = self._spd.nadir(index)
        total = self._spd.totals[index].measured + self._new.totals[index].measured
        if nadir is None or total <= nadir:
            return None
        share = _ONE + self._rules.ir_increase
        more = Quantity("SPD with new lesions", total, "mm2").at_least(share, Quantity("nadir", nadir, "mm2"))
        return _why("LY4", f"{more.sentence}: PD", more.numbers) if more.met else None

    def _still_open(
        self, waiting: _Open, reading: Reading, word: LymphomaResponse, why: list[Firing]
    ) -> tuple[LymphomaResponse, list[Firing]]:
        """An indeterminate response that neither became progression nor went away stays what it was."""
        progresses = word is reading.progression or word in _INDETERMINATE
        other = any(sign in (Sign.SPLEEN, Sign.NON_TARGET, Sign.MARROW) for sign, _ in reading.signs)
        if progresses and not other:
            return waiting.word, [*why, _why("LY4", f"no further progression since: still {waiting.word.value}")]
        return word, why

    def _remember(self, index: int, word: LymphomaResponse) -> None:
        if word is _L.NE:
            return
        if word not in _INDETERMINATE:
            self._open = None
        elif self._open is None:
            self._open = _Open(word, [index])
        else:
            self._open.since.append(index)

    def _date_back(self, waiting: _Open, word: LymphomaResponse, index: int) -> None:
        at = self._record.timepoints[index].id
        for earlier in waiting.since:
            reading, was, why = self._done[earlier]
            told = f"was {was.value}; confirmed at {at}, so it is dated here: {word.value}"
            changed = Firing("LYRIC/LY4", told, {"overall_before": was.value})
            self._done[earlier] = (reading, word, [*why, changed])


def _why(rule: str, sentence: str, numbers: dict[str, str] | None = None) -> Firing:
    return Firing(f"LYRIC/{rule}", sentence, numbers or {})
