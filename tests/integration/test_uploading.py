"""The route by which files come in: for whom it opens, what it takes, what it answers; nothing is ever read back."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from apps.trialimg_dashboard import uploading
from apps.trialimg_dashboard.uploading import MARK, upload_routes
from tests.fakes.central_review import TRIAL, Trial
from tests.fakes.dicom_files import stack
from tests.fakes.people import at_desk
from trialimg.bootstrap import intake as bootstrap_intake
from trialimg.core.access import Actor, Role
from trialimg.services.trials_sites import SiteChange, Source, SourceKind, put_site
from trialimg.services.uploads import Intake, UploadOrder, abandon_upload, begin_upload

SITE, SUBJECT = "01", "S-0001"
NAMED = {MARK: "Zhang%20Wei.dcm"}


class House:
    """The route with a person at the browser."""

    def __init__(self, home) -> None:
        self.trial = Trial()
        self.records, self.ana = self.trial.records, self.trial.actor("ana")
        machine = Source(SourceKind.AE_TITLE, "CT1")
        put_site(
            self.records, self.ana, SiteChange(TRIAL, SITE, "active", "", dt.date(2026, 1, 1), (machine,), "approved")
        )
        self.intake: Intake = bootstrap_intake(home)
        self.actor: Actor | None = self.ana
        routes = upload_routes(self.records, self.intake, lambda _request: self.actor)
        self.client = TestClient(Starlette(routes=routes))
        self.begun = begin_upload(self.records, self.ana, UploadOrder(TRIAL, SITE, SUBJECT))

    @property
    def address(self) -> str:
        return f"/uploads/{self.begun.id}"

    def send(self, data: bytes, headers: dict[str, str] | None = None):
        return self.client.post(self.address, content=data, headers=NAMED if headers is None else headers)

    def incoming(self) -> list[str]:
        folder = self.intake.of(self.begun).incoming
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []


@pytest.fixture
def house(tmp_path) -> House:
    return House(tmp_path)


def images(**facts: object) -> list[bytes]:
    told = {"PatientID": SUBJECT, "PatientIdentityRemoved": "YES", **facts}
    made = []
    for data in stack(np.zeros((2, 3, 4), np.int16), **told):
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        written = io.BytesIO()
        data.save_as(written, enforce_file_format=True)
        made.append(written.getvalue())
    return made


def test_a_file_is_taken_or_refused_with_its_name_as_the_sender_knows_it(house):
    taken, refused = (house.send(data).json()["files"] for data in (images()[0], b"Dear colleague"))
    assert taken == [{"name": "Zhang Wei.dcm", "is_accepted": True, "because": ""}]
    assert refused == [{"name": "Zhang Wei.dcm", "is_accepted": False, "because": "not a DICOM file"}]
    assert house.incoming() == []
    receipts = house.intake.of(house.begun).receipts()
    assert [one.is_accepted for one in receipts] == [True, False]
    assert "Zhang" not in (house.intake.of(house.begun).root / "receipts.jsonl").read_text()


def test_an_archive_is_answered_file_by_file_and_a_broken_one_is_one_refused_file(house):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        for number, data in enumerate(images()):
            made.writestr(f"study/{number}", data)
    answer = house.send(archive.getvalue()).json()["files"]
    assert [one["is_accepted"] for one in answer] == [True, True]
    broken = house.send(archive.getvalue()[:-40])
    assert broken.status_code == 200
    assert [one["is_accepted"] for one in broken.json()["files"]] == [False]
    assert house.incoming() == []


def test_nothing_is_taken_from_a_browser_that_nobody_is_signed_in_at(house):
    house.actor = None
    assert house.send(images()[0]).status_code == 401
    assert house.intake.of(house.begun).receipts() == ()


@pytest.mark.parametrize(
    "role", [role for role in Role if role not in (Role.ANALYST, Role.SITE, Role.DEVICE)], ids=lambda role: role.value
)
def test_every_other_role_is_refused_before_a_byte_is_kept_and_the_attempt_is_in_the_ledger(house, role):
    house.actor, _ = at_desk(house.records, "otto", role, trial=TRIAL)
    assert house.send(images()[0]).status_code == 403
    assert house.incoming() == []
    assert house.trial.entries()[-1] == ("refuse_access", "upload_images")


def test_a_site_sends_to_its_own_upload_and_to_no_other(house):
    house.actor, _ = at_desk(house.records, "sid", Role.SITE, trial=TRIAL, site=SITE)
    assert house.send(images()[0]).json()["files"][0]["is_accepted"]
    house.actor, _ = at_desk(house.records, "sod", Role.SITE, trial=TRIAL, site="02")
    assert house.send(images()[1]).status_code == 403


def test_a_form_of_another_site_is_refused(house):
    assert house.send(images()[0], headers={}).status_code == 400


def test_a_file_that_is_too_large_is_refused_by_what_it_says_and_by_what_comes(house, monkeypatch):
    monkeypatch.setattr(uploading, "LARGEST_FILE_BYTES", 100)
    assert house.send(bytes(101)).status_code == 413
    streamed = house.client.post(house.address, content=iter([bytes(60), bytes(60)]), headers=NAMED)
    assert streamed.status_code == 409
    assert house.incoming() == []


def test_an_upload_that_is_not_under_way_takes_nothing(house):
    abandon_upload(house.records, house.ana, house.intake, house.begun.id, reason="of another subject")
    answer = house.send(images()[0])
    assert (answer.status_code, "abandoned" in answer.json()["detail"]) == (409, True)
    unknown = house.client.post(f"/uploads/{TRIAL}/U9999", content=b"x", headers=NAMED)
    assert unknown.status_code == 409
    elsewhere = house.client.post("/uploads/T-9/..%2f..%2fetc", content=b"x", headers=NAMED)
    assert elsewhere.status_code in (403, 404, 409)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_nothing_is_ever_read_back_or_changed_by_the_route(house, method):
    house.send(images()[0])
    assert house.client.request(method, house.address).status_code == 405
