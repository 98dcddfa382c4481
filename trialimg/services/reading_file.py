"""Everything that is kept of one case, as one value: the case, who sits where, the reads that stand, the verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from trialimg.core.errors import ReadingError
from trialimg.core.reading import CaseKind, Reader, ReadStage, Seat, Stage
from trialimg.core.trial import Timepoint
from trialimg.protocol.load import read_protocol
from trialimg.protocol.model import Protocol
from trialimg.review.answers import ChosenLesion, ReadAnswer
from trialimg.review.case_review import CaseReview, steps_of
from trialimg.review.design import Disclosure, ReadingDesign
from trialimg.review.read_review import ReadReview
from trialimg.services.journal import Journal
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion
from trialimg.services.trials import PROTOCOL, protocol_of

__all__ = [
    "ASSIGNMENT",
    "CASE",
    "DEVICE_SEAT",
    "READ",
    "VERDICT",
    "CaseFile",
    "answer_of",
    "case_id",
    "load_case",
    "protocol_in_force",
    "protocol_under",
    "read_id",
    "review_timepoints",
    "write_case",
]

CASE = "case"
"""Kind of a record: one subject's imaging, as it is read. Its state is a `trialimg.core.reading.Stage`."""
ASSIGNMENT = "assignment"
"""Kind of a record: a seat of a case and who sits there; assigned, in_progress, locked, signed or revoked."""
READ = "read"
"""Kind of a record: what one reader said. Its state is a `trialimg.core.reading.ReadStage`."""
VERDICT = "verdict"
"""Kind of a record: which of two reads was chosen, by whom; signed, or superseded."""

DEVICE_SEAT = "device"
_REPEAT = "repeat"


def case_id(trial: str, code: str) -> str:
    """The id of a case record."""
    return f"{trial}/{code}"


def read_id(assignment: str, number: int) -> str:
    """The id of a read: that of its assignment, and from the first correction on its number."""
    return assignment if number == 1 else f"{assignment}/{number}"


@dataclass(frozen=True)
class CaseFile:
    """A case with everything that stands in it now."""

    record: RecordVersion
    protocol: Protocol
    assignments: Mapping[str, RecordVersion]
    """By id; those that were revoked are left out."""
    reads: Mapping[str, RecordVersion]
    """The read that stands, by id of its assignment; none before the reader has kept anything."""
    verdicts: tuple[RecordVersion, ...]
    review: CaseReview

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def body(self) -> Mapping[str, Any]:
        return self.record.body

    @property
    def trial(self) -> str:
        return self.record.place.trial

    @property
    def timepoints(self) -> tuple[Timepoint, ...]:
        return review_timepoints(self.body)

    def seat(self, seat: Seat) -> RecordVersion | None:
        """Who sits in a seat; None where it is free."""
        return self.assignments.get(f"{self.id}/{seat.value}")

    def of_seat(self, assignment: RecordVersion) -> CaseReview:
        """The case as the holder of an assignment moves it, under the name that they know it by.

        A repeat is a case of its own that decides nothing.
        """
        named = replace(self.review, id=assignment.body["alias"])
        if not assignment.body["repeat"]:
            return named
        design = _alone(self.review.design)
        review = replace(named, design=design, reads={}, adjudicator="", choices={})
        return replace(review, reads={Seat.FIRST: _read_review(review, assignment, self.reads.get(assignment.id), "")})


def review_timepoints(body: Mapping[str, Any]) -> tuple[Timepoint, ...]:
    """The timepoints of a case record, baseline first, then by date."""
    return tuple(
        Timepoint(
            one["id"],
            order,
            date.fromisoformat(one["date"]),
            date.fromisoformat(one["first_date"]) if one["first_date"] else None,
        )
        for order, one in enumerate(body["timepoints"])
    )


def load_case(transaction: Transaction, key: str) -> CaseFile:
    """The case of an id.

    Raises
    ------
    ReadingError
        If there is none.
    """
    record = transaction.current(CASE, key)
    if record is None:
        raise ReadingError(f"there is no case {key}; `trialimg review receive` brings it in")
    place = Place(trial=record.place.trial, case=key)
    found = {one.id: one for one in transaction.find(ASSIGNMENT, place)}
    sitting = {name: one for name, one in found.items() if one.place.state != "revoked"}
    reads = {
        name: read
        for name, one in sitting.items()
        if (read := transaction.current(READ, read_id(name, one.body["number"]))) is not None
    }
    verdicts = tuple(one for one in transaction.find(VERDICT, place) if one.place.state == "signed")
    protocol = protocol_under(transaction, record.place.trial, record.body["protocol_digest"])
    former = frozenset(body["reader"] for name in found for body in _bodies(transaction, name))
    review = _review(record, protocol.reading, sitting, reads, verdicts)
    present = frozenset(one.body["reader"] for one in sitting.values())
    return CaseFile(record, protocol, sitting, reads, verdicts, replace(review, barred=former - present))


def _bodies(transaction: Transaction, assignment: str) -> Iterator[Mapping[str, Any]]:
    return (version.body for version in transaction.versions(ASSIGNMENT, assignment))


def protocol_under(transaction: Transaction, trial: str, digest: str) -> Protocol:
    """The version of a trial's protocol that has a digest.

    Raises
    ------
    ReadingError
        If the trial has no such version.
    """
    for version in reversed(transaction.versions(PROTOCOL, trial)):
        if version.body["digest"] == digest:
            return _parsed(version.body["text"])
    raise ReadingError(f"{trial} has no protocol {digest}; `trialimg trial open` puts one in force")


def protocol_in_force(transaction: Transaction, trial: str) -> Protocol:
    """The protocol that a trial follows now.

    Raises
    ------
    ProtocolError
        If there is no such trial.
    """
    return _parsed(protocol_of(transaction, trial).body["text"])


@lru_cache(maxsize=8)
def _parsed(text: str) -> Protocol:
    return read_protocol(text)


def _review(
    record: RecordVersion,
    design: ReadingDesign,
    sitting: Mapping[str, RecordVersion],
    reads: Mapping[str, RecordVersion],
    verdicts: tuple[RecordVersion, ...],
) -> CaseReview:
    body = record.body
    empty = CaseReview(
        record.id,
        design,
        tuple(one["id"] for one in body["timepoints"]),
        CaseKind(body["kind"]),
        is_withdrawn=record.place.state == Stage.WITHDRAWN.value,
    )
    seated = {one.body["seat"]: one for one in sitting.values() if not one.body["repeat"]}
    adjudicator = seated.pop(Seat.ADJUDICATOR.value, None)
    return replace(
        empty,
        reads={
            Seat(seat): _read_review(empty, one, reads.get(one.id), body["reopened"].get(seat, ""))
            for seat, one in seated.items()
        },
        adjudicator=adjudicator.body["reader"] if adjudicator is not None else "",
        choices={verdict.place.person: Seat(verdict.body["chosen"]) for verdict in verdicts},
    )


def _read_review(
    case: CaseReview, assignment: RecordVersion, read: RecordVersion | None, reopened_from: str
) -> ReadReview:
    fresh = ReadReview(
        assignment.body["alias"],
        Reader(assignment.body["reader"]),
        steps_of(case.design, case.kind, case.timepoints),
        case.design.disclosure is Disclosure.SEQUENTIAL_LOCKED,
        assignment.body["number"],
        reopened_from=reopened_from,
    )
    if read is None:
        return fresh
    body = read.body
    answer = answer_of(body["answer"]["compared"]) if body["answer"] is not None else None
    return replace(fresh, locked=tuple(body["locked"]), stage=ReadStage(read.place.state), answer=answer)


def _alone(design: ReadingDesign) -> ReadingDesign:
    return ReadingDesign(disclosure=design.disclosure, global_read=design.global_read)


def answer_of(compared: Mapping[str, Any]) -> ReadAnswer:
    """What a kept read comes to, in the words that two reads are compared by."""

    def day(name: str) -> date | None:
        return date.fromisoformat(compared[name]) if compared[name] else None

    return ReadAnswer(
        compared["best_response"],
        tuple((at, word) for at, word in compared["responses"]),
        day("progression_date"),
        day("response_date"),
        tuple(_chosen(one) for one in compared["targets"]),
        compared["evaluable"],
        compared["conclusion"],
    )


def _chosen(one: Mapping[str, Any]) -> ChosenLesion:
    diameter = Decimal(one["diameter_mm"]) if one["diameter_mm"] else None
    centre = tuple(Decimal(c) for c in one["centre_lps_mm"]) if one["centre_lps_mm"] else None
    return ChosenLesion(one["name"], one["organ"], one["kind"], diameter, centre)  # type: ignore[arg-type]


def write_case(
    journal: Journal, file: CaseFile, review: CaseReview, *, action: str, reason: str = "", **changes: object
) -> RecordVersion:
    """Keep the case as a step has left it."""
    reopened = {seat.value: read.reopened_from for seat, read in review.reads.items() if read.reopened_from}
    body = {**file.body, "reopened": reopened, **changes}
    place = Place(trial=file.trial, case=file.id, state=review.stage.value)
    return journal.write(CASE, file.id, body, action=action, place=place, reason=reason)
