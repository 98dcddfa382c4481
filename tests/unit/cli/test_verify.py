"""The verb `verify`: what it prints, and how it ends."""

from __future__ import annotations

import json

import pytest

from tests.fakes.ledger import lines, pair, put, reseal, small_ledger
from trialimg.cli import main


@pytest.fixture
def ledger():
    return small_ledger()


@pytest.fixture
def bundle(ledger, tmp_path):
    return ledger.write(tmp_path / "bundle")


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ending:
        main(["verify", *map(str, arguments)])
    out, err = capsys.readouterr()
    return ending.value.code, out, err


def test_a_whole_bundle_is_one_line_and_a_note_on_the_keys(capsys, bundle, ledger):
    code, out, err = run(capsys, bundle)
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first == (
        "verified: 12 entries, 2 trials, 6 record versions (2 tombstones), checkpoint of "
        f"2026-03-01T08:12:00.000000+00:00, root {ledger.frontier.root().hex()}"
    )
    assert second.startswith(f"note: the keys came with the records; compare key {pair().public.id}")


def test_trusted_keys_leave_one_line(capsys, bundle, tmp_path):
    (tmp_path / "ids").write_text(pair().public.id + "\n")
    for keys in (tmp_path / "ids", bundle / "keys.json"):
        code, out, _ = run(capsys, bundle, "--keys", keys)
        assert (code, len(out.splitlines())) == (0, 1)


@pytest.mark.requirement("P11-01")
def test_each_finding_is_a_line_and_the_exit_code_says_so(capsys, bundle, ledger):
    records = lines(bundle, "records.jsonl")
    put(bundle, "records.jsonl", [records[0].replace(b"Ada", b"Eve"), *records[1:]])
    code, out, _ = run(capsys, bundle)
    assert code == 1
    assert "record user reader1 version 1: was altered: its digest is not the one in entry 0 [altered_record]" in out
    assert "records.jsonl: was altered: its SHA-256 is not the signed one [altered_file]" in out
    assert out.splitlines()[-1] == "2 finding(s) in 12 entries"
    reseal(bundle, ledger)
    assert run(capsys, bundle)[1].splitlines()[-1] == "1 finding(s) in 12 entries"


def test_an_old_backup_is_told_by_the_checkpoint_kept(capsys, bundle, tmp_path):
    later = small_ledger()
    later.note("open_images", kind="series", id_="1.2.6")
    later.checkpoint()
    bundle_of_today = later.write(tmp_path / "today")
    code, out, _ = run(capsys, bundle, "--checkpoint", bundle_of_today / "checkpoints.jsonl")
    assert code == 1
    assert out.startswith("entry 12: missing at the end")
    assert run(capsys, bundle_of_today, "--checkpoint", bundle / "checkpoints.jsonl")[0] == 0


def test_json_is_one_document(capsys, bundle):
    code, out, _ = run(capsys, bundle, "--json")
    said = json.loads(out)
    assert (code, said["ok"], said["findings"], said["entries"], said["trials"]) == (0, True, [], 12, 2)
    (bundle / "details.jsonl").unlink()
    code, out, _ = run(capsys, bundle, "--json")
    said = json.loads(out)
    assert (code, said["ok"]) == (1, False)
    assert {"what": "missing_file", "where": "details.jsonl", "message": "is not here"} in said["findings"]


@pytest.mark.parametrize(
    ("option", "content", "words"),
    [
        (None, None, "there is no such bundle"),
        ("--checkpoint", None, "cannot be read"),
        ("--checkpoint", b"{}", "no signed checkpoint"),
        ("--checkpoint", b"", "no signed checkpoint"),
        ("--keys", b"abc", "neither a keys.json nor key ids"),
        ("--keys", b'{"keys":[]}', "no key history"),
        ("--keys", b"", "neither"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, bundle, tmp_path, option, content, words):
    given = tmp_path / "given"
    if content is not None:
        given.write_bytes(content)
    arguments = [given] if option is None else [bundle, option, given]
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert words in err
