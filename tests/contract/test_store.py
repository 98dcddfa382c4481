"""What every store of records promises: in memory, in SQLite, in PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.fakes.records import MemoryStore, granted, memory_records
from trialimg.adapters.store.sql import SqlStore
from trialimg.core.access import Action, Role
from trialimg.core.errors import IntegrityError
from trialimg.ledger.bundle_format import CHECKPOINTS, DETAILS, ENTRIES, RECORDS
from trialimg.ledger.entry import DETAIL_KIND, REDACT, Entry
from trialimg.ledger.keypair import KeyPair
from trialimg.ledger.keys import EndorsedKeys, KeyHistory
from trialimg.ledger.merkle import Frontier, Node, leaf_hash, root
from trialimg.ledger.sealed import seal
from trialimg.ledger.verifier import verify_ledger
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import Store
from trialimg.services.records import EntryQuery, Place


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request, tmp_path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    where = tmp_path / "records.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    opened = SqlStore(where)
    yield opened
    opened.close()


@pytest.fixture
def records(store) -> Records:
    return memory_records(store)


@pytest.fixture
def write(records) -> Callable[..., None]:
    """One case written by an analyst, in a transaction of its own."""
    analyst = granted(records, "ana", Role.ANALYST)

    def writer(key: str, body: dict, *, place: Place | None = None, reason: str = "") -> None:
        place = place or Place("T1", key, "", "received")
        with records.change(analyst, Action.RECEIVE_CASES, trial=place.trial) as journal:
            journal.write("case", key, body, action="receive_case", place=place, reason=reason)

    return writer


def everything(store: Store) -> list[tuple[str, list[bytes]]]:
    with store.reading() as transaction:
        return [
            (name, [line.data for line in transaction.lines(name)]) for name in (ENTRIES, RECORDS, DETAILS, CHECKPOINTS)
        ]


def test_an_empty_store_has_nothing(store):
    with store.reading() as transaction:
        assert transaction.size() == 0
        assert transaction.current("case", "C1") is None
        assert transaction.versions("case", "C1") == ()
        assert transaction.version("case", "C1", 1) is None
        assert list(transaction.find("case", Place())) == []
        assert transaction.count("case", Place()) == 0
        assert transaction.last("") is None
        assert list(transaction.entries(EntryQuery())) == []
        assert transaction.detail(0) is None
        assert transaction.checkpoints() == ()
        assert transaction.secret("password:ana") is None


def test_every_version_of_a_record_comes_back_as_it_was_written(store, write):
    bodies = [{"a": 1, "text": 'é \u2028 \\ " \x00 \x7f 中', "none": None, "list": [True, {"b": "0.10"}]}, {"a": 2}]
    for body in bodies:
        write("T1/C1", body)
    with store.reading() as transaction:
        assert [version.body for version in transaction.versions("case", "T1/C1")] == bodies
        latest = transaction.current("case", "T1/C1")
        assert (latest.version, latest.place) == (2, Place("T1", "T1/C1", "", "received"))
        assert [version.version for version in transaction.versions("case", "T1/C1")] == [1, 2]
        assert [transaction.version("case", "T1/C1", number).body for number in (1, 2)] == bodies
        assert transaction.version("case", "T1/C1", 3) is None
        assert transaction.version("case", "T1/C", 1) is None


def test_a_search_gives_latest_versions_in_order_of_id_at_the_place(store, write):
    for key in ("b", "B", "a/2", "a/10", "ä", "a"):
        write(key, {}, place=Place("T1", "C1", "rita", "open"))
    write("other", {}, place=Place("T2", "C2", "rolf", "open"))
    write("a", {"new": 1}, place=Place("T1", "C1", "rita", "closed"))
    with store.reading() as transaction:
        found = list(transaction.find("case", Place(trial="T1")))
        assert [version.id for version in found] == ["B", "a", "a/10", "a/2", "b", "ä"]
        assert found[1].version == 2
        behind = transaction.find("case", Place(trial="T1"), after="a/10", limit=2)
        assert [version.id for version in behind] == ["a/2", "b"]
        assert [version.id for version in transaction.find("case", Place(person="rita", state="closed"))] == ["a"]
        assert [version.id for version in transaction.find("case", Place(case="C2"))] == ["other"]
        assert list(transaction.find("user", Place(trial="T1"))) == []
        assert list(transaction.find("case", Place(), limit=0)) == []
        places = (Place(), Place(trial="T1"), Place(state="open"), Place("T1", "C1", "rita", "open"), Place(trial="T3"))
        assert [transaction.count("case", place) for place in places] == [7, 6, 6, 5, 0]


def test_a_search_goes_on_over_many_pages(store, records):
    analyst = granted(records, "ana", Role.ANALYST)
    with records.change(analyst, Action.RECEIVE_CASES, trial="T1") as journal:
        for number in range(2100):
            journal.write("case", f"C{number:05d}", {}, action="receive_case", place=Place("T1"))
        assert transaction_ids(journal) == [f"C{number:05d}" for number in range(2100)]
    with store.reading() as transaction:
        assert len(list(transaction.find("case", Place(trial="T1")))) == 2100
        assert len(list(transaction.entries(EntryQuery(trial="T1", limit=1500)))) == 1500
        assert [entry.sequence for entry in transaction.entries(EntryQuery(start=2))] == list(range(2, 2102))


def transaction_ids(journal: Journal) -> list[str]:
    return [version.id for version in journal.transaction.find("case", Place())]


def test_entries_are_found_by_each_of_their_words(store, records, write):
    write("T1/C1", {})
    write("T2/C1", {}, place=Place("T2"))
    write("T1/C1", {"again": True})
    rita = granted(records, "rita", Role.RADIOLOGIST)
    with records.change(rita, Action.READ, trial="T1") as journal:
        journal.note("open_images", kind="case", key="T1/C1", trial="T1")
    with store.reading() as transaction:
        made = list(transaction.entries(EntryQuery()))

        def found(**words: object) -> list[int]:
            return [entry.sequence for entry in transaction.entries(EntryQuery(**words))]

        def where(condition: Callable[[Entry], bool]) -> list[int]:
            return [entry.sequence for entry in made if condition(entry)]

        assert [entry.sequence for entry in made] == list(range(8)) == found()
        assert found(trial="T1") == where(lambda entry: entry.trial == "T1")
        assert found(trial="") == where(lambda entry: entry.trial == "")
        assert found(who="rita") == where(lambda entry: entry.who == "rita") != []
        assert found(action="receive_case") == where(lambda entry: entry.action == "receive_case") != []
        assert found(object_kind="case", object_id="T1/C1") == where(lambda entry: entry.object_id == "T1/C1") != []
        assert found(case="T1/C1") == where(lambda entry: entry.object_id == "T1/C1") == found(case="T1/C1", trial="T1")
        assert found(case="T1/C1", action="open_images") == where(lambda entry: entry.action == "open_images") != []
        assert found(case="T1/C1", trial="T2") == [] == found(case="T1")
        assert found(since=made[3].at, until=made[5].at) == [3, 4]
        assert found(since="2999") == [] == found(until="1999")
        assert found(until="2999", start=6) == [6, 7]
        assert found(start=2, limit=3) == [2, 3, 4]
        assert transaction.last("T2") == made[3]
        assert transaction.size() == 8


def test_what_a_transaction_wrote_it_reads(records):
    granted(records, "ana", Role.ANALYST)
    with records.store.changing() as transaction:
        journal = Journal(transaction, granted_actor(records), records)
        before = transaction.size()
        journal.write("case", "C1", {"n": 1}, action="receive_case", place=Place("T1"), reason="because")
        assert transaction.current("case", "C1").body == {"n": 1}
        journal.write("case", "C1", {"n": 2}, action="receive_case", place=Place("T1"))
        assert [version.body["n"] for version in transaction.versions("case", "C1")] == [1, 2]
        assert [version.body["n"] for version in transaction.find("case", Place("T1"))] == [2]
        assert transaction.count("case", Place("T1")) == 1
        assert transaction.size() == before + 2
        assert transaction.last("T1").sequence == before + 1
        assert [entry.sequence for entry in transaction.entries(EntryQuery(trial="T1"))] == [before, before + 1]
        assert transaction.detail(before).value() == {"reason": "because"}
        assert Frontier.read(transaction.size(), transaction.node).size == before + 2
        journal.write("case", "C2", {}, action="receive_case", place=Place("T1"))
        assert transaction.current("case", "C1").body == {"n": 2}
        transaction.keep_secret("a", b"1")
        assert transaction.secret("a") == b"1"
        transaction.keep_checkpoint("one")
        assert transaction.checkpoints() == ("one",)


def granted_actor(records: Records):
    return granted(memory_records(MemoryStore()), "ana", Role.ANALYST)


def test_a_transaction_that_raises_leaves_nothing(store, records, write):
    write("C1", {"n": 1})
    before = everything(store)
    with pytest.raises(ZeroDivisionError), store.changing() as transaction:
        journal = Journal(transaction, granted_actor(records), records)
        journal.write("case", "C1", {"n": 2}, action="receive_case", place=Place("T1"), reason="a reason")
        assert transaction.count("case", Place()) == 1  # by now it is in the tables
        transaction.keep_checkpoint("one")
        transaction.keep_secret("a", b"1")
        raise ZeroDivisionError
    assert everything(store) == before
    with store.reading() as transaction:
        assert transaction.current("case", "C1").body == {"n": 1}
        assert transaction.secret("a") is None


def test_what_is_written_while_reading_is_not_kept(store, records, write):
    write("C1", {"n": 1})
    before = everything(store)
    with contextlib.suppress(Exception), store.reading() as transaction:
        journal = Journal(transaction, granted_actor(records), records)
        journal.write("case", "C1", {"n": 2}, action="receive_case", place=Place("T1"))
        transaction.keep_secret("a", b"1")
    assert everything(store) == before
    with store.reading() as transaction:
        assert transaction.secret("a") is None


def test_a_reader_sees_one_moment_whatever_a_writer_does(store, records, write):
    write("C1", {"n": 1})
    with store.reading() as early:
        assert early.current("case", "C1").body == {"n": 1}
        with store.changing() as transaction:
            journal = Journal(transaction, granted_actor(records), records)
            journal.write("case", "C1", {"n": 2}, action="receive_case", place=Place("T1"))
            assert transaction.count("case", Place()) == 1
            with store.reading() as meanwhile:
                assert meanwhile.current("case", "C1").body == {"n": 1}
        assert early.current("case", "C1").body == {"n": 1}
        size = early.size()
    with store.reading() as late:
        assert late.current("case", "C1").body == {"n": 2}
        assert late.size() == size + 1


def test_secrets_are_replaced_and_forgotten(store):
    for value in (b"one", bytes(range(256)), None):
        with store.changing() as transaction:
            transaction.keep_secret("password:ana", value)
            transaction.keep_secret("totp:ana", b"seed")
        with store.reading() as transaction:
            assert transaction.secret("password:ana") == value
            assert transaction.secret("totp:ana") == b"seed"


def test_checkpoints_are_kept_in_their_order(store):
    for text in ("b", "a", "c"):
        with store.changing() as transaction:
            transaction.keep_checkpoint(text)
    with store.reading() as transaction:
        assert transaction.checkpoints() == ("b", "a", "c")
        assert [line.data for line in transaction.lines(CHECKPOINTS)] == [b"b", b"a", b"c"]


def test_the_kept_lines_are_a_ledger_that_verifies(store, records, write):
    for number in range(5):
        write("T1/C1", {"n": number}, reason=f"change {number}")
        write(f"T2/C{number}", {"n": number}, place=Place("T2"))
    with store.reading() as transaction:
        entries = [line.data for line in transaction.lines(ENTRIES)]
        assert entries == [entry.bytes() for entry in transaction.entries(EntryQuery())]
        assert Frontier.read(len(entries), transaction.node).root() == root(leaf_hash(data) for data in entries)
        assert list(transaction.disagreements()) == []
        keys = KeyHistory((EndorsedKeys(KeyPair.generate().public, 0, "2026-01-01T00:00:00+00:00"),))
        report = verify_ledger(transaction.lines, keys)
    assert [finding.what for finding in report.findings] == ["unsigned"]
    assert (report.entries, report.records) == (12, 12)


def redaction(store: Store, records: Records, sequence: int, *, reason: str, named: dict | None = None) -> Entry:
    """The entry that justifies a tombstone in the place of what another entry made."""
    with store.changing() as transaction:
        made = next(transaction.entries(EntryQuery(start=sequence)))
        before = transaction.last(made.trial)
        detail = seal({"reason": reason}, "ab" * 32) if reason else None
        entry = replace(
            made,
            sequence=transaction.size(),
            trial_sequence=before.trial_sequence + 1,
            previous=before.hash,
            action=REDACT,
            old=made.new,
            new=made.new,
            detail=detail.digest if detail else "",
            **(named or {}),
        )
        transaction.append(entry, detail=detail, nodes=[Node(0, entry.sequence, b"")], version=None)
    return entry


def test_a_justified_tombstone_takes_the_place_of_content_and_reason(store, records, write):
    write("T1/C1", {"name": "Jane Doe"}, reason="for Jane Doe")
    with store.reading() as transaction:
        made = transaction.last("T1")
        content, detail = transaction.current("case", "T1/C1").content, transaction.detail(made.sequence)
    why = redaction(store, records, made.sequence, reason="a name")
    of_reason = {
        "object_kind": DETAIL_KIND,
        "object_id": str(made.sequence),
        "object_version": 0,
        "old": made.detail,
        "new": made.detail,
    }
    why_too = redaction_of_detail(store, made, of_reason)
    with store.changing() as transaction:
        transaction.tombstone(
            made.sequence, detail=detail.redacted(why_too.sequence), content=content.redacted(why.sequence)
        )
    with store.reading() as transaction:
        latest = transaction.current("case", "T1/C1")
        assert latest.content == content.redacted(why.sequence)
        assert latest.digest == content.digest
        assert transaction.detail(made.sequence) == detail.redacted(why_too.sequence)
        with pytest.raises(IntegrityError, match="was redacted"):
            _ = latest.body
    assert not any(b"Jane" in data for _, rows in everything(store) for data in rows)


def redaction_of_detail(store: Store, made: Entry, named: dict) -> Entry:
    with store.changing() as transaction:
        before = transaction.last(made.trial)
        detail = seal({"reason": "a name"}, "cd" * 32)
        entry = replace(
            made,
            sequence=transaction.size(),
            trial_sequence=before.trial_sequence + 1,
            previous=before.hash,
            action=REDACT,
            detail=detail.digest,
            **named,
        )
        transaction.append(entry, detail=detail, nodes=[Node(0, entry.sequence, b"")], version=None)
    return entry


@pytest.mark.requirement("E6-04")
@pytest.mark.parametrize(
    "wrong", ["no entry", "another entry", "another record", "no reason", "another digest", "another trial"]
)
def test_a_tombstone_that_no_entry_justifies_is_refused(store, records, write, wrong):
    write("T1/C1", {"n": 1})
    with store.reading() as transaction:
        made = transaction.last("T1")
        content = transaction.current("case", "T1/C1").content
    named = {"another record": {"object_id": "T1/C2"}, "another trial": {"trial": "T9"}}.get(wrong, {})
    why = redaction(store, records, made.sequence, reason="" if wrong == "no reason" else "why", named=named)
    by = {"no entry": 99, "another entry": made.sequence}.get(wrong, why.sequence)
    tombstone = replace(content.redacted(by), digest="0" * 64 if wrong == "another digest" else content.digest)
    with pytest.raises(IntegrityError), store.changing() as transaction:
        transaction.tombstone(made.sequence, detail=None, content=tombstone)
    with store.reading() as transaction:
        assert transaction.current("case", "T1/C1").body == {"n": 1}
