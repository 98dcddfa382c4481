"""Writing a bundle: the ledger, its contents and the files beside it, for someone who has nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from trialimg.core.errors import IntegrityError
from trialimg.ledger.bundle_format import (
    BUNDLE_PURPOSE,
    CHECKPOINTS,
    DATA_FILES,
    DETAILS,
    ENTRIES,
    KEYS,
    MANIFEST,
    MANIFEST_SIGNATURES,
    RECORDS,
    VERIFIER,
    DetailLine,
    ListedFile,
    Manifest,
    RecordLine,
    Withheld,
)
from trialimg.ledger.bundle_reader import digest_and_size
from trialimg.ledger.canonical import canonical
from trialimg.ledger.checkpoint import SignedCheckpoint, Signer
from trialimg.ledger.entry import Entry
from trialimg.ledger.keys import KeyHistory
from trialimg.ledger.offline import offline_verifier
from trialimg.ledger.sealed import Redacted, Sealed

__all__ = ["Item", "Withheld", "listed_files", "write_bundle"]


@dataclass(frozen=True)
class Item:
    """An entry with what it has digests of."""

    entry: Entry
    record: Sealed | Redacted | None = None
    """The version of the record that the entry made."""
    detail: Sealed | Redacted | None = None

    def record_line(self) -> RecordLine | None:
        """The line of `RECORDS`."""
        if self.record is None:
            return None
        made = self.entry
        return RecordLine(
            made.sequence, made.object_kind, made.object_id, made.object_version, made.trial, content=self.record
        )

    def detail_line(self) -> DetailLine | None:
        """The line of `DETAILS`."""
        return None if self.detail is None else DetailLine(self.entry.sequence, self.detail)


def write_bundle(
    folder: Path,
    items: Iterable[Item | Withheld],
    *,
    checkpoints: Sequence[SignedCheckpoint],
    keys: KeyHistory,
    signer: Signer,
) -> Manifest:
    """Write the ledger into an existing folder and sign the list of all files in it.

    Parameters
    ----------
    folder
        What is in it already (images, reports) becomes part of the bundle.
    items
        Every entry in its sequence; `Withheld` in the place of one that is not for the reader's eyes.
    checkpoints
        Oldest first; the last one covers every entry.
    signer
        The pair in force.

    Raises
    ------
    IntegrityError
        If the folder has a ledger already, or there is no checkpoint. Whether the contents are whole is not judged:
        a damaged ledger can be exported, and the verifier says what is wrong with it.
    """
    ours = (*DATA_FILES, VERIFIER, MANIFEST, MANIFEST_SIGNATURES)
    if taken := [name for name in ours if (folder / name).exists()]:
        raise IntegrityError(f"{folder / taken[0]}: there is a bundle already; export into another folder")
    if not checkpoints:
        raise IntegrityError("a bundle needs a checkpoint that covers it; sign one first")
    _write_items(folder, items)
    with (folder / CHECKPOINTS).open("wb") as file:
        for signed in checkpoints:
            _write_line(file, signed.bytes())
    (folder / KEYS).write_bytes(canonical(keys.plain()))
    (folder / VERIFIER).write_text(offline_verifier(), encoding="utf-8")
    last = checkpoints[-1].checkpoint
    manifest = Manifest(last.installation, last.size, last.root, listed_files(folder))
    (folder / MANIFEST).write_bytes(manifest.bytes())
    signatures = signer.sign(BUNDLE_PURPOSE, manifest.bytes())
    (folder / MANIFEST_SIGNATURES).write_bytes(canonical(signatures.plain()))
    return manifest


def _write_items(folder: Path, items: Iterable[Item | Withheld]) -> None:
    with ExitStack() as stack:
        entries, records, details = (stack.enter_context((folder / n).open("wb")) for n in (ENTRIES, RECORDS, DETAILS))
        for item in items:
            if isinstance(item, Withheld):
                _write_line(entries, item.bytes())
                continue
            _write_line(entries, item.entry.bytes())
            if (record := item.record_line()) is not None:
                _write_line(records, record.bytes())
            if (detail := item.detail_line()) is not None:
                _write_line(details, detail.bytes())


def _write_line(file: BinaryIO, data: bytes) -> None:
    file.write(data + b"\n")


def listed_files(folder: Path) -> tuple[ListedFile, ...]:
    """Every file in a folder with its digest, in order of its path."""
    files = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest, size = digest_and_size(file)
        files.append(ListedFile(path.relative_to(folder).as_posix(), size, digest))
    return tuple(files)
