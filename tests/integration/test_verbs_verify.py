"""`trialimg verify` on an installation's own records, altered behind the software's back."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.integration.verbs import require_refusal, run
from trialimg.bootstrap import blobs
from trialimg.core.digest import digest_of


@pytest.fixture
def home(tmp_path, capsys, monkeypatch):
    """An installation with its first user."""
    monkeypatch.delenv("TRIALIMG_DATABASE_URL", raising=False)
    monkeypatch.setenv("TRIALIMG_HOME", str(tmp_path / "home"))
    made = run(capsys, "user", "add", "ada", "--printed-name", "Ada A", "--identity-proof", "passport")
    assert made.code == 0, made.err
    return tmp_path / "home"


def alter(home, statement):
    """What somebody with the file and a database client can do; the guards of the tables are taken off first."""
    with sqlite3.connect(home / "records.sqlite") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        assert connection.execute(statement).rowcount > 0


def test_untouched_records_verify(capsys, home):
    answer = run(capsys, "verify")
    assert answer.code == 0
    assert answer.out.startswith("verified: 3 entries, 0 trials, 3 record versions (0 tombstones), no checkpoint yet")
    assert run(capsys, "verify", "--home", home).out == answer.out


@pytest.mark.requirement("P11-01")
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE entry SET who = 'eve' WHERE sequence = 1", "entry 1"),
        ("UPDATE entry SET at = '2026-01-01T00:00:00+00:00' WHERE sequence = 2", "entry 2"),
        ("DELETE FROM entry WHERE sequence = 1", "entry 1"),
        (
            "UPDATE version SET content = replace(content, 'Ada', 'Eve') WHERE kind = 'user'",
            "record user ada version 1",
        ),
        ("UPDATE version SET salt = replace(salt, '0', '1') WHERE kind = 'user'", "record user ada version 1"),
        ("DELETE FROM version WHERE kind = 'user'", "record user ada version 1"),
        ("UPDATE detail SET content = replace(content, 'e', 'i') WHERE sequence = 1", "detail of entry 1"),
        ("DELETE FROM detail WHERE sequence = 2", "detail of entry 2"),
    ],
)
def test_an_altered_row_is_named(capsys, home, statement, named):
    alter(home, statement)
    answer = run(capsys, "verify", "--json")
    said = json.loads(answer.out)
    assert (answer.code, said["ok"]) == (1, False)
    assert any(named in finding["where"] for finding in said["findings"]), said["findings"]


@pytest.mark.requirement("P11-01")
def test_an_altered_image_is_named(capsys, home):
    key = digest_of(b"voxels")
    blobs(home).put(key, b"voxels")
    assert run(capsys, "verify").code == 0
    (file,) = (path for path in (home / "blobs").rglob("*") if path.is_file())
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    answer = run(capsys, "verify")
    assert answer.code == 1
    assert answer.out.startswith(f"blob {key}: ")
    assert "[altered_file]" in answer.out


def test_where_no_records_are_kept_none_are_made(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("TRIALIMG_DATABASE_URL", raising=False)
    require_refusal(run(capsys, "verify", "--home", tmp_path), "no records are kept here")
    assert list(tmp_path.iterdir()) == []
