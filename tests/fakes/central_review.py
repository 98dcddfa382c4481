"""A small trial under central review: its people, its cases, and readers who write down what they are told to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.people import at_desk
from tests.fakes.records import granted, memory_records
from tests.unit.protocol.texts import VALID, broken
from trialimg.core.access import Action, Actor, Role
from trialimg.core.reading import Because, CaseKind, VerdictReason
from trialimg.services import adjudication, cases, reading, reading_assignment, reading_results
from trialimg.services.journal import Journal, Records
from trialimg.services.people_credentials import Proof
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.records import EntryQuery, Place
from trialimg.services.training import record_training
from trialimg.services.trials import Change, open_trial

TRIAL = "T-1"
SITE = "SITE-CANARY"
DATES = {
    "BL": dt.date(2026, 1, 5),
    "W06": dt.date(2026, 2, 16),
    "W12": dt.date(2026, 3, 30),
    "W18": dt.date(2026, 5, 11),
}
DOUBLE = """\
reading:
  readers: 2
  adjudication:
    - {variable: best_response}
"""
BECAUSE = Because(VerdictReason.MEASUREMENT, "the long axis of T01 leaves the lesion")


@dataclass
class Trial:
    """An open trial, and who works in it."""

    records: Records = field(default_factory=memory_records)
    text: str = VALID
    people: dict[str, tuple[Actor, Proof]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.people["ana"] = at_desk(self.records, "ana", Role.ANALYST)
        open_trial(self.records, self.actor("ana"), self.text, Change("approved", dt.date(2026, 1, 1)))
        active_site(self.records, self.actor("ana"))

    def actor(self, name: str) -> Actor:
        return self.people[name][0]

    def proof(self, name: str) -> Proof:
        return self.people[name][1]

    def trained(self, *names: str, role: Role = Role.RADIOLOGIST, version: str = "1.0") -> None:
        for name in names:
            if name not in self.people:
                self.people[name] = at_desk(self.records, name, role, trial=TRIAL)
            analyst = self.actor("ana")
            record_training(self.records, analyst, name, trial=TRIAL, charter_version=version, what="charter course")

    def also(self, name: str, role: Role) -> None:
        """A second role of somebody, with a session of its own, as ``name/role``."""
        granted(self.records, name, role, trial=TRIAL)
        token = session_token(f"{name} {role.value}", f"second token of {name}")
        actor = Actor(name, role, session_key(token))
        with self.records.store.changing() as transaction:
            open_session(Journal(transaction, actor, self.records), token, step=None, is_command=False)
        self.people[f"{name}/{role.value}"] = (actor, self.proof(name))

    def receive(self, *codes: str, timepoints: Sequence[str] = ("BL", "W06"), **more: Any) -> None:
        received = [received_case(code, timepoints, **more) for code in codes]
        cases.receive_cases(self.records, self.actor("ana"), TRIAL, received)

    def alias(self, code: str, name: str, *, repeat: bool = False) -> str:
        """What somebody calls a case, as only those who lead the trial can know."""
        return next(
            read["alias"]
            for one in reading_results.review_status(self.records, self.actor("ana"), TRIAL)
            for read in one["reads"]
            if (one["case"], read["reader"], read["repeat"]) == (code, name, repeat)
        )

    def write(self, name: str, alias: str, step: str, entry: Mapping[str, Any]) -> None:
        reading.save_draft(self.records, self.actor(name), TRIAL, alias, step=step, entry=entry)
        reading.lock_timepoint(self.records, self.actor(name), TRIAL, alias, step=step)

    def read(self, name: str, alias: str, sizes: Mapping[str, str], *, signs: bool = True) -> None:
        """One target of these sizes, from opening to signing."""
        reading.open_case(self.records, self.actor(name), TRIAL, alias)
        for step, size in sizes.items():
            self.write(name, alias, step, entry(size, step=step))
        reading.lock_read(self.records, self.actor(name), TRIAL, alias)
        if signs:
            reading.sign_read(self.records, self.actor(name), self.proof(name), trial=TRIAL, alias=alias)

    def choose(self, name: str, alias: str, letter: str) -> None:
        choice = adjudication.Choice(alias, letter, BECAUSE)
        adjudication.adjudicate(self.records, self.actor(name), self.proof(name), TRIAL, choice=choice)

    def assign(self) -> None:
        reading_assignment.assign_trial(self.records, self.actor("ana"), TRIAL)

    def state(self, code: str) -> str:
        with self.records.store.reading() as transaction:
            version = transaction.current("case", f"{TRIAL}/{code}")
            return version.place.state if version is not None else ""

    def entries(self, start: int = 0) -> list[tuple[str, str]]:
        """Action and record of every entry of the ledger from one on."""
        with self.records.store.reading() as transaction:
            return [(e.action, e.object_id) for e in transaction.entries(EntryQuery(start=start))]


def active_site(records: Records, analyst: Actor, site: str = SITE) -> None:
    """A site that may send, although no protocol names it: its name must never reach a reader."""
    with records.change(analyst, Action.MANAGE_SITES, trial=TRIAL) as journal:
        body = {"name": "", "activated_on": "2026-01-01", "sources": []}
        place = Place(TRIAL, state="active")
        journal.write("site", f"{TRIAL}/{site}", body, action="activate_site", place=place, reason="approved")


def received_case(
    code: str, timepoints: Sequence[str] = ("BL", "W06"), subject: str = "", **more: Any
) -> cases.ReceivedCase:
    visits = tuple(cases.CaseTimepoint(name, DATES[name], series=(f"2.25.{code[-2:]}",)) for name in timepoints)
    more = {"kind": CaseKind.EFFICACY, "site": SITE, **more}
    return cases.ReceivedCase(code, subject or f"S-{code}", visits, reference_date=DATES["BL"], **more)


def entry(size: str, *, step: str = "BL", lesion: str = "T01", **more: Any) -> dict[str, Any]:
    """A timepoint at which one target was measured."""
    follow_up = {} if step == "BL" else {"new_lesions": "no"}
    return {"image_quality": "adequate", **follow_up, "lesions": [target(size, lesion)], **more}


def target(size: str, lesion: str = "T01", **more: Any) -> dict[str, Any]:
    seen = "measured" if size else "absent"
    said = {"lesion": lesion, "role": "target", "kind": "non_nodal", "organ": "liver", "seen": seen}
    return {**said, "diameter_mm": size, **more}


def single(**keys: str) -> str:
    """The protocol with one reader and further keys of its reading section."""
    return reading_section({"readers": "1", **keys})


def double(**keys: str) -> str:
    return reading_section({"readers": "2", "adjudication": "[{variable: best_response}]", **keys})


def reading_section(keys: Mapping[str, str]) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in keys.items())
    return broken(DOUBLE, f"reading:\n{lines}", VALID)
