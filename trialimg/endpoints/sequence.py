"""A subject's responses in order of date, and the part of them that counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise

from trialimg.core.errors import Fault, ReadingError
from trialimg.core.responses import OverallResponse, WhoResponse
from trialimg.core.trial import Subject
from trialimg.endpoints.settings import CrLost, EndpointSettings

__all__ = ["DatedResponse", "counted", "first_progression", "known", "recist_word"]

_NOT_EVALUATED = frozenset({OverallResponse.NE, OverallResponse.ND})
_LOST = frozenset({OverallResponse.PR, OverallResponse.SD, OverallResponse.NON_CR_NON_PD})


@dataclass(frozen=True, slots=True)
class DatedResponse:
    """The overall response of one timepoint."""

    response: OverallResponse
    date: dt.date
    """The date a response is given: the latest image of the assessment."""
    progression_date: dt.date
    """The date a progression is given: the earliest image of the assessment."""
    note: str = ""
    """Why the response is not the one that was read; empty where it is."""
    unconfirmed_pd: bool = False
    """A progression that a later assessment ended: an adequate assessment, but neither response nor progression."""
    best_as: OverallResponse | None = None
    """What it counts as in the best response, where that is another word."""

    @property
    def evaluated(self) -> bool:
        """An adequate assessment: anything but NE and ND."""
        return self.unconfirmed_pd or self.response not in _NOT_EVALUATED


def recist_word(response: Enum) -> OverallResponse:
    """A response of RECIST, or of WHO, whose NC is SD.

    Raises
    ------
    ReadingError
        If the word is of another family.
    """
    if isinstance(response, OverallResponse):
        return response
    if isinstance(response, WhoResponse) and response is not WhoResponse.NOT_APPLICABLE:
        return OverallResponse.SD if response is WhoResponse.NC else OverallResponse[response.name]
    raise ReadingError(f"{response.value!r} is no overall response of RECIST or WHO")


def known(responses: Iterable[DatedResponse], settings: EndpointSettings) -> tuple[DatedResponse, ...]:
    """The responses up to the data cut-off in order of date, with a lost CR treated as the settings say.

    Raises
    ------
    ReadingError
        If two responses carry one date: their order would be a guess.
    """
    cutoff = settings.cutoff_date
    ordered = sorted((r for r in responses if cutoff is None or r.date <= cutoff), key=lambda r: r.date)
    twice = sorted({a.date for a, b in pairwise(ordered) if a.date == b.date})
    if twice:
        faults = tuple(Fault(str(day), "duplicate_date", f"two responses on {day}") for day in twice)
        raise ReadingError("a subject has two responses on one date; keep the accepted one", faults)
    return _without_lost_cr(ordered, settings.cr_lost)


def _without_lost_cr(ordered: Sequence[DatedResponse], cr_lost: CrLost) -> tuple[DatedResponse, ...]:
    """PR or SD after a CR made a progression, or the CR before it made a PR."""
    if cr_lost is CrLost.AS_READ:
        return tuple(ordered)
    kept: list[DatedResponse] = []
    for response in ordered:
        before = next((r for r in reversed(kept) if r.evaluated), None)
        if before is not None and before.response is OverallResponse.CR and response.response in _LOST:
            if cr_lost is CrLost.PD:
                response = replace(
                    response,
                    response=OverallResponse.PD,
                    note=f"{response.response.value} after a CR is a progression",
                )
            else:
                kept = [_amended(r, response) for r in kept]
        kept.append(response)
    return tuple(kept)


def _amended(response: DatedResponse, because: DatedResponse) -> DatedResponse:
    if response.response is not OverallResponse.CR:
        return response
    note = f"CR amended to PR because of {because.response.value} on {because.date}"
    return replace(response, response=OverallResponse.PR, note=note)


def first_progression(responses: Iterable[DatedResponse]) -> DatedResponse | None:
    """The first PD; None if there is none."""
    return next((r for r in responses if r.response is OverallResponse.PD), None)


def counted(
    responses: Sequence[DatedResponse], subject: Subject, settings: EndpointSettings
) -> tuple[DatedResponse, ...]:
    """What counts for the best response: up to and with the first PD, and not after a new therapy."""
    progression = first_progression(responses)
    stop = subject.new_therapy_date if settings.stop_at_new_therapy else None
    return tuple(
        r if r.best_as is None else replace(r, response=r.best_as)
        for r in responses
        if (progression is None or r.date <= progression.date) and (stop is None or r.date <= stop)
    )
