"""What was locked is opened again: by a signed request with its reason, or because the protocol was amended."""

from __future__ import annotations

from dataclasses import dataclass

from trialimg.core.access import Action, Actor
from trialimg.core.errors import ReadingError
from trialimg.core.reading import Seat
from trialimg.services.journal import Records
from trialimg.services.reading_file import CASE, case_id, load_case, protocol_under, write_case
from trialimg.services.reading_moves import carry_over, move_assignment, void_verdicts
from trialimg.services.records import Place, RecordVersion
from trialimg.services.signatures import Proof, sign
from trialimg.services.trials import protocol_of
from trialimg.services.trials_data_cut import require_open

__all__ = ["Reopening", "apply_amendment", "reopen"]


@dataclass(frozen=True)
class Reopening:
    """What is asked to be corrected, and why."""

    code: str
    """Of the case."""
    seat: Seat
    step: str
    """The first timepoint that may be corrected."""
    reason: str


def reopen(records: Records, actor: Actor, proof: Proof, trial: str, *, asked: Reopening) -> RecordVersion:
    """Let the reader in a seat correct their read from a timepoint on; a verdict that rested on it is void.

    Raises
    ------
    ReadingError
        If nothing is locked there, it is reopened already, a data cut holds the case, or no reason is given.
    AccessError
        If this person may not reopen reads, or the proof of who they are does not hold.
    """
    with records.change(actor, Action.REOPEN_READ, trial=trial) as journal:
        if not asked.reason.strip():
            raise ReadingError(f"{asked.code}: reopening a read needs its reason")
        file = load_case(journal.transaction, case_id(trial, asked.code))
        require_open(journal.transaction, trial, file.id)
        review = file.review.reopened(asked.seat, asked.step)
        void_verdicts(journal, file, asked.reason)
        assignment = file.seat(asked.seat)
        if assignment is not None:
            move_assignment(journal, assignment, "in_progress", "reopen_read")
        version = write_case(journal, file, review, action="reopen_read", reason=asked.reason, result=None)
        sign(journal, proof, version, f"I reopen this read from {asked.step} on, for the reason given")
        return version


def apply_amendment(records: Records, actor: Actor, proof: Proof, trial: str) -> tuple[RecordVersion, ...]:
    """Bring the cases under the protocol in force, as it says: which are read anew, which keep their version.

    A case is read anew where the amendment names one of its reads, or its ``reading.amendment`` reaches it; a case
    that nobody has yet always comes under the version in force.

    Raises
    ------
    ReadingError
        If the amended design has no place for a reader that a case has, or a data cut holds a case.
    AccessError
        If this person may not amend the protocol, or the proof of who they are does not hold.
    """
    with records.change(actor, Action.AMEND_PROTOCOL, trial=trial) as journal:
        amendment = protocol_of(journal.transaction, trial)
        digest, version = amendment.body["digest"], amendment.body["version"]
        design = protocol_under(journal.transaction, trial, digest).reading
        because = f"protocol version {version}: {amendment.body['reason']}"
        changed: list[RecordVersion] = []
        for record in list(journal.transaction.find(CASE, Place(trial=trial))):
            if record.body["protocol_digest"] == digest:
                continue
            file = load_case(journal.transaction, record.id)
            is_named = any(read.id in amendment.body["reopens"] for read in file.reads.values())
            review = file.review.amended(design, is_named=is_named)
            if review is file.review:
                continue
            require_open(journal.transaction, trial, file.id)
            carry_over(journal, file, review, because)
            changes = {"protocol_digest": digest, "result": None}
            changed.append(write_case(journal, file, review, action="reopen_read", reason=because, **changes))
        if changed:
            sign(journal, proof, amendment, f"I bring {len(changed)} case(s) under version {version} of the protocol")
        return tuple(changed)
