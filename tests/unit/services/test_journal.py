"""Every change is one entry, and nothing else makes a version."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.fakes.records import MemoryStore, SetClock, granted, memory_records
from trialimg.core.access import Action, Actor, Role
from trialimg.core.errors import AccessError, IntegrityError
from trialimg.ledger.merkle import Frontier, leaf_hash, root
from trialimg.services.records import EntryQuery, Place

HERE = Place(trial="T1", case="C1", state="open")


def test_each_write_is_one_version_and_one_entry_bound_by_its_digest():
    records = memory_records()
    analyst = granted(records, "ana", Role.ANALYST)
    for word in ("first", "second"):
        with records.change(analyst, Action.RECEIVE_CASES, trial="T1") as journal:
            journal.write("case", "C1", {"says": word}, action="receive_case", place=HERE, reason="it came")
    with records.store.reading() as transaction:
        first, second = transaction.versions("case", "C1")
        made = list(transaction.entries(EntryQuery(trial="T1")))
        assert [(entry.old, entry.new) for entry in made] == [("", first.digest), (first.digest, second.digest)]
        assert [(entry.who, entry.role, entry.action) for entry in made] == [("ana", "analyst", "receive_case")] * 2
        assert made[1].previous == made[0].hash
        assert transaction.detail(made[0].sequence).value() == {"reason": "it came"}
        assert second.body == {"says": "second"}


def test_the_kept_nodes_are_the_tree_over_all_entries():
    records = memory_records()
    analyst = granted(records, "ana", Role.ANALYST)
    for number in range(9):
        with records.change(analyst, Action.RECEIVE_CASES, trial="T1") as journal:
            journal.note("look", kind="case", key=str(number), trial="T1")
            journal.note("look", kind="case", key=str(number), trial="T2")
    with records.store.reading() as transaction:
        leaves = [leaf_hash(entry.bytes()) for entry in transaction.entries(EntryQuery())]
        assert Frontier.read(transaction.size(), transaction.node).root() == root(leaves)


def test_what_may_not_be_done_is_refused_and_the_attempt_is_kept():
    records = memory_records()
    reader = granted(records, "rita", Role.RADIOLOGIST, trial="T1")
    with pytest.raises(AccessError, match="may not unblind"), records.change(reader, Action.UNBLIND, trial="T1"):
        pytest.fail("the block was entered")
    with pytest.raises(AccessError, match="T2"), records.look(reader, Action.READ, trial="T2"):
        pytest.fail("the block was entered")
    with records.store.reading() as transaction:
        refused = list(transaction.entries(EntryQuery(action="refuse_access")))
        assert [(entry.who, entry.object_id, entry.trial) for entry in refused] == [
            ("rita", "unblind", "T1"),
            ("rita", "read", "T2"),
        ]


def test_a_block_that_fails_leaves_nothing():
    records = memory_records()
    analyst = granted(records, "ana", Role.ANALYST)
    with records.store.reading() as transaction:
        before = transaction.size()
    with pytest.raises(ZeroDivisionError), records.change(analyst, Action.RECEIVE_CASES, trial="T1") as journal:
        journal.write("case", "C1", {}, action="receive_case", place=HERE)
        raise ZeroDivisionError
    with records.store.reading() as transaction:
        assert transaction.size() == before
        assert transaction.current("case", "C1") is None


def test_an_empty_installation_lets_its_first_user_be_made():
    records = memory_records()
    with records.change(Actor("root", Role.ADMINISTRATOR), Action.MANAGE_USERS):
        pass
    granted(records, "ana", Role.ADMINISTRATOR)
    with pytest.raises(AccessError), records.change(Actor("root", Role.ADMINISTRATOR), Action.MANAGE_USERS):
        pass


def test_a_clock_set_back_far_is_refused_and_one_set_back_a_little_waits():
    store = MemoryStore()
    granted(memory_records(store, SetClock(datetime(2026, 1, 1, 0, 1, tzinfo=UTC))), "ana", Role.ANALYST)
    late = memory_records(store, SetClock(datetime(2026, 1, 1, 0, 0, 59, tzinfo=UTC)))
    granted(late, "bea", Role.ANALYST)
    with late.store.reading() as transaction:
        times = [entry.at for entry in transaction.entries(EntryQuery())]
        assert times == sorted(times)
    with pytest.raises(IntegrityError, match="set the clock right"):
        granted(memory_records(store, SetClock(datetime(2025, 12, 31, tzinfo=UTC))), "cid", Role.ANALYST)


def test_a_record_that_says_it_is_another_is_refused():
    records = memory_records()
    granted(records, "ana", Role.ANALYST)
    with records.store.reading() as transaction:
        version = transaction.current("user", "ana")
        stolen = type(version)("user", "bob", 1, version.place, version.content, version.entry)
        with pytest.raises(IntegrityError, match="another record"):
            _ = stolen.body
