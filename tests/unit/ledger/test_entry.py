"""An entry that cannot be built wrong, and its one byte string."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from trialimg.core.errors import InvalidValueError
from trialimg.ledger.canonical import canonical
from trialimg.ledger.entry import Entry

ENTRY = Entry(
    sequence=7,
    trial="NSCLC-1",
    trial_sequence=3,
    previous="0a" * 32,
    at="2026-11-22T04:31:07.123456+00:00",
    who="reader1",
    role="radiologist",
    action="lock_read",
    object_kind="read",
    object_id="R-17",
    object_version=2,
    old="1b" * 32,
    new="2c" * 32,
    detail="3d" * 32,
    software="trialimg 0.4.0",
)

BYTES = (
    b'{"action":"lock_read","at":"2026-11-22T04:31:07.123456+00:00","detail":"' + b"3d" * 32 + b'","new":"'
    b"" + b"2c" * 32 + b'","object_id":"R-17","object_kind":"read","object_version":2,"old":"' + b"1b" * 32 + b'",'
    b'"previous":"' + b"0a" * 32 + b'","role":"radiologist","sequence":7,"software":"trialimg 0.4.0",'
    b'"trial":"NSCLC-1","trial_sequence":3,"who":"reader1"}'
)


def test_an_entry_says_who_what_when_in_which_role_and_with_which_software():
    assert ENTRY.bytes() == BYTES


def test_its_hash_is_the_leaf_hash_of_its_bytes():
    assert ENTRY.hash == hashlib.sha256(b"\x00" + BYTES).hexdigest()


def test_it_comes_back_from_its_bytes():
    assert Entry.parse(BYTES) == ENTRY


@pytest.mark.parametrize(
    "data",
    [BYTES + b"\n", BYTES.replace(b'"who"', b'"why"'), BYTES.replace(b":7,", b":true,"), BYTES.replace(b",", b", ", 1)],
)
def test_other_bytes_are_no_entry(data):
    with pytest.raises(InvalidValueError):
        Entry.parse(data)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("who", "", "empty"),
        ("role", "", "empty"),
        ("action", "", "empty"),
        ("software", "", "empty"),
        ("sequence", -1, "out_of_range"),
        ("sequence", 2**53, "out_of_range"),
        ("object_version", -1, "out_of_range"),
        ("at", "2026-11-22T04:31:07", "not_utc"),
        ("at", "2026-11-22T04:31:07+01:00", "not_utc"),
        ("at", "2026-11-22T04:31:07Z", "not_utc"),
        ("at", "yesterday", "bad_time"),
        ("at", "2026-13-22T04:31:07+00:00", "bad_time"),
        ("at", "2026-11-22\x1b04:31:07+00:00", "bad_time"),
        ("at", "2026-11-22T04:31+00:00", "bad_time"),
        ("old", "1B" * 32, "bad_hex"),
        ("new", "1b" * 31, "bad_hex"),
        ("detail", "xx" * 32, "bad_hex"),
        ("previous", "", "bad_first"),
        ("trial_sequence", 0, "bad_first"),
    ],
)
def test_an_entry_that_cannot_be_true_is_refused(field, value, code):
    with pytest.raises(InvalidValueError) as refused:
        replace(ENTRY, **{field: value})
    assert code in {fault.code for fault in refused.value.faults}


def test_everything_wrong_is_said_at_once():
    with pytest.raises(InvalidValueError) as refused:
        replace(ENTRY, who="", at="never", old="?")
    assert {fault.where for fault in refused.value.faults} == {"who", "at", "old"}


@pytest.mark.parametrize(
    ("old", "new", "makes"), [("", "2c", True), ("1b", "2c", True), ("2c", "2c", False), ("1b", "", False)]
)
def test_a_version_is_made_only_where_the_digest_changes(old, new, makes):
    assert replace(ENTRY, old=old * 32, new=new * 32).makes_version is makes


def test_the_entry_is_written_in_the_canonical_form():
    assert canonical({"b": 1, "a": ""}) == b'{"a":"","b":1}'
    assert b"{" + b",".join(sorted(BYTES[1:-1].split(b","))) + b"}" == BYTES
