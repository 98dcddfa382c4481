"""The results of a central review: the signed final reads of the records in the place of a run's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trialimg.core.access import Action, Actor, Role
from trialimg.core.errors import ReadingError
from trialimg.core.provenance import Provenance
from trialimg.core.reading import CaseKind, Seat, Stage
from trialimg.core.trial import Finding, Severity, Subject
from trialimg.protocol.model import Protocol, full, protocol_digest
from trialimg.services.cohort import compare_arms
from trialimg.services.cohort_analyses import cohort_analyses
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reading_answer import criterion_of
from trialimg.services.reading_content import Written
from trialimg.services.reading_file import CASE, CaseFile, load_case, protocol_in_force
from trialimg.services.records import Place, RecordVersion
from trialimg.services.results import NO_FINAL_READ, Assessor, SubjectResult, TrialResult
from trialimg.services.sdtm_reads import ReadRecord, summed_up
from trialimg.services.signatures import signature_of
from trialimg.services.trials import require_trial
from trialimg.services.trials_data_cut import intact_cut

__all__ = ["NO_CUT", "CaseRead", "CaseRecord", "CaseSignature", "case_record", "review_result"]

NO_CUT = "none: every final case"
"""What stands as the data cut of a report that took none."""
_ROLES = {Seat.FIRST.value: "RADIOLOGIST 1", Seat.SECOND.value: "RADIOLOGIST 2"}
_EVALUATOR = "INDEPENDENT ASSESSOR"
_OF_LESIONS = ("target_", "non_target_", "too_many_targets", "not_disease", "no_baseline_lesion", "not_looked_at")
"""Beginnings of the codes of findings about lesions: a run's own are of its read, not of the readers'."""
_NOT_FINAL = "the case is not final, or not in the data cut: it counts as a non-responder"
_OF_ARMS = "unknown_arm"


@dataclass(frozen=True)
class CaseRead:
    """One read of a case, by its seat; never by a person's name."""

    role: str
    best: str
    progression: str
    state: str
    counts: bool


@dataclass(frozen=True)
class CaseSignature:
    """Who signed what, when, and what it means."""

    under: str
    name: str
    at: str
    meaning: str
    void: str


@dataclass(frozen=True)
class CaseRecord:
    """What the records say of one case beside its lesions."""

    reads: tuple[CaseRead, ...]
    verdict: str
    """Which read was chosen, and why; empty where nobody had to choose."""
    signatures: tuple[CaseSignature, ...]


def review_result(
    result: TrialResult, records: Records, actor: Actor, trial: str, *, cut: str | None = None
) -> TrialResult:
    """The results of a run with the signed reads of every final efficacy case in the place of its own.

    A subject whose case is not final has no read. Somebody to whom the trial is blinded gets everybody as one group.

    Parameters
    ----------
    cut
        Name of a data cut: only the cases that it locked, and they must be as they were locked. None: all final ones.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports.
    ReadingError
        If no case is final, one is of a subject that the run does not know, or the records of the cut have moved.
    """
    with records.look(actor, Action.VIEW_REPORTS, trial=trial) as transaction:
        protocol = protocol_in_force(transaction, trial)
        locked = _locked(transaction, trial, cut) if cut is not None else None
        found = (file for file in _final(transaction, trial) if locked is None or file.id in locked[1])
        cases = {file.body["subject"]: file for file in found}
        is_pooled = actor.role is Role.SPONSOR and bool(require_trial(transaction, trial).body["blinded"])
    strangers = sorted(cases.keys() - {one.subject.id for one in result.subjects})
    if strangers or not cases:
        why = f"the run knows no {', '.join(strangers)}" if strangers else "no case is final yet"
        raise ReadingError(f"{trial}: {why}; give the run that the cases were made from")
    people = [replace(one.subject, arm="") if is_pooled else one.subject for one in result.subjects]
    reads = [_reads(person, cases.get(person.id), protocol) for person in people]
    subjects = tuple(counts for counts, _ in reads)
    further = tuple(one for _, others in reads for one in others)
    plan = _pooled(protocol) if is_pooled else protocol
    return TrialResult(
        result.trial,
        result.title,
        protocol.response.criterion.value,
        full(protocol),
        protocol_digest(protocol),
        subjects,
        compare_arms(subjects, plan.arms, plan.statistics),
        (*_of_images(result, may_name_arms=not is_pooled), *(found for one in subjects for found in one.findings)),
        None,
        _provenance(result, protocol, cut, locked[0] if locked is not None else ""),
        further,
        analyses=cohort_analyses(subjects, further, {}, plan),
    )


def _of_images(run: TrialResult, *, may_name_arms: bool) -> Iterator[Finding]:
    """What the run found of images, visits and dates; a review of the same images has them too."""
    for finding in run.findings:
        is_shown = may_name_arms or finding.code != _OF_ARMS
        if is_shown and not finding.code.startswith(_OF_LESIONS):
            yield finding


def _locked(transaction: Transaction, trial: str, cut: str) -> tuple[str, frozenset[str]]:
    """The hash of a data cut and its cases, where they are still as they were locked."""
    version = intact_cut(transaction, trial, cut)
    return str(version.body["hash"]), frozenset(case["case"] for case in version.body["cases"])


def _provenance(result: TrialResult, protocol: Protocol, cut: str | None, digest: str) -> Provenance:
    parameters = {"protocol": protocol.digest, "data_cut": cut or NO_CUT, "hash": digest}
    return Provenance("trialimg report --trial", parameters, {}, result.provenance.software, "")


def _pooled(protocol: Protocol) -> Protocol:
    """The same protocol without a comparison of arms."""
    statistics = protocol.statistics.model_copy(update={"compare_arms": (), "control_arm": ""})
    return protocol.model_copy(update={"statistics": statistics, "arms": ()})


def _final(transaction: Transaction, trial: str) -> Iterator[CaseFile]:
    for one in transaction.find(CASE, Place(trial, state=Stage.FINAL.value)):
        file = load_case(transaction, one.id)
        if file.body["kind"] == CaseKind.EFFICACY.value:
            yield file


def _reads(
    subject: Subject, file: CaseFile | None, protocol: Protocol
) -> tuple[SubjectResult, tuple[SubjectResult, ...]]:
    """The read that counts, and the other reader's."""
    if file is None or file.body["result"] is None:
        why = Finding(NO_FINAL_READ, Severity.INFO, subject.id, _NOT_FINAL, subject.id)
        return SubjectResult(subject, (), None, (why,)), ()
    accepted = file.body["result"]["read"]
    made = [
        (version.id == accepted, _summed(subject, file, role, version, protocol)) for role, version in _signed(file)
    ]
    counts = next((one for is_accepted, one in made if is_accepted), None)
    if counts is None:
        raise ReadingError(f"{file.id}: the read that its result names is not there")
    return counts, tuple(one for is_accepted, one in made if not is_accepted)


def _signed(file: CaseFile) -> Iterator[tuple[str, RecordVersion]]:
    """The signed reads that decide, first seat first; a repeat decides nothing."""
    for name, assignment in sorted(file.assignments.items()):
        read, seat = file.reads.get(name), assignment.body["seat"]
        if read is not None and not assignment.body["repeat"] and seat in _ROLES and read.place.state == "signed":
            yield _ROLES[seat], read


def _summed(subject: Subject, file: CaseFile, role: str, version: RecordVersion, protocol: Protocol) -> SubjectResult:
    written = Written(subject.id, file.timepoints, version.body["timepoints"])
    reading, faults = written.read()
    if reading is None:
        raise ReadingError(f"{version.id}: this signed read cannot be read any more", tuple(faults))
    facts, _ = written.facts(criterion_of(protocol))
    return summed_up(ReadRecord(subject, Assessor(_EVALUATOR, role), reading, facts=facts), protocol).result


def case_record(records: Records, actor: Actor, trial: str, subject: str) -> CaseRecord | None:
    """The reads, the verdict and the signatures of a subject's final case; None where it is not final.

    Raises
    ------
    AccessError
        If the actor may not see the trial's reports.
    """
    with records.look(actor, Action.VIEW_REPORTS, trial=trial) as transaction:
        file = next((one for one in _final(transaction, trial) if one.body["subject"] == subject), None)
        if file is None:
            return None
        accepted = (file.body["result"] or {}).get("read")
        reads = tuple(_case_read(role, version, counts=version.id == accepted) for role, version in _signed(file))
        signatures = _signatures(transaction, file, is_named=actor.role is not Role.SPONSOR)
        return CaseRecord(reads, _verdict(file), tuple(signatures))


def _case_read(role: str, version: RecordVersion, *, counts: bool) -> CaseRead:
    said: Mapping[str, Any] = version.body["answer"]["compared"]
    return CaseRead(
        role.capitalize(), said["best_response"], said["progression_date"] or "", version.place.state, counts
    )


def _verdict(file: CaseFile) -> str:
    if not file.verdicts:
        return ""
    body = file.verdicts[-1].body
    because = body["because"]
    code = str(because.get("code", "")).replace("_", " ")
    return ": ".join(part for part in (code, str(because.get("text", ""))) if part)


def _signatures(transaction: Transaction, file: CaseFile, *, is_named: bool) -> Iterator[CaseSignature]:
    """Under the reads and the verdicts of the case; a sponsor learns no reader's name."""
    named = [(role.capitalize(), version) for role, version in _signed(file)]
    named += [("Adjudication", version) for version in file.verdicts]
    for under, version in named:
        found = signature_of(transaction, version)
        if found is not None:
            name = found.printed_name if is_named else "not shown to the sponsor"
            yield CaseSignature(under, name, found.at, found.meaning, found.void)
