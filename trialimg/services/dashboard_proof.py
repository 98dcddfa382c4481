"""Are the records what was signed? Asked by those who may read the audit trail; and the proof of one entry."""

from __future__ import annotations

from dataclasses import dataclass

from trialimg.core.access import Action, Actor
from trialimg.core.errors import IntegrityError
from trialimg.ledger.checkpoint import SignedCheckpoint
from trialimg.ledger.checkpoint import verify as verify_signatures
from trialimg.ledger.findings import Report
from trialimg.ledger.merkle import inclusion_path, verify_inclusion
from trialimg.services.journal import Records
from trialimg.services.ports import KeptBlobs
from trialimg.services.records import EntryQuery
from trialimg.services.store_checkpoints import key_history
from trialimg.services.store_verification import verify_store

__all__ = ["EntryProof", "ledger_size", "prove_entry", "verify_records"]


@dataclass(frozen=True)
class EntryProof:
    """The way from one entry to the root that the last checkpoint signs (RFC 9162)."""

    sequence: int
    leaf: str
    """Hash of the entry, in hexadecimal digits."""
    path: tuple[str, ...]
    """Hashes beside the way to the root, from the leaf up."""
    size: int
    """Entries under the checkpoint."""
    root: str
    checkpoint_at: str
    key: str
    """Id of the pair of keys that signed it."""


def ledger_size(records: Records, actor: Actor, trial: str, *, right: Action = Action.VIEW_AUDIT) -> int:
    """How many entries the ledger has, those of all trials; as long as it stays, no record has changed.

    Raises
    ------
    AccessError
        If the actor does not have the right in this trial.
    """
    with records.look(actor, right, trial=trial) as transaction:
        return transaction.size()


def verify_records(records: Records, actor: Actor, trial: str, blobs: KeptBlobs) -> Report:
    """Everything in the records, and in the images and masks, that is not as it was written and signed.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail.
    """
    with records.look(actor, Action.VIEW_AUDIT, trial=trial):
        pass
    return verify_store(records.store, blobs)


def prove_entry(records: Records, actor: Actor, trial: str, sequence: int) -> EntryProof | None:
    """The proof that an entry stands under the last checkpoint; None while no checkpoint covers it.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail.
    IntegrityError
        If the trial has no such entry, the checkpoint is not one of ours, or the way does not lead to its root.
    """
    with records.look(actor, Action.VIEW_AUDIT, trial=trial) as transaction:
        entry = next(transaction.entries(EntryQuery(trial=trial, start=sequence, limit=1)), None)
        if entry is None or entry.sequence != sequence:
            raise IntegrityError(f"{trial or 'the installation'} has no entry {sequence}")
        signed = next((SignedCheckpoint.parse(text.encode()) for text in transaction.checkpoints()[-1:]), None)
        history = key_history(transaction)
        if signed is None or history is None or signed.checkpoint.size <= sequence:
            return None
        verify_signatures(signed, history)
        size, root = signed.checkpoint.size, signed.checkpoint.root
        path = inclusion_path(sequence, size, transaction.node)
    if not verify_inclusion(bytes.fromhex(entry.hash), sequence, size, path=path, root=bytes.fromhex(root)):
        raise IntegrityError(f"entry {sequence} does not stand under the checkpoint of {signed.checkpoint.at}")
    hashes = tuple(step.hex() for step in path)
    return EntryProof(sequence, entry.hash, hashes, size, root, signed.checkpoint.at, signed.signatures.key)
