"""From what was found of each lesion to the responses and endpoints of a subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from trialimg.core.errors import ProtocolError
from trialimg.core.lesions import Designation, Role, Track
from trialimg.core.responses import CriterionAssessment
from trialimg.core.trial import Finding, Severity, Subject, Timepoint
from trialimg.criteria.recist11 import BaselineTarget
from trialimg.criteria.registry import criterion
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.settings import PlannedVisit
from trialimg.endpoints.summary import summarise
from trialimg.protocol.model import Protocol
from trialimg.services.results import LesionResult
from trialimg.services.visits import Schedule

__all__ = ["Response", "require_built", "respond", "schedule"]

READER = "software"
"""Who the pipeline's readings are by, until a person reads."""


_NOT_IN_IMAGES: Mapping[str, str] = MappingProxyType(
    {
        "pcwg3": "the counts of the bone scan and PSA (bone_lesions, bone_new, psa_ng_ml)",
        "gcig": "CA-125 (ca125)",
    }
)
_NOT_MEASURED: Mapping[str, str] = MappingProxyType(
    {"percist": "SULpeak of every lesion and of the liver", "eortc_pet": "the uptake of every lesion"}
)
_AS_OUTLINED = "the regions were measured as they are outlined, and whether they {0} was not looked at"
_NOT_LOOKED_AT: Mapping[str, str] = MappingProxyType(
    {
        "mrecist": _AS_OUTLINED.format("take up contrast in the arterial phase"),
        **dict.fromkeys(("rano2", "rano2010", "rano_lgg", "rano_bm"), _AS_OUTLINED.format("take up contrast")),
        **dict.fromkeys(("choi", "mchoi"), _AS_OUTLINED.format("were scanned in the portal venous phase")),
    }
)


@dataclass(frozen=True)
class Response:
    """A subject's assessments and endpoints; none of either without a usable baseline."""

    assessments: tuple[CriterionAssessment, ...] = ()
    baseline_sum_mm: Decimal | None = None
    endpoints: SubjectEndpoints | None = None
    findings: tuple[Finding, ...] = ()

    def at(self, timepoint_id: str) -> CriterionAssessment | None:
        """The assessment of a follow-up; None for baseline."""
        return next((a for a in self.assessments if a.timepoint.id == timepoint_id), None)


def require_built(protocol: Protocol, *, assessments: bool = False) -> None:
    """Refuse a protocol whose criterion needs what neither the images nor the tables beside them give.

    Parameters
    ----------
    assessments
        There is an ``assessments.csv`` beside the images.

    Raises
    ------
    ProtocolError
        Names what is missing.
    """
    name = protocol.response.criterion.value
    if name in _NOT_MEASURED:
        raise ProtocolError(
            f"response.criterion {name} needs {_NOT_MEASURED[name]}, which a run does not measure; give it in a table "
            "to `trialimg respond timepoint`. The protocol is valid and can be checked and shown"
        )
    if name in _NOT_IN_IMAGES and not assessments:
        raise ProtocolError(
            f"response.criterion {name} needs {_NOT_IN_IMAGES[name]}, which images do not show; put it into "
            "assessments.csv beside them. The protocol is valid and can be checked and shown"
        )


def respond(
    subject: Subject,
    timepoints: Sequence[Timepoint],
    lesions: Sequence[Sequence[LesionResult]],
    protocol: Protocol,
    *,
    slice_thickness_mm: Mapping[str, Decimal],
    facts: Mapping[str, Any] | None = None,
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
    facts
        What is known of a timepoint beside its lesions, by timepoint id, in the criterion's own type.
    """
    if not timepoints or timepoints[0].order != 0:
        return _without(subject, "no_baseline", "no images in the baseline window: no response can be judged")
    if not lesions[0]:
        return _without(subject, "no_baseline_lesion", "nobody marked a lesion at baseline: no response can be judged")
    tracks, designations = _tracks(lesions)
    wanted, rules = criterion(protocol.response.criterion.value), protocol.response.rules
    assessments = wanted.assess(tracks, designations, timepoints, rules, facts=facts or {})
    endpoints = summarise(subject, assessments, baseline=timepoints[0], settings=protocol.endpoints.settings)
    targets = [
        BaselineTarget(result.observation, slice_thickness_mm.get(result.series_uid))
        for result in lesions[0]
        if result.role is Role.TARGET
    ]
    others = [result.observation for result in lesions[0] if result.role is Role.NON_TARGET]
    findings = wanted.conformance(
        subject.id, targets, timepoints[0], start_date=subject.reference_date, rules=rules, non_targets=others
    )
    baseline_sum = assessments[0].sums.baseline_mm if assessments else None
    return Response(assessments, baseline_sum, endpoints, (*findings, *_not_looked_at(subject, wanted.name)))


def _not_looked_at(subject: Subject, name: str) -> tuple[Finding, ...]:
    """What the criterion asks of a lesion and the software cannot tell."""
    text = _NOT_LOOKED_AT.get(name)
    return () if text is None else (Finding("not_looked_at", Severity.INFO, subject.id, f"{name}: {text}", subject.id),)


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
