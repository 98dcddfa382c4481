"""What the store holds and when it was last signed and backed up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trialimg.core.access import Action, Actor
from trialimg.ledger.checkpoint import SignedCheckpoint
from trialimg.services.journal import Records
from trialimg.services.ports import KeptBlobs, KeyRing, Transaction
from trialimg.services.records import EntryQuery
from trialimg.services.store_checkpoints import installation_name, sign_checkpoint

__all__ = ["StoreFigures", "make_checkpoint", "store_figures"]


@dataclass(frozen=True)
class StoreFigures:
    """What the store holds."""

    installation: str
    """Its name in checkpoints; empty as long as nothing was signed."""
    entries: int
    blobs: int
    """Images and masks kept by digest."""
    checkpoints: tuple[SignedCheckpoint, ...]
    """Latest first."""
    backups: tuple[tuple[str, str, str], ...]
    """When, by whom, into which folder; latest first."""

    @property
    def uncovered(self) -> int:
        """Entries that no checkpoint covers yet."""
        return self.entries - (self.checkpoints[0].checkpoint.size if self.checkpoints else 0)


def store_figures(records: Records, actor: Actor, blobs: KeptBlobs) -> StoreFigures:
    """What the store holds now.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail of the installation.
    """
    with records.look(actor, Action.VIEW_AUDIT) as transaction:
        signed = tuple(SignedCheckpoint.parse(text.encode()) for text in reversed(transaction.checkpoints()))
        backups = tuple(_backups(transaction))[::-1]
        name, entries = installation_name(transaction), transaction.size()
    return StoreFigures(name, entries, sum(1 for _ in blobs.every_key()), signed, backups)


def make_checkpoint(records: Records, actor: Actor, ring: KeyRing) -> SignedCheckpoint:
    """Sign what the ledger holds now.

    Raises
    ------
    AccessError
        If the actor may not manage the store.
    """
    with records.change(actor, Action.MANAGE_STORE) as journal:
        return sign_checkpoint(journal, ring)


def _backups(transaction: Transaction) -> Iterator[tuple[str, str, str]]:
    for entry in transaction.entries(EntryQuery(trial="", action="back_up", object_kind="store")):
        yield entry.at, entry.who, entry.object_id
