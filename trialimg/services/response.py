"""From what was found of each lesion to the responses and endpoints of a subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.errors import ProtocolError
from trialimg.core.lesions import Designation, Role, Track
from trialimg.core.responses import TimepointAssessment
from trialimg.core.trial import Finding, Severity, Subject, Timepoint
from trialimg.criteria import recist11
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.settings import PlannedVisit
from trialimg.endpoints.summary import summarise
from trialimg.protocol.criteria import Criterion
from trialimg.protocol.model import Protocol
from trialimg.services.results import LesionResult
from trialimg.services.visits import Schedule

__all__ = ["Response", "require_built", "respond", "schedule"]

READER = "software"
"""Who the pipeline's readings are by, until a person reads."""


@dataclass(frozen=True)
class Response:
    """A subject's assessments and endpoints; none of either without a usable baseline."""

    assessments: tuple[TimepointAssessment, ...] = ()
    baseline_sum_mm: Decimal | None = None
    endpoints: SubjectEndpoints | None = None
    findings: tuple[Finding, ...] = ()

    def at(self, timepoint_id: str) -> TimepointAssessment | None:
        """The assessment of a follow-up; None for baseline."""
        return next((a for a in self.assessments if a.timepoint.id == timepoint_id), None)


def require_built(protocol: Protocol) -> None:
    """Refuse a protocol whose criterion this release cannot follow.

    Raises
    ------
    ProtocolError
        Names the criterion.
    """
    criterion = protocol.response.criterion
    if criterion is not Criterion.RECIST_1_1:
        raise ProtocolError(
            f"response.criterion {criterion.value}: this release runs {Criterion.RECIST_1_1.value} from images only; "
            "the protocol is valid and can be checked and shown"
        )


def respond(
    subject: Subject,
    timepoints: Sequence[Timepoint],
    lesions: Sequence[Sequence[LesionResult]],
    protocol: Protocol,
    *,
    slice_thickness_mm: Mapping[str, Decimal],
) -> Response:
    """Judge every follow-up and sum the subject up.

    Parameters
    ----------
    timepoints
        Baseline first (order 0), then by date.
    lesions
        What was found at each of them, in the same order.
    slice_thickness_mm
        Of each series that states it, by series UID.
    """
    if not timepoints or timepoints[0].order != 0:
        return _without(subject, "no_baseline", "no images in the baseline window: no response can be judged")
    if not lesions[0]:
        return _without(subject, "no_baseline_lesion", "nobody marked a lesion at baseline: no response can be judged")
    tracks, designations = _tracks(lesions)
    rules = protocol.response.rules
    assessments = recist11.assess(tracks, designations, timepoints, rules)
    endpoints = summarise(subject, assessments, baseline=timepoints[0], settings=protocol.endpoints.settings)
    targets = [
        recist11.BaselineTarget(result.observation, slice_thickness_mm.get(result.series_uid))
        for result in lesions[0]
        if result.role is Role.TARGET
    ]
    conformance = recist11.conformance(
        subject.id, targets, timepoints[0], start_date=subject.reference_date, rules=rules
    )
    baseline_sum = assessments[0].sums.baseline_mm if assessments else None
    return Response(assessments, baseline_sum, endpoints, conformance)


def schedule(protocol: Protocol) -> Schedule:
    """The protocol's visits as study days."""
    baseline = protocol.schedule.baseline
    first, last = baseline.window_days
    return Schedule(PlannedVisit(baseline.id, last, first, last), protocol.endpoints.settings.schedule)


def _without(subject: Subject, code: str, message: str) -> Response:
    return Response(findings=(Finding(code, Severity.EXCLUDED, subject.id, message, subject.id),))


def _tracks(lesions: Sequence[Sequence[LesionResult]]) -> tuple[list[Track], list[Designation]]:
    by_lesion: dict[str, list[LesionResult]] = {}
    for seen in lesions:
        for result in seen:
            by_lesion.setdefault(result.observation.lesion.id, []).append(result)
    tracks = [Track(seen[0].observation.lesion, tuple(s.observation for s in seen)) for seen in by_lesion.values()]
    designations = [Designation(READER, seen[0].observation.lesion, seen[0].role) for seen in by_lesion.values()]
    return tracks, designations
