"""One byte is changed, anywhere, and what it belongs to is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.ledger import Ledger, found, small_ledger
from trialimg.core.errors import InvalidValueError
from trialimg.ledger.bundle_reader import Line
from trialimg.ledger.canonical import canonical, parse
from trialimg.ledger.keys import KeyHistory
from trialimg.ledger.verifier import verify_bundle, verify_ledger

LINES = ("entries.jsonl", "records.jsonl", "details.jsonl")


def tiny_ledger() -> Ledger:
    ledger = Ledger()
    ledger.record("read", "R-1", {"sum_mm": "44.2"}, reason="first")
    ledger.record("read", "R-2", {"sum_mm": "4.0"}, trial="T2")
    ledger.record("read", "R-1", {"sum_mm": "44.3"}, reason="second")
    ledger.redact_record(0, reason="named a person")
    ledger.checkpoint()
    return ledger


def source(files: dict[str, bytes]):
    """The files' lines, without files."""

    def lines(name: str) -> Iterator[Line]:
        *whole, rest = files[name].split(b"\n")
        yield from (Line(f"{name} line {number}", data) for number, data in enumerate(whole, start=1))
        if rest:
            yield Line(f"{name} line {len(whole) + 1}", rest, "does not end in a line feed")

    return lines


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return tiny_ledger()


@pytest.fixture(scope="module")
def files(ledger, tmp_path_factory) -> dict[str, bytes]:
    bundle = ledger.write(tmp_path_factory.mktemp("flips") / "bundle")
    return {name: (bundle / name).read_bytes() for name in (*LINES, "checkpoints.jsonl", "keys.json")}


def flipped(data: bytes, place: int, mask: int) -> bytes:
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]


def is_named(name: str, line: bytes, number: int, report) -> bool:
    """True if a finding names the entry, record or reason that the line was."""
    said = parse(line)
    if name == "entries.jsonl":
        words = (f"entry {number}", f"entry {number} (entries.jsonl line {number + 1})")
    elif name == "records.jsonl":
        words = (f"record {said['kind']} {said['id']} version {said['version']}",)
    else:
        words = (f"detail of entry {said['sequence']}",)
    return bool({where for _, where in found(report)} & set(words))


def unnamed(ledger: Ledger, files: dict[str, bytes], name: str, step: int, mask: int) -> list[int]:
    """Places whose change goes by without the line being named."""
    missed, data = [], files[name]
    for place in range(0, len(data), step):
        number = data[:place].count(b"\n")
        report = verify_ledger(source({**files, name: flipped(data, place, mask)}), ledger.history)
        if not is_named(name, data.splitlines()[number], number, report):
            missed.append(place)
    return missed


@pytest.mark.requirement("P11-01")
@pytest.mark.parametrize("name", LINES)
def test_a_byte_changed_here_and_there_names_its_line(ledger, files, name):
    assert verify_ledger(source(files), ledger.history).ok
    assert unnamed(ledger, files, name, step=23, mask=1) == []


@pytest.mark.requirement("P11-01")
@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("mask", [1, 32])
def test_any_byte_changed_names_its_line(ledger, files, name, mask):
    assert unnamed(ledger, files, name, step=1, mask=mask) == []


@given(st.data())
def test_any_byte_changed_in_a_checkpoint_is_found(ledger, files, data):
    before = files["checkpoints.jsonl"]
    place = data.draw(st.integers(0, len(before) - 1))
    after = flipped(before, place, data.draw(st.integers(1, 255)))
    report = verify_ledger(source({**files, "checkpoints.jsonl": after}), ledger.history)
    assert {"unreadable", "bad_signature", "unsigned"} & {what for what, _ in found(report)}


@given(st.data())
def test_any_byte_changed_in_the_keys_is_found(ledger, files, data):
    before = files["keys.json"]
    after = flipped(before, data.draw(st.integers(0, len(before) - 1)), data.draw(st.integers(1, 255)))
    try:
        keys = KeyHistory.from_plain(parse(after))
    except InvalidValueError:
        return
    if keys.pairs[0].keys == ledger.history.pairs[0].keys:
        assert keys != ledger.history  # the time of the hand-over: it is in no signature but that of the file list
    else:
        assert not verify_ledger(source(files), keys).ok


def test_any_byte_changed_in_any_file_of_the_bundle_names_the_file(tmp_path):
    bundle = small_ledger().write(tmp_path / "bundle")
    for path in sorted(bundle.iterdir()):
        data = path.read_bytes()
        for place in range(0, len(data), max(1, len(data) // 7)):
            path.write_bytes(flipped(data, place, 1))
            named = {where for _, where in found(verify_bundle(bundle))}
            assert named & {path.name, "files.json"}, (path.name, place)
        path.write_bytes(data)
    assert verify_bundle(bundle).ok


def test_lines_from_anywhere_are_verified_like_those_of_a_bundle(ledger, files):
    report = verify_ledger(source(files), ledger.history, {ledger.history.pairs[0].keys.id})
    assert report.ok
    assert report.is_trusted
    altered = canonical({**parse(files["records.jsonl"].splitlines()[1]), "id": "R-9"})
    forged = files["records.jsonl"].replace(files["records.jsonl"].splitlines()[1], altered)
    report = verify_ledger(source({**files, "records.jsonl": forged}), ledger.history)
    assert found(report) == [("altered_record", "record read R-2 version 1")]
