"""A backup of everything but the private keys, its restoration, and the proof that it can be restored."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from trialimg.core.access import Action, Actor, Role
from trialimg.core.errors import IntegrityError, InvalidValueError, TrialimgError
from trialimg.ledger.bundle import listed_files
from trialimg.ledger.canonical import canonical, parse, shaped
from trialimg.ledger.checkpoint import SignedCheckpoint
from trialimg.ledger.findings import Report
from trialimg.ledger.keys import Signatures
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import DurableStore, KeptBlobs, KeyRing
from trialimg.services.sample_folder import new_folder
from trialimg.services.store_checkpoints import key_history, key_in_force, sign_checkpoint
from trialimg.services.store_verification import Known, verify_store

__all__ = ["BACKUP_PURPOSE", "Backup", "RestoreTest", "Storage", "back_up", "restore", "test_restore"]

BACKUP_PURPOSE = "trialimg backup v1"
_FORMAT = "trialimg backup 1"
_RECORDS, _BLOBS, _MANIFEST, _SIGNATURES = "records.sqlite", "blobs", "manifest.json", "manifest.signatures.json"
_LEFT_OUT = ("private signing keys", "key-encryption keys of the blobs")
_SOFTWARE = Actor("trialimg", Role.DEVICE)


@dataclass(frozen=True)
class Storage:
    """Everything that an installation keeps, and how a copy of it is opened."""

    records: Records
    store: DurableStore
    blobs: KeptBlobs
    """As they lie: encrypted where they are."""
    ring: KeyRing
    open_store: Callable[[Path], DurableStore]
    """Records in a file of SQLite, brought to this software's tables."""
    open_blobs: Callable[[Path], KeptBlobs]
    """Blobs in a folder, as they lie."""

    def at(self, folder: Path) -> Storage:
        """The same in an empty folder."""
        store = self.open_store(folder / _RECORDS)
        records = replace(self.records, store=store)
        return replace(self, records=records, store=store, blobs=self.open_blobs(folder / _BLOBS))


@dataclass(frozen=True)
class Backup:
    """What a backup holds."""

    installation: str
    at: str
    entries: int
    """At its checkpoint; the records may go on behind it."""
    blobs: int
    checkpoint: SignedCheckpoint


@dataclass(frozen=True)
class RestoreTest:
    """Whether a backup could be restored, and what came back."""

    backup: str
    at: str
    seconds: str
    ok: bool
    because: str
    """Why it could not; empty if it could."""
    entries: int
    records: int
    blobs: int
    root: str


def back_up(storage: Storage, actor: Actor | None, out: Path) -> Backup:
    """Write a new folder: the records of one moment, every blob, and a signed list of both.

    Parameters
    ----------
    actor
        Who does it; None for the machine's own scheduler, in whose entry the software stands.

    Raises
    ------
    AccessError
        If the actor may not manage the store.
    TrialimgError
        If the folder is there already or cannot be written.
    """
    with new_folder(out) as folder:
        with _journal(storage.records, actor) as journal:
            journal.note("back_up", kind="store", key=out.name)
            signed = sign_checkpoint(journal, storage.ring)
        storage.store.snapshot(folder / _RECORDS)
        kept = storage.open_blobs(folder / _BLOBS)
        count = sum(1 for _ in _copied(storage.blobs, kept))
        checkpoint = signed.checkpoint
        files = [asdict(file) for file in listed_files(folder)]
        said = {
            "at": checkpoint.at,
            "blobs": count,
            "checkpoint": signed.bytes().decode(),
            "files": files,
            "format": _FORMAT,
            "left_out": list(_LEFT_OUT),
            "software": storage.records.software,
        }
        _sign(storage, folder, canonical(said), checkpoint.size)
    return Backup(checkpoint.installation, checkpoint.at, checkpoint.size, count, signed)


def restore(storage: Storage, folder: Path, known: Known | None = None) -> Report:
    """Bring a backup into an empty installation, and verify what has arrived.

    The records arrive in one transaction, after the blobs: when this is interrupted there are none, and it can be done
    again.

    Raises
    ------
    IntegrityError
        Naming the first file or record of the backup that is not as it was.
    TrialimgError
        If there are records already, or there is no backup.
    """
    backup = _checked(folder)
    if storage.records.now() < backup.at:
        raise TrialimgError(f"the clock is behind the backup, made at {backup.at}: set the clock right, then try again")
    with tempfile.TemporaryDirectory() as aside, ExitStack() as undone:
        copy = Path(aside) / _RECORDS
        shutil.copyfile(folder / _RECORDS, copy)
        opened = storage.open_store(copy)
        _require_signed(folder, opened, backup.entries)
        before = _verified(folder / _RECORDS, opened, replace(known or Known(), checkpoint=_later(backup, known)))
        for key in _copied(storage.open_blobs(folder / _BLOBS), storage.blobs):
            undone.callback(storage.blobs.remove, key)
        storage.store.restore(copy)
        undone.pop_all()
    after = _verified(storage.store.address, storage.store, Known())
    if (after.entries, after.records, after.root) != (before.entries, before.records, before.root):
        raise IntegrityError(f"{storage.store.address}: what was restored is not what {folder} holds")
    with _journal(storage.records, None) as journal:
        reason = f"{after.entries} entries, root {after.root}"
        journal.note("restore", kind="store", key=folder.name, reason=reason)
    return after


def test_restore(storage: Storage, actor: Actor | None, folder: Path) -> RestoreTest:
    """Restore a backup into a temporary place, and write beside it what came of it; the test is an entry.

    Parameters
    ----------
    actor
        As for `back_up`.

    Raises
    ------
    AccessError
        If the actor may not manage the store.
    """
    began = time.monotonic()
    report, because, blobs = None, "", 0
    with tempfile.TemporaryDirectory() as aside:
        try:
            place = storage.at(Path(aside))
            report = restore(place, folder)
            blobs = sum(1 for _ in place.blobs.every_key())
        except TrialimgError as wrong:
            because = str(wrong)
    with _journal(storage.records, actor) as journal:
        result = RestoreTest(
            backup=folder.name,
            at=journal.at,
            seconds=f"{time.monotonic() - began:.1f}",
            ok=report is not None,
            because=because,
            entries=report.entries if report else 0,
            records=report.records if report else 0,
            blobs=blobs,
            root=report.root if report else "",
        )
        outcome = "restored and verified" if result.ok else f"not restored: {because}"
        journal.note("test_restore", kind="store", key=folder.name, reason=outcome)
    folder.with_name(f"{folder.name}.restore-test.json").write_text(json.dumps(asdict(result), indent=2) + "\n")
    return result


def _sign(storage: Storage, folder: Path, manifest: bytes, size: int) -> None:
    with storage.store.reading() as transaction:
        history = key_history(transaction)
    if history is None:
        raise TrialimgError("the signing keys are gone from the records")
    (folder / _MANIFEST).write_bytes(manifest)
    signatures = key_in_force(history, storage.ring, size).sign(BACKUP_PURPOSE, manifest)
    (folder / _SIGNATURES).write_bytes(canonical(signatures.plain()))


def _checked(folder: Path) -> Backup:
    """What the backup says it is, when every file in it is as listed."""
    with _readable(folder):
        shape = {
            "at": str, "blobs": int, "checkpoint": str, "files": list, "format": str, "left_out": list, "software": str,
        }  # fmt: skip
        said = shaped(parse((folder / _MANIFEST).read_bytes()), shape)
        if said["format"] != _FORMAT:
            raise IntegrityError(f"{folder / _MANIFEST}: {said['format']!r} is not {_FORMAT!r}")
        signed = SignedCheckpoint.parse(said["checkpoint"].encode())
        found = {file.path: asdict(file) for file in listed_files(folder)}
    listed: dict[str, Any] = {file["path"]: file for file in said["files"]}
    ours = {_MANIFEST, _SIGNATURES}
    for path in sorted((found.keys() | listed.keys()) - ours):
        if path not in found:
            raise IntegrityError(f"{folder / path}: is missing from the backup")
        if path not in listed or found[path] != listed[path]:
            raise IntegrityError(f"{folder / path}: is not what was backed up")
    checkpoint = signed.checkpoint
    return Backup(checkpoint.installation, said["at"], checkpoint.size, said["blobs"], signed)


def _later(backup: Backup, known: Known | None) -> SignedCheckpoint:
    """The backup's own checkpoint, or what an outsider kept if that covers more."""
    kept = known.checkpoint if known else None
    return kept if kept is not None and kept.checkpoint.size > backup.entries else backup.checkpoint


def _require_signed(folder: Path, store: DurableStore, size: int) -> None:
    """Refuse a list of files that is not signed by the keys that the records name."""
    with store.reading() as transaction, _readable(folder):
        history = key_history(transaction)
        keys = history.in_force(size) if history else None
        if keys is None:
            raise IntegrityError(f"{folder / _RECORDS}: names no key that could have signed this backup")
        signatures = Signatures.from_plain(parse((folder / _SIGNATURES).read_bytes()))
        try:
            keys.verify(BACKUP_PURPOSE, (folder / _MANIFEST).read_bytes(), signatures)
        except IntegrityError as wrong:
            raise IntegrityError(f"{folder / _MANIFEST}: was altered ({wrong})") from wrong


def _verified(where: Path | str, store: DurableStore, known: Known) -> Report:
    report = verify_store(store, known=known)
    if not report.ok:
        more = f" (and {len(report.findings) - 1 + report.unlisted} more)" if len(report.findings) > 1 else ""
        raise IntegrityError(f"{where}: {report.findings[0]}{more}")
    return report


def _copied(source: KeptBlobs, target: KeptBlobs) -> Iterator[str]:
    """Keys of the blobs that the target did not have, each when it has it."""
    for key in source.every_key():
        data = source.get(key)
        if data is not None and target.get(key) is None:
            target.put(key, data)
            yield key


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise TrialimgError(f"{folder}: no backup that can be read ({fault.strerror})") from fault
    except InvalidValueError as wrong:
        raise IntegrityError(f"{folder / _MANIFEST}: was altered ({wrong})") from wrong


@contextmanager
def _journal(records: Records, actor: Actor | None) -> Iterator[Journal]:
    """A journal of somebody who may manage the store, or of the software at work by itself."""
    if actor is not None:
        with records.change(actor, Action.MANAGE_STORE) as journal:
            yield journal
        return
    with records.store.changing() as transaction:
        yield Journal(transaction, _SOFTWARE, records)
