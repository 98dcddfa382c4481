"""Readers qualify before the first case, and are trained again when their figures cross a limit of the trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trialimg.core.access import Action, Actor
from trialimg.core.digest import digest_of, plain
from trialimg.core.errors import AccessError, ReadingError
from trialimg.protocol.load import read_protocol
from trialimg.review.qualification import QualificationResult, QualificationSet, qualified
from trialimg.services.authority import USER
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.reader_performance import ReaderFigures, reads_of, report_of
from trialimg.services.records import Place, RecordVersion
from trialimg.services.training import record_training
from trialimg.services.trials import protocol_of

__all__ = [
    "QUALIFICATION",
    "RETRAINING",
    "Attempt",
    "close_retraining",
    "open_retraining",
    "open_retrainings",
    "qualify",
]

QUALIFICATION = "qualification"
"""Kind of a record: how a reader's answers compared with the experts'; ``passed`` or ``failed``."""
RETRAINING = "retraining"
"""Kind of a record: a reader has to be trained again, and why; ``open`` or ``done``."""


@dataclass(frozen=True)
class Attempt:
    """A reader's answers to a qualification set."""

    trial: str
    reader: str
    known: QualificationSet
    given: Mapping[str, Mapping[str, str]]


def qualify(records: Records, actor: Actor, attempt: Attempt) -> tuple[RecordVersion, QualificationResult]:
    """Compare a reader's answers with the experts'; one who passes is thereby trained for the charter in force.

    Raises
    ------
    InvalidValueError
        If the set is smaller than the trial asks for, or an answer is on something nobody asked.
    AccessError
        If there is no such active user, or people vouch for themselves.
    """
    trial, reader, known = attempt.trial, attempt.reader, attempt.known
    with records.change(actor, Action.RECORD_TRAINING, trial=trial) as journal:
        person = journal.transaction.current(USER, reader)
        if person is None or person.place.state != "active" or reader == actor.user:
            raise AccessError(f"{reader} is not an active user whom {actor.user} may examine")
        protocol = protocol_of(journal.transaction, trial)
        rule = read_protocol(protocol.body["text"]).oversight.qualification
        result = qualified(known, attempt.given, rule)
        body = {
            "reader": reader,
            "set": known.name,
            "set_version": known.version,
            "set_digest": digest_of(plain(known.answers)),
            "charter_version": protocol.body["version"],
            "pass_pct": rule.pass_pct,
            "asked": result.asked,
            "right": result.right,
            "wrong": [list(one) for one in result.wrong],
        }
        place = Place(trial, person=reader, state="passed" if result.passed else "failed")
        key = f"{trial}/{reader}/{known.name}"
        kept = journal.write(QUALIFICATION, key, body, action="qualify_reader", place=place)
    if result.passed:
        what = f"qualification set {known.name} {known.version}: {result.right} of {result.asked} answers right"
        record_training(
            records, actor, reader, trial=trial, charter_version=str(kept.body["charter_version"]), what=what
        )
    return kept, result


def open_retraining(records: Records, actor: Actor, trial: str) -> tuple[RecordVersion, ...]:
    """Open a task for every reader whose figures cross a limit and who has none open; doing it twice opens nothing.

    Raises
    ------
    AccessError
        If the actor does not record training in this trial.
    """
    with records.change(actor, Action.RECORD_TRAINING, trial=trial) as journal:
        transaction = journal.transaction
        protocol = read_protocol(protocol_of(transaction, trial).body["text"])
        report = report_of(trial, reads_of(transaction, trial), protocol.oversight.reader_limits, protocol.statistics)
        waiting = {task.place.person for task in open_retrainings(transaction, trial)}
        due = [figures for figures in report.readers if figures.crossed and figures.reader not in waiting]
        return tuple(
            journal.write(
                RETRAINING,
                _next_key(transaction, trial, figures.reader),
                _task(figures),
                action="open_retraining",
                place=Place(trial, person=figures.reader, state="open"),
                reason="; ".join(f"{one.limit}: {one.found}, allowed {one.allowed}" for one in figures.crossed),
            )
            for figures in due
        )


def close_retraining(records: Records, actor: Actor, task: str, *, what: str) -> RecordVersion:
    """End a task with what the reader was trained in.

    Raises
    ------
    ReadingError
        If there is no such open task, it is the actor's own, or nothing is said.
    """
    trial = task.partition("/")[0]
    with records.change(actor, Action.RECORD_TRAINING, trial=trial) as journal:
        found = journal.transaction.current(RETRAINING, task)
        if found is None or found.place.state != "open":
            raise ReadingError(f"there is no open retraining {task!r}")
        if not what.strip() or found.place.person == actor.user:
            raise ReadingError("say what the training was; nobody ends their own task")
        body = {**found.body, "what": what, "trainer": actor.user, "done_at": journal.at}
        place = Place(trial, person=found.place.person, state="done")
        return journal.write(RETRAINING, task, body, action="close_retraining", place=place)


def open_retrainings(transaction: Transaction, trial: str) -> tuple[RecordVersion, ...]:
    """Tasks that nobody has ended."""
    return tuple(transaction.find(RETRAINING, Place(trial, state="open")))


def _task(figures: ReaderFigures) -> dict[str, object]:
    counts = figures.counts
    return {
        "reader": figures.reader,
        "cases": counts.cases,
        "adjudicated": counts.adjudicated,
        "decided": counts.decided,
        "endorsed": counts.endorsed,
        "repeats": figures.repeat_agreement.n,
        "repeats_agreed": figures.repeat_agreement.events,
        "crossed": [[one.limit, one.allowed, one.found] for one in figures.crossed],
    }


def _next_key(transaction: Transaction, trial: str, reader: str) -> str:
    return f"{trial}/{reader}/{transaction.count(RETRAINING, Place(trial, person=reader)) + 1}"
