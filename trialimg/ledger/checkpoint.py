"""A signed statement of what the ledger held at one moment: what an outsider keeps to hold the installation to it."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from trialimg.core.errors import Fault, IntegrityError, InvalidValueError
from trialimg.ledger.canonical import canonical, hex_faults, parse, shaped
from trialimg.ledger.entry import time_faults
from trialimg.ledger.keys import KeyHistory, Signatures

__all__ = ["CHECKPOINT_PURPOSE", "Checkpoint", "Head", "SignedCheckpoint", "Signer", "sign", "verify"]

CHECKPOINT_PURPOSE = "trialimg checkpoint v1"


class Head(NamedTuple):
    """The last entry of one trial's chain."""

    trial_sequence: int
    hash: str


class Signer(Protocol):
    """Whoever holds the private keys."""

    def sign(self, purpose: str, message: bytes) -> Signatures:
        """Both signatures over the message for that purpose."""


@dataclass(frozen=True)
class Checkpoint:
    """Size and root of the tree, and the head of every trial's chain, at one moment."""

    installation: str
    size: int
    """How many entries."""
    root: str
    """Root of the Merkle tree in hexadecimal digits."""
    at: str
    """ISO 8601 in UTC with its offset; not before the last entry."""
    heads: Mapping[str, Head]
    """By trial; the empty name is the installation's own chain."""

    def __post_init__(self) -> None:
        faults = [*hex_faults("root", self.root, 32), *time_faults("at", self.at)]
        if not self.installation:
            faults.append(Fault("installation", "empty", "is empty"))
        for trial, head in self.heads.items():
            faults.extend(hex_faults(f"heads.{trial}", head.hash, 32))
        if self.size != sum(head.trial_sequence + 1 for head in self.heads.values()):
            faults.append(Fault("size", "bad_size", "is not the sum of the trials' entries"))
        if faults:
            raise InvalidValueError(*faults)

    def bytes(self) -> builtins.bytes:
        """Canonical JSON; what is signed."""
        return canonical(self.plain())

    def plain(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "at": self.at,
            "heads": {trial: list(head) for trial, head in self.heads.items()},
            "installation": self.installation,
            "root": self.root,
            "size": self.size,
        }

    @classmethod
    def from_plain(cls, value: object) -> Checkpoint:
        """From its JSON form."""
        shape = {"at": str, "heads": dict, "installation": str, "root": str, "size": int}
        given = shaped(value, shape)
        return cls(**{**given, "heads": {trial: _head(trial, head) for trial, head in given["heads"].items()}})


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint and the two signatures over its bytes."""

    checkpoint: Checkpoint
    signatures: Signatures

    def bytes(self) -> builtins.bytes:
        """Canonical JSON; what is exported."""
        return canonical({"checkpoint": self.checkpoint.plain(), "signatures": self.signatures.plain()})

    @classmethod
    def parse(cls, data: builtins.bytes) -> SignedCheckpoint:
        """The signed checkpoint whose bytes these are; the signatures are not judged here.

        Raises
        ------
        InvalidValueError
            If they are not exactly the bytes of a signed checkpoint.
        """
        given = shaped(parse(data), {"checkpoint": dict, "signatures": dict})
        return cls(Checkpoint.from_plain(given["checkpoint"]), Signatures.from_plain(given["signatures"]))


def sign(checkpoint: Checkpoint, signer: Signer) -> SignedCheckpoint:
    """The checkpoint under both signatures."""
    return SignedCheckpoint(checkpoint, signer.sign(CHECKPOINT_PURPOSE, checkpoint.bytes()))


def verify(signed: SignedCheckpoint, keys: KeyHistory) -> None:
    """Demand that both signatures are those of the pair in force at this size of the tree.

    Raises
    ------
    IntegrityError
        If another pair signed, or a signature does not fit.
    """
    size = signed.checkpoint.size
    expected = keys.in_force(size)
    if expected is None:
        raise IntegrityError(f"no key was in force at size {size}")
    if signed.signatures.key != expected.id:
        raise IntegrityError(
            f"signed by key {signed.signatures.key[:16]}, but key {expected.id[:16]} was in force at size {size}"
        )
    expected.verify(CHECKPOINT_PURPOSE, signed.checkpoint.bytes(), signed.signatures)


def _head(trial: str, value: object) -> Head:
    if isinstance(value, list) and [type(item) for item in value] == [int, str] and value[0] >= 0:
        return Head(*value)
    raise InvalidValueError(Fault(f"heads.{trial}", "bad_head", "is not a sequence and a hash"))
