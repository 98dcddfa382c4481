"""Everything that is kept of one case, as one value: the case, who sits where, the reads that stand, the verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache, partial
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
from trialimg.services.records import EntryQuery, Place, RecordVersion
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
    "load_cases",
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
_REVOKED = "revoked"


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
        steps = steps_of(design, named.kind, named.timepoints)
        read = _read_review(design, steps, assignment, self.reads.get(assignment.id))
        return replace(named, design=design, reads={Seat.FIRST: read}, adjudicator="", choices={})


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
    found = tuple(transaction.find(ASSIGNMENT, place))
    reads = {
        one.id: read
        for one in found
        if one.place.state != _REVOKED
        and (read := transaction.current(READ, read_id(one.id, one.body["number"]))) is not None
    }
    former = frozenset(body["reader"] for one in found for body in _bodies(transaction, one.id))
    protocol = protocol_under(transaction, record.place.trial, record.body["protocol_digest"])
    return _file(record, protocol, found, reads, verdicts=transaction.find(VERDICT, place), former=former)


def load_cases(transaction: Transaction, trial: str, *, only: Collection[str] | None = None) -> Iterator[CaseFile]:
    """Every case of a trial as `load_case` gives it, in order of id; the records are gone through once for all of them.

    Parameters
    ----------
    only
        Ids of the cases that are wanted; None: all.
    """
    place = Place(trial=trial)
    seats: dict[str, list[RecordVersion]] = defaultdict(list)
    for one in transaction.find(ASSIGNMENT, place):
        seats[one.place.case].append(one)
    verdicts: dict[str, list[RecordVersion]] = defaultdict(list)
    for one in transaction.find(VERDICT, place):
        verdicts[one.place.case].append(one)
    kept = {one.id: one for one in transaction.find(READ, place) if only is None or one.place.case in only}
    taken_away = EntryQuery(trial=trial, action="revoke_read", object_kind=ASSIGNMENT)
    moved = {entry.object_id for entry in transaction.entries(taken_away)}
    protocol_of = cache(partial(protocol_under, transaction, trial))
    for record in transaction.find(CASE, place):
        if only is not None and record.id not in only:
            continue
        found = seats.pop(record.id, [])
        reads = {
            one.id: read
            for one in found
            if one.place.state != _REVOKED and (read := kept.pop(read_id(one.id, one.body["number"]), None)) is not None
        }
        held = frozenset(one.body["reader"] for one in found)
        left = frozenset(body["reader"] for one in found if one.id in moved for body in _bodies(transaction, one.id))
        protocol = protocol_of(record.body["protocol_digest"])
        yield _file(record, protocol, found, reads, verdicts=verdicts.pop(record.id, ()), former=held | left)


def _file(
    record: RecordVersion,
    protocol: Protocol,
    found: Iterable[RecordVersion],
    reads: Mapping[str, RecordVersion],
    *,
    verdicts: Iterable[RecordVersion],
    former: frozenset[str],
) -> CaseFile:
    """A case of its records.

    Parameters
    ----------
    former
        Everybody who sits or ever sat in one of its seats.
    """
    sitting = {one.id: one for one in found if one.place.state != _REVOKED}
    signed = tuple(one for one in verdicts if one.place.state == "signed")
    barred = former - {one.body["reader"] for one in sitting.values()}
    review = _review(record, protocol.reading, sitting, reads, verdicts=signed, barred=barred)
    return CaseFile(record, protocol, sitting, reads, signed, review)


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
    *,
    verdicts: tuple[RecordVersion, ...],
    barred: frozenset[str],
) -> CaseReview:
    body = record.body
    kind, timepoints = CaseKind(body["kind"]), tuple(one["id"] for one in body["timepoints"])
    steps = steps_of(design, kind, timepoints)
    seated = {one.body["seat"]: one for one in sitting.values() if not one.body["repeat"]}
    adjudicator = seated.pop(Seat.ADJUDICATOR.value, None)
    return CaseReview(
        record.id,
        design,
        timepoints,
        kind,
        reads={
            Seat(seat): _read_review(
                design, steps, one, reads.get(one.id), reopened_from=body["reopened"].get(seat, "")
            )
            for seat, one in seated.items()
        },
        adjudicator=adjudicator.body["reader"] if adjudicator is not None else "",
        choices={verdict.place.person: Seat(verdict.body["chosen"]) for verdict in verdicts},
        barred=barred,
        is_withdrawn=record.place.state == Stage.WITHDRAWN.value,
    )


def _read_review(
    design: ReadingDesign,
    steps: tuple[str, ...],
    assignment: RecordVersion,
    read: RecordVersion | None,
    *,
    reopened_from: str = "",
) -> ReadReview:
    body: Mapping[str, Any] = read.body if read is not None else {"locked": (), "answer": None}
    return ReadReview(
        assignment.body["alias"],
        Reader(assignment.body["reader"]),
        steps,
        design.disclosure is Disclosure.SEQUENTIAL_LOCKED,
        assignment.body["number"],
        tuple(body["locked"]),
        ReadStage(read.place.state) if read is not None else ReadStage.DRAFT,
        reopened_from,
        answer_of(body["answer"]["compared"]) if body["answer"] is not None else None,
    )


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
