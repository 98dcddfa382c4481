"""Backup, restore and purge of a whole installation, on both databases."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.people import at_desk
from tests.fakes.records import SetClock, granted, memory_records
from tests.fakes.store import MemoryBlobStore
from trialimg.adapters.store.installation import open_storage, secret_seal
from trialimg.adapters.store.sql import SqlStore
from trialimg.bootstrap import kept_series, new_blob_key
from trialimg.core.access import Action, Actor, Role
from trialimg.core.digest import digest_of
from trialimg.core.errors import AccessError, IntegrityError, TrialimgError
from trialimg.ledger.bundle_format import CHECKPOINTS, DETAILS, ENTRIES, RECORDS
from trialimg.ledger.canonical import canonical
from trialimg.services.records import EntryQuery, Place
from trialimg.services.store_backup import Storage, back_up, restore
from trialimg.services.store_backup import test_restore as try_restore
from trialimg.services.store_checkpoints import rotate_keys, sign_checkpoint
from trialimg.services.store_retention import close_trial, hold, purge, release_hold
from trialimg.services.store_verification import Known, verify_store
from trialimg.services.viewing import KeptSeries, encode
from trialimg.volume import Geometry, Unit, Volume

IMAGE, OTHER_IMAGE, SHARED_IMAGE = b"image", b"other image", b"shared image"
NO_IMAGES = KeptSeries(MemoryBlobStore())
SLICES = Volume(np.zeros((3, 4, 4), np.int16), Geometry((4, 4, 3), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), "CT", Unit.HU)


def opened(home: Path, where: str | Path | None = None) -> Storage:
    """An installation; any but the first one is opened an hour later."""
    clock = SetClock(datetime(2026, 1, 1, 0 if home.name == "home" else 1, tzinfo=UTC))
    return open_storage(memory_records(SqlStore(where or home / "records.sqlite", secret_seal(home)), clock), home)


def filled(storage: Storage) -> Actor:
    """Two trials with cases that name images, secrets, and an administrator."""
    admin = granted(storage.records, "adam", Role.ADMINISTRATOR)
    analyst = granted(storage.records, "ana", Role.ANALYST)
    for trial, images in (("T1", (IMAGE, SHARED_IMAGE)), ("T2", (OTHER_IMAGE, SHARED_IMAGE))):
        with storage.records.change(analyst, Action.OPEN_TRIAL, trial=trial) as journal:
            place = Place(trial, state="open")
            journal.write("trial", trial, {"title": trial}, action="open_trial", place=place, reason="contract")
            for number in range(3):
                key, digests = f"{trial}/C{number}", [digest_of(image) for image in images]
                body = {"subject": f"S{number}", "images": digests}
                place = Place(trial, key, state="received")
                journal.write("case", key, body, action="receive_case", place=place, reason=f"from site {number}")
        for image in images:
            storage.blobs.put(digest_of(image), image)
    with storage.store.changing() as transaction:
        transaction.keep_secret("password:ana", b"hash")
    return admin


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request, tmp_path) -> Iterator[Storage]:
    where = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else None
    made = opened(tmp_path / "home", where)
    yield made
    made.store.close()


def lines(storage: Storage, upto: int | None = None) -> list[list[bytes]]:
    with storage.store.reading() as transaction:
        return [
            [line.data for line in transaction.lines(name)][:upto] for name in (ENTRIES, RECORDS, DETAILS, CHECKPOINTS)
        ]


@pytest.mark.requirement("P11-03")
@pytest.mark.requirement("E6-08")
def test_a_backup_is_restored_on_an_empty_machine_to_the_same_records_and_blobs(storage, tmp_path):
    admin = filled(storage)
    made = back_up(storage, admin, tmp_path / "backup")
    before = lines(storage)
    place = opened(tmp_path / "other machine")
    shutil.copytree(tmp_path / "home" / "keys", tmp_path / "other machine" / "keys")
    report = restore(place, tmp_path / "backup")
    assert report.ok
    assert (report.entries, made.blobs) == (len(before[0]), 3)
    entries, *others = lines(place)
    assert entries[:-1] == before[0]
    assert b'"restore"' in entries[-1]
    assert [rows[: len(expected)] for rows, expected in zip(others, before[1:], strict=True)] == before[1:]
    assert {key: place.blobs.get(key) for key in place.blobs.every_key()} == {
        digest_of(image): image for image in (IMAGE, OTHER_IMAGE, SHARED_IMAGE)
    }
    with place.store.reading() as transaction:
        assert transaction.secret("password:ana") == b"hash"
        assert [case.id for case in transaction.find("case", Place("T1"))] == ["T1/C0", "T1/C1", "T1/C2"]
    assert verify_store(place.store, place.blobs).findings == ()


def test_a_backup_of_sqlite_is_restored_to_postgresql(tmp_path, postgresql_url):
    source = opened(tmp_path / "home")
    back_up(source, filled(source), tmp_path / "backup")
    target = opened(tmp_path / "other", postgresql_url)
    restore(target, tmp_path / "backup")
    assert lines(target)[0][:-1] == lines(source)[0]
    assert verify_store(target.store, target.blobs).findings == ()
    with target.records.change(granted_again(), Action.RECEIVE_CASES, trial="T1") as journal:
        journal.write("case", "T1/C9", {}, action="receive_case", place=Place("T1"))
    assert verify_store(target.store).findings == ()


def granted_again() -> Actor:
    return Actor("ana", Role.ANALYST, "test session")


@pytest.mark.requirement("A11-05")
def test_the_restore_test_reports_what_came_back(storage, tmp_path):
    admin = filled(storage)
    back_up(storage, admin, tmp_path / "backup")
    result = try_restore(storage, admin, tmp_path / "backup")
    assert (result.ok, result.because, result.blobs) == (True, "", 3)
    assert result.entries == len(lines(storage)[0]) - 1
    written = json.loads((tmp_path / "backup.restore-test.json").read_text())
    assert written["ok"] is True
    assert written["root"] == result.root
    with storage.store.reading() as transaction:
        (tested,) = transaction.entries(EntryQuery(action="test_restore"))
        assert transaction.detail(tested.sequence).value() == {"reason": "restored and verified"}


@pytest.mark.requirement("A11-05")
def test_the_restore_test_of_a_damaged_backup_says_so(tmp_path):
    storage = opened(tmp_path / "home")
    admin = filled(storage)
    back_up(storage, admin, tmp_path / "backup")
    (blob, *_) = sorted(path for path in (tmp_path / "backup" / "blobs").rglob("*") if path.is_file())
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    result = try_restore(storage, admin, tmp_path / "backup")
    assert not result.ok
    assert blob.name in result.because


def test_no_private_key_is_in_a_backup(tmp_path):
    storage = opened(tmp_path / "home")
    back_up(storage, filled(storage), tmp_path / "backup")
    keys = [path.read_bytes() for path in (tmp_path / "home" / "keys").iterdir()]
    assert len(keys) == 3
    everything = b"".join(path.read_bytes() for path in (tmp_path / "backup").rglob("*") if path.is_file())
    assert not any(key in everything for key in keys)
    assert b"PRIVATE KEY" not in everything
    assert json.loads((tmp_path / "backup" / "manifest.json").read_text())["left_out"][0] == "private signing keys"


def test_files_of_the_installation_are_its_owner_s_alone(tmp_path):
    storage = opened(tmp_path / "home")
    back_up(storage, filled(storage), tmp_path / "backup")
    private = [tmp_path / "home" / "records.sqlite", tmp_path / "backup" / "records.sqlite"]
    private += (tmp_path / "home" / "keys").iterdir()
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def test_records_are_restored_into_an_empty_place_only(storage, tmp_path):
    admin = filled(storage)
    back_up(storage, admin, tmp_path / "backup")
    before = lines(storage)
    with pytest.raises(TrialimgError, match="records already"):
        restore(storage, tmp_path / "backup")
    assert lines(storage) == before


@pytest.mark.parametrize("file", ["records.sqlite", "manifest.json", "manifest.signatures.json", "blobs"])
def test_a_damaged_backup_is_named_and_leaves_nothing(tmp_path, file):
    source = opened(tmp_path / "home")
    back_up(source, filled(source), tmp_path / "backup")
    path = tmp_path / "backup" / file
    if path.is_dir():
        path = next(found for found in path.rglob("*") if found.is_file())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    place = opened(tmp_path / "other")
    with pytest.raises(IntegrityError, match="manifest.json" if "manifest" in file else path.name):
        restore(place, tmp_path / "backup")
    assert lines(place) == [[], [], [], []]
    assert list(place.blobs.every_key()) == []


def test_a_backup_that_somebody_made_up_is_refused(tmp_path):
    """The list of files fits the files, but the keys of the records did not sign it."""
    source = opened(tmp_path / "home")
    back_up(source, filled(source), tmp_path / "backup")
    manifest = tmp_path / "backup" / "manifest.json"
    (blob, *_) = sorted(path for path in (tmp_path / "backup" / "blobs").rglob("*") if path.is_file())
    old, forged = hashlib.sha256(blob.read_bytes()).hexdigest(), blob.read_bytes()[:32] + b"forged"
    blob.write_bytes(forged)
    said = json.loads(manifest.read_text())
    for file in said["files"]:
        if file["sha256"] == old:
            file.update(sha256=hashlib.sha256(forged).hexdigest(), size_bytes=len(forged))
    manifest.write_bytes(canonical(said))
    with pytest.raises(IntegrityError, match=r"manifest\.json: was altered"):
        restore(opened(tmp_path / "other"), tmp_path / "backup")


def test_a_file_that_is_missing_from_a_backup_is_named(tmp_path):
    source = opened(tmp_path / "home")
    back_up(source, filled(source), tmp_path / "backup")
    path = next(found for found in (tmp_path / "backup" / "blobs").rglob("*") if found.is_file())
    path.unlink()
    with pytest.raises(IntegrityError, match=f"{path.name}: is missing"):
        restore(opened(tmp_path / "other"), tmp_path / "backup")
    with pytest.raises(TrialimgError, match="no backup"):
        restore(opened(tmp_path / "other"), tmp_path / "nothing here")


class InterruptedRestoreError(RuntimeError):
    pass


def test_an_interrupted_restore_leaves_nothing_and_can_be_done_again(tmp_path, monkeypatch):
    source = opened(tmp_path / "home")
    back_up(source, filled(source), tmp_path / "backup")
    place = opened(tmp_path / "other")

    def interrupted(snapshot: Path) -> None:
        raise InterruptedRestoreError

    with monkeypatch.context() as patch:
        patch.setattr(place.store, "restore", interrupted)
        with pytest.raises(InterruptedRestoreError):
            restore(place, tmp_path / "backup")
    assert lines(place) == [[], [], [], []]
    assert list(place.blobs.every_key()) == []
    assert restore(place, tmp_path / "backup").ok


def test_nothing_is_restored_while_the_clock_is_behind_the_backup(tmp_path):
    source = opened(tmp_path / "other")
    back_up(source, filled(source), tmp_path / "backup")
    place = opened(tmp_path / "home")
    with pytest.raises(TrialimgError, match="set the clock right"):
        restore(place, tmp_path / "backup")
    assert lines(place) == [[], [], [], []]


def test_an_old_backup_put_back_is_told_by_the_checkpoint_that_an_outsider_keeps(tmp_path):
    storage = opened(tmp_path / "home")
    admin = filled(storage)
    back_up(storage, admin, tmp_path / "backup")
    with storage.records.change(admin, Action.MANAGE_STORE) as journal:
        journal.note("image_opened", kind="case", key="T1/C1")
        kept_outside = sign_checkpoint(journal, storage.ring)
    assert verify_store(storage.store, known=Known(checkpoint=kept_outside)).ok
    (tmp_path / "other").mkdir()
    shutil.copytree(tmp_path / "home" / "keys", tmp_path / "other" / "keys")
    place = opened(tmp_path / "other")
    with pytest.raises(IntegrityError, match="rolled_back"):
        restore(place, tmp_path / "backup", Known(checkpoint=kept_outside))
    restore(place, tmp_path / "backup")
    for number in range(5):  # as many entries as before, but others
        with place.records.change(admin, Action.MANAGE_STORE) as journal:
            journal.note("image_opened", kind="case", key=f"T1/{number}")
            sign_checkpoint(journal, place.ring)
    assert verify_store(place.store).ok
    found = verify_store(place.store, known=Known(checkpoint=kept_outside)).findings
    assert "fork" in [finding.what for finding in found]


def test_keys_are_handed_over_and_the_ledger_still_verifies(tmp_path):
    storage = opened(tmp_path / "home")
    admin = filled(storage)
    with storage.records.change(admin, Action.MANAGE_STORE) as journal:
        first = sign_checkpoint(journal, storage.ring)
    with storage.records.change(admin, Action.MANAGE_STORE) as journal:
        rotate_keys(journal, storage.ring, reason="yearly")
        second = sign_checkpoint(journal, storage.ring)
    assert first.signatures.key != second.signatures.key
    report = verify_store(storage.store, known=Known(trusted_keys=[first.signatures.key]))
    assert (report.findings, report.key, report.checkpoints) == ((), second.signatures.key, 2)
    shutil.rmtree(tmp_path / "home" / "keys")
    with (
        pytest.raises(TrialimgError, match="put back the folder of keys"),
        storage.records.change(admin, Action.MANAGE_STORE) as journal,
    ):
        sign_checkpoint(journal, storage.ring)


def test_a_passphrase_keeps_the_keys_from_who_reads_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIALIMG_KEY_PASSPHRASE", "correct horse")
    storage = opened(tmp_path / "home")
    back_up(storage, filled(storage), tmp_path / "backup")
    assert [path.suffix for path in (tmp_path / "home" / "keys").glob("signing-*")] == [".pem"]
    assert not (tmp_path / "home" / "keys" / "passphrase").exists()
    monkeypatch.setenv("TRIALIMG_KEY_PASSPHRASE", "wrong horse")
    with pytest.raises(IntegrityError, match="passphrase"):
        back_up(storage, Actor("adam", Role.ADMINISTRATOR), tmp_path / "second")
    assert not (tmp_path / "second").exists()


def test_a_new_key_encrypts_the_slices_that_viewers_get_and_the_next_one_wraps_them_anew(tmp_path):
    home = tmp_path / "home"
    series = encode(SLICES)
    kept_series(home).keep("2.25.1", series)
    for _ in "ab":
        new_blob_key(home)
        kept = kept_series(home)
        assert [kept.slice("2.25.1", number) for number in range(3)] == list(series.slices)
    lying = [path.read_bytes() for path in (home / "images").rglob("*") if path.is_file()]
    assert len(lying) == 4
    assert not any(clear in stored for stored in lying for clear in (*series.slices, b"orientation"))


def closed_trial(storage: Storage, admin: Actor, *, until: date) -> None:
    close_trial(storage.records, admin, "T1", retain_until=until, reason="study report signed")


@pytest.mark.requirement("P11-03")
@pytest.mark.requirement("E6-04")
def test_a_purge_leaves_tombstones_that_verify_and_nothing_of_what_was_said(storage, tmp_path):
    admin = filled(storage)
    closed_trial(storage, admin, until=date(2025, 12, 31))
    done = purge(storage.records, admin, storage.blobs, "T1", reason="retention is over", images=NO_IMAGES)
    assert (done.versions, done.reasons, done.blobs) == (3, 3, 1)
    kept = b"".join(data for rows in lines(storage) for data in rows)
    assert b'\\"subject\\":\\"S1\\"' in kept  # of the other trial
    with storage.store.reading() as transaction:
        for version in transaction.find("case", Place("T1")):
            with pytest.raises(IntegrityError, match="was redacted"):
                _ = version.body
        assert transaction.current("case", "T2/C1").body["subject"] == "S1"
        trial = transaction.current("trial", "T1")
        assert (trial.place.state, trial.body["retain_until"]) == ("purged", "2025-12-31")
        said = list(transaction.entries(EntryQuery(trial="T1", action="redact")))
        assert len(said) == 6
        assert {transaction.detail(entry.sequence).value()["reason"] for entry in said} == {"retention is over"}
    assert storage.blobs.get(digest_of(IMAGE)) is None
    assert storage.blobs.get(digest_of(SHARED_IMAGE)) == SHARED_IMAGE
    with storage.records.change(admin, Action.MANAGE_STORE) as journal:
        sign_checkpoint(journal, storage.ring)
    report = verify_store(storage.store, storage.blobs)
    assert (report.findings, report.redacted) == ((), 6)
    back_up(storage, admin, tmp_path / "backup")
    assert restore(opened(tmp_path / "other"), tmp_path / "backup").redacted == 6


def test_a_purge_takes_the_slices_of_the_trials_series_and_of_no_others(storage):
    admin = filled(storage)
    images = KeptSeries(MemoryBlobStore())
    named = {"T1": ("2.25.1", "2.25.3"), "T2": ("2.25.2", "2.25.3")}
    for trial, series in named.items():
        with storage.records.change(granted_again(), Action.OPEN_TRIAL, trial=trial) as journal:
            body = {"subject": "S9", "timepoints": [{"id": "BL", "series": list(series)}]}
            key = f"{trial}/C9"
            place = Place(trial, key, state="received")
            journal.write("case", key, body, action="receive_case", place=place, reason="from site 9")
        for uid in series:
            images.keep(uid, encode(SLICES))
    closed_trial(storage, admin, until=date(2025, 12, 31))
    done = purge(storage.records, admin, storage.blobs, "T1", reason="retention is over", images=images)
    assert done.series == 1
    assert [uid for uid in ("2.25.1", "2.25.2", "2.25.3") if images.has(uid)] == ["2.25.2", "2.25.3"]
    assert len(images.store.blobs) == 2 * 4  # three slices and their geometry, of each


@pytest.mark.requirement("P11-03")
def test_a_legal_hold_blocks_a_purge_until_it_is_released(storage):
    admin = filled(storage)
    closed_trial(storage, admin, until=date(2025, 12, 31))
    hold(storage.records, admin, "T1", reason="inspection announced")
    before = lines(storage)
    with pytest.raises(AccessError, match="legal hold"):
        purge(storage.records, admin, storage.blobs, "T1", reason="retention is over", images=NO_IMAGES)
    after = lines(storage)
    assert after[1] == before[1]
    assert (len(after[0]), b"refuse_access" in after[0][-1]) == (len(before[0]) + 1, True)
    with pytest.raises(TrialimgError, match="already"):
        hold(storage.records, admin, "T1", reason="again")
    release_hold(storage.records, admin, "T1", reason="inspection over")
    assert (
        purge(storage.records, admin, storage.blobs, "T1", reason="retention is over", images=NO_IMAGES).versions == 3
    )


def test_what_is_to_be_kept_still_is_not_purged(tmp_path):
    storage = opened(tmp_path / "home")
    admin = filled(storage)
    asked = {"reason": "tidying up"}
    with pytest.raises(AccessError, match="only a closed trial"):
        purge(storage.records, admin, storage.blobs, "T1", **asked, images=NO_IMAGES)
    closed_trial(storage, admin, until=date(2026, 1, 1))  # today by the tests' clock
    with pytest.raises(AccessError, match="kept until 2026-01-01"):
        purge(storage.records, admin, storage.blobs, "T1", **asked, images=NO_IMAGES)
    with pytest.raises(TrialimgError, match="never shortened"):
        closed_trial(storage, admin, until=date(2025, 12, 31))
    with pytest.raises(TrialimgError, match="reason"):
        purge(storage.records, admin, storage.blobs, "T1", reason=" ", images=NO_IMAGES)
    with pytest.raises(TrialimgError, match="no trial"):
        purge(storage.records, admin, storage.blobs, "T9", **asked, images=NO_IMAGES)
    with pytest.raises(AccessError, match="analyst may not"):
        purge(storage.records, granted_again(), storage.blobs, "T1", **asked, images=NO_IMAGES)
    assert storage.blobs.get(digest_of(IMAGE)) == IMAGE


def test_records_are_replaced_only_by_a_storage_that_can(tmp_path):
    storage = opened(tmp_path / "home")
    with pytest.raises(TrialimgError, match="not kept in a database"):
        open_storage(replace(storage.records, store=object()), tmp_path)


def test_a_backup_comes_back_without_the_keys_of_secrets_and_nobody_can_use_them(tmp_path):
    source = opened(tmp_path / "home")
    admin = filled(source)
    at_desk(source.records, "rita", Role.RADIOLOGIST)
    back_up(source, admin, tmp_path / "backup")
    place = opened(tmp_path / "other machine")
    assert restore(place, tmp_path / "backup").ok
    with place.store.reading() as transaction, pytest.raises(TrialimgError, match="put the folder of keys back"):
        transaction.secret("password:rita")
