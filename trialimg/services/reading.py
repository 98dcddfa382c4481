"""A reader at work: opens a case, writes, locks one timepoint after another, signs, and corrects what was reopened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.errors import Fault, ReadingError
from trialimg.core.reading import ReadStage
from trialimg.services.journal import Records
from trialimg.services.lesion_warnings import settle_warnings
from trialimg.services.ports import Transaction
from trialimg.services.reading_answer import criterion_of, derived_answer
from trialimg.services.reading_content import Written
from trialimg.services.reading_desk import ReaderAtCase, held, proposals_of, reader_at_case, require_use
from trialimg.services.reading_file import ASSIGNMENT, DEVICE_SEAT, READ, CaseFile, answer_of, load_case, write_case
from trialimg.services.reading_moves import move_assignment, supersede
from trialimg.services.records import RecordVersion
from trialimg.services.signatures import Proof, sign

__all__ = [
    "READ_MEANING",
    "answer_so_far",
    "ask_correction",
    "case_view",
    "lock_read",
    "lock_timepoint",
    "open_case",
    "open_steps",
    "save_draft",
    "sign_read",
    "start_correction",
]

READ_MEANING = "I have read this case; these are my findings"
_SHOWN_OF_CASE = ("id", "date", "first_date")


@contextmanager
def _at_work(records: Records, actor: Actor, trial: str, alias: str) -> Iterator[ReaderAtCase]:
    with records.change(actor, Action.READ, trial=trial) as journal:
        yield reader_at_case(journal, records.software, trial, alias)


def open_case(records: Records, actor: Actor, trial: str, alias: str) -> dict[str, Any]:
    """What a reader sees of a case, and the note that its images were opened.

    Raises
    ------
    AccessError
        If the case is not this reader's, or they are not trained for its protocol.
    ReadingError
        If consent was withdrawn.
    """
    with _at_work(records, actor, trial, alias) as at:
        assignment = at.assignment
        if assignment.place.state == "assigned":
            assignment = move_assignment(at.journal, assignment, "in_progress", "begin_read")
        shown = ", ".join(at.read.visible)
        at.journal.note("open_images", kind=ASSIGNMENT, key=assignment.id, trial=trial, reason=f"shown: {shown}")
        return case_view(at.journal.transaction, at.file, assignment)


def case_view(transaction: Transaction, file: CaseFile, assignment: RecordVersion) -> dict[str, Any]:
    """What the holder of an assignment may know of the case: their own words and the timepoints shown so far."""
    review = file.of_seat(assignment)
    read = next(one for one in review.reads.values() if one.reader.id == assignment.body["reader"])
    record = file.reads.get(assignment.id)
    entries: Mapping[str, Any] = record.body["timepoints"] if record is not None else {}
    proposed = proposals_of(transaction, file)
    kept = {one["id"]: one for one in file.body["timepoints"]}
    is_open = read.stage is ReadStage.DRAFT
    return {
        "alias": assignment.body["alias"],
        "kind": file.body["kind"],
        "criterion": criterion_of(file.protocol).name,
        "state": read.stage.value,
        "is_correction": read.number > 1,
        "reopened_from": read.reopened_from,
        "timepoints": [
            {
                **({name: kept[step][name] for name in _SHOWN_OF_CASE} if step in kept else {"id": step}),
                "is_locked": step in read.locked,
                "entry": entries.get(step),
                "proposed": proposed.get(step) if is_open else None,
            }
            for step in read.visible
        ],
        "answer": record.body["answer"] if record is not None else None,
    }


def save_draft(
    records: Records, actor: Actor, trial: str, alias: str, *, step: str, entry: Mapping[str, Any]
) -> RecordVersion:
    """Keep what a reader has written at a timepoint so far; blanks are allowed until it is locked.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        If the timepoint is locked or not yet shown, or the entry is not in the form of `normal_entry`.
    """
    with _at_work(records, actor, trial, alias) as at:
        return at.draft(step, entry)


def lock_timepoint(records: Records, actor: Actor, trial: str, alias: str, *, step: str) -> RecordVersion:
    """Lock a timepoint; only then is the next one shown.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        If it is out of turn, or naming everything that is missing or contradicts itself in it, at once.
    """
    with _at_work(records, actor, trial, alias) as at:
        return at.lock(step)


def answer_so_far(records: Records, actor: Actor, trial: str, alias: str) -> dict[str, Any]:
    """What the timepoints written so far come to: for the reader's eye, kept nowhere.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        With what contradicts itself, as at locking.
    """
    with records.look(actor, Action.READ, trial=trial) as transaction:
        assignment = held(transaction, actor, trial, alias)
        file = load_case(transaction, assignment.place.case)
        require_use(file, alias)
        record = file.reads.get(assignment.id)
        entries = record.body["timepoints"] if record is not None else {}
        written = [timepoint for timepoint in file.timepoints if timepoint.id in entries]
        if not written or written[0].order != 0:
            raise ReadingError(f"{alias}: nothing was written at baseline yet, so nothing can be judged")
        review = file.of_seat(assignment)
        words = Written(alias, tuple(written), entries)
        return derived_answer(words, file.protocol, review.kind, reference_date=_reference_date(file))


def _reference_date(file: CaseFile) -> date | None:
    text = file.body["reference_date"]
    return date.fromisoformat(text) if text else None


def open_steps(records: Records, actor: Actor, trial: str, alias: str) -> tuple[str, ...]:
    """The timepoints that a reader may lock now, in their order.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    """
    with records.look(actor, Action.READ, trial=trial) as transaction:
        assignment = held(transaction, actor, trial, alias)
        review = load_case(transaction, assignment.place.case).of_seat(assignment)
        read = next(one for one in review.reads.values() if one.reader.id == actor.user)
        return tuple(step for step in read.visible if step not in read.locked)


def lock_read(records: Records, actor: Actor, trial: str, alias: str) -> RecordVersion:
    """Lock the whole read: its answer is derived by the trial's criterion and kept with the rules that decided it.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        If a timepoint is still open, or the read contradicts itself.
    """
    with _at_work(records, actor, trial, alias) as at:
        still_open = [step for step in at.read.steps if step not in at.read.locked]
        if still_open or at.record is None:
            faults = tuple(Fault(step, "not_locked", "is not locked yet") for step in still_open)
            raise ReadingError(f"{alias}: {len(faults)} timepoint(s) not locked yet", faults)
        words = at.written(at.entries)
        answer = derived_answer(words, at.file.protocol, at.review.kind, reference_date=_reference_date(at.file))
        body = {**at.record.body, "answer": {**answer, "provenance": _provenance(at)}}
        review = at.review.completed(actor.user, answer_of(answer["compared"]))
        version = at.keep(review, body, action="lock_read")
        move_assignment(at.journal, at.assignment, "locked", "lock_read")
        return version


def _provenance(at: ReaderAtCase) -> dict[str, Any]:
    """What the answer rests on: the images by UID and digest, the protocol, the model that proposed, the software."""
    device = at.journal.transaction.current(READ, f"{at.file.id}/{DEVICE_SEAT}")
    return {
        "images": {one["id"]: {"series": one["series"], "digest": one["images"]} for one in at.file.body["timepoints"]},
        "protocol_version": at.file.protocol.trial.version,
        "protocol_digest": at.file.body["protocol_digest"],
        "device": dict(device.body["device"]) if device is not None else {},
        "software": at.software,
    }


def sign_read(records: Records, actor: Actor, proof: Proof, *, trial: str, alias: str) -> RecordVersion:
    """Sign one's own locked read; a case whose reads are all signed becomes final or goes to be settled.

    Raises
    ------
    AccessError
        If the case is not this reader's, or the proof of who they are does not hold.
    ReadingError
        If the read is not locked, or signed already.
    """
    with _at_work(records, actor, trial, alias) as at:
        review = at.review.signed(actor.user)
        if at.record is None:
            raise ReadingError(f"{alias}: there is nothing to sign")
        settle_warnings(at)
        version = at.keep(review, at.record.body, action="sign_read")
        move_assignment(at.journal, at.assignment, "signed", "sign_read")
        sign(at.journal, proof, version, READ_MEANING)
        return version


def ask_correction(records: Records, actor: Actor, trial: str, alias: str, *, reason: str) -> None:
    """Ask for one's own locked or signed words to be reopened; an analyst decides.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        If nothing is locked yet, or no reason is given.
    """
    with _at_work(records, actor, trial, alias) as at:
        if not reason.strip() or not at.read.locked:
            raise ReadingError(f"{alias}: a correction needs something locked, and a reason")
        at.journal.note("ask_correction", kind=ASSIGNMENT, key=at.assignment.id, trial=trial, reason=reason)


def start_correction(records: Records, actor: Actor, trial: str, alias: str, *, reason: str) -> RecordVersion | None:
    """Begin the read that takes the place of one that was reopened; what was locked before stays on the record.

    Raises
    ------
    AccessError
        If the case is not this reader's.
    ReadingError
        If nobody reopened it, or no reason is given.
    """
    with _at_work(records, actor, trial, alias) as at:
        if not reason.strip():
            raise ReadingError(f"{alias}: a correction needs its reason")
        review = at.review.corrected(actor.user)
        read = next(one for one in review.reads.values() if one.reader.id == actor.user)
        version = supersede(at.journal, at.assignment, at.record, read, reason=reason)
        if not at.assignment.body["repeat"]:
            write_case(at.journal, at.file, review, action="supersede_read")
        return version
