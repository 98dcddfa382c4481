"""`trialimg store` from the first checkpoint to the purge."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.people import FakeIdentity, at_desk
from tests.fakes.records import granted
from tests.integration.verbs import Answer, require_refusal, run
from trialimg.bootstrap import blobs, records
from trialimg.core.access import Action, Actor, Role
from trialimg.core.digest import digest_of
from trialimg.services.people_sessions import session_key, session_token
from trialimg.services.records import EntryQuery, Place

Store = Callable[..., Answer]


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request, tmp_path, monkeypatch) -> Path:
    """An installation with one case, and its administrator at the desk."""
    for variable in ("TRIALIMG_BLOBS", "TRIALIMG_BLOB_KEYS", "TRIALIMG_KEY_PASSPHRASE", "TRIALIMG_DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    home = tmp_path / "home"
    monkeypatch.setenv("TRIALIMG_HOME", str(home))
    database = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else None
    if database:
        monkeypatch.setenv("TRIALIMG_DATABASE_URL", database)
    kept = records(home, database)
    sit_down(monkeypatch, *at_desk(kept, "root", Role.ADMINISTRATOR))
    analyst = granted(kept, "ana", Role.ANALYST)
    with kept.change(analyst, Action.OPEN_TRIAL, trial="T1") as journal:
        body = {"images": [digest_of(b"image")]}
        journal.write("trial", "T1", {}, action="open_trial", place=Place("T1", state="open"), reason="contract")
        journal.write("case", "T1/C1", body, action="receive_case", place=Place("T1", "T1/C1"))
    blobs(home).put(digest_of(b"image"), b"image")
    kept.store.close()
    return home


def sit_down(monkeypatch, actor: Actor, _proof: object) -> None:
    """Take the session that was opened for the actor."""
    identity = FakeIdentity()
    tokens = (session_token(f"{actor.user} {actor.role.value}", identity.new_token()) for _ in range(100))
    monkeypatch.setenv("TRIALIMG_SESSION", next(token for token in tokens if session_key(token) == actor.session))


@pytest.fixture
def store(home, capsys) -> Store:
    return lambda *arguments: run(capsys, "store", *arguments)


def done(answer: Answer) -> Answer:
    assert answer.code == 0, answer.err
    return answer


def told(answer: Answer) -> dict:
    return json.loads(done(answer).out)


def test_a_backup_is_tested_restored_elsewhere_and_verifies(store, home, tmp_path, capsys, monkeypatch):
    backup = tmp_path / "backup"
    said = told(store("backup", backup, "--test-restore", "--json"))
    assert (said["blobs"], said["restore_test"]["ok"]) == (1, True)
    require_refusal(store("backup", backup), "is there already")
    require_refusal(store("restore", backup), "records already")
    monkeypatch.delenv("TRIALIMG_DATABASE_URL", raising=False)
    other = tmp_path / "other"
    assert "restored and verified" in done(store("restore", backup, "--home", other)).out
    assert done(run(capsys, "verify", "--home", other)).out.startswith("verified: ")
    assert told(store("restore", backup, "--home", tmp_path / "third", "--json"))["entries"] == said["entries"]
    require_refusal(store("restore", tmp_path / "nothing", "--home", tmp_path / "fourth"), "no backup")


@pytest.mark.requirement("A11-05")
def test_a_scheduler_backs_up_and_tests_the_restore_without_anybody_at_the_desk(store, home, tmp_path, monkeypatch):
    monkeypatch.delenv("TRIALIMG_SESSION")
    require_refusal(store("backup", tmp_path / "refused"), "say who you are")
    assert not (tmp_path / "refused").exists()
    said = told(store("backup", tmp_path / "nightly", "--unattended", "--test-restore", "--json"))
    assert said["restore_test"]["ok"] is True
    assert json.loads((tmp_path / "nightly.restore-test.json").read_text())["entries"] == said["entries"]
    kept = records(home, os.environ.get("TRIALIMG_DATABASE_URL"))
    with kept.store.reading() as transaction:
        made = [(entry.who, entry.role) for entry in transaction.entries(EntryQuery(object_kind="store"))]
    assert made == [("trialimg", "device")] * 2


def test_a_checkpoint_kept_outside_tells_an_old_backup(store, tmp_path, monkeypatch):
    backup, outside = tmp_path / "backup", tmp_path / "outside.json"
    done(store("backup", backup))
    first = told(store("checkpoint", "--out", outside, "--json"))
    second = told(store("checkpoint", "--new-keys", "yearly", "--out", outside, "--json"))
    assert second["size"] == first["size"] + 1
    assert second["key"] != first["key"]
    monkeypatch.delenv("TRIALIMG_DATABASE_URL", raising=False)
    require_refusal(store("restore", backup, "--checkpoint", outside, "--home", tmp_path / "other"), "rolled_back")


@pytest.mark.requirement("P11-06")
def test_an_inspector_exports_a_trial_that_verifies_and_changes_nothing(store, home, tmp_path, capsys, monkeypatch):
    kept = records(home, os.environ.get("TRIALIMG_DATABASE_URL"))
    sit_down(monkeypatch, *at_desk(kept, "ines", Role.INSPECTOR, trial="T1"))
    said = told(store("export", tmp_path / "bundle", "--trial", "T1", "--json"))
    answer = done(run(capsys, "verify", tmp_path / "bundle"))
    assert "of other trials withheld" in answer.out
    assert said["root"] in answer.out
    handed_over = (tmp_path / "bundle" / "records.jsonl").read_text()
    assert "T1/C1" in handed_over
    assert "ines" not in handed_over
    require_refusal(store("export", tmp_path / "all"), "ines is not inspector of this installation")
    assert not (tmp_path / "all").exists()
    for verb in (("backup", tmp_path / "b"), ("hold", "T1", "--reason", "x"), ("purge", "T1", "--reason", "x")):
        require_refusal(store(*verb), "inspector may not manage store")
    with kept.store.reading() as transaction:
        assert [entry.who for entry in transaction.entries(EntryQuery(action="export"))] == ["ines"]


def test_everything_is_exported_for_whoever_may_see_everything(store, tmp_path, capsys):
    done(store("export", tmp_path / "bundle"))
    assert "withheld" not in done(run(capsys, "verify", tmp_path / "bundle")).out


@pytest.mark.requirement("P11-03")
def test_a_trial_is_closed_held_released_and_purged(store, home, capsys):
    reason = ("--reason", "study report signed")
    require_refusal(store("purge", "T1", *reason), "only a closed trial")
    done(store("close", "T1", "--retain-until", "2020-12-31", *reason))
    done(store("hold", "T1", *reason))
    require_refusal(store("purge", "T1", *reason), "legal hold")
    done(store("hold", "T1", "--release", *reason))
    assert told(store("purge", "T1", *reason, "--json")) == {
        "trial": "T1",
        "versions": 1,
        "reasons": 0,
        "blobs": 1,
        "series": 0,
    }
    assert list(blobs(home).every_key()) == []
    assert "(1 tombstones)" in done(run(capsys, "verify")).out


def test_images_are_encrypted_from_the_first_key_on(store, home):
    require_refusal(store("new-blob-key"), "kept in the clear before")
    blobs(home).remove(digest_of(b"image"))
    assert told(store("new-blob-key", "--json")) == {"wrapped_anew": 0}
    blobs(home).put(digest_of(b"image"), b"image")
    (path,) = (path for path in (home / "blobs").rglob("*") if path.is_file())
    before = path.read_bytes()
    assert b"image" not in before
    assert told(store("new-blob-key", "--json")) == {"wrapped_anew": 1}
    assert path.read_bytes() != before
    assert blobs(home).get(digest_of(b"image")) == b"image"
    assert (home / "keys" / "blobs.keys").stat().st_mode & 0o777 == 0o600


def test_tables_of_this_version_stay_as_they_are(store):
    said = told(store("migrate", "--json"))
    assert said["before"] == said["after"]


def test_a_session_is_needed(store, monkeypatch):
    monkeypatch.delenv("TRIALIMG_SESSION")
    require_refusal(store("checkpoint"), "say who you are")
