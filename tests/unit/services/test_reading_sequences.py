"""Whoever calls which use case in whatever order: the records stay within the rules, and each change is one entry."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.fakes.central_review import BECAUSE, TRIAL, Trial, double, entry
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.reading import Seat
from trialimg.services import adjudication, reading, reading_assignment, reading_reopening, reading_results
from trialimg.services.records import EntryQuery

CASE = f"{TRIAL}/C0001"
PEOPLE = ("rita", "ron", "rob")
STEPS = ("BL", "W06")
SEATS = st.sampled_from([Seat.FIRST, Seat.SECOND, Seat.ADJUDICATOR])
MAY_CHANGE_A_LOCKED_READ = {"supersede_read", "revoke_read", "sign_read", "lock_read"}


class Anything(RuleBasedStateMachine):
    """Three people who may both read and adjudicate, and one who leads the trial."""

    @initialize(resolution=st.sampled_from(["adjudication", "consensus"]))
    def begin(self, resolution: str) -> None:
        self.trial = Trial(text=double(resolution=resolution))
        self.trial.trained(*PEOPLE)
        for name in PEOPLE:
            self.trial.also(name, Role.ADJUDICATOR)
        self.trial.receive("C0001")

    def attempt(self, step) -> bool:
        """Whether it was done; either way the ledger and the records agree on what was written."""
        tables = self.trial.records.store.tables
        entries, versions = len(tables.entries), self.versions()
        try:
            step()
        except (AccessError, ReadingError):
            assert self.versions() == versions
            return False
        tables = self.trial.records.store.tables
        written = [entry for entry in tables.entries[entries:] if entry.object_version]
        assert len(written) == self.versions() - versions
        assert len({(one.object_kind, one.object_id, one.object_version) for one in written}) == len(written)
        return True

    def versions(self) -> int:
        return sum(len(found) for found in self.trial.records.store.tables.versions.values())

    def status(self) -> dict:
        return reading_results.review_status(self.trial.records, self.trial.actor("ana"), TRIAL)[0]

    def own(self, name: str) -> tuple:
        """Where somebody works: by their own name of the case, or by one that they do not have."""
        alias = next((read["alias"] for read in self.status()["reads"] if read["reader"] == name), "R0")
        return self.trial.records, self.trial.actor(name), TRIAL, alias

    @rule(seat=SEATS, name=st.sampled_from(PEOPLE))
    def assign(self, seat: Seat, name: str) -> None:
        give = (self.trial.records, self.trial.actor("ana"), TRIAL, "C0001")
        self.attempt(lambda: reading_assignment.assign(*give, seat=seat, reader=name))

    @rule(seat=SEATS)
    def revoke(self, seat: Seat) -> None:
        take = (self.trial.records, self.trial.actor("ana"), TRIAL, "C0001")
        self.attempt(lambda: reading_assignment.revoke_assignment(*take, seat=seat, reason="ill"))

    @rule(name=st.sampled_from(PEOPLE), step=st.sampled_from(STEPS), size=st.sampled_from(["50", "30"]))
    def write(self, name: str, step: str, size: str) -> None:
        at = self.own(name)
        self.attempt(lambda: reading.save_draft(*at, step=step, entry=entry(size, step=step)))
        self.attempt(lambda: reading.lock_timepoint(*at, step=step))

    @rule(name=st.sampled_from(PEOPLE))
    def finish(self, name: str) -> None:
        at, proof = self.own(name), self.trial.proof(name)
        self.attempt(lambda: reading.lock_read(*at))
        self.attempt(lambda: reading.sign_read(*at[:2], proof, trial=TRIAL, alias=at[3]))

    @rule(people=st.permutations(PEOPLE), size=st.sampled_from(["30", "49"]), letter=st.sampled_from("AB"))
    def go_on(self, people: list[str], size: str, letter: str) -> None:
        """Whatever is due, so that the end is reached often enough to be tried there."""
        for seat, name in zip(Seat, people, strict=True):
            self.assign(seat, name)
        for name in people:
            at = self.own(name)
            self.attempt(lambda at=at: reading.start_correction(*at, reason="asked for"))
            for step in STEPS:
                self.write(name, step, "50" if step == "BL" else size)
            self.finish(name)
            size = "30"
        for name in people:
            self.choose(name, letter, "adjudicator")
            self.choose(name, letter, "radiologist")

    @rule(
        name=st.sampled_from(PEOPLE), letter=st.sampled_from("AB"), role=st.sampled_from(["adjudicator", "radiologist"])
    )
    def choose(self, name: str, letter: str, role: str) -> None:
        records, actor, trial, alias = self.own(name)
        if role == "adjudicator":
            actor = self.trial.actor(f"{name}/adjudicator")
        choice = adjudication.Choice(alias, letter, BECAUSE)
        self.attempt(lambda: adjudication.adjudicate(records, actor, self.trial.proof(name), trial, choice=choice))

    @rule(seat=SEATS, step=st.sampled_from(STEPS))
    def reopen(self, seat: Seat, step: str) -> None:
        ana, proof = self.trial.people["ana"]
        asked = reading_reopening.Reopening("C0001", seat, step, "a lesion was missed")
        self.attempt(lambda: reading_reopening.reopen(self.trial.records, ana, proof, TRIAL, asked=asked))

    @invariant()
    def what_is_kept_is_within_the_rules(self) -> None:
        if not hasattr(self, "trial"):
            return
        with self.trial.records.store.reading() as transaction:
            by_entry = {e.sequence: e for e in transaction.entries(EntryQuery(trial=TRIAL))}
            readers = {
                version.body["reader"]
                for seat in ("first", "second")
                for version in transaction.versions("assignment", f"{CASE}/{seat}")
            }
            adjudicators = {v.body["reader"] for v in transaction.versions("assignment", f"{CASE}/adjudicator")}
            assert not readers & adjudicators
            for key in (f"{CASE}/{seat}{number}" for seat in ("first", "second") for number in ("", "/2", "/3")):
                self.require_one_way(transaction.versions("read", key), by_entry)
            for verdict in transaction.versions("verdict", CASE):
                earlier = [e for e in by_entry.values() if e.sequence < verdict.entry and e.action == "sign_read"]
                assert len({e.object_id for e in earlier if e.object_kind == "read"}) >= 2

    def require_one_way(self, versions, by_entry) -> None:
        """Locked timepoints keep their words, locked reads change only as they may, others' hands stay off."""
        for before, after in pairwise(versions):
            made = by_entry[after.entry]
            for step in before.body["locked"]:
                assert after.body["timepoints"][step] == before.body["timepoints"][step]
            if before.place.state != "draft":
                assert made.action in MAY_CHANGE_A_LOCKED_READ
                assert after.body["timepoints"] == before.body["timepoints"]
            if before.place.state == "signed":
                assert after.place.state == "superseded"
            assert made.who == before.body["reader"] or made.action in ("supersede_read", "revoke_read")
        for version in versions:
            locked = version.body["locked"]
            assert locked == list(STEPS[: len(locked)])
            assert set(version.body["timepoints"]) <= set(STEPS[: len(locked) + 1]) or version.body["supersedes"]


TestAnything = pytest.mark.requirement("P11-07")(Anything.TestCase)
TestAnything.settings = settings(
    max_examples=40, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
