"""The protocol of a trial as it is shown: in words, its versions, what differs between them, what an amendment does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from trialimg.core.access import Action, Actor
from trialimg.core.errors import ProtocolError
from trialimg.protocol.load import read_protocol
from trialimg.protocol.model import full
from trialimg.services.differences import Difference, differences
from trialimg.services.journal import Records
from trialimg.services.reading_file import CASE
from trialimg.services.reading_reopening import apply_amendment
from trialimg.services.records import Place
from trialimg.services.signatures import Proof
from trialimg.services.trials import PROTOCOL, Change, amend_protocol, protocol_of
from trialimg.services.trials_charter import Charter, charter_of

__all__ = ["ShownProtocol", "amend", "protocol_difference", "shown_protocol"]


@dataclass(frozen=True)
class ShownProtocol:
    """A trial's protocol at one moment."""

    charter: Charter
    text: str
    """Of the version in force, as it was uploaded."""
    cases: Mapping[str, int]
    """Digest of a protocol version to number of cases that are read under it."""


def shown_protocol(records: Records, actor: Actor, trial: str) -> ShownProtocol:
    """The protocol in force with its history.

    Raises
    ------
    AccessError
        If the actor may not see the trial as a whole.
    ProtocolError
        If there is no such trial.
    """
    with records.look(actor, Action.VIEW_COHORT, trial=trial) as transaction:
        last = protocol_of(transaction, trial)
        versions = transaction.versions(PROTOCOL, trial)
        cases = Counter(case.body["protocol_digest"] for case in transaction.find(CASE, Place(trial)))
    return ShownProtocol(charter_of(versions), last.body["text"], cases)


def protocol_difference(
    records: Records, actor: Actor, trial: str, *, before: int, after: int
) -> tuple[Difference, ...]:
    """Every setting that differs between two versions, by their numbers from 1.

    Raises
    ------
    ProtocolError
        If there is no such trial or version.
    """
    with records.look(actor, Action.VIEW_COHORT, trial=trial) as transaction:
        old, new = (full(read_protocol(protocol_of(transaction, trial, n).body["text"])) for n in (before, after))
    return differences(old, new)


def amend(records: Records, actor: Actor, proof: Proof, trial: str, *, text: str, change: Change) -> tuple[str, int]:
    """Put an uploaded protocol in force and, after the first read, bring the cases under it, signed.

    Returns
    -------
    tuple of str and int
        The version now in force, and how many cases were brought under it.

    Raises
    ------
    ProtocolError
        If the file cannot be followed, or is the protocol of another trial.
    AccessError
        If the actor may not amend the protocol, or the proof of who they are does not hold; where only the proof
        fails, the amendment stands and its cases are still to be brought under it.
    """
    if (named := read_protocol(text).trial.id) != trial:
        raise ProtocolError(f"this file is the protocol of {named}, not of {trial}")
    kept = amend_protocol(records, actor, text, change)
    moved = apply_amendment(records, actor, proof, trial) if kept.body["after_first_read"] else ()
    return kept.body["version"], len(moved)
