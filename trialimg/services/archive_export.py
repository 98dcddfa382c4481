"""An inspection copy on disk: for people, for machines, and with the ledger that proves it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from trialimg.core.access import Action, Actor
from trialimg.core.errors import TrialimgError
from trialimg.ledger.bundle import write_bundle
from trialimg.ledger.bundle_format import Manifest
from trialimg.ledger.checkpoint import SignedCheckpoint
from trialimg.services.archive import InspectionCopy, Scope, bundle_items, copy_within
from trialimg.services.journal import Records
from trialimg.services.ports import KeyRing
from trialimg.services.sample_folder import new_folder
from trialimg.services.store_checkpoints import key_history, key_in_force, sign_checkpoint
from trialimg.services.trials import PROTOCOL
from trialimg.services.trials_charter import Charter, charter_of

__all__ = ["CopyWriter", "archive"]


class CopyWriter(Protocol):
    """Writes an inspection copy in the forms that people and machines read."""

    def write(self, copy: InspectionCopy, charter: Charter, folder: Path) -> tuple[Path, ...]:
        """Write into an existing folder; the files written. Same copy, same bytes."""


def archive(
    records: Records, actor: Actor, ring: KeyRing, scope: Scope, *, out: Path, writer: CopyWriter
) -> tuple[InspectionCopy, Manifest]:
    """Write a copy of a case or a trial into a new folder, with its charter and the signed ledger it rests on.

    The folder is a bundle: the verifier that lies in it opens it where there is no network and no trialimg.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail of this trial.
    ReadingError
        If there is no such trial or case.
    TrialimgError
        If the folder is there already, or the signing keys are not here.
    """
    with new_folder(out) as folder:
        with records.change(actor, Action.VIEW_AUDIT, trial=scope.trial) as journal:
            copy = copy_within(journal, scope, records.software)
            charter = charter_of(journal.transaction.versions(PROTOCOL, scope.trial))
            last = sign_checkpoint(journal, ring)
        writer.write(copy, charter, folder)
        with records.look(actor, Action.VIEW_AUDIT, trial=scope.trial) as transaction:
            size = last.checkpoint.size
            history = key_history(transaction)
            if history is None:
                raise TrialimgError("the signing keys are gone from the records")
            kept = (SignedCheckpoint.parse(text.encode()) for text in transaction.checkpoints())
            manifest = write_bundle(
                folder,
                bundle_items(transaction, scope.trial, size),
                checkpoints=[signed for signed in kept if signed.checkpoint.size <= size],
                keys=history,
                signer=key_in_force(history, ring, size),
            )
    return copy, manifest
