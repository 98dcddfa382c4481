"""One subject summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from trialimg.core.responses import BestOverallResponse, CriterionAssessment, OverallResponse
from trialimg.core.settings import shown
from trialimg.core.trial import Subject, Timepoint
from trialimg.endpoints.best_response import (
    best_response,
    confirmed_best_response,
    disease_control_date,
    first_confirmed_response_date,
    first_response_date,
)
from trialimg.endpoints.burden import tumour_burden
from trialimg.endpoints.results import SubjectEndpoints, TumourBurden
from trialimg.endpoints.sequence import DatedResponse, counted, first_progression, known, recist_word
from trialimg.endpoints.settings import CrLost, EndpointSettings
from trialimg.endpoints.time_to_event import (
    duration_of_response,
    progression_free_survival,
    time_to_progression,
    time_to_response,
)
from trialimg.endpoints.words import Reading, own_best_response, settled, vocabulary_for

__all__ = ["EndpointSettings", "summarise", "summarise_readings", "summarise_responses"]

_B, _O = BestOverallResponse, OverallResponse
_RESPONDED = frozenset({_B.CR, _B.PR})
_NOT_PROGRESSING = frozenset({_O.CR, _O.PR, _O.SD, _O.NON_CR_NON_PD})
_CONTROLLED = frozenset({_B.CR, _B.PR, _B.SD, _B.NON_CR_NON_PD})


def summarise(
    subject: Subject,
    assessments: Sequence[CriterionAssessment],
    *,
    baseline: Timepoint | None,
    settings: EndpointSettings,
) -> SubjectEndpoints:
    """All endpoints of one subject from its timepoint assessments.

    Parameters
    ----------
    assessments
        Follow-ups only, of one reader, all by one criterion.
    baseline
        The baseline timepoint; None where there is none that can be used.

    Raises
    ------
    ReadingError
        If two assessments carry one date, or if their words are those of another family of criteria.
    """
    cutoff = settings.cutoff_date
    ordered = sorted(assessments, key=lambda a: a.timepoint.date)
    up_to_cutoff = [a for a in ordered if cutoff is None or a.timepoint.date <= cutoff]
    burden = tumour_burden(up_to_cutoff, baseline)
    readings = [Reading(a.overall, a.timepoint.date, a.timepoint.progression_date) for a in ordered]
    return summarise_readings(subject, readings, baseline=baseline, settings=settings, burden=burden)


def summarise_readings(
    subject: Subject,
    readings: Sequence[Reading],
    *,
    baseline: Timepoint | None,
    settings: EndpointSettings,
    burden: TumourBurden | None = None,
) -> SubjectEndpoints:
    """All endpoints of one subject from overall responses in any criterion's words; as `summarise` otherwise.

    Responses lost after a CR are left as read unless the words are those of RECIST or WHO: ``cr_lost`` is a rule of
    RECIST 1.1.
    """
    vocabulary = vocabulary_for(readings)
    if vocabulary is None or not vocabulary.best_first:
        responses = tuple(DatedResponse(recist_word(r.response), r.date, r.progression_date) for r in readings)
        return summarise_responses(subject, responses, baseline=baseline, settings=settings, burden=burden)
    cutoff = settings.cutoff_date
    known_by_then = [r for r in readings if cutoff is None or r.date <= cutoff]
    once_more = settings.confirmation_required and not vocabulary.confirmed_words
    own = replace(settings, cr_lost=CrLost.AS_READ, confirmation_required=once_more)
    responses = settled(known_by_then, vocabulary, own)
    found = summarise_responses(subject, responses, baseline=baseline, settings=own, burden=burden)
    best = own_best_response(known_by_then, vocabulary, subject, own)
    return replace(_as_confirmed(found) if vocabulary.confirmed_words else found, own_best=best)


def _as_confirmed(found: SubjectEndpoints) -> SubjectEndpoints:
    """The endpoints where a response is said only once it is confirmed."""
    return replace(
        found,
        confirmed=replace(found.best, rule=replace(found.best.rule, rule="E/CBOR")),
        confirmed_response_date=found.response_date,
    )


def summarise_responses(
    subject: Subject,
    responses: Sequence[DatedResponse],
    *,
    baseline: Timepoint | None,
    settings: EndpointSettings,
    burden: TumourBurden | None = None,
) -> SubjectEndpoints:
    """All endpoints that overall responses alone can give; parameters and errors as for `summarise`."""
    everything = known(responses, settings)
    counting = counted(everything, subject, settings)
    start = subject.reference_date
    best = best_response(counting, start, settings)
    confirmed = confirmed_best_response(counting, start, settings)
    deciding = confirmed if settings.confirmation_required else best
    as_read, confirmed_date = first_response_date(counting), first_confirmed_response_date(counting, settings)
    response_date = confirmed_date if settings.confirmation_required else as_read
    progression = first_progression(everything)
    survival = progression_free_survival(subject, everything, baseline=baseline, settings=settings)
    return SubjectEndpoints(
        best=best,
        confirmed=confirmed,
        responder=deciding.response in _RESPONDED,
        disease_control=deciding.response in _CONTROLLED,
        burden=burden if burden is not None else TumourBurden(None, None, None, None),
        progression_free_survival=survival,
        duration_of_response=duration_of_response(response_date, survival),
        time_to_response=time_to_response(subject, response_date),
        response_date=as_read,
        confirmed_response_date=confirmed_date,
        progression_date=progression.progression_date if progression is not None else None,
        time_to_progression=time_to_progression(subject, everything, baseline=baseline, settings=settings),
        clinical_benefit=deciding.response in _RESPONDED or _benefits(counting, subject, settings),
        disease_control_date=disease_control_date(counting, start, settings, response_date=response_date),
        settings=_shown(settings),
    )


def _benefits(counting: Sequence[DatedResponse], subject: Subject, settings: EndpointSettings) -> bool:
    """Whether the disease was seen not to progress, as late as clinical benefit asks."""
    start = subject.reference_date
    if start is None:
        return False
    weeks = settings.clinical_benefit_weeks
    return any(r.response in _NOT_PROGRESSING and (r.date - start).days >= 7 * weeks for r in counting)


@lru_cache(maxsize=32)
def _shown(settings: EndpointSettings) -> tuple[tuple[str, str], ...]:
    return tuple(shown(settings).items())
