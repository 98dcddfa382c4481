"""Is an exported bundle what the installation signed, and is it what an outsider saw before?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from trialimg.core.errors import IntegrityError, InvalidValueError
from trialimg.ledger.bundle_format import (
    BUNDLE_PURPOSE,
    DATA_FILES,
    ENTRIES,
    KEYS,
    MANIFEST,
    MANIFEST_SIGNATURES,
    Manifest,
    Withheld,
)
from trialimg.ledger.bundle_reader import Bundle, Line, LineSource, bundle_lines, digest_and_size, open_bundle
from trialimg.ledger.canonical import parse
from trialimg.ledger.checkpoint import Checkpoint, SignedCheckpoint, verify
from trialimg.ledger.entry import Entry
from trialimg.ledger.findings import Findings, Report
from trialimg.ledger.keys import KeyHistory, Signatures
from trialimg.ledger.merkle import leaf_hash
from trialimg.ledger.verifier_chains import Chains, Checkpoints, Tree, checkpoint_name, span
from trialimg.ledger.verifier_contents import Contents

__all__ = ["verify_bundle", "verify_ledger"]

_LONGEST_FILE_BYTES = 64 << 20
_KNOWN = "the checkpoint kept outside"


def verify_bundle(
    path: Path, trusted_keys: Collection[str] | None = None, known_checkpoint: SignedCheckpoint | None = None
) -> Report:
    """Everything in a bundle that is not as it was signed.

    Parameters
    ----------
    path
        Folder or zip file.
    trusted_keys
        Ids of key pairs that the outsider was given by another way; None compares with nothing.
    known_checkpoint
        What the outsider kept from an earlier day. Without it a fork, or an old state put back, cannot be seen.

    Notes
    -----
    Reads every file once or twice from front to back. What is kept in memory: the roots of the tree's full subtrees,
    the last entry of each trial, and about 0.2 kB for each record (not for each version or entry).

    Raises
    ------
    IntegrityError
        If there is no bundle to be read at all.
    """
    findings = Findings()
    with open_bundle(path) as bundle:
        keys = _keys(bundle, findings)
        manifest = _manifest(bundle, keys, findings)
        _files(bundle, manifest, findings)
        verification = _Verification(bundle_lines(bundle), keys, findings, known_checkpoint)
        verification.run()
        last = verification.checkpoints.last
        if manifest is not None and last is not None:
            _agree(manifest, last.checkpoint, findings)
        return verification.report(trusted_keys)


def verify_ledger(
    lines: LineSource,
    keys: KeyHistory,
    trusted_keys: Collection[str] | None = None,
    known_checkpoint: SignedCheckpoint | None = None,
) -> Report:
    """The same for a ledger that is not in files: lines as a bundle has them, from wherever they are kept.

    Parameters
    ----------
    lines
        Called with the name of a bundle's file; gives the lines that the file would have.
    """
    findings = Findings()
    with _reported("bad_keys", KEYS, findings):
        keys.check()
    verification = _Verification(lines, keys, findings, known_checkpoint)
    verification.run()
    return verification.report(trusted_keys)


class _Verification:
    """One walk over all lines."""

    def __init__(
        self, lines: LineSource, keys: KeyHistory | None, findings: Findings, known: SignedCheckpoint | None
    ) -> None:
        self.findings = findings
        self.lines = lines
        self.keys = keys
        self.known = known
        self.entries = self.withheld = 0
        self._is_compared = False
        self.tree = Tree(findings)
        self.chains = Chains(findings)
        self.contents = Contents(lines, findings)
        self.checkpoints = Checkpoints(lines, keys, findings)

    def run(self) -> None:
        """Read every line."""
        self._compare()
        for line in self.lines(ENTRIES):
            if line.fault:
                self.findings.add("unreadable", line.where, line.fault)
            self._follow(line)
            self._compare()
        self._compare_known(at_end=True)
        self.checkpoints.close(self.tree.size)
        self.chains.close()
        self.contents.close()

    def report(self, trusted_keys: Collection[str] | None) -> Report:
        """What came of it."""
        is_known = self._known_is_signed()
        if trusted_keys is not None:
            self._compare_keys(trusted_keys)
        last = self.checkpoints.last
        return Report(
            findings=tuple(self.findings.found),
            unlisted=self.findings.unlisted,
            entries=self.entries,
            withheld=self.withheld,
            trials=sum(trial != "" for trial in self.chains.tails),
            records=self.contents.records,
            redacted=self.contents.redacted,
            checkpoints=self.checkpoints.count,
            checkpoint_at="" if last is None else last.checkpoint.at,
            root=self.tree.frontier.root().hex(),
            key="" if last is None else last.signatures.key,
            is_trusted=trusted_keys is not None or is_known,
        )

    def _follow(self, line: Line) -> None:
        leaf = leaf_hash(line.data)
        try:
            if line.data.startswith(b'{"leaf":'):
                withheld = Withheld.parse(line.data)
                self.tree.place(withheld.sequence, bytes.fromhex(withheld.leaf), line.where)
                self.withheld += 1
                return
            entry = Entry.parse(line.data)
        except InvalidValueError as wrong:
            self.findings.add("unreadable", f"entry {self.tree.size} ({line.where})", str(wrong))
            self.tree.skip(leaf)
            return
        self.entries += 1
        self.tree.place(entry.sequence, leaf, line.where)
        self.chains.follow(entry, leaf.hex())
        self.contents.follow(entry)

    def _compare(self) -> None:
        size = self.tree.size
        for checkpoint in self.checkpoints.due(size):
            name = checkpoint_name(checkpoint)
            if checkpoint.size == size:
                self.tree.compare(checkpoint, name)
                self.chains.date(checkpoint, name)
                self.chains.compare(checkpoint.heads, name, some_are_withheld=self.withheld > 0)
        self._compare_known(at_end=False)

    def _compare_known(self, *, at_end: bool) -> None:
        if self.known is None or self._is_compared:
            return
        known = self.known.checkpoint
        if known.size == self.tree.size:
            self._is_compared = True
            if self.tree.frontier.root().hex() != known.root:
                message = f"the entries are not those of {_KNOWN} on {known.at}: forked, or rewritten since"
                self.findings.add("fork", f"tree of {known.size} entries", message)
            self.chains.compare(known.heads, _KNOWN, some_are_withheld=self.withheld > 0)
        elif known.size > self.tree.size and at_end:
            message = f"missing at the end, but {_KNOWN} covers them: cut off, or an old backup was restored"
            self.findings.add("rolled_back", span(self.tree.size, known.size), message)

    def _known_is_signed(self) -> bool:
        """True if the keys at hand made the checkpoint that was kept outside."""
        if self.known is None or self.keys is None:
            return False
        last = self.checkpoints.last
        if last is not None and last.checkpoint.installation != self.known.checkpoint.installation:
            message = f"is of installation {last.checkpoint.installation!r}, {_KNOWN} of another"
            self.findings.add("other_installation", checkpoint_name(last.checkpoint), message)
        try:
            verify(self.known, self.keys)
        except IntegrityError as wrong:
            self.findings.add("swapped_keys", _KNOWN, str(wrong))
            return False
        return True

    def _compare_keys(self, trusted: Collection[str]) -> None:
        if self.keys is None:
            return
        places = [place for key in trusted if (place := self.keys.position(key)) is not None]
        last = self.checkpoints.last
        signer = None if last is None else self.keys.position(last.signatures.key)
        if not places:
            message = "none of the keys is one of those trusted, nor endorsed by one"
            self.findings.add("swapped_keys", KEYS, message)
        elif signer is not None and signer < min(places):
            message = "was signed by a key from before those trusted"
            self.findings.add("swapped_keys", f"key {self.keys.pairs[signer].keys.id[:16]}", message)


def _keys(bundle: Bundle, findings: Findings) -> KeyHistory | None:
    try:
        keys = KeyHistory.from_plain(parse(_whole(bundle, KEYS)))
        keys.check()
    except (IntegrityError, InvalidValueError) as wrong:
        findings.add("bad_keys", KEYS, str(wrong))
        return None
    return keys


def _manifest(bundle: Bundle, keys: KeyHistory | None, findings: Findings) -> Manifest | None:
    """The list of files, if it can be read; its signature is judged here."""
    manifest = None
    with _reported("bad_manifest", MANIFEST, findings):
        data = _whole(bundle, MANIFEST)
        manifest = Manifest.parse(data)
        if keys is not None:
            _signed_by(keys, manifest, data, _whole(bundle, MANIFEST_SIGNATURES))
    return manifest


def _signed_by(keys: KeyHistory, manifest: Manifest, data: bytes, signatures: bytes) -> None:
    expected = keys.in_force(manifest.size)
    if expected is None:
        raise IntegrityError(f"no key was in force at size {manifest.size}")
    expected.verify(BUNDLE_PURPOSE, data, Signatures.from_plain(parse(signatures)))


def _files(bundle: Bundle, manifest: Manifest | None, findings: Findings) -> None:
    present = bundle.names()
    listed = {file.path: file for file in manifest.files} if manifest is not None else {}
    for name in sorted({*DATA_FILES, *listed} - present):
        findings.add("missing_file", name, "is not here")
    if manifest is None:
        return
    for name in sorted(present - listed.keys() - {MANIFEST, MANIFEST_SIGNATURES}):
        findings.add("unknown_file", name, f"is not listed in {MANIFEST}")
    for name in sorted(present & listed.keys()):
        with _reported("altered_file", name, findings), bundle.open(name) as file:
            if digest_and_size(file) != (listed[name].sha256, listed[name].size_bytes):
                raise IntegrityError("was altered: its SHA-256 is not the signed one")


def _agree(manifest: Manifest, checkpoint: Checkpoint, findings: Findings) -> None:
    signed = (checkpoint.installation, checkpoint.size, checkpoint.root)
    if (manifest.installation, manifest.size, manifest.root) != signed:
        findings.add("bad_manifest", MANIFEST, f"speaks of another ledger than {checkpoint_name(checkpoint)}")


def _whole(bundle: Bundle, name: str) -> bytes:
    if name not in bundle.names():
        raise IntegrityError("is not here")
    with bundle.open(name) as file:
        data = file.read(_LONGEST_FILE_BYTES + 1)
    if len(data) > _LONGEST_FILE_BYTES:
        raise IntegrityError(f"is longer than {_LONGEST_FILE_BYTES} bytes")
    return data


@contextmanager
def _reported(what: str, where: str, findings: Findings) -> Iterator[None]:
    """Turns a refusal into a finding."""
    try:
        yield
    except (IntegrityError, InvalidValueError) as wrong:
        findings.add(what, where, str(wrong))
