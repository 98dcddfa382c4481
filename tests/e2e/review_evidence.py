"""What the records of a trial must show when everybody has gone home, whatever happened to their processes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from decimal import Decimal

from tests.e2e.review_workers import READERS, TRIAL, VISITS, House, Worker
from trialimg.adapters.store.key_files import KeyFiles
from trialimg.billing.bill import Bill
from trialimg.ledger.bundle_format import RECORDS
from trialimg.ledger.entry import Entry
from trialimg.services.billing import preview
from trialimg.services.billing_account import CREDIT_NOTE, INVOICE, bill_of
from trialimg.services.billing_usage import USAGE
from trialimg.services.ports import Transaction
from trialimg.services.records import EntryQuery, Place
from trialimg.services.signatures import SIGNATURE, signature_of
from trialimg.services.store_export import export_bundle
from trialimg.services.store_verification import verify_store

TOGETHER = {
    ("read", "lock_read"): {("assignment", "lock_read")},
    ("read", "sign_read"): {("assignment", "sign_read"), (SIGNATURE, "sign")},
    ("verdict", "sign_verdict"): {("assignment", "sign_verdict"), ("case", "finalise_case"), (SIGNATURE, "sign")},
    ("case", "finalise_case"): {(SIGNATURE, "sign")},
    ("case", "ask_adjudication"): {("read", "sign_read"), (SIGNATURE, "sign")},
    ("assignment", "sign_read"): {("read", "sign_read")},
    (SIGNATURE, "sign"): set(),
}
"""What one step writes beside its first word: all of it, or the step was never made."""
ONCE = ("receive_case", "lock_timepoint", "lock_read", "sign_read", "sign_verdict", "finalise_case", "issue_invoice")
"""What happens to a record once."""
TIMES = {"lock_timepoint": len(VISITS)}
"""Or once at each visit."""
REFUSALS = {"refuse_access", "fail_sign_in", "lock_out", "raise_alarm"}
STEPS_TOLD = {"receive_case", "save_draft", "lock_timepoint", "lock_read", "sign_read", "sign_verdict"}


class Evidence:
    """The records, looked at from outside."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.subjects = {f"{TRIAL}/{subject.code}": subject for subject in house.subjects}
        self.worker = Worker(house, "evidence")
        with self.worker.records.store.reading() as transaction:
            self.entries = list(transaction.entries(EntryQuery()))
        self.untold = 0
        """Steps that are kept though no process was told so."""

    def require_all(self, kills: int) -> None:
        """Fail on whatever was lost, doubled, half-written or altered."""
        with self.worker.records.store.reading() as transaction:
            self.require_one_entry_for_each_version(transaction)
            self.require_every_case_final(transaction)
            self.require_each_signature_once(transaction)
            self.require_each_charge_once(transaction)
            self.require_nothing_told_was_lost(transaction, kills)
        self.require_steps_whole_and_once()
        self.require_nothing_owed()
        assert verify_store(self.worker.records.store).findings == ()
        self.require_bundle_verifies()

    def require_one_entry_for_each_version(self, transaction: Transaction) -> None:
        assert [entry.sequence for entry in self.entries] == list(range(len(self.entries)))
        made = [entry for entry in self.entries if entry.makes_version]
        for entry in made:
            version = transaction.versions(entry.object_kind, entry.object_id)[entry.object_version - 1]
            assert (version.entry, version.digest) == (entry.sequence, entry.new)
        assert sum(1 for _ in transaction.lines(RECORDS)) == len(made)

    def require_every_case_final(self, transaction: Transaction) -> None:
        found = {case.id: case for case in transaction.find("case", Place(trial=TRIAL))}
        assert set(found) == set(self.subjects)
        for key, case in found.items():
            subject = self.subjects[key]
            assert case.place.state == "final"
            assert case.body["result"]["by"] == ("verdict" if subject.is_disputed else "agreement")
            answer = transaction.current("read", case.body["result"]["read"])
            assert answer is not None
            assert answer.body["answer"]["best_response"] == subject.answer
            self.require_two_reads(transaction, key)

    def require_two_reads(self, transaction: Transaction, case: str) -> None:
        reads = list(transaction.find("read", Place(case=case)))
        assert sorted(read.id for read in reads) == [f"{case}/first", f"{case}/second"]
        users = {self.house.accounts[key].user: key for key in READERS}
        assert {read.place.person for read in reads} == set(users)
        for read in reads:
            size = self.subjects[case].sizes_mm[users[read.place.person]]
            written = [step["lesions"][0]["diameter_mm"] for step in read.body["timepoints"].values()]
            assert (read.place.state, written, read.body["locked"]) == ("signed", ["50.0", size], list(VISITS))

    def require_each_signature_once(self, transaction: Transaction) -> None:
        signed = Counter()
        for kept in transaction.find(SIGNATURE, Place(trial=TRIAL)):
            named = kept.body["record"]
            version = transaction.versions(named["kind"], named["id"])[named["version"] - 1]
            signature = signature_of(transaction, version)
            assert signature is not None
            assert signature.is_valid
            assert signature.user == version.place.person
            signed[named["kind"], named["id"]] += 1
        reads = [("read", f"{case}/{seat}") for case in self.subjects for seat in ("first", "second")]
        verdicts = [("verdict", case) for case, subject in self.subjects.items() if subject.is_disputed]
        assert signed == Counter([*reads, *verdicts])

    def require_each_charge_once(self, transaction: Transaction) -> None:
        expected = self.prices()
        assert {usage.id for usage in transaction.find(USAGE, Place(trial=TRIAL))} == set(expected)
        bills = self.bills(transaction)
        lines = [line for bill in bills for line in bill.lines]
        assert {line.key: line.amount for line in lines} == expected
        assert len(lines) == len(expected)
        assert [bill.number for bill in bills] == [f"CRO1/2026/{n:06d}" for n in range(1, len(bills) + 1)]

    def bills(self, transaction: Transaction) -> list[Bill]:
        found = (one for kind in (INVOICE, CREDIT_NOTE) for one in transaction.find(kind, Place()))
        return sorted((bill_of(one) for one in found), key=lambda bill: bill.number)

    def prices(self) -> dict[str, Decimal]:
        """What every case costs, by the plan and by what its subject asks of the readers."""
        items = {"case": 2000, "read/first": 1, "read/second": 1, **{f"timepoint/{visit}": 5 for visit in VISITS}}
        disputed = {"adjudication": 300}
        return {
            f"{case}/{item}": Decimal(price)
            for case, subject in self.subjects.items()
            for item, price in ({**items, **disputed} if subject.is_disputed else items).items()
        }

    def require_nothing_told_was_lost(self, transaction: Transaction, kills: int) -> None:
        """What a process was told is there; what it was not told is at most one step of each that was killed."""
        told = self.house.acknowledged()
        assert len(set(told)) == len(told)
        for kind, key, number, digest in told:
            assert transaction.versions(kind, key)[number - 1].digest == digest
        digests = {digest for _, _, _, digest in told}
        steps = [e for e in self.entries if e.action in STEPS_TOLD and e.object_kind in ("case", "read", "verdict")]
        untold = {entry.at for entry in steps if entry.new not in digests}
        self.untold = len(untold)
        assert self.untold <= kills

    def require_steps_whole_and_once(self) -> None:
        assert [entry for entry in self.entries if entry.action in REFUSALS] == []
        by_moment: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in self.entries:
            by_moment[entry.at, entry.who].append(entry)
        for group in by_moment.values():
            words = {(entry.object_kind, entry.action) for entry in group}
            for word in words:
                assert TOGETHER.get(word, set()) <= words
        done = Counter((e.object_kind, e.object_id, e.action) for e in self.entries if e.action in ONCE)
        doubled = {
            step: count for step, count in done.items() if count > (len(VISITS) if "timepoint" in step[2] else 1)
        }
        assert doubled == {}

    def require_nothing_owed(self) -> None:
        actor = self.worker.signed_in("administrator")
        drafts = preview(self.worker.records, actor, TRIAL, self.house.clock.now().date()).drafts
        assert [line.key for draft in drafts for line in draft.bill.lines] == []

    def require_bundle_verifies(self) -> None:
        """By the one file that lies in it, without this software."""
        out = self.house.folder / "bundle"
        keys = self.house.folder / "keys"
        keys.mkdir()
        export_bundle(self.worker.records, self.worker.signed_in("administrator"), KeyFiles(keys), out)
        verifier = [sys.executable, "-I", str(out / "verify_offline.py"), str(out)]
        answer = subprocess.run(verifier, cwd=out.parent, capture_output=True, text=True, timeout=120, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr
