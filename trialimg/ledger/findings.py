"""What a verification found, and what it looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["MOST_FINDINGS", "Finding", "Findings", "Report"]

MOST_FINDINGS = 1000
"""A bundle in which nothing fits is not listed line by line."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was signed."""

    what: str
    """Short stable code, e.g. ``altered_record``."""
    where: str
    """The entry, record, file or line."""
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.what}]"


@dataclass
class Findings:
    """Findings as they come, up to a limit."""

    found: list[Finding] = field(default_factory=list)
    unlisted: int = 0

    def add(self, what: str, where: str, message: str) -> None:
        """One more; what came from the bundle is shown without control characters."""
        if len(self.found) < MOST_FINDINGS:
            self.found.append(Finding(what, _printable(where), _printable(message)))
        else:
            self.unlisted += 1


@dataclass(frozen=True)
class Report:
    """The answer of a verification."""

    findings: tuple[Finding, ...]
    unlisted: int
    """Findings beyond the limit."""
    entries: int
    withheld: int
    """Entries of other trials, of which only the hash was handed over."""
    trials: int
    records: int
    """Record versions compared with their entry, redacted ones included."""
    redacted: int
    """Tombstones, of records and of reasons."""
    checkpoints: int
    checkpoint_at: str
    """Time of the last checkpoint; empty without one."""
    root: str
    """Root of the tree over all entries, in hexadecimal digits."""
    key: str
    """Id of the pair that signed the last checkpoint; empty without one."""
    is_trusted: bool
    """False if the keys were taken from what was verified, and compared with nothing from outside."""

    @property
    def ok(self) -> bool:
        """True if nothing was found."""
        return not self.findings


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
