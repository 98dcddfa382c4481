"""A bundle of the ledger for someone who has nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from trialimg.core.access import Action, Actor
from trialimg.core.errors import IntegrityError, InvalidValueError, TrialimgError
from trialimg.ledger.bundle import Item, write_bundle
from trialimg.ledger.bundle_format import DETAILS, ENTRIES, RECORDS, DetailLine, Manifest, RecordLine, Withheld
from trialimg.ledger.bundle_reader import Line
from trialimg.ledger.checkpoint import SignedCheckpoint
from trialimg.ledger.entry import Entry
from trialimg.services.journal import Records
from trialimg.services.ports import KeyRing, Transaction
from trialimg.services.sample_folder import new_folder
from trialimg.services.store_checkpoints import key_history, key_in_force, sign_checkpoint

__all__ = ["export_bundle"]

Row = TypeVar("Row", RecordLine, DetailLine)


def export_bundle(records: Records, actor: Actor, ring: KeyRing, out: Path, *, trial: str | None = None) -> Manifest:
    """Write the whole ledger, or that of one trial, with a fresh checkpoint into a new folder; the export is an entry.

    Parameters
    ----------
    trial
        Whose entries and records are handed over; of all others only the hashes are. None: everything.

    Raises
    ------
    AccessError
        If the actor may not see the audit trail.
    IntegrityError
        If a row cannot be read; `verify_store` names all of them.
    TrialimgError
        If the folder is there already, or the signing keys are not here.
    """
    with new_folder(out) as folder:
        with records.change(actor, Action.VIEW_AUDIT, trial=trial or "") as journal:
            journal.note("export", kind="ledger", key=trial or "*", trial=trial or "")
            last = sign_checkpoint(journal, ring)
        with records.look(actor, Action.VIEW_AUDIT, trial=trial or "") as transaction:
            size = last.checkpoint.size
            history = key_history(transaction)
            if history is None:
                raise TrialimgError("the signing keys are gone from the records")
            return write_bundle(
                folder,
                _items(transaction, size, trial),
                checkpoints=_checkpoints(transaction, size),
                keys=history,
                signer=key_in_force(history, ring, size),
            )


def _checkpoints(transaction: Transaction, size: int) -> list[SignedCheckpoint]:
    kept = (SignedCheckpoint.parse(text.encode()) for text in transaction.checkpoints())
    return [signed for signed in kept if signed.checkpoint.size <= size]


def _items(transaction: Transaction, size: int, trial: str | None) -> Iterator[Item | Withheld]:
    records = _Beside(transaction.lines(RECORDS), RecordLine.parse)
    details = _Beside(transaction.lines(DETAILS), DetailLine.parse)
    for line in transaction.lines(ENTRIES):
        entry = _read(line, Entry.parse)
        if entry.sequence >= size:
            return
        record, detail = records.at(entry.sequence), details.at(entry.sequence)
        if trial in (None, entry.trial):
            yield Item(entry, record.content if record else None, detail.content if detail else None)
        else:
            yield Withheld(entry.sequence, entry.hash)


class _Beside(Generic[Row]):
    """Rows in the order of their entries, given out as the entries go by."""

    def __init__(self, lines: Iterator[Line], parse: Callable[[bytes], Row]) -> None:
        self._rows: Iterator[Row] = (_read(line, parse) for line in lines)
        self._next: Row | None = next(self._rows, None)

    def at(self, sequence: int) -> Row | None:
        """The row of this entry."""
        while self._next is not None and self._next.sequence < sequence:
            self._next = next(self._rows, None)
        return self._next if self._next is not None and self._next.sequence == sequence else None


Parsed = TypeVar("Parsed")


def _read(line: Line, parse: Callable[[bytes], Parsed]) -> Parsed:
    try:
        if not line.fault:
            return parse(line.data)
        fault = line.fault
    except InvalidValueError as wrong:
        fault = str(wrong)
    raise IntegrityError(f"{line.where} was altered ({fault}): `trialimg verify` names all that was")
