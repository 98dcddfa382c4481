"""Moves of a case as records: assignments and reads follow the state machine, each change one record and one entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trialimg.core.reading import ReadStage, Seat, Stage
from trialimg.review.case_review import CaseReview
from trialimg.review.read_review import ReadReview
from trialimg.services.journal import Journal
from trialimg.services.reading_file import (
    ASSIGNMENT,
    READ,
    VERDICT,
    CaseFile,
    read_id,
    write_case,
)
from trialimg.services.records import Place, RecordVersion

__all__ = ["carry_over", "move_assignment", "settle", "supersede", "void_verdicts", "write_read"]


def move_assignment(
    journal: Journal, assignment: RecordVersion, state: str, action: str, **changes: object
) -> RecordVersion:
    """Keep how far the holder of an assignment has come."""
    body = {**assignment.body, "since": journal.at, **changes}
    place = Place(assignment.place.trial, assignment.place.case, assignment.place.person, state)
    return journal.write(ASSIGNMENT, assignment.id, body, action=action, place=place)


def write_read(
    journal: Journal,
    assignment: RecordVersion,
    read: ReadReview,
    body: Mapping[str, Any],
    *,
    action: str,
    reason: str = "",
) -> RecordVersion:
    """Keep a read as a step has left it."""
    place = Place(assignment.place.trial, assignment.place.case, assignment.place.person, read.stage.value)
    key = read_id(assignment.id, read.number)
    said = {**body, "locked": list(read.locked), "number": read.number}
    return journal.write(READ, key, said, action=action, place=place, reason=reason)


def supersede(
    journal: Journal, assignment: RecordVersion, former: RecordVersion | None, read: ReadReview, *, reason: str
) -> RecordVersion | None:
    """Let a new read take the place of another: it begins with the same words, of which only the open ones may change.

    What the former read says stays as it is; nothing is written where the reader had kept nothing.
    """
    move_assignment(journal, assignment, "in_progress", "supersede_read", number=read.number)
    if former is None:
        return None
    place = Place(former.place.trial, former.place.case, former.place.person, ReadStage.SUPERSEDED.value)
    journal.write(READ, former.id, former.body, action="supersede_read", place=place, reason=reason)
    kept = {
        step: entry if step in read.locked else {**entry, "state": "draft"}
        for step, entry in former.body["timepoints"].items()
    }
    body = {**former.body, "timepoints": kept, "answer": None, "supersedes": former.id, "reason": reason}
    return write_read(journal, assignment, read, body, action="supersede_read", reason=reason)


def carry_over(journal: Journal, file: CaseFile, review: CaseReview, reason: str) -> None:
    """Let the reads of a case follow a change of the case itself (late timepoints, an amended protocol)."""
    for seat, read in review.reads.items():
        assignment = file.seat(seat)
        if assignment is not None and read.number != file.review.reads[seat].number:
            supersede(journal, assignment, file.reads.get(assignment.id), read, reason=reason)
    if file.review.choices and not review.choices:
        void_verdicts(journal, file, reason)


def void_verdicts(journal: Journal, file: CaseFile, reason: str) -> None:
    """Keep that a choice rested on a read that is no longer the last word, and let the chooser choose again."""
    for verdict in file.verdicts:
        place = Place(verdict.place.trial, verdict.place.case, verdict.place.person, "superseded")
        journal.write(VERDICT, verdict.id, verdict.body, action="supersede_verdict", place=place, reason=reason)
    adjudicator = file.seat(Seat.ADJUDICATOR)
    if adjudicator is not None and file.verdicts:
        move_assignment(journal, adjudicator, "assigned", "supersede_verdict", display={})


def settle(journal: Journal, file: CaseFile, review: CaseReview) -> None:
    """Keep the case's new stage where a step has changed it; a final case says which read is its answer."""
    if review.stage is file.review.stage:
        return
    if review.stage is Stage.FINAL and review.accepted is not None:
        assignment = file.seat(review.accepted)
        read = file.reads[assignment.id] if assignment is not None else None
        current = journal.transaction.current(READ, read.id) if read is not None else None
        if current is not None:
            by = "verdict" if review.discordances else ("agreement" if len(review.reads) > 1 else "single read")
            result = {
                "read": current.id,
                "version": current.version,
                "digest": current.digest,
                "seat": review.accepted.value,
                "by": by,
                "discordant": [one.variable for one in review.discordances],
            }
            write_case(journal, file, review, action="finalise_case", result=result)
    else:
        write_case(journal, file, review, action=_ACTION_OF_STAGE[review.stage], result=None)


_ACTION_OF_STAGE = {
    Stage.RECEIVED: "await_readers",
    Stage.READING: "begin_reading",
    Stage.ADJUDICATION: "ask_adjudication",
    Stage.WITHDRAWN: "withdraw_consent",
}
