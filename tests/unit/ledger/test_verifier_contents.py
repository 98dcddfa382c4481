"""Records and reasons that were altered, lost, added or redacted: found, and named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.ledger import changed_line, found, lines, put, reseal, salt, small_ledger
from trialimg.ledger.canonical import parse
from trialimg.ledger.sealed import Redacted, seal
from trialimg.ledger.verifier import verify_bundle


@pytest.mark.requirement("P11-01")
@pytest.mark.parametrize("number", [0, 1, 2, 4, 5])
def test_an_altered_record_is_named(bundle, ledger, number):
    records = lines(bundle, "records.jsonl")
    said = parse(records[number])
    records[number] = changed_line(records[number], content=said["content"] + " ")
    put(bundle, "records.jsonl", records)
    reseal(bundle, ledger)
    expected = f"record {said['kind']} {said['id']} version {said['version']}"
    assert found(verify_bundle(bundle)) == [("altered_record", expected)]


@pytest.mark.parametrize("number", range(6))
def test_a_missing_record_is_named(bundle, ledger, number):
    records = lines(bundle, "records.jsonl")
    said = parse(records.pop(number))
    put(bundle, "records.jsonl", records)
    reseal(bundle, ledger)
    name = f"record {said['kind']} {said['id']} version {said['version']}"
    assert found(verify_bundle(bundle)) == [("missing_record", name)]


@pytest.mark.parametrize("sequence", [0, 3, 11, 99])
def test_a_record_that_no_entry_made_is_named(bundle, ledger, sequence):
    records = lines(bundle, "records.jsonl")
    forged = changed_line(records[0], sequence=sequence, id="ghost")
    places = [number for number, line in enumerate(records) if parse(line)["sequence"] > sequence]
    records.insert(places[0] if places else len(records), forged)
    put(bundle, "records.jsonl", records)
    reseal(bundle, ledger)
    assert found(verify_bundle(bundle)) == [("record_without_entry", "record user ghost version 1")]


@pytest.mark.parametrize("field", ["sequence", "version", "trial", "id", "kind"])
def test_a_record_under_another_name_is_named(bundle, ledger, field):
    records = lines(bundle, "records.jsonl")
    value = 77 if field in ("sequence", "version") else "other"
    records[2] = changed_line(records[2], **{field: value})
    put(bundle, "records.jsonl", records)
    reseal(bundle, ledger)
    assert found(verify_bundle(bundle)) == [("altered_record", "record read R-2 version 1")]


def test_records_in_another_order_are_named(bundle, ledger):
    records = lines(bundle, "records.jsonl")
    records[1], records[2] = records[2], records[1]
    put(bundle, "records.jsonl", records)
    reseal(bundle, ledger)
    named = {where for _, where in found(verify_bundle(bundle))}
    assert named & {"record read R-1 version 1", "record read R-2 version 1"}


@pytest.mark.parametrize(
    ("change", "what"), [("alter", "altered_detail"), ("drop", "missing_detail"), ("move", "altered_detail")]
)
def test_an_altered_or_missing_reason_is_named(bundle, ledger, change, what):
    details = lines(bundle, "details.jsonl")
    place = next(number for number, line in enumerate(details) if parse(line)["sequence"] == 6)
    if change == "drop":
        del details[place]
    elif change == "alter":
        details[place] = changed_line(details[place], content='{"reason":"because"}')
    else:
        details[place] = changed_line(details[place], sequence=66)
    put(bundle, "details.jsonl", details)
    reseal(bundle, ledger)
    assert found(verify_bundle(bundle)) == [(what, "detail of entry 6")]


@pytest.mark.parametrize("sequence", [3, 99])
def test_a_reason_that_no_entry_has_is_named(bundle, ledger, sequence):
    details = lines(bundle, "details.jsonl")
    forged = changed_line(details[1], sequence=sequence)
    put(bundle, "details.jsonl", sorted([*details, forged], key=lambda line: parse(line)["sequence"]))
    reseal(bundle, ledger)
    assert found(verify_bundle(bundle)) == [("detail_without_entry", f"detail of entry {sequence}")]


def test_an_old_value_that_never_was_is_named(tmp_path):
    ledger = small_ledger()
    version, _ = ledger.latest["read", "R-1"]
    ledger.latest["read", "R-1"] = (version, "00" * 32)
    ledger.record("read", "R-1", {"sum_mm": "9"})
    ledger.latest["read", "R-2"] = (7, ledger.latest["read", "R-2"][1])
    ledger.record("read", "R-2", {"sum_mm": "9"}, trial="T2")
    ledger.checkpoint()
    assert found(verify_bundle(ledger.write(tmp_path / "b"))) == [
        ("wrong_old_value", "record read R-1 version 3"),
        ("version_gap", "record read R-2 version 8"),
    ]


@pytest.mark.requirement("E6-04")
def test_what_was_redacted_is_gone_from_every_byte_and_everything_still_verifies(bundle, ledger):
    everything = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    assert b"Jane" not in everything
    assert b"slip" not in everything
    assert b"a person's name in the comment" in everything
    report = verify_bundle(bundle, known_checkpoint=ledger.checkpoints[0])
    assert report.ok
    assert report.redacted == 2


def test_a_tombstone_hides_the_salt_too(bundle):
    everything = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    assert salt("read/R-1/1").encode() in everything
    assert salt("read/R-1/2").encode() not in everything


@pytest.mark.requirement("E6-04")
@pytest.mark.parametrize("by", [0, 2, 3, 8, 9, 11, 400])
def test_a_redaction_that_no_entry_justifies_is_named(tmp_path, by):
    ledger = small_ledger()
    item = ledger.items[2]
    ledger.items[2] = replace(item, record=Redacted(item.entry.new, by))
    report = found(verify_bundle(ledger.write(tmp_path / "b")))
    assert report == [("unjustified_redaction", "record read R-2 version 1")]


def test_a_redaction_without_a_reason_justifies_nothing(tmp_path):
    ledger = small_ledger()
    ledger.redact_record(1, reason="")
    ledger.checkpoint()
    report = found(verify_bundle(ledger.write(tmp_path / "b")))
    assert report == [("unjustified_redaction", "record read R-1 version 1")]


def test_a_tombstone_for_other_content_is_named(tmp_path):
    ledger = small_ledger()
    ledger.items[4] = replace(ledger.items[4], record=Redacted(seal("x", "00" * 32).digest, 7))
    report = found(verify_bundle(ledger.write(tmp_path / "b")))
    assert report == [("altered_record", "record read R-1 version 2")]


@pytest.mark.requirement("E6-04")
def test_a_redaction_that_was_not_done_is_named(tmp_path):
    ledger = small_ledger()
    kept = list(ledger.items)
    ledger.redact_record(1, reason="a name")
    ledger.redact_reason(6, reason="a name")
    ledger.checkpoint()
    ledger.items[1], ledger.items[6] = kept[1], kept[6]
    assert found(verify_bundle(ledger.write(tmp_path / "b"))) == [
        ("redaction_not_done", "record read R-1 version 1"),
        ("redaction_not_done", "detail of entry 6"),
    ]


def test_what_was_redacted_twice_is_redacted(tmp_path):
    ledger = small_ledger()
    ledger.redact_record(1, reason="a name")
    ledger.redact_record(1, reason="said once more")
    ledger.checkpoint()
    assert verify_bundle(ledger.write(tmp_path / "b")).ok
