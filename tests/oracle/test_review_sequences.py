"""Anybody tries any step of a trial at any time; a naive auditor of its own opinion looks at every entry."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise, permutations
from typing import ClassVar

import pytest

from tests.fakes.billed import PLAN
from tests.fakes.central_review import BECAUSE, DATES, TRIAL, Trial, double, entry
from tests.fakes.people import FakeIdentity, at_desk
from tests.fakes.records import MemoryStore, Tables
from tests.oracle.review_auditor import Auditor
from trialimg.core.access import Actor, Role
from trialimg.core.errors import AccessError, BillingError, FaultsError, IntegrityError, ProtocolError, ReadingError
from trialimg.core.reading import Seat
from trialimg.services import adjudication, billing, cases, people, reading, reading_assignment, reading_reopening
from trialimg.services.billing_account import CREDIT_NOTE, INVOICE, bill_of
from trialimg.services.billing_usage import USAGE
from trialimg.services.journal import Journal
from trialimg.services.people_credentials import Proof
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.records import EntryQuery, Place
from trialimg.services.sign_in import sign_in
from trialimg.services.signatures import SIGNATURE, signature_of
from trialimg.services.training import record_training
from trialimg.services.trials import Change, amend_protocol

CODES = ("C0001", "C0002")
READERS = ("rita", "ron", "rob")
EVERYBODY = (*READERS, "ada", "rob/adjudicator", "ana", "adam", "sue")
STEPS = ("BL", "W06", "W12")
REFUSALS = (AccessError, ReadingError, BillingError, ProtocolError, FaultsError)
ALL_PRICED = PLAN.replace(
    "  tax:",
    "    - {item: read, unit: read, price: 1}\n"
    "    - {item: reread, unit: reread, price: 70}\n"
    "    - {item: readjudication, unit: readjudication, price: 40}\n"
    "    - {item: late_timepoint, unit: late_timepoint, price: 3}\n"
    "    - {item: withdrawal, unit: withdrawal, price: 9}\n"
    "  tax:",
)
KEPT_OF_A_WRONG_PROOF = {"fail_sign_in", "lock_out", "sign_out"}
"""What a wrong password or code leaves beside the refusal: it is counted, and too many lock the account."""
MONEY = (USAGE, INVOICE, CREDIT_NOTE, billing.PAYMENT)


def protocol(version: str, amendment: str) -> str:
    text = double(amendment=amendment).replace('version: "1.0"', f'version: "{version}"')
    return text[: text.index("price_plan:")] + ALL_PRICED


class Anything:
    """A trial of two cases under double reading, with its money, and everybody in it."""

    reached: ClassVar[Counter[tuple[str, bool]]] = Counter()
    """How often each step was done, and refused, over all runs."""

    def __init__(self) -> None:
        self.trial = Trial(text=protocol("1.0", "all"))
        self.auditor = Auditor()
        self.audited = 0
        self.version = 1
        self.trial.trained(*READERS)
        self.trial.trained("ada", role=Role.ADJUDICATOR)
        self.trial.also("rob", Role.ADJUDICATOR)
        self.trial.people["adam"] = at_desk(self.trial.records, "adam", Role.ADMINISTRATOR)
        self.trial.people["sue"] = at_desk(self.trial.records, "sue", Role.SPONSOR, trial=TRIAL)
        self.trial.receive(*CODES)
        self.audit()

    @property
    def tables(self) -> Tables:
        store = self.trial.records.store
        assert isinstance(store, MemoryStore)
        return store.tables

    def attempt(self, name: str, step: Callable[[], object], *, is_wrong_proof: bool = False) -> bool:
        """Whether it was done. Done: one entry for each version. Refused: nothing but the refusal."""
        entries, versions = len(self.tables.entries), self.versions()
        try:
            step()
            is_done = True
        except REFUSALS:
            is_done = False
        made = self.tables.entries[entries:]
        written = [(one.object_kind, one.object_id, one.object_version) for one in made if one.makes_version]
        assert len({*written}) == len(written) == self.versions() - versions
        if not is_done:
            left = [one for one in made if not (is_wrong_proof and one.action in KEPT_OF_A_WRONG_PROOF)]
            assert [one.action for one in left] in ([], ["refuse_access"])
        self.audit()
        self.reached[name, is_done] += 1
        return is_done

    def audit(self) -> None:
        with self.trial.records.store.reading() as transaction:
            step = list(transaction.entries(EntryQuery(start=self.audited)))
            self.auditor.audit(transaction, step)
        self.audited += len(step)

    def versions(self) -> int:
        return sum(len(found) for found in self.tables.versions.values())

    def alias(self, whose: str, code: str) -> str:
        """What somebody calls a case; no name at all where they have no seat there."""
        with self.trial.records.store.reading() as transaction:
            held = transaction.find("assignment", Place(case=f"{TRIAL}/{code}", person=whose.partition("/")[0]))
            return next((one.body["alias"] for one in held if one.place.state != "revoked"), "R0")

    def proof(self, who: str, *, is_wrong: bool = False) -> Proof:
        """What somebody proves themselves by, with the code of a period that begins now."""
        self.trial.records.clock.moment = self.trial.records.clock.moment.replace(second=0)  # type: ignore[attr-defined]
        self.wait(60)
        found = self.trial.proof(who)
        return replace(found, password="not it at all") if is_wrong else found

    def wait(self, seconds: int) -> None:
        clock = self.trial.records.clock
        clock.moment += (DATES["W06"] - DATES["BL"]) / (42 * 86400) * seconds  # type: ignore[attr-defined]

    def at(self, who: str, whose: str, code: str) -> tuple:
        return self.trial.records, self.trial.actor(who), TRIAL, self.alias(whose, code)

    # ---- the readers' work, tried by anybody, under anybody's name of a case

    def assign(self, who: str, code: str, seat: Seat, name: str) -> None:
        give = (self.trial.records, self.trial.actor(who), TRIAL, code)
        reader = name.partition("/")[0]
        self.attempt("assign", lambda: reading_assignment.assign(*give, seat=seat, reader=reader))

    def revoke(self, who: str, code: str, seat: Seat) -> None:
        take = (self.trial.records, self.trial.actor(who), TRIAL, code)
        self.attempt("revoke", lambda: reading_assignment.revoke_assignment(*take, seat=seat, reason="ill"))

    def write(self, who: str, whose: str, code: str, step: str, size: str = "40") -> None:
        at = self.at(who, whose, code)
        self.attempt("open", lambda: reading.open_case(*at))
        self.attempt("save_draft", lambda: reading.save_draft(*at, step=step, entry=entry(size, step=step)))
        self.attempt("lock_timepoint", lambda: reading.lock_timepoint(*at, step=step))

    def sign(self, who: str, whose: str, code: str, signs_as: str, *, is_wrong: bool = False) -> None:
        at = self.at(who, whose, code)
        self.attempt("lock_read", lambda: reading.lock_read(*at))
        proof = self.proof(signs_as, is_wrong=is_wrong)
        self.attempt(
            "sign_read",
            lambda: reading.sign_read(*at[:2], proof, trial=TRIAL, alias=at[3]),
            is_wrong_proof=is_wrong,
        )

    def choose(self, who: str, code: str, letter: str) -> None:
        records, actor, trial, alias = self.at(who, who, code)
        self.attempt("see_both", lambda: adjudication.adjudication_view(records, actor, trial, alias))
        choice, proof = adjudication.Choice(alias, letter, BECAUSE), self.proof(who)
        self.attempt("sign_verdict", lambda: adjudication.adjudicate(records, actor, proof, trial, choice=choice))

    def go_on(self, code: str, people_: Sequence[str], sizes: tuple[str, str], letter: str, is_signed: bool) -> None:
        """Whatever is due at a case, so that its end is reached often enough to be tried there."""
        for seat, name in zip((Seat.FIRST, Seat.SECOND), people_, strict=False):
            self.assign("ana", code, seat, name)
        self.assign("ana", code, Seat.ADJUDICATOR, "ada")
        for name in READERS:
            self.correct(name, code, "asked for")
            size = sizes[list(people_).index(name) % 2]
            for step in STEPS:
                self.write(name, name, code, step, size="50" if step == "BL" else size)
            if is_signed:
                self.sign(name, name, code, name)
        if is_signed:
            self.choose("ada", code, letter)

    # ---- what comes between

    def correct(self, who: str, code: str, reason: str) -> None:
        at = self.at(who, who, code)
        self.attempt("start_correction", lambda: reading.start_correction(*at, reason=reason))

    def reopen(self, who: str, code: str, seat: Seat, step: str, reason: str) -> None:
        asked, proof = reading_reopening.Reopening(code, seat, step, reason), self.proof(who)
        give = (self.trial.records, self.trial.actor(who), proof, TRIAL)
        self.attempt("reopen", lambda: reading_reopening.reopen(*give, asked=asked))

    def correct_it(self, code: str, people_: Sequence[str], seat: Seat, step: str, sizes: tuple[str, str]) -> None:
        """A case that was read is reopened as it is meant to be, corrected, and settled again."""
        self.go_on(code, people_, sizes, "A", True)
        self.reopen("ana", code, seat, step, "a lesion was missed")
        self.go_on(code, people_, sizes[::-1], "B", True)

    def extend(self, who: str, code: str, step: str) -> None:
        late = [cases.CaseTimepoint(step, DATES[step], series=("2.25.9",))]
        give = (self.trial.records, self.trial.actor(who), TRIAL)
        self.attempt("extend", lambda: cases.extend_cases(*give, late={code: late}))

    def withdraw(self, who: str, code: str, reason: str) -> None:
        give = (self.trial.records, self.trial.actor(who), TRIAL)
        self.attempt("withdraw", lambda: cases.withdraw_consent(*give, f"S-{code}", reason=reason))

    def amend(self, who: str, policy: str, *, trains: bool) -> None:
        change = Change("the charter was amended", DATES["BL"].replace(month=1, day=1))
        text, actor = protocol(f"{self.version + 1}.0", policy), self.trial.actor(who)
        if self.attempt("amend", lambda: amend_protocol(self.trial.records, actor, text, change)):
            self.version += 1
        for name in (*READERS, "ada") if trains else ():
            words = {"trial": TRIAL, "charter_version": f"{self.version}.0", "what": "the amendment"}
            give = (self.trial.records, self.trial.actor("ana"), name)
            self.attempt("train", lambda give=give, words=words: record_training(*give, **words))
        give = (self.trial.records, actor, self.proof(who), TRIAL)
        self.attempt("apply_amendment", lambda: reading_reopening.apply_amendment(*give))

    # ---- people

    def hire(self, name: str, identity_proof: str) -> None:
        person, adam = people.Person(name, name.title(), identity_proof), self.trial.actor("adam")
        is_done = self.attempt("hire", lambda: people.add_user(self.trial.records, adam, person, FakeIdentity()))
        assert not is_done or identity_proof

    def let_go(self, who: str) -> None:
        give = (self.trial.records, self.trial.actor(who), "rob")
        self.attempt("disable", lambda: people.disable_user(*give, reason="left"))

    def come_back(self, name: str, guesses: int) -> None:
        """Somebody else tries their account, five times is too often; a new session takes both
        components for its first signature."""
        records, adam = self.trial.records, self.trial.actor("adam")
        for _ in range(guesses):
            proof = self.proof(name, is_wrong=True)
            self.attempt("guess", lambda proof=proof: sign_in(records, name, proof), is_wrong_proof=True)
        self.attempt("unlock", lambda: people.unlock_user(records, adam, name, reason="identity checked"))
        actor = self.trial.actor(name)
        token = session_token(f"{name} {len(self.tables.entries)}", "a secret")
        fresh = Actor(name, actor.role, session_key(token))
        with records.store.changing() as transaction:
            open_session(Journal(transaction, fresh, records), token, step=None, is_command=False)
        self.trial.people[name] = (fresh, self.trial.proof(name))
        self.audit()

    # ---- money

    def invoice(self, who: str) -> None:
        records, actor = self.trial.records, self.trial.actor(who)
        self.attempt("issue", lambda: billing.issue(records, actor, TRIAL, records.clock.now().date()))

    def give_back(self, which: int, reason: str) -> None:
        numbers = sorted(bill.number for bill in self.bills()) or ["none"]
        number = numbers[which % len(numbers)]
        order = billing.CreditOrder(TRIAL, number, reason, charge_again=True)
        self.attempt("credit", lambda: billing.credit(self.trial.records, self.trial.actor("adam"), order))

    def bills(self) -> list:
        with self.trial.records.store.reading() as transaction:
            return [bill_of(one) for kind in (INVOICE, CREDIT_NOTE) for one in transaction.find(kind, Place())]

    # ---- what must hold at the end of every run

    def finish(self) -> None:
        self.require_charged_once()
        self.require_no_signature_fits_elsewhere()

    def require_charged_once(self) -> None:
        """Invoiced in whatever order, however often, given back in between: as one invoice at the end would have it."""
        self.invoice("adam")
        self.invoice("adam")
        charged: Counter[str] = Counter()
        for line in (line for bill in self.bills() for line in bill.lines):
            charged[line.key] += line.amount
        assert {key: amount for key, amount in charged.items() if amount} == self.charged_at_once()
        self.require_work_priced(charged)
        numbers = sorted(int(bill.number.rpartition("/")[2]) for bill in self.bills())
        assert numbers == list(range(1, len(numbers) + 1))

    def charged_at_once(self) -> dict[str, Decimal]:
        """What a single invoice says of the same ledger, where nothing was ever invoiced."""
        twin = MemoryStore()
        twin.tables = self.tables.copied()
        twin.tables.versions = {key: found for key, found in twin.tables.versions.items() if key[0] not in MONEY}
        records = replace(self.trial.records, store=twin)
        day = records.clock.now().date()
        found = billing.preview(records, self.trial.actor("adam"), TRIAL, day)
        return {line.key: line.amount for draft in found.drafts for line in draft.bill.lines}

    def require_work_priced(self, charged: Counter[str]) -> None:
        """As many charges of a kind as the ledger has signed steps of it, counted without any rule of billing."""
        done = Counter(one.action for one in self.tables.entries if one.makes_version)
        units = Counter(key.removeprefix(f"{TRIAL}/").split("/")[1] for key, amount in charged.items() if amount)
        finished = {one.object_id for one in self.tables.entries if one.action == "finalise_case"}
        assert units["case"] == len(finished)
        assert units["read"] + units["reread"] == done["sign_read"] // 2  # one on the read, one on its assignment
        assert units["adjudication"] + units["readjudication"] == done["sign_verdict"] // 2
        assert units["withdrawal"] == done["withdraw_consent"]

    def require_no_signature_fits_elsewhere(self) -> None:
        """A signature that is put under another record is found out."""
        signed = [found[-1] for (kind, _), found in sorted(self.tables.versions.items()) if kind == SIGNATURE]
        for one, other in pairwise(signed):
            named = other.body["record"]
            forged = MemoryStore()
            forged.tables = self.tables.copied()
            forged.tables.versions[SIGNATURE, other.id] = [replace(one, id=other.id)]
            with forged.reading() as transaction:
                version = transaction.versions(named["kind"], named["id"])[named["version"] - 1]
                with pytest.raises(IntegrityError):
                    signature_of(transaction, version)


READ_SEATS = (Seat.FIRST, Seat.SECOND)
MOSTLY_ANA = ("ana", "ana", "ana", *EVERYBODY)
STEPS_TRIED: dict[str, dict[str, Sequence[object]]] = {
    "assign": {"who": MOSTLY_ANA, "code": CODES, "seat": tuple(Seat), "name": EVERYBODY},
    "revoke": {"who": MOSTLY_ANA, "code": CODES, "seat": tuple(Seat)},
    "write": {"who": EVERYBODY, "whose": READERS, "code": CODES, "step": STEPS},
    "sign": {"who": EVERYBODY, "whose": READERS, "code": CODES, "is_wrong": (True, False), "signs_as": READERS},
    "choose": {"who": EVERYBODY, "code": CODES, "letter": "AB"},
    "go_on": {
        "code": CODES,
        "people_": tuple(permutations(READERS)),
        "sizes": (("30", "49"), ("30", "31"), ("70", "30")),
        "letter": "AB",
        "is_signed": (True, True, False),
    },
    "correct_it": {
        "code": CODES,
        "people_": tuple(permutations(READERS)),
        "seat": READ_SEATS,
        "step": STEPS[:2],
        "sizes": (("30", "49"), ("30", "31")),
    },
    "correct": {"who": READERS, "code": CODES, "reason": ("", "another node")},
    "reopen": {
        "who": MOSTLY_ANA,
        "code": CODES,
        "seat": READ_SEATS,
        "step": STEPS,
        "reason": ("", "a lesion was missed", "a lesion was missed"),
    },
    "extend": {"who": MOSTLY_ANA, "code": CODES, "step": STEPS},
    "withdraw": {"who": MOSTLY_ANA, "code": CODES, "reason": ("", "letter")},
    "amend": {"who": MOSTLY_ANA, "policy": ("all", "unsigned", "none"), "trains": (True, True, False)},
    "hire": {"name": ("rob", "sue", "newcomer"), "identity_proof": ("", "passport seen")},
    "let_go": {"who": ("rita", "rita", "rita", "adam")},
    "come_back": {"name": ("rita", "ron", "ada", "ana"), "guesses": (0, 1, 5)},
    "invoice": {"who": ("adam", "adam", *EVERYBODY)},
    "give_back": {"which": range(9), "reason": ("", "sent to the wrong address")},
}
"""Every step, and what it is tried with."""


def walk(seed: int, steps: int) -> None:
    """One trial, in an order and with arguments drawn from a seed; the order is printed where something fails."""
    rng, tried = random.Random(seed), Anything()
    for _ in range(steps):
        name, choices = rng.choice(list(STEPS_TRIED.items()))
        given = {word: rng.choice(values) for word, values in choices.items()}
        print(name, given)
        getattr(tried, name)(**given)
    tried.finish()


def explore(seeds: range, steps: int) -> None:
    """Go many ways; a step that was never done, or never refused, was not tried."""
    Anything.reached.clear()
    for seed in seeds:
        walk(seed, steps)
    tried = {name for name, _ in Anything.reached}
    assert {name for name in tried if not Anything.reached[name, True]} == {"guess"}
    assert {name for name in tried if not Anything.reached[name, False]} <= {"train"}


@pytest.mark.long
@pytest.mark.requirement("P11-07")
@pytest.mark.requirement("P11-08")
@pytest.mark.requirement("FDA-09")
@pytest.mark.requirement("E6-07")
@pytest.mark.requirement("P11-15")
@pytest.mark.requirement("P11-16")
def test_whoever_tries_what_no_forbidden_state_is_reached_and_everything_is_charged_once():
    explore(range(20), steps=25)


@pytest.mark.slow
def test_the_same_in_many_more_and_longer_orders():
    explore(range(100, 250), steps=60)
