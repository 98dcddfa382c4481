"""A small ledger of two trials, its bundle, and the keys that sign it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from trialimg.ledger.bundle import Item, listed_files, write_bundle
from trialimg.ledger.bundle_format import BUNDLE_PURPOSE, MANIFEST, MANIFEST_SIGNATURES, Manifest
from trialimg.ledger.canonical import canonical, parse
from trialimg.ledger.checkpoint import Checkpoint, Head, SignedCheckpoint, sign
from trialimg.ledger.entry import DETAIL_KIND, REDACT, Entry
from trialimg.ledger.keypair import KeyPair
from trialimg.ledger.keys import EndorsedKeys, KeyHistory
from trialimg.ledger.merkle import Frontier
from trialimg.ledger.sealed import Redacted, Sealed, seal

START = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)


@cache
def pair(number: int = 0) -> KeyPair:
    """A pair of keys, made once a run."""
    return KeyPair.generate()


def salt(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def at(minutes: int) -> str:
    return (START + dt.timedelta(minutes=minutes)).isoformat(timespec="microseconds")


@dataclass
class Ledger:
    """A ledger that grows in memory."""

    keys: list[EndorsedKeys] = field(default_factory=lambda: [EndorsedKeys(pair().public, 0, at(0))])
    signer: KeyPair = field(default_factory=pair)
    items: list[Item] = field(default_factory=list)
    checkpoints: list[SignedCheckpoint] = field(default_factory=list)
    heads: dict[str, Head] = field(default_factory=dict)
    frontier: Frontier = field(default_factory=Frontier)
    latest: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    clock: int = 0

    def record(self, kind: str, id_: str, body: object, *, trial: str = "T1", reason: str = "") -> Entry:
        """The next version of a record."""
        version, old = self.latest.get((kind, id_), (0, ""))
        content = seal(body, salt(f"{kind}/{id_}/{version + 1}"))
        self.latest[kind, id_] = (version + 1, content.digest)
        named = {"kind": kind, "id": id_, "version": version + 1, "old": old, "new": content.digest}
        return self._append(trial, "write", named, record=content, reason=reason)

    def note(self, action: str, *, kind: str, id_: str, trial: str = "T1", reason: str = "") -> Entry:
        """Something that changed no record."""
        named = {"kind": kind, "id": id_, "version": 0, "old": "", "new": ""}
        return self._append(trial, action, named, record=None, reason=reason)

    def redact_record(self, sequence: int, reason: str) -> Entry:
        """Take a record version away and say why."""
        made = self.items[sequence].entry
        named = {"kind": made.object_kind, "id": made.object_id, "version": made.object_version}
        by = self._append(made.trial, REDACT, {**named, "old": made.new, "new": made.new}, record=None, reason=reason)
        self.items[sequence] = Item(made, Redacted(made.new, by.sequence), self.items[sequence].detail)
        return by

    def redact_reason(self, sequence: int, reason: str) -> Entry:
        """Take the reason of an entry away and say why."""
        made = self.items[sequence].entry
        named = {"kind": DETAIL_KIND, "id": str(sequence), "version": 0, "old": made.detail, "new": made.detail}
        by = self._append(made.trial, REDACT, named, record=None, reason=reason)
        self.items[sequence] = Item(made, self.items[sequence].record, Redacted(made.detail, by.sequence))
        return by

    def checkpoint(self) -> SignedCheckpoint:
        """Sign what is there."""
        root = self.frontier.root().hex()
        signed = sign(Checkpoint("site-a", len(self.items), root, at(self.clock), dict(self.heads)), self.signer)
        self.checkpoints.append(signed)
        return signed

    def rotate(self, successor: KeyPair) -> None:
        """Hand over to the next pair."""
        self.keys.append(self.signer.endorse(successor.public, from_size=len(self.items) + 1, at=at(self.clock)))
        self.signer = successor
        self.note("rotate_keys", kind="keys", id_=successor.public.id, trial="")

    @property
    def history(self) -> KeyHistory:
        return KeyHistory(tuple(self.keys))

    def write(self, folder: Path, items: Sequence[object] | None = None) -> Path:
        """Export into a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        write_bundle(
            folder,
            self.items if items is None else items,
            checkpoints=self.checkpoints,
            keys=self.history,
            signer=self.signer,
        )
        return folder

    def _append(self, trial: str, action: str, named: dict, *, record: Sealed | None, reason: str) -> Entry:
        self.clock += 1
        head = self.heads.get(trial)
        detail = seal({"reason": reason}, salt(f"reason/{len(self.items)}")) if reason else None
        entry = Entry(
            sequence=len(self.items),
            trial=trial,
            trial_sequence=0 if head is None else head.trial_sequence + 1,
            previous="" if head is None else head.hash,
            at=at(self.clock),
            who="reader1",
            role="radiologist",
            action=action,
            object_kind=named["kind"],
            object_id=named["id"],
            object_version=named["version"],
            old=named["old"],
            new=named["new"],
            detail="" if detail is None else detail.digest,
            software="trialimg 0.4.0",
        )
        self.items.append(Item(entry, record, detail))
        self.heads[trial] = Head(entry.trial_sequence, entry.hash)
        self.frontier = self.frontier.append(bytes.fromhex(entry.hash))
        return entry


def small_ledger() -> Ledger:
    """Twelve entries in two trials and the installation's own chain, two checkpoints, a redacted record and reason."""
    ledger = Ledger()
    ledger.record("user", "reader1", {"name": "Dr Ada Reader"}, trial="")
    ledger.record("read", "R-1", {"sum_mm": "44.2"})
    ledger.record("read", "R-2", {"sum_mm": "30.0"}, trial="T2")
    ledger.note("open_images", kind="series", id_="1.2.3", trial="T1")
    ledger.record(
        "read", "R-1", {"sum_mm": "43.2", "comment": "called Jane Doe"}, reason="slip of the pen, says Jane Doe"
    )
    ledger.checkpoint()
    ledger.note("open_images", kind="series", id_="1.2.4", trial="T2")
    ledger.record("read", "R-2", {"sum_mm": "31.0"}, trial="T2", reason="measured again")
    ledger.redact_record(4, "a person's name in the comment")
    ledger.redact_reason(4, "a person's name in the reason")
    ledger.record("read", "R-3", {"sum_mm": "12.0"})
    ledger.note("sign_out", kind="session", id_="s1", trial="")
    ledger.note("open_images", kind="series", id_="1.2.5", trial="T2")
    ledger.checkpoint()
    return ledger


def lines(bundle: Path, name: str) -> list[bytes]:
    return (bundle / name).read_bytes().splitlines()


def put(bundle: Path, name: str, changed: list[bytes]) -> None:
    (bundle / name).write_bytes(b"".join(line + b"\n" for line in changed))


def changed_line(line: bytes, **values: object) -> bytes:
    return canonical({**parse(line), **values})


def reseal(bundle: Path, ledger: Ledger) -> None:
    """Sign the list of files as they are now.

    An outsider who changes a file cannot; an insider could. Only the ledger itself is then left to tell.
    """
    manifest = Manifest.parse((bundle / MANIFEST).read_bytes())
    (bundle / MANIFEST).unlink()
    (bundle / MANIFEST_SIGNATURES).unlink()
    manifest = replace(manifest, files=listed_files(bundle))
    (bundle / MANIFEST).write_bytes(manifest.bytes())
    signatures = ledger.signer.sign(BUNDLE_PURPOSE, manifest.bytes())
    (bundle / MANIFEST_SIGNATURES).write_bytes(canonical(signatures.plain()))


def found(report) -> list[tuple[str, str]]:
    return [(finding.what, finding.where) for finding in report.findings]
