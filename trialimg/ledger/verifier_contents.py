"""The contents beside the entries: every record version and every reason, or the tombstone that an entry justifies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from trialimg.core.errors import InvalidValueError
from trialimg.ledger.bundle_format import DETAILS, RECORDS, DetailLine, RecordLine
from trialimg.ledger.bundle_reader import Line, LineSource
from trialimg.ledger.entry import DETAIL_KIND, REDACT, Entry
from trialimg.ledger.findings import Findings
from trialimg.ledger.sealed import Redacted, Sealed

__all__ = ["Contents"]

Row = TypeVar("Row", RecordLine, DetailLine)


class _Rows(Generic[Row]):
    """Lines in the order of their entries, with a look at the next one."""

    def __init__(self, lines: Iterator[Line], parse: Callable[[bytes], Row], findings: Findings) -> None:
        self._lines = lines
        self._parse: Callable[[bytes], Row] = parse
        self._findings = findings
        self.count = 0
        self.next: Row | None = None
        self.take()

    def take(self) -> Row | None:
        """The next row, which then is another."""
        taken, self.next = self.next, None
        for line in self._lines:
            self.count += 1
            if line.fault:
                self._findings.add("unreadable", line.where, line.fault)
            try:
                self.next = self._parse(line.data)
                break
            except InvalidValueError as wrong:
                self._findings.add("unreadable", line.where, str(wrong))
        return taken

    def strays(self, entry: Entry, is_meant: Callable[[Row], bool]) -> Iterator[Row]:
        """Rows that belong to an earlier place than this entry's, which is past."""
        while self.next is not None and self.next.sequence < entry.sequence and not is_meant(self.next):
            yield self.next
            self.take()


@dataclass(frozen=True)
class _Tombstone:
    """What the entry has to say that justifies a redaction."""

    name: str
    trial: str
    kind: str
    id: str
    version: int
    digest: str

    def is_justified_by(self, entry: Entry) -> bool:
        """True if the entry redacts exactly this, and gives a reason."""
        said = (entry.trial, entry.object_kind, entry.object_id, entry.object_version, entry.old, entry.new)
        meant = (self.trial, self.kind, self.id, self.version, self.digest, self.digest)
        return entry.action == REDACT and entry.detail != "" and said == meant


class Contents:
    """Joins contents with their entries while both go by; keeps one short line a record, not the contents."""

    def __init__(self, lines: LineSource, findings: Findings) -> None:
        self.findings = findings
        self.redacted = 0
        self._records = _Rows(lines(RECORDS), RecordLine.parse, findings)
        self._details = _Rows(lines(DETAILS), DetailLine.parse, findings)
        self._tombstones: dict[int, list[_Tombstone]] = {}
        self._gone: set[str] = set()
        self._latest: dict[bytes, bytes] = {}

    @property
    def records(self) -> int:
        """How many record versions went by."""
        return self._records.count

    def follow(self, entry: Entry) -> None:
        """The next entry."""
        for tombstone in self._tombstones.pop(entry.sequence, ()):
            if not tombstone.is_justified_by(entry):
                self._unjustified(tombstone, entry.sequence)
        if entry.action == REDACT and entry.new and entry.new == entry.old and entry.new not in self._gone:
            message = f"entry {entry.sequence} says that it was redacted, but it is still here"
            self.findings.add("redaction_not_done", _name_of(entry), message)
        self._record(entry)
        self._detail(entry)
        self._versions(entry)

    def close(self) -> None:
        """No entry follows."""
        while (row := self._records.take()) is not None:
            self.findings.add("record_without_entry", row.name, f"names entry {row.sequence}, which is not here")
        while (line := self._details.take()) is not None:
            self.findings.add("detail_without_entry", line.name, "there is no such entry with a detail")
        for by, tombstones in self._tombstones.items():
            for tombstone in tombstones:
                self._unjustified(tombstone, by)

    def _record(self, entry: Entry) -> None:
        named = (entry.object_kind, entry.object_id, entry.object_version)
        rows = self._records

        def is_meant(row: RecordLine) -> bool:
            return entry.makes_version and (row.kind, row.id, row.version) == named

        for stray in rows.strays(entry, is_meant):
            message = f"names entry {stray.sequence}, which did not make it, or stands out of order"
            self.findings.add("record_without_entry", stray.name, message)
        row = rows.next
        if row is None or not (row.sequence == entry.sequence or is_meant(row)):
            if entry.makes_version:
                message = f"entry {entry.sequence} made it, but it is not here"
                self.findings.add("missing_record", "record {} {} version {}".format(*named), message)
                self._gone.add(entry.new)
            return
        rows.take()
        if not entry.makes_version:
            self.findings.add("record_without_entry", row.name, f"entry {entry.sequence} made no record")
            return
        if (row.sequence, row.kind, row.id, row.version, row.trial) != (entry.sequence, *named, entry.trial):
            name = "record {} {} version {}".format(*named)
            self.findings.add("altered_record", name, f"its line names another one than entry {entry.sequence}")
        tombstone = _Tombstone(row.name, entry.trial, *named, entry.new)
        self._content(row.content, tombstone, entry)

    def _detail(self, entry: Entry) -> None:
        rows = self._details

        def is_meant(row: DetailLine) -> bool:
            return entry.detail != "" and row.content.digest == entry.detail

        for stray in rows.strays(entry, is_meant):
            self.findings.add("detail_without_entry", stray.name, "there is no such entry with a detail")
        row = rows.next
        name = f"detail of entry {entry.sequence}"
        if row is None or not (row.sequence == entry.sequence or is_meant(row)):
            if entry.detail:
                self.findings.add("missing_detail", name, "it is not here")
                self._gone.add(entry.detail)
            return
        rows.take()
        if not entry.detail:
            self.findings.add("detail_without_entry", name, "the entry has no detail")
            return
        if row.sequence != entry.sequence:
            self.findings.add("altered_detail", name, f"its line names entry {row.sequence}")
        tombstone = _Tombstone(name, entry.trial, DETAIL_KIND, str(entry.sequence), 0, entry.detail)
        self._content(row.content, tombstone, entry)

    def _content(self, content: Sealed | Redacted, expected: _Tombstone, entry: Entry) -> None:
        if content.digest != expected.digest:
            what = "altered_detail" if expected.kind == DETAIL_KIND else "altered_record"
            message = f"was altered: its digest is not the one in entry {entry.sequence}"
            self.findings.add(what, expected.name, message)
        if isinstance(content, Redacted):
            self.redacted += 1
            self._gone.add(expected.digest)
            self._tombstones.setdefault(content.by, []).append(expected)

    def _unjustified(self, tombstone: _Tombstone, by: int) -> None:
        message = f"was redacted, but entry {by} does not justify it"
        self.findings.add("unjustified_redaction", tombstone.name, message)

    def _versions(self, entry: Entry) -> None:
        """Versions follow one another, and each entry knows the digest of the version before its own."""
        if entry.old == entry.new:
            return
        key = hashlib.sha256(f"{entry.object_kind}\x00{entry.object_id}".encode()).digest()[:16]
        latest = self._latest.get(key, b"")
        version, digest = int.from_bytes(latest[:8]), latest[8:].hex()
        name = f"record {entry.object_kind} {entry.object_id} version {entry.object_version}"
        due = version + 1 if entry.makes_version else version
        if entry.object_version != due:
            self.findings.add("version_gap", name, f"entry {entry.sequence} made it, but version {due} is due")
        elif entry.old != digest:
            message = f"entry {entry.sequence} found another content before it than version {version} had"
            self.findings.add("wrong_old_value", name, message)
        self._latest[key] = entry.object_version.to_bytes(8) + bytes.fromhex(entry.new)


def _name_of(redaction: Entry) -> str:
    """How a finding calls what an entry says was redacted."""
    if redaction.object_kind == DETAIL_KIND:
        return f"detail of entry {redaction.object_id}"
    return f"record {redaction.object_kind} {redaction.object_id} version {redaction.object_version}"
