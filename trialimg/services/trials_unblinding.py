"""Somebody learns what was blinded: which subjects, what of them, who, why, and what that does to the trial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialimg.core.access import Action, Actor, Role
from trialimg.core.errors import Fault, ReadingError
from trialimg.services.authority import GRANT, USER
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion
from trialimg.services.signatures import Proof, sign
from trialimg.services.trials import TRIAL, require_trial

__all__ = ["UNBLINDING", "Unblinding", "unblind"]

UNBLINDING = "unblinding"
"""Kind of a record; its id is ``trial/number``."""

_MEANING = "I authorise this unblinding"
_READERS = (Role.RADIOLOGIST.value, Role.ADJUDICATOR.value)


@dataclass(frozen=True)
class Unblinding:
    """What is revealed, to whom, and what that does to the trial. What is revealed itself never stands here."""

    trial: str
    subjects: tuple[str, ...]
    """Subject codes; empty: the whole trial."""
    reveals: str
    """What becomes known, e.g. ``treatment arm``."""
    recipients: tuple[str, ...]
    """Users who learn it."""
    planned: bool
    """Whether the protocol foresaw it; an accident is reported as what it is."""
    reason: str
    assessment: str
    """What it means for the reads, for the endpoints and for those who now know."""


def unblind(records: Records, actor: Actor, proof: Proof, step: Unblinding) -> RecordVersion:
    """Keep, signed, that something blinded becomes known; the whole trial is then no longer blinded.

    Raises
    ------
    ReadingError
        Naming everything that is missing, every recipient who is not an active user, and every recipient who reads
        in this trial: a reader stays blinded while the trial has cases to read.
    """
    with records.change(actor, Action.UNBLIND, trial=step.trial) as journal:
        trial = require_trial(journal.transaction, step.trial)
        faults = (*_missing(step), *_recipients(journal.transaction, step))
        if faults:
            raise ReadingError(f"{step.trial} cannot be unblinded so", faults)
        number = journal.transaction.count(UNBLINDING, Place(step.trial)) + 1
        body = {
            "subjects": sorted(step.subjects),
            "reveals": step.reveals,
            "recipients": sorted(step.recipients),
            "planned": step.planned,
            "assessment": step.assessment,
            "authorised_by": actor.user,
        }
        key = f"{step.trial}/{number}"
        kept = journal.write(
            UNBLINDING, key, body, action="unblind", place=Place(step.trial, state="done"), reason=step.reason
        )
        sign(journal, proof, kept, _MEANING)
        if not step.subjects:
            _no_longer_blinded(journal, trial, step.reason)
        return kept


def _no_longer_blinded(journal: Journal, trial: RecordVersion, reason: str) -> None:
    body = {**trial.body, "blinded": False}
    journal.write(TRIAL, trial.id, body, action="end_blinding", place=trial.place, reason=reason)


def _missing(step: Unblinding) -> Iterator[Fault]:
    for name in ("reveals", "reason", "assessment"):
        if not getattr(step, name).strip():
            yield Fault(name, "empty", "an unblinding says what, why, and what it does to the trial")
    if not step.recipients:
        yield Fault("recipients", "empty", "name who learns it")


def _recipients(transaction: Transaction, step: Unblinding) -> Iterator[Fault]:
    has_cases_to_read = any(
        case.place.state not in ("final", "withdrawn") for case in transaction.find("case", Place(step.trial))
    )
    for name in step.recipients:
        user = transaction.current(USER, name)
        if user is None or user.place.state != "active":
            yield Fault(f"recipients.{name}", "unknown_user", "is not an active user")
        elif has_cases_to_read and _reads_in(transaction, name, step.trial):
            yield Fault(f"recipients.{name}", "reader", "reads in this trial, which still has cases to read")


def _reads_in(transaction: Transaction, user: str, trial: str) -> bool:
    grants = transaction.find(GRANT, Place(person=user, state="valid"))
    return any(grant.body["role"] in _READERS and grant.body["trial"] in ("*", trial) for grant in grants)
