"""Immunotherapy criteria, by which a progression has to be confirmed: best response, and when progression stands.

References
----------
Seymour L et al. iRECIST: guidelines for response criteria for use in trials testing immunotherapeutics.
Lancet Oncol 2017;18:e143-e152, table 3 and section on time-to-event endpoints.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from trialimg.core.responses import (
    Firing,
    ImmuneModifiedResponse,
    ImmuneRelatedResponse,
    ImmuneResponse,
    OverallResponse,
)
from trialimg.core.trial import Subject
from trialimg.endpoints.results import ImmuneBestResponse
from trialimg.endpoints.sequence import DatedResponse
from trialimg.endpoints.settings import EndpointSettings

__all__ = ["IMMUNE_WORDS", "ImmuneReading", "immune_best_response", "settled"]

IMMUNE_WORDS: tuple[type[Enum], ...] = (ImmuneResponse, ImmuneRelatedResponse, ImmuneModifiedResponse)
_RANK = ("CR", "PR", "SD", "NON_CR_NON_PD", "PD", "UNCONFIRMED_PD", "NED", "NE")
"""Best first, by what the three criteria call their words alike."""
_RESETS = frozenset({"CR", "PR", "SD", "NON_CR_NON_PD", "NED"})
_PROGRESSED = frozenset({"PD", "UNCONFIRMED_PD"})
_STABLE = frozenset({"SD", "NON_CR_NON_PD"})
_O = OverallResponse


@dataclass(frozen=True, slots=True)
class ImmuneReading:
    """The overall response of one timepoint by iRECIST, irRC, irRECIST or imRECIST."""

    response: Enum
    date: dt.date
    progression_date: dt.date
    """The earliest image of the assessment."""


def settled(readings: Iterable[ImmuneReading]) -> tuple[DatedResponse, ...]:
    """What each timepoint stands for once the whole course is known, in order of date.

    A progression is dated at the first unconfirmed progression of its block, the assessments since the last response
    or stable disease (I8). It stands if it was confirmed, or if nothing came after it that ended it. One that a later
    response or stable disease ended is no event: the timepoint says neither response nor progression.
    """
    ordered = sorted(readings, key=lambda reading: reading.date)
    found: list[DatedResponse] = []
    block: list[int] = []
    for index, reading in enumerate(ordered):
        name = reading.response.name
        if name in _PROGRESSED:
            block.append(index)
        elif name in _RESETS:
            for open_at in block:
                found[open_at] = _ended(ordered[open_at], reading)
            block = []
        found.append(_as_read(reading))
        if name == "PD":
            found[block[0]] = _standing(ordered[block[0]], f"confirmed on {reading.date}")
            return tuple(found[: block[0] + 1])
    if block:
        found[block[0]] = _standing(ordered[block[0]], "neither confirmed nor ended")
    return tuple(found)


def immune_best_response(
    readings: Sequence[ImmuneReading], subject: Subject, settings: EndpointSettings
) -> ImmuneBestResponse | None:
    """The best overall response in the criterion's own words (iBOR); None without an assessment.

    The best up to the first confirmed progression, in the order iCR, iPR, iSD, NON-iCR/NON-iUPD, iCPD, iUPD, NE: a
    response after an unconfirmed progression counts, one after a confirmed progression does not. Stable disease
    counts from ``min_sd_days`` after the reference date on.
    """
    counting = _counting(readings, subject, settings)
    if not counting:
        return None
    ranked = [(_rank(reading, subject.reference_date, settings), reading) for reading in counting]
    rank, best = min(ranked, key=lambda pair: pair[0])
    word = type(best.response)[_RANK[rank]]
    day = best.progression_date if word.name in _PROGRESSED else best.date
    sentence = f"best of {len(counting)} up to the first confirmed progression: {word.value} on {day}"
    return ImmuneBestResponse(word, day, Firing("E/iBOR", sentence, {"assessments": str(len(counting))}))


def _counting(
    readings: Sequence[ImmuneReading], subject: Subject, settings: EndpointSettings
) -> tuple[ImmuneReading, ...]:
    stops = [settings.cutoff_date, subject.new_therapy_date if settings.stop_at_new_therapy else None]
    last = min((day for day in stops if day is not None), default=dt.date.max)
    ordered = sorted((r for r in readings if r.date <= last), key=lambda r: r.date)
    confirmed = next((i for i, r in enumerate(ordered) if r.response.name == "PD"), len(ordered))
    return tuple(ordered[: confirmed + 1])


def _rank(reading: ImmuneReading, reference_date: dt.date | None, settings: EndpointSettings) -> int:
    name = reading.response.name
    if name in _STABLE and settings.min_sd_days:
        lasted = reference_date is not None and (reading.date - reference_date).days >= settings.min_sd_days
        name = name if lasted else "NE"
    return _RANK.index(name)


def _as_read(reading: ImmuneReading) -> DatedResponse:
    name = reading.response.name
    word = _O.NE if name == "UNCONFIRMED_PD" else OverallResponse[name]
    return DatedResponse(word, reading.date, reading.progression_date, f"{reading.response.value} as read")


def _ended(reading: ImmuneReading, by: ImmuneReading) -> DatedResponse:
    note = f"{reading.response.value}, ended by {by.response.value} on {by.date}"
    return DatedResponse(_O.NE, reading.date, reading.progression_date, note, unconfirmed_pd=True)


def _standing(reading: ImmuneReading, why: str) -> DatedResponse:
    note = f"progression ({reading.response.value} {why})"
    return DatedResponse(_O.PD, reading.date, reading.progression_date, note)
