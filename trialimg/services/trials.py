"""A trial is opened and amended: the protocol in force, every former one, and what differs between them."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.errors import Fault, ProtocolError
from trialimg.protocol.load import read_protocol
from trialimg.protocol.model import Protocol, full
from trialimg.review.design import Amendment
from trialimg.services.differences import differences
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion

__all__ = [
    "PROTOCOL",
    "READ",
    "TRIAL",
    "Change",
    "amend_protocol",
    "open_trial",
    "protocol_of",
    "require_trial",
    "text_difference",
]

TRIAL = "trial"
"""Kind of a record; its id is the trial's code, its state ``open`` or ``closed``."""
PROTOCOL = "protocol"
"""Kind of a record; its id is the trial's code. The charter is its text in another form, and has the same versions."""
READ = "read"
"""Kind of a record that the central review keeps."""

_SOFTWARE = "device"
"""Whose read is a proposal of the software."""


@dataclass(frozen=True)
class Change:
    """Why something controlled changes, and from which day."""

    reason: str
    effective: dt.date

    def require(self, today: dt.date) -> None:
        """Refuse a change without a reason, or one that is not due yet.

        Raises
        ------
        ProtocolError
            Naming what is wrong.
        """
        if not self.reason.strip():
            raise ProtocolError("a change needs its reason")
        if self.effective > today:
            message = f"effective from {self.effective}: put it in force on that day; today is {today}"
            raise ProtocolError(message, (Fault("effective", "not_due", message),))


def open_trial(records: Records, actor: Actor, text: str, change: Change) -> RecordVersion:
    """Open the trial that a protocol file describes, and put that protocol in force.

    Raises
    ------
    ProtocolError
        If the protocol cannot be followed, or the trial is open already.
    """
    protocol = read_protocol(text)
    trial = protocol.trial.id
    with records.change(actor, Action.OPEN_TRIAL, trial=trial) as journal:
        change.require(_today(journal))
        if journal.transaction.current(TRIAL, trial):
            raise ProtocolError(f"{trial} is there already; `trialimg trial amend` puts another protocol in force")
        body = {
            "title": protocol.trial.title,
            "sponsor": protocol.trial.sponsor,
            "opened_at": journal.at,
            "blinded": True,
        }
        journal.write(TRIAL, trial, body, action="open_trial", place=Place(trial, state="open"), reason=change.reason)
        first = _protocol_body(protocol, text, journal, change)
        return _put_in_force(journal, trial, first, change.reason)


def amend_protocol(
    records: Records, actor: Actor, text: str, change: Change, *, reopens: Collection[str] = ()
) -> RecordVersion:
    """Put another protocol of a trial in force; the former ones stay readable.

    Parameters
    ----------
    reopens
        Ids of reads that have to be done again, beside those that the protocol's ``reading.amendment`` names.

    Notes
    -----
    The record keeps every setting that differs from the version before. An amendment after the first read is flagged
    as such and names every read that it reopens.

    Raises
    ------
    ProtocolError
        If the protocol cannot be followed, its trial is not open, it says nothing new, its version was used before,
        or it names a read that does not stand.
    """
    protocol = read_protocol(text)
    trial = protocol.trial.id
    with records.change(actor, Action.AMEND_PROTOCOL, trial=trial) as journal:
        change.require(_today(journal))
        require_trial(journal.transaction, trial)
        former = journal.transaction.versions(PROTOCOL, trial)
        _require_new(protocol, change, former)
        body = _protocol_body(protocol, text, journal, change)
        body["changes"] = [
            [found.key, found.before, found.after]
            for found in differences(full(read_protocol(former[-1].body["text"])), full(protocol))
        ]
        body |= _effect_on_reads(journal.transaction, trial, protocol.reading.amendment, reopens)
        return _put_in_force(journal, trial, body, change.reason)


def protocol_of(transaction: Transaction, trial: str, version: int | None = None) -> RecordVersion:
    """A version of a trial's protocol: the one in force, or any by its number from 1.

    Raises
    ------
    ProtocolError
        If there is no such trial or version.
    """
    require_trial(transaction, trial)
    versions = transaction.versions(PROTOCOL, trial)
    if version is None:
        return versions[-1]
    if not 1 <= version <= len(versions):
        raise ProtocolError(f"{trial} has protocol versions 1 to {len(versions)}, not {version}")
    return versions[version - 1]


def require_trial(transaction: Transaction, trial: str) -> RecordVersion:
    """The record of an open trial.

    Raises
    ------
    ProtocolError
        If there is none.
    """
    found = transaction.current(TRIAL, trial)
    if found is None:
        raise ProtocolError(f"there is no trial {trial!r}; `trialimg trial open PROTOCOL` opens one")
    return found


def text_difference(before: str, after: str, *, names: tuple[str, str]) -> str:
    """What differs in the text, line by line, in the unified form of ``diff``."""
    return "".join(difflib.unified_diff(_lines(before), _lines(after), *names))


def _lines(text: str) -> list[str]:
    return [f"{line}\n" for line in text.splitlines()]


def _protocol_body(protocol: Protocol, text: str, journal: Journal, change: Change) -> dict[str, Any]:
    return {
        "text": text,
        "digest": protocol.digest,
        "version": protocol.trial.version,
        "author": journal.actor.user,
        "reason": change.reason,
        "effective": change.effective.isoformat(),
        "changes": [],
        "after_first_read": False,
        "reopens": [],
    }


def _put_in_force(journal: Journal, trial: str, body: Mapping[str, Any], reason: str) -> RecordVersion:
    place = Place(trial, state="in_force")
    return journal.write(PROTOCOL, trial, body, action="put_protocol_in_force", place=place, reason=reason)


def _require_new(protocol: Protocol, change: Change, former: Sequence[RecordVersion]) -> None:
    if protocol.digest == former[-1].body["digest"]:
        raise ProtocolError(f"nothing differs from version {former[-1].body['version']}, which is in force")
    if protocol.trial.version in [version.body["version"] for version in former]:
        raise ProtocolError(f"trial.version {protocol.trial.version!r} was used before; give the amendment its own")
    if change.effective.isoformat() < former[-1].body["effective"]:
        raise ProtocolError(f"effective before the version it replaces ({former[-1].body['effective']})")


def _effect_on_reads(transaction: Transaction, trial: str, rule: Amendment, named: Collection[str]) -> dict[str, Any]:
    """Whether people began to read under the former protocol, and which of their reads are done again."""
    standing = [
        read
        for read in transaction.find(READ, Place(trial))
        if read.place.person != _SOFTWARE and read.place.state != "superseded"
    ]
    signed = {read.place.case for read in standing if read.place.state == "signed"}
    by_rule = {
        Amendment.NONE: set[str](),
        Amendment.UNSIGNED: {read.id for read in standing if read.place.case not in signed},
        Amendment.ALL: {read.id for read in standing},
    }[rule]
    strangers = sorted(set(named) - {read.id for read in standing})
    if strangers:
        faults = tuple(Fault(read, "unknown_read", "is not a read that stands in this trial") for read in strangers)
        raise ProtocolError(f"{len(strangers)} of the reads to reopen are not there", faults)
    return {"after_first_read": bool(standing), "reopens": sorted(by_rule | set(named))}


def _today(journal: Journal) -> dt.date:
    return dt.datetime.fromisoformat(journal.at).date()
