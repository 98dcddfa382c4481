"""Entries that were altered, deleted, moved, inserted or cut off: found, and named."""

from __future__ import annotations

import pytest

from tests.fakes.ledger import changed_line, found, lines, put, reseal, small_ledger
from trialimg.ledger.entry import Entry
from trialimg.ledger.verifier import verify_bundle


@pytest.mark.requirement("P11-01")
@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("field", ["who", "action", "at", "object_id", "software"])
def test_an_altered_entry_is_named(bundle, ledger, number, field):
    entries = lines(bundle, "entries.jsonl")
    value = "2026-03-01T08:00:59.000000+00:00" if field == "at" else "somebody"
    entries[number] = changed_line(entries[number], **{field: value})
    put(bundle, "entries.jsonl", entries)
    reseal(bundle, ledger)
    report = verify_bundle(bundle)
    assert ("altered_entry", f"entry {number}") in found(report)
    assert {where for what, where in found(report) if what == "altered_entry"} == {f"entry {number}"}
    assert "wrong_root" in {what for what, _ in found(report)}


def test_an_altered_link_accuses_the_entry_that_has_it(bundle, ledger):
    entries = lines(bundle, "entries.jsonl")
    entries[4] = changed_line(entries[4], previous="00" * 32)
    put(bundle, "entries.jsonl", entries)
    reseal(bundle, ledger)
    accused = [where for what, where in found(verify_bundle(bundle)) if what == "altered_entry"]
    assert accused == ["entry 4"]


@pytest.mark.parametrize("number", range(12))
def test_a_deleted_entry_is_named(bundle, ledger, number):
    entries = lines(bundle, "entries.jsonl")
    del entries[number]
    put(bundle, "entries.jsonl", entries)
    reseal(bundle, ledger)
    report = verify_bundle(bundle)
    assert {("missing_entry", f"entry {number}"), ("truncated", f"entry {number}")} & set(found(report))


@pytest.mark.parametrize("number", range(11))
def test_reordered_entries_are_named(bundle, ledger, number):
    entries = lines(bundle, "entries.jsonl")
    entries[number], entries[number + 1] = entries[number + 1], entries[number]
    put(bundle, "entries.jsonl", entries)
    reseal(bundle, ledger)
    named = {where.split(" (")[0] for what, where in found(verify_bundle(bundle)) if what == "misplaced_entry"}
    assert f"entry {number}" in named


@pytest.mark.parametrize("number", range(12))
def test_a_repeated_entry_is_named(bundle, ledger, number):
    entries = lines(bundle, "entries.jsonl")
    put(bundle, "entries.jsonl", [*entries[: number + 1], entries[number], *entries[number + 1 :]])
    reseal(bundle, ledger)
    named = {where.split(" (")[0] for what, where in found(verify_bundle(bundle)) if what == "misplaced_entry"}
    assert f"entry {number}" in named


def test_an_inserted_entry_is_named(bundle, ledger):
    entries = lines(bundle, "entries.jsonl")
    forged = changed_line(
        entries[4], object_id="R-9", sequence=5, trial_sequence=3, previous=Entry.parse(entries[4]).hash
    )
    put(bundle, "entries.jsonl", [*entries[:5], forged, *entries[5:]])
    reseal(bundle, ledger)
    report = found(verify_bundle(bundle))
    assert ("misplaced_entry", "entry 5 (entries.jsonl line 7)") in report
    assert ("wrong_root", "checkpoint at 12 entries") in report


def test_an_inserted_entry_that_moves_all_others_is_named_by_the_root(ledger, tmp_path):
    """The forger numbers and chains everything anew, and can do all but sign a checkpoint."""
    forged = small_ledger()
    signed = list(forged.checkpoints)
    forged.note("open_images", kind="series", id_="9.9.9")
    forged.checkpoints = signed
    report = found(verify_bundle(forged.write(tmp_path / "b")))
    assert report == [("unsigned", "entry 12")]


def test_a_truncated_ledger_is_named(bundle, ledger):
    put(bundle, "entries.jsonl", lines(bundle, "entries.jsonl")[:9])
    reseal(bundle, ledger)
    report = verify_bundle(bundle)
    assert ("truncated", "entries 9 to 11") in found(report)


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"leaf":"00","sequence":3}', b"\xff\xfe", b"[" * 5000])
def test_a_line_that_cannot_be_read_is_named(bundle, ledger, line):
    entries = lines(bundle, "entries.jsonl")
    entries[3] = line
    put(bundle, "entries.jsonl", entries)
    reseal(bundle, ledger)
    assert ("unreadable", "entry 3 (entries.jsonl line 4)") in found(verify_bundle(bundle))


def test_a_last_line_without_its_end_is_named(bundle, ledger):
    data = (bundle / "entries.jsonl").read_bytes()
    (bundle / "entries.jsonl").write_bytes(data[:-1])
    reseal(bundle, ledger)
    assert found(verify_bundle(bundle)) == [("unreadable", "entries.jsonl line 12")]


def test_a_line_without_end_is_not_read_into_memory(bundle, ledger, monkeypatch):
    monkeypatch.setattr("trialimg.ledger.bundle_reader.LONGEST_LINE_BYTES", 2000)
    (bundle / "entries.jsonl").write_bytes(b"x" * 100_000)
    reseal(bundle, ledger)
    report = verify_bundle(bundle)
    assert "longer than 2000 bytes" in report.findings[0].message


def test_a_clock_that_was_turned_back_is_named(tmp_path):
    ledger = small_ledger()
    ledger.clock -= 60
    ledger.note("open_images", kind="series", id_="1.2.6")
    ledger.checkpoint()
    report = found(verify_bundle(ledger.write(tmp_path / "b")))
    assert sorted(report) == [("clock_went_back", "checkpoint at 13 entries"), ("clock_went_back", "entry 12")]
