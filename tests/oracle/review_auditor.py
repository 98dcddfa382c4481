"""A second opinion on what may happen in a trial: the requirements in plain words, checked entry by entry.

It is deliberately naive and knows none of the rooms that it judges: it takes the ledger's entries and what the records
say, keeps its own account of every case, and fails on the first entry that no requirement allows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trialimg.ledger.entry import Entry
from trialimg.services.ports import Transaction
from trialimg.services.records import RecordVersion
from trialimg.services.signatures import signature_of

READ_SEATS = ("first", "second")
SIGNED_STEPS = {"sign_read", "sign_verdict"}
OTHERS_HANDS = {"supersede_read", "revoke_read"}
"""The only changes of a read that somebody else than its reader may bring about; its words stay as they are."""
CASE_OPENS_READS = {"reopen_read", "extend_case"}
STAGES = {
    "save_draft": ("draft", "draft"),
    "lock_timepoint": ("draft", "draft"),
    "lock_read": ("draft", "locked"),
    "sign_read": ("locked", "signed"),
}


@dataclass
class CaseAccount:
    """What the auditor knows of one case."""

    said: Mapping[str, Any] = field(default_factory=dict)
    state: str = ""
    seats: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Who sits where, and which of their reads stands."""
    authors: set[str] = field(default_factory=set)
    """Everybody who ever wrote a word of a read."""
    read: dict[str, RecordVersion] = field(default_factory=dict)
    verdict: RecordVersion | None = None

    @property
    def steps(self) -> list[str]:
        return [one["id"] for one in self.said["timepoints"]]

    def standing(self) -> dict[str, RecordVersion]:
        """The read that stands in each seat."""
        named = {seat: f"{self.said['id']}/{seat}" for seat in READ_SEATS if seat in self.seats}
        numbered = {s: key if self.seats[s][1] == 1 else f"{key}/{self.seats[s][1]}" for s, key in named.items()}
        return {seat: self.read[key] for seat, key in numbered.items() if key in self.read}


@dataclass
class Auditor:
    """Goes with the ledger from its first entry on."""

    cases: dict[str, CaseAccount] = field(default_factory=lambda: defaultdict(CaseAccount))
    names: set[str] = field(default_factory=set)
    """Everybody who was ever given a name."""

    def audit(self, transaction: Transaction, step: Sequence[Entry]) -> None:
        """One step: everything that was written together."""
        for entry in step:
            version = None
            if entry.makes_version:
                version = transaction.versions(entry.object_kind, entry.object_id)[entry.object_version - 1]
                assert (version.digest, version.entry) == (entry.new, entry.sequence)
                self.require_void(transaction, version)
            words = {"read": self.read, "case": self.case, "assignment": self.seat, "verdict": self.choice}
            if entry.object_kind in words and version is not None and "device" not in version.id:
                words[entry.object_kind](entry, version, step)
            if entry.object_kind == "signature" and version is not None:
                self.signature(transaction, entry, version)
            if entry.action == "add_user":
                assert entry.object_id not in self.names, "a name was given twice"
                self.names.add(entry.object_id)

    def seat(self, entry: Entry, version: RecordVersion, _step: Sequence[Entry]) -> None:
        case, seat = self.cases[version.place.case], version.body["seat"]
        if version.place.state == "revoked":
            del case.seats[seat]
            return
        case.seats[seat] = (version.body["reader"], version.body["number"])
        people = [reader for reader, _ in case.seats.values()]
        assert len({*people}) == len(people), "one person sits in two seats of a case"
        self.require_used(case, entry)

    def read(self, entry: Entry, version: RecordVersion, step: Sequence[Entry]) -> None:
        case = self.cases[version.place.case]
        before = case.read.get(version.id)
        self.require_used(case, entry)
        if before is None:
            self.first_of_read(case, entry, version, step)
        else:
            self.next_of_read(case, entry, before, version)
        if entry.action in SIGNED_STEPS:
            self.require_signed_at_once(entry, version, step)
        case.read[version.id] = version
        case.authors.add(version.place.person)

    def first_of_read(self, case: CaseAccount, entry: Entry, version: RecordVersion, step: Sequence[Entry]) -> None:
        """A read begins with the first timepoint, or takes another's place for a reason that is kept."""
        body = version.body
        if not body["supersedes"]:
            assert entry.action == "save_draft"
            assert list(body["timepoints"]) == case.steps[:1]
            return
        former = case.read[body["supersedes"]]
        assert (entry.action, former.place.state) == ("supersede_read", "superseded")
        assert body["reason"].strip(), "a correction gives no reason"
        asked = case.said["reopened"].get(body["seat"], "")
        case_changed = [e for e in step if e.object_kind == "case" and e.action in CASE_OPENS_READS]
        assert asked or case_changed, "a correction that nobody asked for"
        if asked and not case_changed:
            assert asked not in body["locked"], "a correction that goes on behind what was to be corrected"
        for kept in body["locked"]:
            assert body["timepoints"][kept] == former.body["timepoints"][kept]

    def next_of_read(self, case: CaseAccount, entry: Entry, before: RecordVersion, after: RecordVersion) -> None:
        """Timepoints are written and locked in their order; what is locked never changes."""
        was, now = before.body["locked"], after.body["locked"]
        for kept in was:
            assert after.body["timepoints"][kept] == before.body["timepoints"][kept], "locked words were changed"
        if entry.action in OTHERS_HANDS:
            assert after.body["timepoints"] == before.body["timepoints"]
            assert after.place.state == "superseded"
            return
        assert entry.who == after.body["reader"] == after.place.person, "somebody wrote in another's read"
        assert (before.place.state, after.place.state) == STAGES[entry.action]
        if entry.action == "lock_timepoint":
            assert now == case.steps[: len(was) + 1], "a timepoint was locked out of turn"
        else:
            assert now == was
        if entry.action == "save_draft":
            changed = {s for s, e in after.body["timepoints"].items() if before.body["timepoints"].get(s) != e}
            assert changed <= {*case.steps[: len(was) + 1]}, "a timepoint was written too early"
        if after.place.state != "draft":
            assert now == case.steps
            assert after.body["answer"]

    def choice(self, entry: Entry, version: RecordVersion, step: Sequence[Entry]) -> None:
        """Only between two signed reads, by somebody who wrote neither, or anything else of the case."""
        case = self.cases[version.place.case]
        if version.place.state == "superseded":
            case.verdict = None
            return
        self.require_used(case, entry)
        standing = case.standing()
        assert {seat: read.place.state for seat, read in standing.items()} == dict.fromkeys(READ_SEATS, "signed")
        assert {seat: read.digest for seat, read in standing.items()} == {
            seat: named["digest"] for seat, named in version.body["reads"].items()
        }
        assert not case.said["reopened"], "a choice while a read is to be corrected"
        assert case.seats["adjudicator"][0] == entry.who
        assert entry.who not in case.authors, "who read the case chose in it"
        self.require_signed_at_once(entry, version, step)
        case.verdict = version

    def case(self, entry: Entry, version: RecordVersion, step: Sequence[Entry]) -> None:
        case = self.cases[version.id]
        self.require_used(case, entry)
        if entry.action in CASE_OPENS_READS and case.state == "final":
            assert version.body["result"] is None, "an answer is given out while its reads are open"
        case.said, case.state = {**version.body, "id": version.id}, version.place.state
        if case.state == "final":
            self.require_answered(case)

    def require_answered(self, case: CaseAccount) -> None:
        """The answer of a final case is a signed read that both agree with, or that was chosen."""
        standing, result = case.standing(), case.said["result"]
        assert {seat: read.place.state for seat, read in standing.items()} == dict.fromkeys(READ_SEATS, "signed")
        assert result["digest"] == standing[result["seat"]].digest
        words = {read.body["answer"]["best_response"] for read in standing.values()}
        if len(words) > 1:
            assert case.verdict is not None, "readers differ, and nobody chose"
            assert case.verdict.body["chosen"] == result["seat"]

    def require_used(self, case: CaseAccount, entry: Entry) -> None:
        assert case.state != "withdrawn", f"{entry.action} at a case whose subject withdrew"

    def require_signed_at_once(self, entry: Entry, version: RecordVersion, step: Sequence[Entry]) -> None:
        named = f"{version.kind}:{version.id}@{version.version}"
        signed = [(e.object_id, e.who) for e in step if e.object_kind == "signature" and e.action == "sign"]
        assert (named, entry.who) in signed, "something counts as signed and no signature is under it"

    def signature(self, transaction: Transaction, entry: Entry, kept: RecordVersion) -> None:
        """A signature is its maker's own, under their own words or under what is nobody's, and holds."""
        named = kept.body["record"]
        version = transaction.versions(named["kind"], named["id"])[named["version"] - 1]
        found = signature_of(transaction, version)
        assert found is not None
        assert (found.user, kept.body["record"]["digest"]) == (entry.who, version.digest)
        assert found.is_valid
        assert found.user in self.names
        assert version.place.person in ("", found.user), "signed for somebody else"

    def require_void(self, transaction: Transaction, version: RecordVersion) -> None:
        """Whatever stood under the version before holds no more, and says so."""
        if version.version > 1:
            before = transaction.versions(version.kind, version.id)[version.version - 2]
            found = signature_of(transaction, before)
            assert found is None or (not found.is_valid and "changed the record" in found.void)
