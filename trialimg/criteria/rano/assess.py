"""All follow-up timepoints of one subject: progression that waits, words on hold, responses that are held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from trialimg.core.lesions import Designation, Track
from trialimg.core.responses import CriterionAssessment, Firing, RanoResponse, Sums
from trialimg.core.trial import Timepoint
from trialimg.criteria.rano.facts import Facts, Steroids
from trialimg.criteria.rano.reading import Reading, Readings
from trialimg.criteria.rano.rules import ConfirmReference, EarlyProgression, Metric, Rules
from trialimg.criteria.record import Record, dated_back, settings_of

__all__ = ["assess"]

_R = RanoResponse
_DEFAULT = Rules()
_BEST_FIRST = (_R.CR, _R.PR, _R.MR)


def assess(
    tracks: Iterable[Track],
    designations: Iterable[Designation],
    timepoints: Sequence[Timepoint],
    rules: Rules = _DEFAULT,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> tuple[CriterionAssessment, ...]:
    """The response at every follow-up; the diameter across and the volume of a lesion stand in its quantities.

    Parameters and errors are those of `trialimg.criteria.recist11.assess`; facts are of this package.

    Returns
    -------
    tuple of CriterionAssessment
        One per follow-up. A word that a later scan changed (preliminary progression, hold) keeps in its rules what
        it was.

    Notes
    -----
    The rules by identifier stand in ``docs/reference/criteria/rano.md``.
    """
    record = Record(tracks, designations, timepoints, facts, nothing=Facts())
    course = _Course(Readings(record, rules))
    for index in range(1, len(record.timepoints)):
        course.step(index)
    return course.answers()


@dataclass
class _Course:
    """What must be remembered from one timepoint to the next."""

    readings: Readings
    words: dict[int, RanoResponse] = field(default_factory=dict)
    why: dict[int, list[Firing]] = field(default_factory=dict)
    read: dict[int, Reading] = field(default_factory=dict)
    preliminary: list[int] = field(default_factory=list)
    """Progressions that wait for confirmation."""
    held: list[int] = field(default_factory=list)
    """Timepoints on hold for a steroid dose."""

    def step(self, index: int) -> None:
        """Read one follow-up, and settle what waited for it."""
        reading = self.readings.at(index, after_cr=self._after_cr(index))
        self.read[index] = reading
        self.why[index] = [*reading.why]
        if reading.progresses:
            self._progression(index, reading)
        else:
            self._no_progression(index, reading)

    def answers(self) -> tuple[CriterionAssessment, ...]:
        """Every follow-up as it stands now."""
        return tuple(self._answer(index) for index in self.words)

    def _answer(self, index: int) -> CriterionAssessment:
        reading, record, rules = self.read[index], self.readings.record, self.readings.rules
        measures = tuple(compartment.measure(index) for compartment in self.readings.compartments)
        sums = Sums(None, None, None)
        if rules.metric is Metric.DIAMETER:
            sums = Sums(measures[0].value, measures[0].baseline, measures[0].nadir)
        return CriterionAssessment(
            record.timepoints[index],
            reading.target,
            reading.non_target,
            reading.new.standing,
            self.words[index],
            sums,
            (*self.why[index], *self._held_response(index)),
            settings_of(rules),
            measures=() if rules.metric is Metric.DIAMETER else measures,
            parts=dict(reading.parts),
        )

    def _progression(self, index: int, reading: Reading) -> None:
        causes = (*reading.imaging, *reading.clinical)
        before = reading.without_pd[0] if len(causes) == 1 else _R.PD
        others = (cause for cause in causes if cause not in reading.why)
        self.why[index] += (*others, *dated_back(before, _R.PD, reading.new))
        waits = self._waits(index, reading)
        if waits is not None and self._early_hold():
            self._say(index, _R.HOLD, "G12", f"{waits}, not to be told from pseudoprogression: hold")
        elif waits is None or self._confirms(index):
            self._confirm(index)
            self._say(index, _R.PD, "G9", f"{'; '.join(cause.rule for cause in causes)} decide: PD")
        else:
            self.preliminary.append(index)
            self._say(index, _R.PRELIMINARY_PD, "G12", f"{waits}: preliminary until a later scan confirms it")
        if reading.clinical and self.words[index] is _R.PD:
            self._settle_held(index, _R.PD)

    def _early_hold(self) -> bool:
        rules = self.readings.rules
        return rules.early_progression is EarlyProgression.HOLD and not rules.confirm_pd_always

    def _waits(self, index: int, reading: Reading) -> str | None:
        """Why a progression must be confirmed; None where it stands at once."""
        rules, fact = self.readings.rules, self.readings.record.fact(index)
        if fact.histology or (fact.outside_field and reading.imaging):
            return None
        if reading.clinical and not rules.confirm_clinical_pd:
            return None
        if rules.confirm_pd_always:
            return "every progression waits for confirmation"
        window, weeks = rules.rt_window_weeks, fact.weeks_since_rt
        if window is None or weeks is None:
            return None
        early = weeks <= window if rules.rt_window_inclusive else weeks < window
        return f"{weeks} weeks after radiotherapy (limit {window})" if early else None

    def _confirms(self, index: int) -> bool:
        """Whether this progression, still to be confirmed by its own date, confirms an earlier one."""
        if not self.preliminary or not self._late_enough(index):
            return False
        if self.readings.rules.rano_confirm_ref is ConfirmReference.NADIR:
            return True
        first = self.preliminary[0]
        return any(c.progression(index, above=first) is not None for c in self.readings.compartments)

    def _late_enough(self, index: int) -> bool:
        dates = [self.readings.record.timepoints[i].date for i in (self.preliminary[0], index)]
        return (dates[1] - dates[0]).days >= self.readings.rules.confirmation_days

    def _confirm(self, index: int) -> None:
        """Date waiting progressions back: this scan is progression without doubt."""
        at = self.readings.record.timepoints[index].id
        for earlier in self.preliminary:
            self._amend(earlier, _R.PD, "G12", f"was preliminary PD; confirmed at {at}, so it is dated here: PD")
        self.preliminary = []

    def _no_progression(self, index: int, reading: Reading) -> None:
        word, why = reading.without_pd
        self.why[index] += why
        at = self.readings.record.timepoints[index].id
        if self.preliminary and word is not _R.NE and self._late_enough(index):
            for earlier in self.preliminary:
                self._amend(earlier, _R.SD, "G12", f"was preliminary PD; not confirmed at {at}: SD")
            self.preliminary = []
        if word is _R.HOLD:
            self.held.append(index)
        elif word is not _R.NE and self.readings.record.fact(index).steroids not in (None, Steroids.INCREASED):
            self._settle_held(index, _R.SD)
        self._say(index, word, "G11", _told(reading, word))

    def _settle_held(self, index: int, word: RanoResponse) -> None:
        at = self.readings.record.timepoints[index].id
        told = {
            _R.SD: f"was on hold; the steroid dose is back at {at}: SD",
            _R.PD: f"was on hold; decline by the tumour at {at}, so it is dated here: PD",
        }
        for earlier in self.held:
            self._amend(earlier, word, "G13", told[word])
        self.held = []

    def _held_response(self, index: int) -> tuple[Firing, ...]:
        """Whether a response was held long enough by a later scan (G15)."""
        word = self.words[index]
        if word not in _BEST_FIRST:
            return ()
        timepoints, days = self.readings.record.timepoints, self.readings.rules.confirmation_days
        for later in range(index + 1, len(timepoints)):
            other = self.words[later]
            if other is _R.NE:
                continue
            if other not in _BEST_FIRST or _BEST_FIRST.index(other) > _BEST_FIRST.index(word):
                return (_why("G15", f"{word.value} was not held at {timepoints[later].id}: {other.value}"),)
            apart = (timepoints[later].date - timepoints[index].date).days
            if apart >= days:
                return (_why("G15", f"{word.value} held at {timepoints[later].id}, {apart} days later: confirmed"),)
        return (_why("G15", f"{word.value} not yet held for {days} days"),)

    def _after_cr(self, index: int) -> bool:
        last = next((w for i in range(index - 1, 0, -1) if (w := self.words[i]) is not _R.NE), None)
        return last is _R.CR

    def _say(self, index: int, word: RanoResponse, rule: str, sentence: str) -> None:
        self.words[index] = word
        self.why[index].append(_why(rule, sentence))

    def _amend(self, index: int, word: RanoResponse, rule: str, sentence: str) -> None:
        was = self.words[index].value
        self.words[index] = word
        self.why[index].append(replace(_why(rule, sentence), numbers={"overall_before": was}))


def _told(reading: Reading, word: RanoResponse) -> str:
    return (
        f"targets {reading.target.value}, non-targets {reading.non_target.value}, new lesion "
        f"{reading.new.standing.value}: overall {word.value}"
    )


def _why(rule: str, sentence: str) -> Firing:
    return Firing(f"RANO/{rule}", sentence)
