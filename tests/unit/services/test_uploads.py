"""Studies come in file by file, wait apart, and reach a case whole, with receipts and queries, or not at all."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.central_review import TRIAL, Trial
from tests.fakes.dicom_files import stack, uid
from tests.fakes.people import at_desk
from tests.fakes.store import MemoryBlobStore
from trialimg.adapters.dicom.examine import ChildExaminer
from trialimg.adapters.dicom.source import DicomSource
from trialimg.adapters.files.archives import unpacked
from trialimg.core.access import Role
from trialimg.core.digest import file_digest
from trialimg.core.errors import AccessError, IntakeError, ReadingError
from trialimg.services.queries_seen import queries_of
from trialimg.services.records import EntryQuery, Place
from trialimg.services.trials_sites import SiteChange, Source, SourceKind, put_site
from trialimg.services.upload_handover import Matching, arranged, hand_over
from trialimg.services.uploads import (
    Intake,
    Received,
    UploadOrder,
    abandon_upload,
    begin_upload,
    open_uploads,
    receive_file,
)
from trialimg.services.viewing import KeptSeries

SITE, SUBJECT = "01", "S-0001"
FIRST = f"{TRIAL}/U0001"
DAYS = {"BL": "20260105", "W06": "20260216", "W12": "20260330"}
SCANNER = {"Manufacturer": "SIEMENS", "ManufacturerModelName": "SOMATOM Drive", "SoftwareVersions": "VB20A"}
CLEAN = {"PatientIdentityRemoved": "YES", "PatientID": SUBJECT, "PatientName": SUBJECT}


@pytest.fixture(scope="module")
def examiner():
    made = ChildExaminer()
    yield made
    made.close()


class Desk:
    """An analyst who brings images in."""

    def __init__(self, folder: Path, examiner: ChildExaminer) -> None:
        self.trial = Trial()
        self.records, self.ana = self.trial.records, self.trial.actor("ana")
        self.originals, self.encoded = MemoryBlobStore(), MemoryBlobStore()
        self.intake = Intake(
            folder / "quarantine", examiner, unpacked, DicomSource(), KeptSeries(self.encoded), self.originals
        )
        self.files = folder / "sent"
        self.activate()

    def activate(self, state: str = "active", since: dt.date = dt.date(2026, 1, 1)) -> None:
        machine = Source(SourceKind.AE_TITLE, "HOSP_CT1")
        change = SiteChange(TRIAL, SITE, state, "General Hospital", since, (machine,), "approved")
        put_site(self.records, self.ana, change)

    def begin(self, subject: str = SUBJECT) -> str:
        return begin_upload(self.records, self.ana, UploadOrder(TRIAL, SITE, subject)).id

    def made(self, name: str, visit: str = "BL", *, series: int = 1, slices: int = 4, **facts) -> list[Path]:
        """Files of one series, as a site sends them."""
        array = np.arange(slices * 12, dtype=np.int16).reshape(slices, 3, 4) + 7 * series
        said = {**CLEAN, **SCANNER, "StudyDate": DAYS[visit], "series": series, **facts}
        folder = self.files / name
        folder.mkdir(parents=True)
        paths = []
        for number, data in enumerate(stack(array, **said)):
            data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
            paths.append(folder / f"Zhang_Wei_{number}.dcm")
            data.save_as(paths[-1], enforce_file_format=True)
        return paths

    def send(self, upload: str, paths: list[Path]) -> list[Received]:
        return [one for path in paths for one in self.send_one(upload, path)]

    def send_one(self, upload: str, path: Path) -> list[Received]:
        with self.records.store.reading() as transaction:
            folder = self.intake.of(transaction.current("upload", upload))
        folder.make()
        copy = folder.incoming / path.name
        copy.write_bytes(path.read_bytes())
        return list(receive_file(self.records, self.ana, self.intake, upload, path=copy, name=path.name))

    def sent(self, visit: str = "BL", **facts) -> str:
        """An upload of one series, ready to be handed over."""
        upload = self.begin()
        self.send(upload, self.made(upload.replace("/", "-"), visit, **facts))
        return upload

    def hand_over(self, upload: str, visits: dict[int, str], **more):
        said = {"has_looked": True, **more}
        matching = Matching({uid(number): visit for number, visit in visits.items()}, **said)
        return hand_over(self.records, self.ana, self.intake, upload, matching=matching)

    def record(self, kind: str, key: str):
        with self.records.store.reading() as transaction:
            return transaction.current(kind, key)

    def codes(self) -> list[str]:
        return [line.code for line in queries_of(self.records, self.ana, TRIAL)]

    def entries(self) -> int:
        with self.records.store.reading() as transaction:
            return transaction.size()


@pytest.fixture
def desk(tmp_path, examiner) -> Desk:
    return Desk(tmp_path, examiner)


def refusals(received: list[Received]) -> set[str]:
    return {code for one in received for code in one.receipt.codes}


@pytest.mark.requirement("FDA-06")
@pytest.mark.requirement("A11-04")
def test_a_baseline_becomes_a_case_with_a_receipt_and_a_checksum_for_every_file(desk):
    upload = desk.begin()
    paths = desk.made("bl")
    digests = [file_digest(path) for path in paths]
    assert refusals(desk.send(upload, paths)) == set()
    kept = desk.hand_over(upload, {1: "BL"}, reference_date=dt.date(2026, 1, 6))
    case = desk.record("case", f"{TRIAL}/{SUBJECT}")
    assert case.place.state == "received"
    assert (case.body["site"], case.body["reference_date"]) == (SITE, "2026-01-06")
    (visit,) = case.body["timepoints"]
    assert (visit["id"], visit["date"], visit["series"]) == ("BL", "2026-01-05", [uid(1)])
    receipts = kept.body["receipts"]
    assert [one["received"] for one in receipts] == digests
    assert [one["number"] for one in receipts] == [1, 2, 3, 4]
    assert len({one["sop_uid"] for one in receipts}) == 4
    assert all(one["at"] and one["by"] == "ana" and one["is_accepted"] for one in receipts)
    assert [file_digest(path) for path in paths] == sorted(desk.originals.blobs, key=digests.index)
    assert desk.intake.images.geometry(uid(1))["shape"] == [4, 3, 4]
    assert not desk.intake.of(kept).root.exists()


def test_no_name_of_a_file_or_a_person_stands_in_any_record(desk):
    upload = desk.begin()
    desk.send(upload, desk.made("named", PatientName="Zhang^Wei", PatientID="00123456", PatientIdentityRemoved=None))
    desk.send(upload, desk.made("bl"))
    desk.hand_over(upload, {1: "BL"})
    with desk.records.store.reading() as transaction:
        said = "".join(str(version.content) for one in transaction.find("upload", Place()) for version in [one])
        notes = "".join(str(transaction.detail(one.sequence)) for one in transaction.entries(EntryQuery()))
    assert "Zhang" not in said + notes
    assert "00123456" not in said + notes


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"PatientIdentityRemoved": None}, "not_deidentified"),
        ({"PatientIdentityRemoved": "NO"}, "not_deidentified"),
        ({"PatientName": "Zhang^Wei"}, "identifier"),
        ({"PatientBirthDate": "19490101"}, "identifier"),
        ({"InstitutionName": "General Hospital"}, "identifier"),
        ({"OtherPatientIDs": "4711"}, "identifier"),
        ({"BurnedInAnnotation": "YES"}, "burned_in_annotation"),
        ({"PatientID": "S-0002", "PatientName": "S-0002"}, "other_subject"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "not_greyscale"),
        ({"SeriesInstanceUID": None}, "no_series_uid"),
    ],
)
def test_a_file_that_may_not_be_taken_is_refused_with_the_reason_and_not_kept(desk, facts, code):
    upload = desk.begin()
    received = desk.send(upload, desk.made("x", slices=1, **facts))
    assert code in refusals(received)
    assert not any(one.receipt.is_accepted for one in received)
    folder = desk.intake.of(desk.record("upload", upload))
    assert [*folder.files.iterdir(), *folder.incoming.iterdir()] == []


def test_the_same_bytes_and_the_same_image_are_taken_once(desk):
    upload = desk.begin()
    paths = desk.made("bl")
    desk.send(upload, paths)
    assert refusals(desk.send(upload, paths)) == {"duplicate"}
    again = desk.made("again", ContrastBolusAgent="OMNIPAQUE")
    assert refusals(desk.send(upload, again)) == {"same_image_other_bytes"}
    desk.hand_over(upload, {1: "BL"})
    other = desk.begin()
    assert refusals(desk.send(other, paths)) == {"duplicate"}
    assert refusals(desk.send(other, again)) == {"same_image_other_bytes"}


def test_what_stands_in_front_of_the_data_is_wiped_and_both_digests_are_kept(desk):
    upload = desk.begin()
    paths = desk.made("bl")
    paths[0].write_bytes(b"MZ this would run" + paths[0].read_bytes()[17:])
    first = desk.send(upload, paths)[0].receipt
    assert first.is_accepted
    assert first.received == file_digest(paths[0]) != first.kept
    desk.hand_over(upload, {1: "BL"})
    assert desk.originals.blobs[first.kept][:128] == bytes(128)


def test_an_archive_is_taken_apart_and_its_files_are_judged_one_by_one(desk, tmp_path):
    upload = desk.begin()
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for path in desk.made("bl"):
            made.write(path, f"study/{path.name}")
        made.writestr("study/README.txt", "hello")
        made.writestr("../../outside.dcm", "x")
    received = desk.send_one(upload, archive)
    assert [one.receipt.is_accepted for one in received] == [True] * 4 + [False] * 2
    assert refusals(received) == {"not_dicom", "outside_the_archive"}
    assert not (tmp_path / "outside.dcm").exists()
    desk.hand_over(upload, {1: "BL"})


def test_an_upload_is_left_and_gone_on_with_by_another(desk, examiner):
    upload = desk.begin()
    paths = desk.made("bl")
    desk.send(upload, paths[:2])
    ann, _ = at_desk(desk.records, "ann", Role.ANALYST)
    assert [one.id for one in open_uploads(desk.records, ann, TRIAL)] == [upload]
    desk.intake = Intake(
        desk.intake.folder, examiner, unpacked, DicomSource(), desk.intake.images, desk.originals
    )  # another process
    desk.ana = ann
    desk.send(upload, paths[2:])
    arrangement = arranged(desk.records, ann, desk.intake, upload)
    assert [(one.series_uid, one.slices) for one in arrangement.series] == [(uid(1), 4)]
    kept = desk.hand_over(upload, {1: "BL"})
    assert [one["by"] for one in kept.body["receipts"]] == ["ana", "ana", "ann", "ann"]
    assert open_uploads(desk.records, ann, TRIAL) == ()


def test_a_file_that_came_without_its_receipt_is_sent_again(desk):
    upload = desk.begin()
    paths = desk.made("bl")
    desk.send(upload, paths)
    folder = desk.intake.of(desk.record("upload", upload))
    log = folder.root / "receipts.jsonl"
    log.write_bytes(log.read_bytes()[:-20])  # the machine stopped while the last line was written
    assert [one.slices for one in arranged(desk.records, desk.ana, desk.intake, upload).series] == [3]
    assert refusals(desk.send(upload, paths)) == {"duplicate"}
    assert [one.slices for one in arranged(desk.records, desk.ana, desk.intake, upload).series] == [4]


def test_a_later_visit_goes_to_the_case_and_is_proposed_by_its_date(desk):
    desk.hand_over(desk.sent(), {1: "BL"}, reference_date=dt.date(2026, 1, 6))
    upload = desk.sent("W06", series=2)
    assert arranged(desk.records, desk.ana, desk.intake, upload).proposed == {uid(2): "W06"}
    desk.hand_over(upload, {2: "W06"})
    case = desk.record("case", f"{TRIAL}/{SUBJECT}")
    assert [one["id"] for one in case.body["timepoints"]] == ["BL", "W06"]


@pytest.mark.parametrize(
    ("visits", "more", "code"),
    [
        ({1: "BL"}, {"has_looked": False}, "not_looked_at"),
        ({}, {}, "nothing_chosen"),
        ({1: ""}, {}, "nothing_chosen"),
        ({1: "W99"}, {}, "unknown_visit"),
        ({1: "W06"}, {}, "no_baseline"),
        ({1: "BL", 9: "W06"}, {}, "unusable_series"),
    ],
)
def test_a_handing_over_that_cannot_be_right_changes_nothing(desk, visits, more, code):
    upload = desk.sent()
    before = desk.entries()
    with pytest.raises(IntakeError) as refused:
        desk.hand_over(upload, visits, **more)
    assert code in [fault.code for fault in refused.value.faults]
    assert desk.entries() == before
    assert (desk.originals.blobs, desk.encoded.blobs) == ({}, {})
    desk.hand_over(upload, {1: "BL"})


def test_a_visit_that_is_there_already_is_refused_and_the_upload_stays(desk):
    desk.hand_over(desk.sent(), {1: "BL"})
    upload = desk.sent("W06", series=2)
    before = desk.record("case", f"{TRIAL}/{SUBJECT}")
    with pytest.raises(ReadingError):
        desk.hand_over(upload, {2: "BL"})
    assert desk.record("case", f"{TRIAL}/{SUBJECT}") == before
    assert desk.record("upload", upload).place.state == "receiving"
    desk.hand_over(upload, {2: "W06"})


def test_a_series_with_a_hole_cannot_be_chosen_and_the_site_is_asked(desk):
    upload = desk.begin()
    paths = desk.made("holed", series=3, slices=6)
    desk.send(upload, [*desk.made("bl"), *paths[:2], *paths[3:]])
    arrangement = arranged(desk.records, desk.ana, desk.intake, upload)
    assert [one.series_uid for one in arrangement.usable] == [uid(1)]
    with pytest.raises(IntakeError):
        desk.hand_over(upload, {1: "BL", 3: "BL"})
    desk.hand_over(upload, {1: "BL"})
    assert desk.codes() == ["missing_slices"]


@pytest.mark.requirement("FDA-05")
def test_a_series_that_departs_from_the_protocol_raises_a_query_to_its_site(desk):
    desk.hand_over(desk.sent(gap_mm=7.0, SliceThickness=7.0), {1: "BL"})
    lines = queries_of(desk.records, desk.ana, TRIAL)
    assert {(one.code, one.site, one.subject, one.timepoint, one.state) for one in lines} == {
        ("slice_thickness", SITE, SUBJECT, "BL", "open"),
        ("slice_spacing", SITE, SUBJECT, "BL", "open"),
    }
    assert all("5 mm" in one.text for one in lines)


@pytest.mark.requirement("FDA-05")
@pytest.mark.parametrize(
    ("facts", "changed"),
    [
        ({}, []),
        ({"ManufacturerModelName": "SOMATOM Force"}, ["scanner_changed"]),
        ({"SoftwareVersions": "VB30A 20260101"}, ["scanner_changed"]),
        ({"Manufacturer": None, "ManufacturerModelName": None, "SoftwareVersions": None}, []),
    ],
)
def test_a_changed_scanner_or_software_raises_a_query_and_a_silent_header_does_not(desk, facts, changed):
    desk.hand_over(desk.sent(), {1: "BL"})
    desk.hand_over(desk.sent("W06", series=2, **facts), {2: "W06"})
    assert desk.codes() == changed
    for line in queries_of(desk.records, desk.ana, TRIAL):
        assert line.text.startswith("W06 of CT") or "SOMATOM Drive VB20A" in line.text


@pytest.mark.parametrize("state", ["planned", "closed"])
def test_nothing_is_taken_from_a_site_that_is_not_active_and_the_attempt_is_kept(desk, state):
    desk.activate(state)
    with pytest.raises(IntakeError, match=r"not activated|closed"):
        desk.begin()
    with desk.records.store.reading() as transaction:
        assert len(list(transaction.entries(EntryQuery(action="refuse_source")))) == 1


def test_nothing_is_handed_over_once_the_site_has_been_closed(desk):
    upload = desk.sent()
    desk.activate("closed")
    with pytest.raises(IntakeError, match="closed"):
        desk.hand_over(upload, {1: "BL"})
    assert desk.record("case", f"{TRIAL}/{SUBJECT}") is None


def test_an_upload_that_is_given_up_leaves_nothing_and_takes_nothing(desk):
    upload = desk.sent()
    folder = desk.intake.of(desk.record("upload", upload)).root
    with pytest.raises(IntakeError):
        abandon_upload(desk.records, desk.ana, desk.intake, upload, reason=" ")
    abandon_upload(desk.records, desk.ana, desk.intake, upload, reason="of another subject")
    assert not folder.exists()
    with pytest.raises(IntakeError, match="abandoned"):
        desk.send(upload, desk.made("more", series=5))


@pytest.mark.parametrize("subject", ["", "Zhang Wei", "../x", "a" * 65, "S/1"])
def test_a_subject_is_named_by_a_code(desk, subject):
    with pytest.raises(IntakeError, match="letters, digits"):
        desk.begin(subject)


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ADJUDICATOR, Role.SPONSOR, Role.ADMINISTRATOR, Role.INSPECTOR])
def test_nobody_else_begins_sees_fills_or_hands_over_an_upload(desk, role):
    upload = desk.sent()
    other, _ = at_desk(desk.records, "otto", role, trial=TRIAL)
    matching = Matching({uid(1): "BL"}, has_looked=True)
    attempts = (
        lambda: begin_upload(desk.records, other, UploadOrder(TRIAL, SITE, SUBJECT)),
        lambda: arranged(desk.records, other, desk.intake, upload),
        lambda: open_uploads(desk.records, other, TRIAL),
        lambda: list(receive_file(desk.records, other, desk.intake, upload, path=Path("/nowhere"))),
        lambda: hand_over(desk.records, other, desk.intake, upload, matching=matching),
        lambda: abandon_upload(desk.records, other, desk.intake, upload, reason="x"),
    )
    for attempt in attempts:
        with pytest.raises(AccessError):
            attempt()


def test_a_site_sends_for_itself_and_does_not_hand_over(desk):
    sid, _ = at_desk(desk.records, "sid", Role.SITE, trial=TRIAL, site=SITE)
    upload = begin_upload(desk.records, sid, UploadOrder(TRIAL, SITE, SUBJECT)).id
    with pytest.raises(AccessError):
        begin_upload(desk.records, sid, UploadOrder(TRIAL, "02", SUBJECT))
    with pytest.raises(AccessError):
        hand_over(desk.records, sid, desk.intake, upload, matching=Matching({uid(1): "BL"}, has_looked=True))
