"""The audit trail is looked at regularly: what is sampled, by the protocol's plan, and who signed that they looked."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trialimg.core.access import Action, Actor
from trialimg.core.errors import Fault, ReadingError
from trialimg.ledger.entry import Entry
from trialimg.protocol.load import read_protocol
from trialimg.protocol.oversight import AuditReview
from trialimg.services.audit import AuditLine, line_of
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.records import EntryQuery, Place, RecordVersion
from trialimg.services.signatures import Proof, sign
from trialimg.services.trials import protocol_of, require_trial

__all__ = [
    "AUDIT_REVIEW",
    "Period",
    "ReviewFindings",
    "open_review",
    "periods",
    "sample",
    "sampled_lines",
    "sign_review",
]

AUDIT_REVIEW = "audit_review"
"""Kind of a record; its id is ``trial/first day of the period``, its state ``open`` or ``signed``."""

_MEANING = "I reviewed these entries of the audit trail"


@dataclass(frozen=True)
class Period:
    """A stretch of a trial's time that is reviewed as one."""

    trial: str
    first: dt.date
    after: dt.date
    """First day that is no longer part of it."""
    state: str
    """``running``, ``due``, ``open`` (sampled) or ``signed``."""

    @property
    def id(self) -> str:
        """Id of its record."""
        return f"{self.trial}/{self.first.isoformat()}"


@dataclass(frozen=True)
class ReviewFindings:
    """What the reviewer saw."""

    conclusion: str
    findings: Mapping[int, str]
    """Sequence of a sampled entry to what is wrong with it."""


def periods(transaction: Transaction, trial: str, at: str) -> tuple[Period, ...]:
    """Every period of a trial up to this moment, oldest first, each as long as the protocol in force says.

    Raises
    ------
    ProtocolError
        If there is no such trial.
    """
    opened = dt.datetime.fromisoformat(require_trial(transaction, trial).body["opened_at"]).date()
    length = dt.timedelta(days=_plan(transaction, trial).period_days)
    today = dt.datetime.fromisoformat(at).date()
    found = []
    first = opened
    while first <= today:
        after = first + length
        kept = transaction.current(AUDIT_REVIEW, f"{trial}/{first.isoformat()}")
        state = kept.place.state if kept else "due" if after <= today else "running"
        if kept:
            after = dt.date.fromisoformat(kept.body["after"])
        found.append(Period(trial, first, after, state))
        first = after
    return tuple(found)


def open_review(records: Records, actor: Actor, trial: str, first: dt.date) -> RecordVersion:
    """Draw the sample of a period that is over, and keep it as the review's task.

    Raises
    ------
    ReadingError
        If no such period is due.
    """
    with records.change(actor, Action.REVIEW_AUDIT, trial=trial) as journal:
        transaction = journal.transaction
        due = [one for one in periods(transaction, trial, journal.at) if (one.first, one.state) == (first, "due")]
        if not due:
            raise ReadingError(f"no period of {trial} that begins on {first} is due for an audit review")
        plan = _plan(transaction, trial)
        entries = list(_entries(transaction, due[0], plan))
        chosen = sample(entries, plan)
        body = {
            "first": first.isoformat(),
            "after": due[0].after.isoformat(),
            "plan": {**plan.model_dump(), "always": list(plan.always)},
            "protocol_digest": protocol_of(transaction, trial).body["digest"],
            "entries": len(entries),
            "sample": [[entry.sequence, entry.hash] for entry in chosen],
            "conclusion": "",
            "findings": [],
        }
        place = Place(trial, state="open")
        return journal.write(AUDIT_REVIEW, due[0].id, body, action="open_audit_review", place=place)


def sampled_lines(records: Records, actor: Actor, review: str) -> tuple[AuditLine, ...]:
    """The entries that a review looks at, in words.

    Raises
    ------
    ReadingError
        If there is no such review.
    """
    with records.look(actor, Action.VIEW_AUDIT, trial=review.partition("/")[0]) as transaction:
        wanted = [number for number, _ in _review(transaction, review).body["sample"]]
        entries = (next(transaction.entries(EntryQuery(start=number, limit=1))) for number in wanted)
        return tuple(line_of(transaction, entry) for entry in entries)


def sign_review(records: Records, actor: Actor, proof: Proof, review: str, *, seen: ReviewFindings) -> RecordVersion:
    """Sign that the sample was looked at, with what was found.

    The record says how many of the entries were made by the reviewer.

    Raises
    ------
    ReadingError
        If the review is not open, nothing is concluded, or a finding is about an entry that was not sampled.
    """
    trial = review.partition("/")[0]
    with records.change(actor, Action.REVIEW_AUDIT, trial=trial) as journal:
        task = _review(journal.transaction, review)
        sampled = {number for number, _ in task.body["sample"]}
        strange = [number for number in seen.findings if number not in sampled]
        strangers = tuple(Fault(str(number), "not_sampled", "is not part of the sample") for number in strange)
        if task.place.state != "open" or not seen.conclusion.strip() or strangers:
            raise ReadingError(f"audit review {review} needs an open sample and a conclusion", strangers)
        entries = [next(journal.transaction.entries(EntryQuery(start=n, limit=1))) for n in sorted(sampled)]
        body = {
            **task.body,
            "conclusion": seen.conclusion,
            "findings": [[number, text] for number, text in sorted(seen.findings.items())],
            "made_by_reviewer": sum(entry.who == actor.user for entry in entries),
        }
        place = Place(trial, state="signed")
        done = journal.write(AUDIT_REVIEW, review, body, action="sign_audit_review", place=place)
        sign(journal, proof, done, _MEANING)
        return done


def sample(entries: Sequence[Entry], plan: AuditReview) -> tuple[Entry, ...]:
    """The entries to look at: every one of certain actions, and of the others a share drawn by the plan's seed.

    Notes
    -----
    The draw orders the others by SHA-256 of seed and entry hash: anyone can repeat it, and nobody can know before an
    entry is made whether it will be drawn.
    """
    always = [entry for entry in entries if entry.action in plan.always]
    others = [entry for entry in entries if entry.action not in plan.always]
    drawn = sorted(others, key=lambda entry: hashlib.sha256(f"{plan.seed}:{entry.hash}".encode()).digest())
    count = math.ceil(plan.sample_pct * len(others) / 100)
    return tuple(sorted([*always, *drawn[:count]], key=lambda entry: entry.sequence))


def _entries(transaction: Transaction, period: Period, plan: AuditReview) -> list[Entry]:
    """The trial's entries in the period, and of the installation's own those that are always reviewed."""
    since, until = (f"{day.isoformat()}T00:00:00+00:00" for day in (period.first, period.after))
    of_trial = transaction.entries(EntryQuery(trial=period.trial, since=since, until=until))
    elsewhere = transaction.entries(EntryQuery(trial="", since=since, until=until))
    return [*of_trial, *(entry for entry in elsewhere if entry.action in plan.always)]


def _plan(transaction: Transaction, trial: str) -> AuditReview:
    return read_protocol(protocol_of(transaction, trial).body["text"]).oversight.audit_review


def _review(transaction: Transaction, review: str) -> RecordVersion:
    found = transaction.current(AUDIT_REVIEW, review)
    if found is None:
        raise ReadingError(f"there is no audit review {review!r}; `trialimg trial audit-review open` draws one")
    return found
