"""One assessor's records of one subject, from TU, TR and RS, as a course with its responses and endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from trialimg.core.errors import ReadingError
from trialimg.core.responses import CriterionAssessment, Firing, Sums
from trialimg.core.trial import Finding, Severity, Subject, Timepoint
from trialimg.criteria.registry import criterion
from trialimg.endpoints.results import SubjectEndpoints
from trialimg.endpoints.summary import summarise
from trialimg.protocol.model import Protocol
from trialimg.services.respond import judge
from trialimg.services.respond_lesions import SubjectReading
from trialimg.services.results import (
    Assessor,
    GivenResponsesCheck,
    LesionResult,
    ResponseDifference,
    SubjectResult,
    TimepointResult,
)
from trialimg.services.sdtm_responses import GivenResponse
from trialimg.services.sdtm_tables import excluded
from trialimg.services.visits import study_day

__all__ = ["ReadRecord", "ReadSummary", "checked", "summed_up", "without_records"]

_GIVEN = "RS/GIVEN"
"""Rule of a response that stands as it was given."""


@dataclass(frozen=True)
class ReadRecord:
    """What one assessor recorded of one subject."""

    subject: Subject
    assessor: Assessor
    reading: SubjectReading | None
    """None where there are no lesions that can be judged."""
    given: Sequence[GivenResponse] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is known of a timepoint beside its lesions, in the criterion's own type."""


@dataclass
class ReadSummary:
    """What a record comes to."""

    result: SubjectResult
    compared: list[tuple[GivenResponse, CriterionAssessment]] = field(default_factory=list)
    """Responses that were given, with those that the criterion derives."""
    alone: int = 0
    """Responses given for assessments without lesions."""


def summed_up(record: ReadRecord, protocol: Protocol) -> ReadSummary:
    """The responses and endpoints of one assessor's record of one subject; what is odd becomes a finding."""
    findings: list[Finding] = []
    derived = _derived(record, protocol, findings)
    findings += _sums_that_differ(record, derived)
    by_visit = _by_visit(record, derived)
    compared = [(one, found) for one in record.given if (found := by_visit.get(one.visit_number)) is not None]
    alone = len(record.given) - len(compared)
    takes_given = protocol.tables.response == "given" or not derived
    sums = _given_sums(record) if protocol.tables.sums == "given" else {n: one.sums for n, one in by_visit.items()}
    course = _given(record, by_visit, sums) if takes_given and record.given else derived
    if takes_given and record.given:
        findings += _not_given(record, derived)
    if protocol.tables.response == "derived" and record.given:
        findings += _underived(record, by_visit, bool(derived))
    baseline = _baseline(record, protocol)
    endpoints = _endpoints(record, course, baseline, protocol, findings)
    timepoints = _timepoints(record, baseline, course)
    return ReadSummary(
        SubjectResult(record.subject, timepoints, endpoints, tuple(findings), record.assessor), compared, alone
    )


def checked(summaries: Sequence[ReadSummary]) -> tuple[GivenResponsesCheck | None, tuple[Finding, ...]]:
    """How far the responses that were given are those that the criterion derives; None where none were given."""
    compared = sum(len(summary.compared) for summary in summaries)
    alone = sum(summary.alone for summary in summaries)
    if not compared and not alone:
        return None, ()
    differences, findings = [], []
    for summary in summaries:
        subject, assessor = summary.result.subject.id, summary.result.assessor
        for given, derived in summary.compared:
            if given.overall is derived.overall:
                continue
            last = derived.rule[-1] if derived.rule else Firing("", "")
            name = assessor.name if assessor else ""
            words = str(given.overall.value), str(derived.overall.value)
            at = derived.timepoint.id
            differences.append(ResponseDifference(subject, name, at, *words, last.rule, last.sentence))
            text = f"{name} gave {words[0]}, the criterion derives {words[1]} ({last.rule}: {last.sentence})"
            findings.append(Finding("response_differs", Severity.WARNING, given.where, text, subject, at))
    check = GivenResponsesCheck(compared, compared - len(differences), tuple(differences), alone)
    return check, tuple(findings)


def _derived(record: ReadRecord, protocol: Protocol, findings: list[Finding]) -> tuple[CriterionAssessment, ...]:
    """What the criterion says of the lesions; nothing where there are none, or where they contradict one another."""
    if record.reading is None:
        return ()
    wanted = criterion(protocol.response.criterion.value)
    people = {record.subject.id: record.subject}
    try:
        reading = record.reading
        facts = {(reading.subject, reading.reader): record.facts} if record.facts else None
        (judged,) = judge([reading], wanted, protocol.response.rules, facts=facts, subjects=people)
    except ReadingError as refused:
        name = record.subject.id
        findings += [excluded(fault.code, fault.where, fault.message, subject=name) for fault in refused.faults]
        return ()
    findings += judged.findings
    return judged.assessments


def _by_visit(record: ReadRecord, derived: Sequence[CriterionAssessment]) -> Mapping[float | None, CriterionAssessment]:
    numbers = record.reading.visit_numbers if record.reading is not None else {}
    return {numbers[one.timepoint.id]: one for one in derived if one.timepoint.id in numbers}


def _given_sums(record: ReadRecord) -> dict[float | None, Sums]:
    """The sums that TR gives, each with its baseline and the smallest one before it."""
    if record.reading is None:
        return {}
    numbers = [record.reading.visit_numbers[timepoint.id] for timepoint in record.reading.timepoints]
    known = {number: record.reading.sums_mm[number][1] for number in numbers if number in record.reading.sums_mm}
    baseline_mm = known.get(numbers[0])
    found: dict[float | None, Sums] = {}
    before: list[Decimal] = []
    for number in numbers:
        sum_mm = known.get(number)
        found[number] = Sums(sum_mm, baseline_mm, min(before, default=None))
        before += [sum_mm] if sum_mm is not None else []
    return found


def _sums_that_differ(record: ReadRecord, derived: Sequence[CriterionAssessment]) -> list[Finding]:
    """Recorded sums that are not those of the lesions."""
    if record.reading is None or not record.reading.sums_mm:
        return []
    findings = []
    for one in derived:
        number = record.reading.visit_numbers[one.timepoint.id]
        if number not in record.reading.sums_mm:
            continue
        (where, given_mm), own_mm = record.reading.sums_mm[number], one.sums.sum_mm
        if given_mm == own_mm:
            continue
        own = "no sum: not every target was measured" if own_mm is None else f"a sum of {own_mm} mm"
        text = f"TR gives a sum of {given_mm} mm, the lesions come to {own}"
        name = record.subject.id
        findings.append(Finding("sum_differs", Severity.WARNING, where, text, name, one.timepoint.id))
    return findings


def _given(
    record: ReadRecord,
    by_visit: Mapping[float | None, CriterionAssessment],
    sums: Mapping[float | None, Sums],
) -> tuple[CriterionAssessment, ...]:
    """The responses of RS, with the sums that their lesions come to; a visit's later responses have no sum of it."""
    course: list[CriterionAssessment] = []
    used: set[str] = set()
    nothing = Sums(None, None, None)
    for order, one in enumerate(record.given, start=1):
        found = by_visit.get(one.visit_number)
        name = found.timepoint.id if found is not None else one.visit
        if name in used:
            found, name = None, f"{name} ({one.date})"
        used.add(name)
        said = f"{one.overall.value}, as {record.assessor.name} gave it ({one.where})"
        course.append(
            CriterionAssessment(
                Timepoint(name, order, one.date),
                one.target,
                one.non_target,
                one.new_lesion,
                one.overall,
                sums.get(one.visit_number, nothing) if found is not None else nothing,
                (Firing(_GIVEN, said),),
            )
        )
    return tuple(course)


def _not_given(record: ReadRecord, derived: Sequence[CriterionAssessment]) -> list[Finding]:
    """Visits with lesions for which nobody gave a response."""
    numbers = record.reading.visit_numbers if record.reading is not None else {}
    given = {one.visit_number for one in record.given}
    name, who = record.subject.id, record.assessor.name
    return [
        excluded(
            "no_response_given", f"{name} {who} {one.timepoint.id}",
            f"lesions were measured at {one.timepoint.id}, but RS has no usable response; the visit is left out",
            subject=name, timepoint=one.timepoint.id,
        )
        for one in derived
        if numbers.get(one.timepoint.id) not in given
    ]  # fmt: skip


def _underived(
    record: ReadRecord, by_visit: Mapping[float | None, CriterionAssessment], has_lesions: bool
) -> list[Finding]:
    """Responses that were given, and that no lesions say anything about."""
    name, who = record.subject.id, record.assessor.name
    if not has_lesions:
        text = f"{who} recorded no lesions that can be judged; the responses stand as RS gives them"
        return [Finding("response_as_given", Severity.WARNING, f"{name} {who}", text, name)]
    return [
        excluded("response_without_lesions", one.where, f"{one.overall.value} at {one.visit}, where TR has no lesions",
                 subject=name, timepoint=one.visit)
        for one in record.given
        if one.visit_number not in by_visit
    ]  # fmt: skip


def _baseline(record: ReadRecord, protocol: Protocol) -> Timepoint | None:
    """The baseline that was read; where there are responses alone, one on day 1 is taken as given."""
    if record.reading is not None:
        return record.reading.timepoints[0]
    start = record.subject.reference_date
    return Timepoint(protocol.schedule.baseline.id, 0, start) if start is not None and record.given else None


def _endpoints(
    record: ReadRecord,
    course: Sequence[CriterionAssessment],
    baseline: Timepoint | None,
    protocol: Protocol,
    findings: list[Finding],
) -> SubjectEndpoints | None:
    if baseline is None:
        return None
    try:
        return summarise(record.subject, course, baseline=baseline, settings=protocol.endpoints.settings)
    except ReadingError as refused:
        name = record.subject.id
        findings += [
            excluded(fault.code, f"{name} {fault.where}", fault.message, subject=name) for fault in refused.faults
        ]
        return None


def _timepoints(
    record: ReadRecord, baseline: Timepoint | None, course: Sequence[CriterionAssessment]
) -> tuple[TimepointResult, ...]:
    start = record.subject.reference_date

    def day(timepoint: Timepoint) -> int | None:
        return study_day(timepoint.date, start) if start is not None else None

    if baseline is None:
        return ()
    first_mm = next((one.sums.baseline_mm for one in course if one.sums.baseline_mm is not None), None)
    if first_mm is None:
        first_mm = _baseline_sum(record)
    return (
        TimepointResult(baseline, day(baseline), None, _lesions(record, baseline.id), first_mm),
        *(TimepointResult(a.timepoint, day(a.timepoint), a, _lesions(record, a.timepoint.id)) for a in course),
    )


def _baseline_sum(record: ReadRecord) -> Decimal | None:
    """The sum of the targets at baseline where no later assessment states it; None where one was not measured."""
    if record.reading is None:
        return None
    targets = [lesion for lesion in _lesions(record, record.reading.timepoints[0].id) if lesion.role.value == "target"]
    sizes = [lesion.observation.diameter_mm for lesion in targets]
    known = [size for size in sizes if size is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(sizes) else None


def _lesions(record: ReadRecord, timepoint: str) -> tuple[LesionResult, ...]:
    if record.reading is None:
        return ()
    found = []
    for track, designation in zip(record.reading.tracks, record.reading.designations, strict=True):
        seen = track.at(timepoint)
        if seen is not None:
            volume = seen.quantities.volume_ml
            ml = float(volume) if volume is not None else None
            found.append(LesionResult(seen, designation.role, "", None, 1, ml, None))
    return tuple(found)


def without_records(subject: Subject, assessor: Assessor | None = None) -> SubjectResult:
    """A subject of whom nobody recorded anything that counts."""
    text = "no record that counts: no response can be judged"
    finding = Finding("no_baseline", Severity.EXCLUDED, subject.id, text, subject.id)
    return replace(SubjectResult(subject, (), None, (finding,)), assessor=assessor)
