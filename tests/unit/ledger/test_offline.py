"""The verifier as one file: nothing of the package beside it, same answers."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.ledger import lines, pair, put, reseal, small_ledger
from trialimg.core.errors import IntegrityError
from trialimg.ledger import offline
from trialimg.ledger.offline import offline_verifier
from trialimg.ledger.verifier import verify_bundle
from trialimg.ledger.verifier_command import report_plain


@pytest.fixture
def alone(bundle, tmp_path) -> Path:
    """The one file, copied out of a bundle into an empty folder."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return Path(shutil.copy(bundle / "verify_offline.py", folder))


def run(script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-X", "importtime", script, *arguments]
    return subprocess.run(command, cwd=script.parent, capture_output=True, text=True, check=False)


def imported(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_it_needs_the_standard_library_and_cryptography_only():
    assert imported(offline_verifier()) - sys.stdlib_module_names == {"cryptography"}


@pytest.mark.requirement("FDA-11")
def test_it_verifies_a_bundle_with_nothing_of_the_package_loaded(alone, bundle):
    ran = run(alone, bundle)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("verified: 12 entries, 2 trials, 6 record versions (2 tombstones), checkpoint of ")
    assert pair().public.id in ran.stdout
    assert "cryptography" in ran.stderr
    assert "trialimg" not in ran.stderr


def test_without_an_argument_it_verifies_the_bundle_it_lies_in(bundle):
    assert run(bundle / "verify_offline.py").returncode == 0
    shutil.rmtree(bundle / "images")
    ran = run(bundle / "verify_offline.py")
    assert ran.returncode == 1
    assert "images/a.dcm: is not here [missing_file]" in ran.stdout


def test_it_finds_what_the_package_finds(alone, bundle, ledger):
    records = lines(bundle, "records.jsonl")
    put(bundle, "records.jsonl", [records[0].replace(b"Ada", b"Eve"), *records[2:]])
    reseal(bundle, ledger)
    ran = run(alone, bundle, "--json")
    assert ran.returncode == 1
    assert json.loads(ran.stdout) == json.loads(json.dumps(report_plain(verify_bundle(bundle))))
    assert {finding["what"] for finding in json.loads(ran.stdout)["findings"]} == {"altered_record", "missing_record"}


def test_it_compares_with_a_checkpoint_and_keys_kept_outside(alone, bundle, tmp_path):
    later = small_ledger()
    later.note("open_images", kind="series", id_="1.2.6")
    (tmp_path / "kept.json").write_bytes(later.checkpoint().bytes())
    ran = run(alone, bundle, "--checkpoint", tmp_path / "kept.json", "--keys", bundle / "keys.json")
    assert ran.returncode == 1
    assert "rolled_back" in ran.stdout
    (tmp_path / "ids").write_text("ab" * 32 + "\n")
    assert "swapped_keys" in run(alone, bundle, "--keys", tmp_path / "ids").stdout


def test_where_there_is_nothing_to_read_it_says_so(alone, tmp_path):
    ran = run(alone, tmp_path / "nowhere")
    assert ran.returncode == 2
    assert "there is no such bundle" in ran.stderr
    assert ran.stdout == ""


def test_it_is_the_same_text_in_every_bundle(bundle, ledger, tmp_path):
    again = ledger.write(tmp_path / "again")
    assert (bundle / "verify_offline.py").read_bytes() == (again / "verify_offline.py").read_bytes()


def test_modules_that_cannot_stand_in_one_file_are_refused(monkeypatch):
    monkeypatch.setattr(offline, "_MODULES", (*offline._MODULES, "ledger/offline.py", "core/digest.py"))
    offline_verifier.cache_clear()
    with pytest.raises(IntegrityError, match="_CHUNK_BYTES"):
        offline_verifier()
    monkeypatch.undo()
    offline_verifier.cache_clear()
    compile(offline_verifier(), "verify_offline.py", "exec")
