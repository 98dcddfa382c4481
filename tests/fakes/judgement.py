"""Sums, responses and endpoints of a scripted subject: a short reading of RECIST 1.1, enough for a fake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from tests.fakes.courses import START, day_of
from trialimg.core.lesions import LesionKind, NonTargetStatus, Role, Seen
from trialimg.core.responses import (
    BestOverallResponse,
    Firing,
    NewLesionResponse,
    NonTargetResponse,
    OverallResponse,
    Sums,
    TargetResponse,
    TimepointAssessment,
)
from trialimg.core.trial import Subject, Timepoint
from trialimg.endpoints.results import BestResponse, SubjectEndpoints, TimeToEvent, TumourBurden
from trialimg.services.results import LesionResult, TimepointResult

__all__ = ["assessments_of", "endpoints_of", "target_sum"]

SETTINGS = {"confirmation": "off", "pr_hold": "recompute"}


def target_sum(lesions: Sequence[LesionResult]) -> Decimal | None:
    targets = [r.observation for r in lesions if r.role is Role.TARGET]
    if any(o.seen is Seen.NOT_EVALUABLE for o in targets):
        return None
    default = {Seen.TOO_SMALL: Decimal(5), Seen.ABSENT: Decimal(0)}
    return sum((o.diameter_mm if o.diameter_mm is not None else default[o.seen] for o in targets), Decimal(0))


def assessments_of(timepoints: list[Timepoint], lesions: list[tuple[LesionResult, ...]]) -> list[TimepointAssessment]:
    baseline_mm = target_sum(lesions[0])
    nadir_mm = baseline_mm
    found = []
    for timepoint, seen in zip(timepoints[1:], lesions[1:], strict=True):
        sums = Sums(target_sum(seen), baseline_mm, nadir_mm)
        found.append(_judge(timepoint, seen, sums))
        if sums.sum_mm is not None and nadir_mm is not None:
            nadir_mm = min(nadir_mm, sums.sum_mm)
    return found


def _judge(timepoint: Timepoint, lesions: Sequence[LesionResult], sums: Sums) -> TimepointAssessment:
    target, firing = _target(lesions, sums)
    words = [r.observation.status for r in lesions if r.role is Role.NON_TARGET]
    non_target = NonTargetResponse.NOT_APPLICABLE
    if words:
        non_target = NonTargetResponse.NON_CR_NON_PD
        if all(w is NonTargetStatus.ABSENT for w in words):
            non_target = NonTargetResponse.CR
        if NonTargetStatus.UNEQUIVOCAL_PROGRESSION in words:
            non_target = NonTargetResponse.PD
    is_new = any(r.role is Role.NEW for r in lesions)
    new_lesion = NewLesionResponse.UNEQUIVOCAL if is_new else NewLesionResponse.NO
    overall = OverallResponse(target.value)
    if is_new or non_target is NonTargetResponse.PD:
        overall = OverallResponse.PD
    elif target is TargetResponse.CR and non_target is NonTargetResponse.NON_CR_NON_PD:
        overall = OverallResponse.PR
    row = f"target {target.value}, non-target {non_target.value}, new lesion {new_lesion.value}: {overall.value}"
    rules = (firing, Firing("R-1.1/O1", row))
    return TimepointAssessment(timepoint, target, non_target, new_lesion, overall, sums, rules, SETTINGS)


def _target(lesions: Sequence[LesionResult], sums: Sums) -> tuple[TargetResponse, Firing]:
    now, base, nadir = sums.sum_mm, sums.baseline_mm, sums.nadir_mm
    if now is None or base is None or nadir is None:
        return TargetResponse.NE, Firing("R-1.1/T2", "a target lesion could not be evaluated: NE")
    if 10 * now >= 12 * nadir and now - nadir >= 5:
        return TargetResponse.PD, Firing("R-1.1/T1", f"{now} mm >= 1.2 x {nadir} mm and {now - nadir} mm >= 5 mm: PD")
    targets = [r.observation for r in lesions if r.role is Role.TARGET]
    gone = all(
        o.seen is Seen.ABSENT
        or (o.lesion.kind is LesionKind.NODAL and o.diameter_mm is not None and o.diameter_mm < 10)
        for o in targets
    )
    if gone:
        return TargetResponse.CR, Firing("R-1.1/T3", "every target is gone, every nodal target below 10 mm: CR")
    if 10 * now <= 7 * base:
        return TargetResponse.PR, Firing("R-1.1/T4", f"{now} mm <= 0.7 x {base} mm: PR")
    return TargetResponse.SD, Firing(
        "R-1.1/T5", f"{now} mm is neither PR against {base} mm nor PD against {nadir} mm: SD"
    )


def endpoints_of(subject: Subject, results: Sequence[TimepointResult]) -> SubjectEndpoints:
    followups = [(r.timepoint, r.assessment) for r in results if r.assessment]
    until_pd = []
    for timepoint, assessment in followups:
        until_pd.append((timepoint, assessment))
        if assessment.overall is OverallResponse.PD:
            break
    rank = [OverallResponse.CR, OverallResponse.PR, OverallResponse.SD, OverallResponse.PD, OverallResponse.NE]
    timepoint, best = min(until_pd, key=lambda item: rank.index(item[1].overall))
    firing = Firing("R-1.1/B1", f"best of {', '.join(a.overall.value for _, a in until_pd)}: {best.overall.value}")
    answer = BestResponse(BestOverallResponse(best.overall.value), timepoint.date, firing)
    responder = best.overall in rank[:2]
    known = [(a.sums, t) for t, a in until_pd if a.sums.sum_mm is not None]
    sums, nadir_at = min(known, key=lambda item: item[0].sum_mm or 0) if known else (None, None)
    survival = _survival(subject, until_pd)
    response_start = next((t for t, a in until_pd if a.overall in rank[:2]), None)
    return SubjectEndpoints(
        best=answer,
        confirmed=answer,
        responder=responder,
        disease_control=best.overall in rank[:3],
        burden=TumourBurden(
            sums.change_from_baseline_pct if sums else None,
            nadir_at.date if nadir_at else None,
            sums.sum_mm if sums else None,
            nadir_at.date if nadir_at else None,
        ),
        progression_free_survival=survival,
        duration_of_response=replace(survival, days=(survival.date - response_start.date).days + 1)
        if response_start
        else None,
        time_to_response=TimeToEvent(
            day_of(response_start.date), True, response_start.date, Firing("R-1.1/E3", "first CR or PR")
        )
        if response_start
        else None,
        settings=tuple(SETTINGS.items()),
    )


def _survival(subject: Subject, until_pd: Sequence[tuple[Timepoint, TimepointAssessment]]) -> TimeToEvent:
    last, assessment = until_pd[-1]
    if assessment.overall is OverallResponse.PD:
        date = last.progression_date
        return TimeToEvent(day_of(date), True, date, Firing("R-1.1/P1", f"first PD at {last.id}, first image {date}"))
    if subject.death_date:
        date = subject.death_date
        return TimeToEvent(day_of(date), True, date, Firing("R-1.1/P2", f"death on {date} without PD before"))
    adequate = [t for t, a in until_pd if a.overall is not OverallResponse.NE]
    date = adequate[-1].date if adequate else START
    return TimeToEvent(day_of(date), False, date, Firing("R-1.1/P3", f"no event; last adequate assessment {date}"))
