"""Whatever is done in whatever order: no forbidden state of people, rights and sessions is ever reached."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.fakes.people import ALWAYS, FakeIdentity
from tests.fakes.records import memory_records
from trialimg.core.access import Actor, Role
from trialimg.core.errors import AccessError, FaultsError
from trialimg.services.authority import GRANT, USER, covers
from trialimg.services.people import (
    Grant,
    Person,
    add_user,
    disable_user,
    grant_role,
    reset_password,
    revoke_role,
    unlock_user,
)
from trialimg.services.people_credentials import CREDENTIAL, Proof
from trialimg.services.records import EntryQuery, Place
from trialimg.services.sign_in import change_password, resume, sign_in, sign_out

NEW_NAMES = st.sampled_from(["cid", "c1d", "ann"])
NAMES = st.sampled_from(["ann", "bob", "root"])
RIGHTS = st.sampled_from(
    [(Role.RADIOLOGIST, "T1"), (Role.ANALYST, "T1"), (Role.SPONSOR, "*"), (Role.ADMINISTRATOR, "*")]
)
ROOT = Actor("root", Role.ADMINISTRATOR)
PASSWORD = "green ladder umbrella {}"


class People(RuleBasedStateMachine):
    """An installation on which everybody does everything."""

    @initialize()
    def first(self):
        self.records = memory_records()
        self.identity = FakeIdentity()
        self.passwords: dict[str, str] = {}
        self.sessions = []
        self.changes = 0
        self.actor = ROOT
        for name in ("root", "ann", "bob"):
            self.add(name)

    def tried(self, change, *arguments, **words):
        try:
            return change(self.records, *arguments, **words)
        except (AccessError, FaultsError):
            return None

    @rule(name=NEW_NAMES)
    def add(self, name):
        person = Person(name, name.title(), "passport seen")
        self.replace(name, self.tried(add_user, self.actor, person, self.identity))

    @rule(name=NAMES)
    def reset(self, name):
        self.replace(name, self.tried(reset_password, self.actor, name, self.identity, reason="lost"))

    def replace(self, name, one_time):
        if one_time is not None:
            self.changes += 1
            new = PASSWORD.format(self.changes)
            change_password(self.records, name, Proof(one_time, "", self.identity), new)
            self.passwords[name] = new

    @rule(name=NAMES)
    def disable(self, name):
        self.tried(disable_user, self.actor, name, reason="left")

    @rule(name=NAMES, right=RIGHTS, hours=st.sampled_from([0, 1]))
    def grant(self, name, right, hours):
        until = (self.records.clock.moment + timedelta(hours=hours)).isoformat(timespec="microseconds") if hours else ""
        self.tried(grant_role, self.actor, name, Grant(*right, until=until), reason="needed")

    @rule(name=NAMES, right=RIGHTS)
    def revoke(self, name, right):
        self.tried(revoke_role, self.actor, name, Grant(*right), reason="not needed")

    @rule(name=NAMES, right=RIGHTS, hours=st.sampled_from([0, 1]))
    def enter_anew(self, name, right, hours):
        """Granted, then signed in: what mere chance seldom brings about."""
        self.grant(name, right, hours)
        self.enter(name, right)

    @rule(name=NAMES, right=RIGHTS)
    def enter(self, name, right):
        self.wait(1)
        proof = Proof(self.passwords.get(name, "never given to anybody"), ALWAYS, self.identity)
        opened = self.tried(sign_in, name, proof, role=right[0], accepts="1")
        if opened is not None:
            self.sessions.append(opened)

    @rule(name=NAMES, times=st.integers(1, 5))
    def fail(self, name, times):
        for _ in range(times):
            assert self.tried(sign_in, name, Proof("not it at all", ALWAYS, self.identity)) is None

    @rule(name=NAMES)
    def unlock(self, name):
        self.tried(unlock_user, self.actor, name, reason="identity checked")

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def leave(self, data):
        sign_out(self.records, data.draw(st.sampled_from(self.sessions)).token)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def act_as(self, data):
        self.actor = data.draw(st.sampled_from([ROOT, ROOT, *(opened.actor for opened in self.sessions)]))

    @rule(minutes=st.sampled_from([1, 25, 45]))
    def wait(self, minutes):
        self.records.clock.moment += timedelta(minutes=minutes)

    @rule()
    def work_on(self):
        """An hour passes in which nobody is idle."""
        for _ in range(4):
            self.wait(16)
            for opened in self.sessions:
                self.tried(resume, opened.token)

    @invariant()
    def every_session_that_still_opens_has_its_right(self):
        open_ones = [opened for opened in self.sessions if self.tried(resume, opened.token) is not None]
        now = self.records.now()
        with self.records.store.reading() as transaction:
            for opened in open_ones:
                user, role = opened.actor.user, opened.actor.role
                assert transaction.current(USER, user).place.state == "active"
                assert transaction.current(CREDENTIAL, user).place.state == "valid"
                grants = [grant.body for grant in transaction.find(GRANT, Place(person=user, state="valid"))]
                assert any(covers(grant, role, trial=grant["trial"], at=now) for grant in grants)

    @invariant()
    def no_name_is_given_twice_nor_one_that_looks_like_it(self):
        with self.records.store.reading() as transaction:
            given = Counter(entry.object_id for entry in transaction.entries(EntryQuery(action="add_user")))
        assert set(given.values()) == {1}
        assert not {"cid", "c1d"} <= set(given)

    @invariant()
    def somebody_can_manage_users(self):
        with self.records.store.reading() as transaction:
            grants = [grant.body for grant in transaction.find(GRANT, Place(state="valid"))]
            administrators = {
                grant["user"] for grant in grants if grant["role"] == "administrator" and not grant["until"]
            }
            active = {user.id for user in transaction.find(USER, Place(state="active"))}
        assert administrators & active

    @invariant()
    def nobody_reads_where_they_know(self):
        with self.records.store.reading() as transaction:
            grants = [grant.body for grant in transaction.find(GRANT, Place(state="valid"))]
        reading = {(grant["user"], grant["trial"]) for grant in grants if grant["role"] == "radiologist"}
        knowing = {(grant["user"], grant["trial"]) for grant in grants if grant["role"] in ("analyst", "sponsor")}
        assert not [
            (user, trial)
            for user, trial in reading
            for knower, where in knowing
            if user == knower and (trial == where or "*" in (trial, where))
        ]


People.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestPeople = People.TestCase
