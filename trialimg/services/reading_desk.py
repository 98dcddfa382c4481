"""One reader at one of their cases: what stands in it, and the steps that change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Actor
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.reading import Seat
from trialimg.core.trial import Timepoint
from trialimg.review.case_review import CaseReview
from trialimg.review.read_review import GLOBAL, ReadReview
from trialimg.services.authority import record_refusal
from trialimg.services.journal import Journal
from trialimg.services.ports import Transaction
from trialimg.services.reading_answer import criterion_of
from trialimg.services.reading_content import Written, entry_faults, normal_entry
from trialimg.services.reading_file import ASSIGNMENT, CASE, DEVICE_SEAT, READ, CaseFile, load_case
from trialimg.services.reading_moves import move_assignment, settle, write_read
from trialimg.services.reading_proposals import attributed, judged_proposals
from trialimg.services.records import Place, RecordVersion
from trialimg.services.training import require_fit_to_read

__all__ = ["ReaderAtCase", "held", "proposals_of", "reader_at_case", "require_use"]


@dataclass(frozen=True)
class ReaderAtCase:
    """An assignment with its case, as its holder stands in it at one moment."""

    journal: Journal
    software: str
    assignment: RecordVersion
    file: CaseFile
    review: CaseReview
    """Of the case, or of the repeat as a case of its own."""

    @property
    def read(self) -> ReadReview:
        """How far the reader has come."""
        return self._own(self.review)

    @property
    def record(self) -> RecordVersion | None:
        """The read as it was last kept."""
        return self.file.reads.get(self.assignment.id)

    @property
    def entries(self) -> Mapping[str, Any]:
        """What was written so far, by timepoint."""
        return self.record.body["timepoints"] if self.record is not None else {}

    @property
    def alias(self) -> str:
        """What the reader calls the case."""
        return str(self.assignment.body["alias"])

    def _own(self, review: CaseReview) -> ReadReview:
        return next(read for read in review.reads.values() if read.reader.id == self.assignment.body["reader"])

    def keep(self, review: CaseReview, body: Mapping[str, Any], *, action: str) -> RecordVersion:
        """Keep the read as a step has left it, and the case where that brings it on."""
        under = {"protocol_digest": self.file.body["protocol_digest"], "software": self.software}
        said = {**body, **under, "protocol_version": self.file.protocol.trial.version}
        version = write_read(self.journal, self.assignment, self._own(review), said, action=action)
        if not self.assignment.body["repeat"]:
            settle(self.journal, self.file, review)
        return version

    def draft(self, step: str, entry: Mapping[str, Any]) -> RecordVersion:
        """Keep what was written at a timepoint; ReadingError where it may not be changed or has not the form."""
        self.read.drafted(self.assignment.body["reader"], step)
        if self.assignment.place.state == "assigned":
            move_assignment(self.journal, self.assignment, "in_progress", "begin_read")
        return self.keep(self.review, self._with_entry(step, normal_entry(step, entry)), action="save_draft")

    def lock(self, step: str) -> RecordVersion:
        """Lock a timepoint; ReadingError where it is out of turn, or with everything that it lacks."""
        review = self.review.with_locked(self.assignment.body["reader"], step)
        faults = entry_faults(self.written(self.entries, step), step, criterion_of(self.file.protocol), review.kind)
        if faults or self.record is None:
            raise ReadingError(f"{self.alias} {step}: {len(faults)} fault(s), nothing was locked", tuple(faults))
        entry = self.entries[step]
        proposed = proposals_of(self.journal.transaction, self.file).get(step)
        locked = {**entry, "proposals": judged_proposals(entry, proposed), "state": "locked"}
        body = {**self.record.body, "timepoints": {**self.entries, step: locked}}
        return self.keep(review, body, action="lock_timepoint")

    def written(self, entries: Mapping[str, Any], until: str = "") -> Written:
        """What stands in the read up to a timepoint; all of it where none is named."""
        timepoints: tuple[Timepoint, ...] = self.file.timepoints
        names = [timepoint.id for timepoint in timepoints]
        if until in names:
            timepoints = timepoints[: names.index(until) + 1]
        return Written(self.alias, timepoints, entries)

    def _with_entry(self, step: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The body of the read with one timepoint written, every number of it by its author."""
        body = dict(self.record.body) if self.record is not None else self._blank_read()
        proposed = proposals_of(self.journal.transaction, self.file).get(step)
        whole = entry if step == GLOBAL else attributed(step, entry, proposed)
        body["timepoints"] = {**body["timepoints"], step: {**whole, "state": "draft"}}
        return body

    def _blank_read(self) -> dict[str, Any]:
        assignment = self.assignment.body
        return {
            "case": self.file.id,
            "alias": self.alias,
            "seat": assignment["seat"],
            "repeat": assignment["repeat"],
            "reader": assignment["reader"],
            "timepoints": {},
            "answer": None,
            "supersedes": "",
            "reason": "",
        }


def reader_at_case(journal: Journal, software: str, trial: str, alias: str) -> ReaderAtCase:
    """The journal's actor at one of their cases.

    Raises
    ------
    AccessError
        If the case is not theirs, or they are not trained for its protocol.
    ReadingError
        If consent was withdrawn.
    """
    assignment = held(journal.transaction, journal.actor, trial, alias)
    if assignment.body["seat"] == Seat.ADJUDICATOR.value:
        raise AccessError(f"{alias} is an adjudication; nothing is measured there")
    file = load_case(journal.transaction, assignment.place.case)
    require_use(file, alias)
    require_fit_to_read(journal.transaction, journal.actor.user, trial, file.protocol.trial.version)
    return ReaderAtCase(journal, software, assignment, file, file.of_seat(assignment))


_OPEN_FIRST = ("in_progress", "locked", "assigned", "signed")
"""Of the cases that somebody holds, few are under work and most are done; who works asks for one of the few."""


def held(transaction: Transaction, actor: Actor, trial: str, alias: str) -> RecordVersion:
    """The assignment that a reader knows by an alias.

    Raises
    ------
    AccessError
        If it is not in this person's worklist.
    """
    for state in _OPEN_FIRST:
        for one in transaction.find(ASSIGNMENT, Place(trial=trial, person=actor.user, state=state)):
            if one.body["alias"] == alias:
                _require_sight(transaction, actor, one)
                return one
    raise AccessError(f"{actor.user} has no case {alias!r} in {trial}; `trialimg review worklist` shows theirs")


def _require_sight(transaction: Transaction, actor: Actor, assignment: RecordVersion) -> None:
    """Go on only where this person, in this role, may see the assignment and its case."""
    case = transaction.current(CASE, assignment.place.case)
    for record in (assignment, case):
        if record is not None and (because := record_refusal(transaction, actor, record)):
            raise AccessError(because)


def require_use(file: CaseFile, alias: str) -> None:
    """Go on only with a case that may still be used.

    Raises
    ------
    ReadingError
        If the subject withdrew consent.
    """
    if file.review.is_withdrawn:
        raise ReadingError(f"{alias}: the subject withdrew consent; the case is not read any more")


def proposals_of(transaction: Transaction, file: CaseFile) -> Mapping[str, Any]:
    """What the software proposes for a case, by timepoint; nothing where the design starts readers from a blank."""
    if not file.protocol.reading.device_drafts:
        return {}
    found = transaction.current(READ, f"{file.id}/{DEVICE_SEAT}")
    return found.body["timepoints"] if found is not None else {}
