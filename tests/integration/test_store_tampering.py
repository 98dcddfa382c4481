"""A hostile administrator alters the records' file itself: `trialimg verify` names what was touched, and exits 1."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.fakes.people import at_desk
from tests.fakes.records import granted, memory_records
from tests.integration.verbs import run
from trialimg.adapters.store.installation import open_storage, secret_seal
from trialimg.adapters.store.sql import SqlStore
from trialimg.core.access import Action, Role
from trialimg.core.digest import digest_of
from trialimg.services.records import Place
from trialimg.services.store_checkpoints import sign_checkpoint

READS = 6
LAST = 17
"""Sequence of the last entry; the checkpoint covers all of them."""


@pytest.fixture(scope="module")
def untouched(tmp_path_factory) -> Path:
    """An installation with reads, a redaction, a credential, two checkpoints and two images."""
    home = tmp_path_factory.mktemp("installation") / "home"
    storage = open_storage(memory_records(SqlStore(home / "records.sqlite", secret_seal(home))), home)
    records = storage.records
    admin = granted(records, "adam", Role.ADMINISTRATOR)
    analyst = granted(records, "ana", Role.ANALYST)
    at_desk(records, "rita", Role.RADIOLOGIST)
    for number in range(READS):
        with records.change(analyst, Action.RECEIVE_CASES, trial=f"T{number % 2}") as journal:
            place = Place(f"T{number % 2}", "C1", "rita", "locked")
            journal.write(
                "read", f"C1/{number // 2}", {"sum_mm": f"{number}0.5"}, action="lock", place=place, reason="r"
            )
            if number == 3:
                sign_checkpoint(journal, storage.ring)
    with records.change(admin, Action.REDACT) as journal:
        journal.redact(journal.transaction.versions("read", "C1/0")[0], reason="a name")
        sign_checkpoint(journal, storage.ring)
    for image in (b"image", b"other image"):
        storage.blobs.put(digest_of(image), image)
    with storage.store.reading() as transaction:
        assert transaction.size() == LAST + 1
    storage.store.close()
    return home


@pytest.fixture
def home(untouched, tmp_path, monkeypatch) -> Path:
    for variable in ("TRIALIMG_DATABASE_URL", "TRIALIMG_BLOBS", "TRIALIMG_BLOB_KEYS"):
        monkeypatch.delenv(variable, raising=False)
    return Path(shutil.copytree(untouched, tmp_path / "home"))


def alter(home: Path, *statements: str) -> None:
    """With the triggers dropped, as only somebody who owns the file can."""
    with sqlite3.connect(home / "records.sqlite") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        changed = sum(connection.execute(statement).rowcount for statement in statements)
    connection.close()
    assert changed > 0


def found(capsys, home: Path, code: int = 1) -> str:
    answer = run(capsys, "verify", "--home", home, "--json")
    assert answer.code == code, answer.out + answer.err
    said = json.loads(answer.out)
    assert said["ok"] is (code == 0)
    return "\n".join(f"{finding['what']}: {finding['where']}: {finding['message']}" for finding in said["findings"])


def test_an_untouched_installation_verifies(capsys, home):
    assert found(capsys, home, code=0) == ""


WORDS = (
    "trial",
    "previous",
    "at",
    "who",
    "role",
    "action",
    "object_kind",
    "object_id",
    "old",
    "new",
    "detail",
    "software",
)


@pytest.mark.requirement("P11-01")
@pytest.mark.parametrize("sequence", [0, 9, LAST])
@pytest.mark.parametrize("column", [*WORDS, "trial_sequence", "object_version"])
def test_an_altered_entry_is_named(capsys, home, column, sequence):
    value = f"{column} || '0'" if column in WORDS else f"{column} + 1"
    alter(home, f"UPDATE entry SET {column} = {value} WHERE sequence = {sequence}")
    assert f"entry {sequence}" in found(capsys, home)


@pytest.mark.requirement("P11-01")
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("DELETE FROM entry WHERE sequence = 9", "missing_entry: entry 9"),
        (f"DELETE FROM entry WHERE sequence = {LAST}", f"truncated: entry {LAST}"),
        ("DELETE FROM entry WHERE sequence = 0", "missing_entry: entry 0"),
        ("UPDATE version SET content = content || ' ' WHERE entry = 11", "not written in the canonical form"),
        ("UPDATE version SET content = replace(content, '10.5', '1.5') WHERE entry = 11", "record read C1/0 version 2"),
        ("UPDATE version SET salt = replace(salt, '0', '1') WHERE id = 'C1/1'", "record read C1/1 version 1"),
        ("UPDATE version SET person = 'rolf' WHERE id = 'C1/1' AND version = 2", "record read C1/1 version 2"),
        ("UPDATE version SET state = 'signed' WHERE id = 'C1/2' AND version = 1", "record read C1/2 version 1"),
        ("UPDATE version SET case_id = 'C2' WHERE id = 'C1/2' AND version = 2", "record read C1/2 version 2"),
        ("UPDATE version SET trial = 'T9' WHERE id = 'C1/2' AND version = 2", "record read C1/2 version 2"),
        ("UPDATE version SET kind = 'draft' WHERE id = 'C1/1' AND version = 1", "record read C1/1 version 1"),
        ("UPDATE version SET version = 7 WHERE id = 'C1/1' AND version = 2", "record read C1/1 version 2"),
        ("DELETE FROM version WHERE id = 'C1/2' AND version = 2", "record read C1/2 version 2"),
        ("UPDATE version SET redacted_by = 3 WHERE redacted_by IS NOT NULL", "record read C1/0 version 1"),
        ("UPDATE version SET digest = replace(digest, 'a', 'b') WHERE redacted_by > 0", "record read C1/0 version 1"),
        ("UPDATE version SET salt = NULL WHERE id = 'C1/2'", "record read C1/2 version 1"),
        (
            "INSERT INTO version SELECT kind, 'forged', 1, 'T1', 'C1', '', '', 999, salt, content, NULL, NULL "  # noqa: ISC004
            "FROM version WHERE id = 'C1/1' AND version = 1",
            "record read forged version 1",
        ),
        ("UPDATE detail SET content = replace(content, 'r', 's') WHERE sequence = 10", "detail of entry 10"),
        ("DELETE FROM detail WHERE sequence = 10", "detail of entry 10"),
        ("INSERT INTO detail SELECT 0, salt, content, NULL, NULL FROM detail WHERE sequence = 10", "detail of entry 0"),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 0 AND \"index\" = 3", "node 3 of level 0"),
        ("UPDATE node SET hash = zeroblob(32) WHERE level = 2 AND \"index\" = 1", "node 1 of level 2"),
        ("DELETE FROM node WHERE level = 1 AND \"index\" = 4", "level 1"),
        ("INSERT INTO node VALUES (9, 0, zeroblob(32))", "tree"),
        ("UPDATE checkpoint SET text = replace(text, '\"size\":', '\"size\":1') WHERE number = 0", "checkpoint 0"),
        ("UPDATE checkpoint SET text = replace(text, 'T00:00:', 'T00:01:') WHERE number = 1", "checkpoint at 18"),
        ("UPDATE current SET version = 1 WHERE id = 'C1/1'", "record read C1/1"),
        ("UPDATE current SET state = 'signed' WHERE id = 'C1/1'", "record read C1/1"),
        ("UPDATE current SET person = 'rolf' WHERE id = 'C1/1'", "record read C1/1"),
        ("DELETE FROM current WHERE id = 'C1/2'", "record read C1/2"),
        ("INSERT INTO current SELECT kind, 'forged', 1, trial, case_id, person, state FROM current LIMIT 1", "forged"),
        ("UPDATE secret SET value = x'00' WHERE name = 'password:rita'", "credential of rita"),
        ("UPDATE version SET content = replace(content, 'digests', 'd') WHERE kind = 'credential'", "credential rita"),
        ("DELETE FROM secret WHERE name = 'totp:rita'", "credential of rita"),
        ("UPDATE version SET content = replace(content, 'keys', 'kees') WHERE kind = 'installation'", "installation"),
    ],
)  # fmt: skip
def test_an_altered_row_is_named(capsys, home, statement, named):
    alter(home, statement)
    assert named in found(capsys, home)


@pytest.mark.requirement("P11-01")
def test_two_entries_that_changed_places_are_named(capsys, home):
    alter(
        home,
        "UPDATE entry SET sequence = -1 WHERE sequence = 9",
        "UPDATE entry SET sequence = 9 WHERE sequence = 10",
        "UPDATE entry SET sequence = 10 WHERE sequence = -1",
    )
    assert "entry 9" in found(capsys, home)


@pytest.mark.requirement("P11-01")
def test_a_tail_cut_off_from_every_table_is_missed_by_the_checkpoint(capsys, home):
    alter(
        home,
        f"DELETE FROM entry WHERE sequence = {LAST}",
        f"DELETE FROM detail WHERE sequence = {LAST}",
        'DELETE FROM node WHERE ("index" + 1) << level > 17',
    )
    assert "truncated" in found(capsys, home)


@pytest.mark.requirement("P11-01")
def test_a_flipped_byte_in_an_image_is_named(capsys, home):
    path = home / "blobs" / digest_of(b"image")[7:9] / digest_of(b"image")[9:]
    for place in range(path.stat().st_size):
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)
        assert digest_of(b"image") in found(capsys, home)
        data[place] ^= 1
        path.write_bytes(data)
        if place == 2:  # in the digest, and from here on in the image
            break
    path.write_bytes((home / "blobs" / digest_of(b"other image")[7:9] / digest_of(b"other image")[9:]).read_bytes())
    assert f"{digest_of(b'image')}: holds something else" in found(capsys, home)


@pytest.mark.requirement("P11-01")
def test_a_byte_flipped_anywhere_in_the_records_file_is_never_passed_over(capsys, home):
    """Some bytes of a file mean nothing; of those that change any row, none may pass."""
    path = home / "records.sqlite"
    whole = path.read_bytes()
    before = dumped(path)
    caught = 0
    for place in range(137, len(whole), 3989):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x01]) + whole[place + 1 :])
        answer = run(capsys, "verify", "--home", home)
        if dumped(path) != before:
            assert answer.code == 1, f"byte {place}: {answer.out}"
            caught += 1
        for beside in ("records.sqlite-wal", "records.sqlite-shm"):
            (home / beside).unlink(missing_ok=True)
    assert caught > 5


def dumped(path: Path) -> list[tuple] | None:
    """Every row; None where the file cannot be read any more."""
    tables = ("entry", "detail", "version", "current", "node", "checkpoint")
    try:
        with sqlite3.connect(path) as connection:
            rows = [row for table in tables for row in connection.execute(f"SELECT * FROM {table}")]
        connection.close()
    except sqlite3.DatabaseError:
        return None
    return rows
