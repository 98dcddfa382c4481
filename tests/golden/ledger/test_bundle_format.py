"""A bundle of format 1, written once and kept: whatever comes later has to read it."""

from __future__ import annotations

import zipfile

import pytest

from trialimg.ledger.entry import Entry
from trialimg.ledger.verifier import verify_bundle

ROOT_HASH = "110cfd63c7dce4f779724eb85fcd6fe71a50e888956ffa9bc60096129a9c4761"
LAST_ENTRY_HASH = "7d2ca985e96f64c8d6435ed006070e85fc04c2051eb027432c64ed3d7e0dee01"


@pytest.fixture(scope="module")
def example(root):
    return root / "docs" / "reference" / "ledger-example.zip"


def test_it_verifies_with_the_root_it_had(root, example):
    trusted = (root / "docs" / "reference" / "ledger-example.key.txt").read_text().split()
    report = verify_bundle(example, trusted)
    assert report.findings == ()
    assert (report.root, report.key) == (ROOT_HASH, trusted[0])
    assert (report.entries, report.records, report.redacted, report.checkpoints) == (12, 6, 2, 2)


def test_its_entries_have_the_hashes_they_had(example):
    with zipfile.ZipFile(example) as archive:
        entries = [Entry.parse(line) for line in archive.read("entries.jsonl").splitlines()]
    assert entries[-1].hash == LAST_ENTRY_HASH
    assert [entry.sequence for entry in entries] == list(range(12))


def test_one_changed_byte_of_the_zip_file_is_found_or_refused(example, tmp_path):
    """Wherever the zip file itself does not notice it, the bundle does."""
    from trialimg.core.errors import IntegrityError

    data, silent = example.read_bytes(), []
    whole = verify_bundle(example)
    for place in range(0, len(data), 211):
        copy = tmp_path / "copy.zip"
        copy.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            report = verify_bundle(copy)
        except IntegrityError:
            continue
        if report.ok and not _same_files(example, copy):
            silent.append(place)
    assert whole.ok
    assert silent == []


def _same_files(one, other):
    """True if the change hit what is no content: a time stamp, an attribute."""
    with zipfile.ZipFile(one) as left, zipfile.ZipFile(other) as right:
        names = left.namelist()
        return names == right.namelist() and all(left.read(name) == right.read(name) for name in names)
