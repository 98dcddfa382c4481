"""Files of a bundle: each in the signed list, none beside it."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.fakes.ledger import Ledger, found, lines, pair, put, reseal, small_ledger
from trialimg.core.errors import IntegrityError
from trialimg.ledger.bundle import write_bundle
from trialimg.ledger.canonical import canonical
from trialimg.ledger.checkpoint import Checkpoint
from trialimg.ledger.merkle import Frontier
from trialimg.ledger.verifier import verify_bundle


def test_a_whole_bundle_verifies(bundle, ledger):
    report = verify_bundle(bundle)
    assert report.findings == ()
    assert (report.entries, report.trials, report.records, report.redacted, report.checkpoints) == (12, 2, 6, 2, 2)
    assert report.root == ledger.frontier.root().hex()
    assert report.checkpoint_at == ledger.checkpoints[-1].checkpoint.at
    assert report.key == pair().public.id


def test_a_zip_file_verifies_like_its_folder(bundle, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "copy"), "zip", bundle))
    assert verify_bundle(archive) == verify_bundle(bundle)


def test_an_empty_ledger_can_be_handed_over(tmp_path):
    ledger = Ledger()
    ledger.checkpoint()
    assert verify_bundle(ledger.write(tmp_path / "b")).ok


@pytest.mark.parametrize("name", ["entries.jsonl", "records.jsonl", "images/a.dcm", "verify_offline.py"])
def test_an_export_is_signed_apart_from_its_files(bundle, name):
    with (bundle / name).open("ab") as file:
        file.write(b"\n")
    assert ("altered_file", name) in found(verify_bundle(bundle))
    manifest = json.loads((bundle / "files.json").read_bytes())
    (bundle / "files.json").write_bytes(canonical({**manifest, "size": 11}))
    assert ("bad_manifest", "files.json") in found(verify_bundle(bundle))


def test_files_that_are_missing_added_or_lead_outside_are_named(bundle, tmp_path):
    (bundle / "images" / "a.dcm").unlink()
    (bundle / "images" / "b.dcm").write_bytes(b"more")
    (tmp_path / "secret").write_bytes(b"outside")
    (bundle / "verify_offline.py").unlink()
    (bundle / "verify_offline.py").symlink_to(tmp_path / "secret")
    report = verify_bundle(bundle)
    assert found(report) == [
        ("missing_file", "images/a.dcm"),
        ("unknown_file", "images/b.dcm"),
        ("altered_file", "verify_offline.py"),
    ]
    assert "leads out of the bundle" in report.findings[-1].message


@pytest.mark.parametrize("name", ["entries.jsonl", "records.jsonl", "details.jsonl", "checkpoints.jsonl", "keys.json"])
def test_a_file_of_the_ledger_that_is_missing_is_named(bundle, ledger, name):
    (bundle / name).unlink()
    assert ("missing_file", name) in found(verify_bundle(bundle))
    reseal(bundle, ledger)
    assert ("missing_file", name) in found(verify_bundle(bundle))


@pytest.mark.parametrize("name", ["files.json", "files.signatures.json"])
def test_a_list_of_files_that_is_missing_or_broken_is_named(bundle, name):
    (bundle / name).write_bytes(b"{}")
    assert ("bad_manifest", "files.json") in found(verify_bundle(bundle))
    (bundle / name).unlink()
    assert ("bad_manifest", "files.json") in found(verify_bundle(bundle))


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a//b", "a\\b", "C:/x", "."])
def test_a_list_that_points_out_of_the_bundle_is_refused(bundle, path):
    manifest = json.loads((bundle / "files.json").read_bytes())
    manifest["files"][0]["path"] = path
    (bundle / "files.json").write_bytes(canonical(manifest))
    report = verify_bundle(bundle)
    assert ("bad_manifest", "files.json") in found(report)
    assert "does not stay within the bundle" in str(report.findings)


def test_the_list_speaks_of_the_last_checkpoint(bundle, ledger):
    put(bundle, "checkpoints.jsonl", lines(bundle, "checkpoints.jsonl")[:1])
    reseal(bundle, ledger)
    report = found(verify_bundle(bundle))
    assert ("bad_manifest", "files.json") in report
    assert ("unsigned", "entries 5 to 11") in report


@pytest.mark.parametrize("content", [None, b"no zip file"])
def test_where_there_is_no_bundle_nothing_is_verified(tmp_path, content):
    path = tmp_path / "bundle.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"bundle\.zip"):
        verify_bundle(path)


def test_a_bundle_is_never_written_over_another(bundle, ledger):
    with pytest.raises(IntegrityError, match="there is a bundle already"):
        ledger.write(bundle)


def test_a_bundle_without_a_checkpoint_is_refused(tmp_path, ledger):
    with pytest.raises(IntegrityError, match="needs a checkpoint"):
        write_bundle(tmp_path, ledger.items, checkpoints=[], keys=ledger.history, signer=ledger.signer)
    assert list(tmp_path.iterdir()) == []


def test_findings_beyond_the_limit_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("trialimg.ledger.findings.MOST_FINDINGS", 3)
    ledger = small_ledger()
    bundle = ledger.write(tmp_path / "b")
    put(bundle, "records.jsonl", [])
    report = verify_bundle(bundle)
    assert len(report.findings) == 3
    assert report.unlisted == 4  # the file, six records


def test_the_tree_of_the_checkpoint_is_that_of_rfc_9162(ledger):
    frontier = Frontier()
    for item in ledger.items:
        frontier = frontier.append(bytes.fromhex(item.entry.hash))
    last = ledger.checkpoints[-1].checkpoint
    assert isinstance(last, Checkpoint)
    assert frontier.root().hex() == last.root


def test_an_encrypted_zip_file_is_refused(bundle, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "copy"), "zip", bundle))
    data = bytearray(archive.read_bytes())
    for place in [match.start() for match in re.finditer(rb"PK\x01\x02", data)]:
        data[place + 8] |= 1  # encrypted
    archive.write_bytes(data)
    with pytest.raises(IntegrityError, match="cannot be read"):
        verify_bundle(archive)


def test_a_zip_file_with_a_name_twice_is_refused(bundle, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "copy"), "zip", bundle))
    with zipfile.ZipFile(archive, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr("entries.jsonl", "other")
    with pytest.raises(IntegrityError, match="stands twice"):
        verify_bundle(archive)


def test_what_a_bundle_says_never_reaches_the_terminal_as_a_command(bundle):
    (bundle / "images" / "\x1b[2Jgone").write_bytes(b"")
    (bundle / "images" / os.fsdecode(b"\xff")).write_bytes(b"")
    named = [where for what, where in found(verify_bundle(bundle)) if what == "unknown_file"]
    assert named == ["images/\\x1b[2Jgone", "images/\\udcff"]
