"""The entries one after another: places, chains of the trials, clock, and the tree at every checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from trialimg.core.errors import IntegrityError, InvalidValueError
from trialimg.ledger.bundle_format import CHECKPOINTS
from trialimg.ledger.bundle_reader import LineSource
from trialimg.ledger.checkpoint import Checkpoint, Head, SignedCheckpoint, verify
from trialimg.ledger.entry import Entry
from trialimg.ledger.findings import Findings
from trialimg.ledger.keys import KeyHistory
from trialimg.ledger.merkle import Frontier

__all__ = ["Chains", "Checkpoints", "Tree", "checkpoint_name", "span"]


@dataclass
class _Tail:
    """The last entry of a trial so far."""

    sequence: int
    trial_sequence: int
    hash: str
    doubted: int | None = None
    """The entry before it, where the two do not fit together: one of them was altered, it is not yet known which."""


@dataclass
class Chains:
    """Every trial's chain: each entry names the hash of the one before it."""

    findings: Findings
    tails: dict[str, _Tail] = field(default_factory=dict)
    _last: tuple[int, datetime] | None = None

    def follow(self, entry: Entry, leaf: str) -> None:
        """The next entry, and the hash of its line."""
        self._clock(entry)
        tail = self.tails.get(entry.trial)
        expected = 0 if tail is None else tail.trial_sequence + 1
        doubted = None
        if entry.trial_sequence != expected:
            self._gap(entry, expected)
            self._unsettled(tail)
        elif tail is not None and self._link_breaks(tail, entry.previous):
            doubted = tail.sequence
        self.tails[entry.trial] = _Tail(entry.sequence, entry.trial_sequence, leaf, doubted)

    def compare(self, heads: Mapping[str, Head], where: str, *, some_are_withheld: bool) -> None:
        """Compare the last entries with those of a signed checkpoint."""
        for trial, head in heads.items():
            tail = self.tails.get(trial)
            if tail is None:
                if not some_are_withheld:
                    self.findings.add("missing_trial", f"trial {trial!r}", f"{where} has it, but no entry is here")
            elif tail.trial_sequence != head.trial_sequence:
                message = (
                    f"is the last of its trial as no. {tail.trial_sequence}, in {where} it is no. {head.trial_sequence}"
                )
                self.findings.add("wrong_head", f"entry {tail.sequence}", message)
            elif tail.hash != head.hash:
                tail.doubted = None
                message = f"was altered: its hash is not the one in {where}"
                self.findings.add("altered_entry", f"entry {tail.sequence}", message)
                tail.hash = head.hash
            else:
                self._settled(tail)
        for trial in sorted(self.tails.keys() - heads.keys()):
            message = f"is the last of trial {trial!r}, of which {where} does not know"
            self.findings.add("unknown_trial", f"entry {self.tails[trial].sequence}", message)

    def date(self, checkpoint: Checkpoint, where: str) -> None:
        """Compare the time of a checkpoint with that of the last entry it covers."""
        if self._last is not None and _moment(checkpoint) < self._last[1]:
            message = f"was made at {checkpoint.at}, before entry {self._last[0]} at {self._last[1].isoformat()}"
            self.findings.add("clock_went_back", where, message)

    def close(self) -> None:
        """No entry follows."""
        for tail in self.tails.values():
            self._unsettled(tail)

    def _link_breaks(self, tail: _Tail, previous: str) -> bool:
        """True if the link to the tail is broken and nothing says yet on which side."""
        if tail.hash == previous:
            self._settled(tail)
            return False
        if tail.doubted is None:
            return True
        message = "was altered: it fits neither to the entry before it nor to the one after it"
        self.findings.add("altered_entry", f"entry {tail.sequence}", message)
        return False

    def _settled(self, tail: _Tail) -> None:
        """The tail is as it was, so what did not fit to it was altered."""
        if tail.doubted is not None:
            message = f"was altered: its hash is not the one that entry {tail.sequence} follows"
            self.findings.add("altered_entry", f"entry {tail.doubted}", message)
            tail.doubted = None

    def _unsettled(self, tail: _Tail | None) -> None:
        if tail is not None and tail.doubted is not None:
            where = f"entry {tail.doubted} or entry {tail.sequence}"
            message = "one of them was altered: the second does not follow the first"
            self.findings.add("altered_entry", where, message)
            tail.doubted = None

    def _gap(self, entry: Entry, expected: int) -> None:
        what = "missing_entry" if entry.trial_sequence > expected else "misplaced_entry"
        message = f"is no. {entry.trial_sequence} of trial {entry.trial!r}, where no. {expected} is due"
        self.findings.add(what, f"entry {entry.sequence}", message)

    def _clock(self, entry: Entry) -> None:
        at = datetime.fromisoformat(entry.at)
        if self._last is not None and at < self._last[1]:
            message = f"was made at {entry.at}, before entry {self._last[0]} at {self._last[1].isoformat()}"
            self.findings.add("clock_went_back", f"entry {entry.sequence}", message)
        self._last = (entry.sequence, at)


@dataclass
class Tree:
    """The Merkle tree over the lines, and the place that comes next."""

    findings: Findings
    frontier: Frontier = field(default_factory=Frontier)
    size: int = 0
    """The place that comes next; equal to the leaves read unless some are missing or stand twice."""
    is_broken: bool = False
    """A root did not fit; later ones cannot."""
    _agreed: int = 0
    """Largest size at which the root was the signed one."""

    def place(self, sequence: int, leaf: bytes, where: str) -> None:
        """The next leaf, which says to have this place."""
        if sequence > self.size:
            self.findings.add("missing_entry", span(self.size, sequence), f"missing before {where}")
        elif sequence < self.size:
            message = f"stands behind entry {self.size - 1}: repeated or out of order"
            self.findings.add("misplaced_entry", f"entry {sequence} ({where})", message)
        self.frontier = self.frontier.append(leaf)
        self.size = max(self.size, sequence + 1)

    def skip(self, leaf: bytes) -> None:
        """The next leaf, of a line that cannot be read."""
        self.frontier = self.frontier.append(leaf)
        self.size += 1

    def compare(self, checkpoint: Checkpoint, where: str) -> bool:
        """True if the root is the checkpoint's."""
        if self.frontier.root().hex() == checkpoint.root and self.frontier.size == checkpoint.size:
            self._agreed = checkpoint.size
            return True
        if not self.is_broken:
            message = f"the tree over the entries has another root: something in {span(self._agreed, checkpoint.size)}"
            self.findings.add("wrong_root", where, f"{message} is not as it was signed")
        self.is_broken = True
        return False


class Checkpoints:
    """The bundle's signed checkpoints, in step with its entries."""

    def __init__(self, lines: LineSource, keys: KeyHistory | None, findings: Findings) -> None:
        self.findings = findings
        self.keys = keys
        self.count = 0
        self.last: SignedCheckpoint | None = None
        self._coming = self._read(lines)
        self._next = next(self._coming, None)

    def due(self, size: int) -> Iterator[Checkpoint]:
        """Those that speak of a tree of this size or a smaller one, and were not given yet."""
        while self._next is not None and self._next.checkpoint.size <= size:
            self.count, self.last = self.count + 1, self._next
            yield self._next.checkpoint
            self._next = next(self._coming, None)

    def close(self, size: int) -> None:
        """No entry follows: whatever is still to come speaks of entries that are gone."""
        for beyond in self.due(1 << 62):
            message = f"missing at the end, but {checkpoint_name(beyond)} covers this: cut off, or set back"
            self.findings.add("truncated", span(size, beyond.size), message)
        signed = 0 if self.last is None else self.last.checkpoint.size
        if signed < size:
            self.findings.add("unsigned", span(signed, size), "covered by no checkpoint")

    def _read(self, lines: LineSource) -> Iterator[SignedCheckpoint]:
        before: Checkpoint | None = None
        for line in lines(CHECKPOINTS):
            if line.fault:
                self.findings.add("unreadable", line.where, line.fault)
            try:
                signed = SignedCheckpoint.parse(line.data)
            except InvalidValueError as wrong:
                self.findings.add("unreadable", line.where, str(wrong))
                continue
            if self._is_signed(signed) and self._is_in_order(signed.checkpoint, before):
                before = signed.checkpoint
                yield signed

    def _is_signed(self, signed: SignedCheckpoint) -> bool:
        if self.keys is None:
            return True
        try:
            verify(signed, self.keys)
        except IntegrityError as wrong:
            self.findings.add("bad_signature", checkpoint_name(signed.checkpoint), str(wrong))
            return False
        return True

    def _is_in_order(self, checkpoint: Checkpoint, before: Checkpoint | None) -> bool:
        if before is None:
            return True
        name = checkpoint_name(checkpoint)
        if checkpoint.installation != before.installation:
            message = f"is of {checkpoint.installation!r}, the one before it of {before.installation!r}"
            self.findings.add("other_installation", name, message)
        if _moment(checkpoint) < _moment(before):
            message = f"was made at {checkpoint.at}, before {checkpoint_name(before)} at {before.at}"
            self.findings.add("clock_went_back", name, message)
        if checkpoint.size < before.size:
            self.findings.add("misplaced_checkpoint", name, f"stands behind {checkpoint_name(before)}")
            return False
        return True


def checkpoint_name(checkpoint: Checkpoint) -> str:
    """How a finding calls it."""
    return f"checkpoint at {checkpoint.size} entries"


def span(start: int, end: int) -> str:
    """``entry 5`` or ``entries 5 to 7``, end excluded."""
    return f"entry {start}" if end - start == 1 else f"entries {start} to {end - 1}"


def _moment(checkpoint: Checkpoint) -> datetime:
    return datetime.fromisoformat(checkpoint.at)
