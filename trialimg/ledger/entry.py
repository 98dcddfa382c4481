"""One line of the audit trail: who did what to which record, when, in what role, with which software."""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property

from trialimg.core.errors import Fault, InvalidValueError
from trialimg.ledger.canonical import LARGEST_INTEGER, canonical, hex_faults, parse, shaped
from trialimg.ledger.merkle import leaf_hash

__all__ = ["DETAIL_KIND", "REDACT", "Entry", "time_faults"]

REDACT = "redact"
"""The action that justifies a tombstone; its object is what was redacted, ``old`` and ``new`` are its digest."""

DETAIL_KIND = "ledger.detail"
"""The object kind of a redacted detail; the object's id is the sequence of the entry that had it."""

_NEEDED = ("at", "who", "role", "action", "object_kind", "object_id", "software")
_HASHES = ("previous", "old", "new", "detail")


@dataclass(frozen=True)
class Entry:
    """What happened once; it is never changed and never taken away.

    It makes a version of a record if ``new`` is there and is not ``old``: that version is
    (``object_kind``, ``object_id``, ``object_version``). Any other entry only speaks of its object.
    """

    sequence: int
    """Place in the installation's tree, from 0."""
    trial: str
    """Empty for what concerns the installation alone; its entries form a chain of their own."""
    trial_sequence: int
    """Place in the trial, from 0."""
    previous: str
    """`hash` of the trial's entry before this one; empty for the first."""
    at: str
    """ISO 8601 in UTC with its offset, e.g. ``2026-11-22T04:31:07.123456+00:00``."""
    who: str
    role: str
    action: str
    object_kind: str
    object_id: str
    object_version: int
    """0 for an object without versions."""
    old: str
    """Salted digest of the record before; empty where there was none."""
    new: str
    """Salted digest of the record after; empty where there is none."""
    detail: str
    """Salted digest of what may have to be redacted one day, the reason given; empty where there is none."""
    software: str

    def __post_init__(self) -> None:
        faults = [Fault(name, "empty", "is empty") for name in _NEEDED if not getattr(self, name)]
        faults += [
            Fault(name, "out_of_range", "is negative or too large")
            for name in ("sequence", "trial_sequence", "object_version")
            if not 0 <= getattr(self, name) <= LARGEST_INTEGER
        ]
        for name in _HASHES:
            if text := getattr(self, name):
                faults.extend(hex_faults(name, text, 32))
        faults.extend(time_faults("at", self.at))
        if (self.trial_sequence == 0) != (self.previous == ""):
            message = "is empty exactly for the first entry of a trial"
            faults.append(Fault("previous", "bad_first", message))
        if faults:
            raise InvalidValueError(*faults)

    @classmethod
    def parse(cls, data: builtins.bytes) -> Entry:
        """The entry whose bytes these are.

        Raises
        ------
        InvalidValueError
            If they are not exactly the bytes of a valid entry.
        """
        return cls(**shaped(parse(data), _SHAPE))

    def bytes(self) -> builtins.bytes:
        """Canonical JSON; the leaf of the tree."""
        return self._bytes

    @cached_property
    def _bytes(self) -> builtins.bytes:
        return canonical({name: getattr(self, name) for name in _SHAPE})

    @cached_property
    def hash(self) -> str:
        """Leaf hash (RFC 9162) in hexadecimal digits."""
        return leaf_hash(self._bytes).hex()

    @property
    def makes_version(self) -> bool:
        """True if a version of a record came into being."""
        return self.new not in ("", self.old)


_SHAPE = {field.name: int if field.type == "int" else str for field in fields(Entry)}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def time_faults(where: str, text: str) -> tuple[Fault, ...]:
    """What is wrong with a time that has to be ISO 8601 in UTC with its offset."""
    if not (_TIME.fullmatch(text) and _is_date(text)):
        return (Fault(where, "bad_time", f"{text!r} is not an ISO 8601 time"),)
    if not text.endswith("+00:00"):
        return (Fault(where, "not_utc", f"{text!r} is not in UTC with the offset +00:00"),)
    return ()


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
