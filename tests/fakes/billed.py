"""A trial whose cases were read, signed and made final, in as few steps as billing looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.records import MemoryStore, SetClock, granted, memory_records
from tests.unit.protocol.texts import VALID
from trialimg.core.access import Action, Role
from trialimg.protocol.load import read_protocol
from trialimg.services.journal import Journal, Records
from trialimg.services.records import Place
from trialimg.services.signatures import write_signature

TRIAL = "T-1"

PLAN = """\
price_plan:
  currency: CNY
  version: "3"
  items:
    - {item: case, unit: case, price: 2000, description: Central review of one subject}
    - {item: adjudication, unit: adjudication, price: 300, description: Adjudication}
  tax: {category: S, rate_pct: 6}
  payment_days: 30
  seller:
    entity: CRO1
    account: CN00000000000001
    party: {name: Example Imaging Ltd, country: CN, city: Shanghai, street: 1 Example Road, postal_code: "200000",
            tax_id: CN913100000000000000}
  payers:
    - {id: sponsor, party: {name: Example Pharma Ltd, country: CN, city: Beijing, tax_id: CN911100000000000000},
       reference: PO-17}
  shares:
    - {role: reader, pct: 40}
    - {role: site, pct: 10}
    - {role: model_owner, pct: 7.5, payee: modelworks}
    - {role: platform, pct: 42.5, payee: trialimg}
"""


def protocol_text(plan: str = PLAN) -> str:
    """A valid protocol with that price plan."""
    return VALID[: VALID.index("price_plan:")] + plan


@dataclass
class BilledTrial:
    """Records with a trial in force, and the people who work on it."""

    plan: str = PLAN
    clock: SetClock = field(default_factory=lambda: SetClock(dt.datetime(2026, 1, 10, 8, tzinfo=dt.UTC)))
    store: MemoryStore = field(default_factory=MemoryStore)
    records: Records | None = None

    def __post_init__(self) -> None:
        self.records = self.records or memory_records(self.store, self.clock)
        self.admin = granted(self.records, "adam", Role.ADMINISTRATOR)
        self.sponsor = granted(self.records, "susan", Role.SPONSOR, trial=TRIAL)
        self.analyst = granted(self.records, "ana", Role.ANALYST, trial=TRIAL)
        self.readers = [granted(self.records, name, Role.RADIOLOGIST, trial=TRIAL) for name in ("rita", "raul")]
        self.adjudicator = granted(self.records, "ada", Role.ADJUDICATOR, trial=TRIAL)
        self.put_in_force(self.plan)

    def put_in_force(self, plan: str) -> None:
        text = protocol_text(plan)
        body = {"text": text, "digest": read_protocol(text).digest, "version": "1.0"}
        with self.records.change(self.analyst, Action.AMEND_PROTOCOL, trial=TRIAL) as journal:
            place = Place(TRIAL, state="in_force")
            journal.write("protocol", TRIAL, body, action="put_protocol_in_force", place=place)

    def at(self, moment: str) -> None:
        """Set the clock; ledger times only go forward."""
        self.clock.moment = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)

    def case(self, number: int, **said: object) -> str:
        """A case that was received."""
        key = f"{TRIAL}/C{number:04d}"
        body = {
            "subject": f"S{number:03d}",
            "site": "01",
            "kind": "efficacy",
            "timepoints": [{"id": "BL", "date": "2026-01-02"}, {"id": "W06", "date": "2026-02-13"}],
            **said,
        }
        with self.records.change(self.analyst, Action.RECEIVE_CASES, trial=TRIAL) as journal:
            journal.write("case", key, body, action="receive_case", place=Place(TRIAL, key, state="received"))
        return key

    def read(self, case: str, seat: str, reader: int = 0, **said: object) -> None:
        """A signed read; ``seat`` may go on, as in ``first/2``."""
        actor = self.readers[reader]
        with self.records.change(actor, Action.READ, trial=TRIAL) as journal:
            place = Place(TRIAL, case, actor.user, "signed")
            _signed(journal, "read", f"{case}/{seat}", {"arm": "CANARY-ARM", "bor": "CANARY-PR", **said}, place)

    def verdict(self, case: str, **said: object) -> None:
        with self.records.change(self.adjudicator, Action.ADJUDICATE, trial=TRIAL) as journal:
            place = Place(TRIAL, case, "ada", "signed")
            _signed(journal, "verdict", case, {"chosen": "first", "text": "CANARY-VERDICT", **said}, place)

    def step(self, case: str, action: str, **said: object) -> None:
        """A further entry on the case: finalise_case, withdraw_consent."""
        state = {"finalise_case": "final", "withdraw_consent": "withdrawn"}.get(action, "reading")
        with self.records.change(self.analyst, Action.RECEIVE_CASES, trial=TRIAL) as journal:
            body = {**journal.transaction.current("case", case).body, **said}
            journal.write("case", case, body, action=action, place=Place(TRIAL, case, state=state))

    def finished(self, number: int, *, adjudicated: bool = False, **said: object) -> str:
        """A case read twice, adjudicated where the readers differ, and final."""
        case = self.case(number, **said)
        self.read(case, "first", 0)
        self.read(case, "second", 1)
        if adjudicated:
            self.verdict(case)
        self.step(case, "finalise_case")
        return case


def _signed(journal: Journal, kind: str, key: str, body: Mapping[str, object], place: Place) -> None:
    version = journal.write(kind, key, body, action=f"sign_{kind}", place=place)
    write_signature(journal, version, "I did this", ("password", "code"))
