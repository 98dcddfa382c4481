"""The final reads of a trial's records, put in place of a run's own read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.digest import plain
from trialimg.core.errors import ReadingError
from trialimg.core.lesions import LesionKind, Role, Seen
from trialimg.core.reading import CaseKind, Seat, Stage
from trialimg.core.trial import Timepoint
from trialimg.endpoints.summary import summarise
from trialimg.protocol.model import Protocol, full
from trialimg.services.cdisc.course import Assessment, Course, Evaluator, Finding, Read, Study, StudyVisit
from trialimg.services.cdisc.from_results import endpoints_of, overall_responses
from trialimg.services.cdisc.labels import lesion_labels
from trialimg.services.cdisc.visit_numbers import VisitNumbers
from trialimg.services.journal import Records
from trialimg.services.other_censoring import with_other_censoring
from trialimg.services.ports import Transaction
from trialimg.services.reading_answer import criterion_of
from trialimg.services.reading_content import Written
from trialimg.services.reading_file import CASE, CaseFile, load_case
from trialimg.services.records import Place, RecordVersion
from trialimg.services.respond import judge

__all__ = ["final_reads_within", "with_final_reads"]

_EVALUATORS = {
    Seat.FIRST.value: Evaluator("R1", role="RADIOLOGIST 1"),
    Seat.SECOND.value: Evaluator("R2", role="RADIOLOGIST 2"),
}
_VERDICT = "verdict"
"""What a result is by where an adjudicator chose it; two readers who agree afterwards endorse nobody."""
_QUANTITIES = {"short_mm": "LPERP", "volume_ml": "VOLUME", "mean_hu": "RADIODEN", "sul_peak": "SULPEAK"}


def with_final_reads(study: Study, records: Records, actor: Actor, trial: str) -> Study:
    """The study with both readers' signed reads of every final efficacy case; a subject without one has no read.

    Raises
    ------
    AccessError
        If this person may not see the cohort.
    ReadingError
        If no case is final, or one is of a subject that the run does not know.
    """
    with records.look(actor, Action.VIEW_COHORT, trial=trial) as transaction:
        return final_reads_within(transaction, study, trial)


def final_reads_within(
    transaction: Transaction, study: Study, trial: str, *, only: Collection[str] | None = None
) -> Study:
    """The same within a look at the records.

    Parameters
    ----------
    only
        Ids of the cases that are taken, such as those of a data cut; None: every final one.

    Raises
    ------
    ReadingError
        As for `with_final_reads`.
    """
    final = transaction.find(CASE, Place(trial=trial, state=Stage.FINAL.value))
    files = [load_case(transaction, one.id) for one in final if only is None or one.id in only]
    cases = {file.body["subject"]: file for file in files if file.body["kind"] == CaseKind.EFFICACY.value}
    strangers = sorted(cases.keys() - {course.subject.id for course in study.courses})
    if strangers or not cases:
        why = f"the run knows no {', '.join(strangers)}" if strangers else "no case is final yet"
        raise ReadingError(f"{trial}: {why}; give the run that the cases were made from")
    courses = tuple(_course(course, cases.get(course.subject.id)) for course in study.courses)
    return replace(study, courses=courses, is_signed=True)


def _course(course: Course, file: CaseFile | None) -> Course:
    if file is None or file.body["result"] is None:
        return Course(course.subject, (), None)
    accepted = file.body["result"]["read"]
    made = [(_read(file, seat, version, is_accepted=version.id == accepted), version) for seat, version in _reads(file)]
    chosen = next(((read, version) for read, version in made if read.is_accepted), None)
    if chosen is None:
        raise ReadingError(f"{file.id}: the read that its result names is not there")
    endpoints = _endpoints(course, file, *chosen)
    settled_by = file.body["result"]["by"]
    verdict = file.verdicts[-1].body if file.verdicts and settled_by == _VERDICT else None
    why = str(verdict["because"]["code"]).replace("_", " ").upper() if verdict else ""
    endorsed = (chosen[0].by.role, why) if verdict else None
    return Course(course.subject, tuple(read for read, _ in made), endpoints, endorsed)


def _reads(file: CaseFile) -> Iterator[tuple[str, RecordVersion]]:
    """The signed reads that decide, first seat first; a repeat decides nothing."""
    for name, assignment in sorted(file.assignments.items()):
        read, seat = file.reads.get(name), assignment.body["seat"]
        if read is not None and not assignment.body["repeat"] and seat in _EVALUATORS and read.place.state == "signed":
            yield seat, read


def _read(file: CaseFile, seat: str, version: RecordVersion, *, is_accepted: bool) -> Read:
    body, by = version.body, _EVALUATORS[seat]
    visits = VisitNumbers.of(full(file.protocol)["schedule"])
    numbers = visits.number([timepoint.id for timepoint in file.timepoints])
    entries = body["timepoints"]
    said = [lesion for timepoint in file.timepoints for lesion in entries.get(timepoint.id, {}).get("lesions", ())]
    labels = lesion_labels((one["lesion"], one["lesion"], Role(one["role"]), one["split_from"]) for one in said)
    answers = {one["timepoint"]["id"]: one for one in body["answer"]["timepoints"]}
    assessments = tuple(
        _assessment(visit, timepoint, entries.get(timepoint.id, {}), answers.get(timepoint.id), labels)
        for visit, timepoint in zip(numbers, file.timepoints, strict=True)
        if timepoint.id in entries
    )
    first = next((one for one in body["answer"]["timepoints"]), None)
    baseline_mm = _number(first["sums"]["baseline_mm"]) if first else None
    return Read(by, is_accepted, (replace(assessments[0], sum_mm=baseline_mm), *assessments[1:]))


def _assessment(
    visit: StudyVisit,
    timepoint: Timepoint,
    entry: Mapping[str, Any],
    answer: Mapping[str, Any] | None,
    labels: Mapping[str, str],
) -> Assessment:
    lesions = tuple(_finding(one, labels) for one in entry.get("lesions", ()))
    rule = answer["rule"][-1]["rule"] if answer and answer["rule"] else ""
    sum_mm = _number(answer["sums"]["sum_mm"]) if answer else None
    first: dt.date = timepoint.first_date or timepoint.date
    return Assessment(visit, timepoint.date, first, lesions, sum_mm, overall_responses(answer), rule)


def _finding(one: Mapping[str, Any], labels: Mapping[str, str]) -> Finding:
    return Finding(
        label=labels[one["lesion"]],
        role=Role(one["role"]),
        kind=LesionKind(one["kind"]),
        organ=one["organ"],
        seen=Seen(one["seen"]),
        diameter_mm=_number(one["diameter_mm"]),
        status=one["status"] if one["status"] != "not_evaluable" else "",
        reason=one["reason"],
        image=one.get("evidence", {}).get("series_uid", ""),
        split_from=labels.get(one["split_from"], ""),
        merged_into=labels.get(one["merged_into"], ""),
        lesion_id=one["lesion"],
        quantities={test: value for name, test in _QUANTITIES.items() if (value := _number(one[name])) is not None},
    )


def _endpoints(course: Course, file: CaseFile, read: Read, version: RecordVersion) -> Any:
    """The endpoints of the accepted read, with the dates of the subject that readers never see."""
    protocol: Protocol = file.protocol
    written = Written(file.body["code"], file.timepoints, version.body["timepoints"])
    reading, _ = written.read()
    if reading is None:
        raise ReadingError(f"{version.id}: this signed read cannot be read any more")
    rules = criterion_of(protocol)
    facts, _ = written.facts(rules)
    judged = judge([reading], rules, protocol.response.rules, facts={(written.name, ""): facts})[0]
    own = protocol.endpoints.settings
    found, other = (
        summarise(course.subject, judged.assessments, baseline=file.timepoints[0], settings=settings)
        for settings in (own, with_other_censoring(own))
    )
    return endpoints_of(plain(found), read, other)


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None
