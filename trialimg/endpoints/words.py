"""Responses in a criterion's own words: what each timepoint stands for, and the best of them.

References
----------
Seymour L et al. iRECIST: guidelines for response criteria for use in trials testing immunotherapeutics.
Lancet Oncol 2017;18:e143-e152, table 3 and section on time-to-event endpoints.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from trialimg.core.errors import ReadingError
from trialimg.core.responses import Firing, OverallResponse
from trialimg.core.trial import Subject
from trialimg.endpoints.results import OwnBestResponse
from trialimg.endpoints.sequence import DatedResponse
from trialimg.endpoints.settings import EndpointSettings, MinorResponse, PduBor
from trialimg.endpoints.vocabulary import Unresolved, Vocabulary, vocabulary_of

__all__ = ["Reading", "own_best_response", "settled", "vocabulary_for"]

_O = OverallResponse
_NEUTRAL = frozenset({_O.NE, _O.ND})
_STABLE = frozenset({_O.SD, _O.NON_CR_NON_PD})


@dataclass(frozen=True, slots=True)
class Reading:
    """The overall response of one timepoint in the words of its criterion."""

    response: Enum
    date: dt.date
    progression_date: dt.date
    """The earliest image of the assessment."""


def vocabulary_for(readings: Sequence[Reading]) -> Vocabulary | None:
    """The vocabulary that readings are written in; None where there are none.

    Raises
    ------
    ReadingError
        If they mix families, or a word is no overall response.
    """
    families = {type(reading.response) for reading in readings}
    if not families:
        return None
    if len(families) > 1:
        names = ", ".join(sorted(family.__name__ for family in families))
        raise ReadingError(f"endpoints are derived from the words of one family of criteria, not of {names}")
    vocabulary = vocabulary_of(families.pop())
    strangers = sorted(
        {str(r.response.value) for r in readings if vocabulary is None or r.response.value not in vocabulary.known}
    )
    if vocabulary is None or strangers:
        raise ReadingError(f"no overall response that endpoints can be derived from: {', '.join(strangers)}")
    return vocabulary


def settled(
    readings: Iterable[Reading], vocabulary: Vocabulary, settings: EndpointSettings
) -> tuple[DatedResponse, ...]:
    """What each timepoint stands for once the whole course is known, in order of date, up to the first progression.

    Words that wait for a later assessment form a block, which a response or stable disease ends: then they were no
    progression. A progression is dated at the first unconfirmed one of its block where the vocabulary dates back.
    What nothing confirmed or ended is what the vocabulary says of it.
    """
    ordered = sorted(readings, key=lambda reading: reading.date)
    course = _Block(vocabulary, settings)
    for reading in ordered:
        if course.progressed:
            break
        course.step(reading)
    return course.done()


@dataclass
class _Block:
    """The course so far, and the places of words that wait."""

    vocabulary: Vocabulary
    settings: EndpointSettings
    found: list[DatedResponse] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    progressed: bool = False

    def step(self, reading: Reading) -> None:
        name, index = reading.response.name, len(self.found)
        self.readings.append(reading)
        if name in self.vocabulary.waits:
            self.waiting.append(index)
            self.found.append(_neither(reading, f"{reading.response.value} as read", _O.NE))
            return
        word = self._counts_as(name)
        self.found.append(_as_read(reading, word))
        if word is _O.PD:
            self._progression(index, reading)
        elif word not in _NEUTRAL:
            for place in self.waiting:
                was = self.readings[place]
                note = f"{was.response.value}, ended by {reading.response.value} on {reading.date}"
                self.found[place] = _neither(was, note, _O.NE)
            self.waiting = []

    def done(self) -> tuple[DatedResponse, ...]:
        """Everything that counts; of what still waits the first progression stands."""
        place = self._first_unconfirmed()
        if not self.progressed and place is not None:
            self.found[place] = _standing(self.readings[place], "neither confirmed nor ended")
        for place in self.waiting:
            if self._kind(place) is Unresolved.AS_SET:
                self.found[place] = self._as_set(self.readings[place])
        return tuple(self.found)

    def _progression(self, index: int, reading: Reading) -> None:
        self.progressed = True
        place = self._first_unconfirmed() if self.vocabulary.dates_back else None
        if place is not None:
            self.found[place] = _standing(self.readings[place], f"confirmed on {reading.date}")
            del self.found[place + 1 :]
            self.waiting = [waits for waits in self.waiting if waits < place]
        else:
            self.found[index] = _standing(reading, "as read")

    def _counts_as(self, name: str) -> OverallResponse:
        if name in self.vocabulary.minor and self.settings.minor_response is MinorResponse.PR:
            return _O.PR
        return self.vocabulary.counts_as[name]

    def _kind(self, place: int) -> Unresolved:
        return self.vocabulary.waits[self.readings[place].response.name]

    def _first_unconfirmed(self) -> int | None:
        return next((place for place in self.waiting if self._kind(place) is Unresolved.PROGRESSION), None)

    def _as_set(self, reading: Reading) -> DatedResponse:
        word = _O.SD if self.settings.pdu_bor is PduBor.SD else _O.PD
        note = f"{reading.response.value}, unresolved, counts as {word.value} in the best response (pdu_bor)"
        return _neither(reading, note, word)


def _as_read(reading: Reading, word: OverallResponse) -> DatedResponse:
    return DatedResponse(word, reading.date, reading.progression_date, f"{reading.response.value} as read")


def _neither(reading: Reading, note: str, best_as: OverallResponse) -> DatedResponse:
    return DatedResponse(_O.NE, reading.date, reading.progression_date, note, unconfirmed_pd=True, best_as=best_as)


def _standing(reading: Reading, why: str) -> DatedResponse:
    note = f"progression ({reading.response.value} {why})"
    return DatedResponse(_O.PD, reading.date, reading.progression_date, note)


def own_best_response(
    readings: Sequence[Reading], vocabulary: Vocabulary, subject: Subject, settings: EndpointSettings
) -> OwnBestResponse | None:
    """The best overall response in the criterion's own words; None without an assessment.

    The best up to the first progression that is not waiting for confirmation, in the vocabulary's order: a response
    after an unconfirmed progression counts, one after a progression does not. Stable disease counts from
    ``min_sd_days`` after the reference date on.
    """
    counting = _counting(readings, vocabulary, subject, settings)
    if not counting:
        return None
    ranked = [(_rank(reading, vocabulary, subject.reference_date, settings), reading) for reading in counting]
    rank, best = min(ranked, key=lambda pair: pair[0])
    word = vocabulary.words[vocabulary.best_first[rank]]
    progressing = word.name in vocabulary.waits or vocabulary.counts_as[word.name] is _O.PD
    day = best.progression_date if progressing else best.date
    until = "the first confirmed progression" if vocabulary.waits else "the first progression"
    sentence = f"best of {len(counting)} up to {until}: {word.value} on {day}"
    return OwnBestResponse(word, day, Firing(vocabulary.rule, sentence, {"assessments": str(len(counting))}))


def _counting(
    readings: Sequence[Reading], vocabulary: Vocabulary, subject: Subject, settings: EndpointSettings
) -> tuple[Reading, ...]:
    stops = [settings.cutoff_date, subject.new_therapy_date if settings.stop_at_new_therapy else None]
    last = min((day for day in stops if day is not None), default=dt.date.max)
    ordered = sorted((r for r in readings if r.date <= last), key=lambda r: r.date)
    progressions = (i for i, r in enumerate(ordered) if vocabulary.counts_as.get(r.response.name) is _O.PD)
    return tuple(ordered[: next(progressions, len(ordered)) + 1])


def _rank(reading: Reading, vocabulary: Vocabulary, reference_date: dt.date | None, settings: EndpointSettings) -> int:
    name = reading.response.name
    stable = vocabulary.counts_as.get(name) in _STABLE and name not in vocabulary.minor
    if stable and settings.min_sd_days:
        lasted = reference_date is not None and (reading.date - reference_date).days >= settings.min_sd_days
        name = name if lasted else "NE"
    return vocabulary.best_first.index(name)
