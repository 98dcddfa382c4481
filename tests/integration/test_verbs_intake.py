"""`trialimg trial upload` and `trialimg query`: from a folder of files to a case with its queries."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.fakes.dicom_files import stack, uid
from tests.fakes.trials import TRIAL
from tests.integration.test_verbs_trial import WHY, Office
from tests.unit.protocol.texts import VALID
from trialimg.core.access import Role

SUBJECT = "S-0001"


@pytest.fixture
def office(tmp_path, capsys, monkeypatch) -> Office:
    made = Office(tmp_path / "home", capsys, monkeypatch)
    protocol = tmp_path / "protocol.yaml"
    protocol.write_text(VALID)
    assert made.trial("open", protocol, *WHY).code == 0
    today = datetime.now(UTC).date()
    assert made.trial("site", TRIAL, "01", "active", "--from", today, "--ae-title", "CT1", *WHY).code == 0
    return made


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    array = np.arange(36, dtype=np.int16).reshape(3, 3, 4)
    facts = {"PatientID": SUBJECT, "PatientIdentityRemoved": "YES", "SliceThickness": 8.0, "gap_mm": 8.0}
    for number, data in enumerate(stack(array, **facts)):
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    (folder / "letter.txt").write_text("Dear colleague")
    return folder


def test_a_folder_waits_until_somebody_has_looked_and_then_becomes_a_case(office, study):
    waiting = office.trial("upload", TRIAL, study, "--site", "01", "--subject", SUBJECT, "--json")
    said = json.loads(waiting.out)
    assert (waiting.code, said["state"], said["files"], said["refused"]) == (1, "receiving", 4, {"not_dicom": 1})
    assert [one["uid"] for one in said["series"]] == [uid(1)]
    more = ("--resume", said["upload"], "--looked-at", "--visit", "BL", "--reference-date", "2024-01-31")
    done = office.trial("upload", TRIAL, *more)
    assert done.code == 0, done.err
    assert f"{TRIAL}/U0001: received" in done.out
    assert office.said("status", TRIAL)["cases"] == {"received": 1}
    asked = json.loads(office.verb("query", "list", TRIAL, "--json").out)
    assert {one["code"] for one in asked["queries"]} == {"slice_thickness", "slice_spacing"}
    assert asked["ageing_days"]["0-7"] == 2


def test_the_visit_is_told_by_its_window_or_asked_for(office, study):
    begun = ("upload", TRIAL, study, "--site", "01", "--subject", SUBJECT, "--looked-at")
    refused = office.trial(*begun)
    assert refused.code == 2
    assert "say the --visit" in refused.err
    done = office.trial("upload", TRIAL, "--resume", f"{TRIAL}/U0001", "--looked-at", "--reference-date", "2024-02-01")
    assert done.code == 0, done.err
    assert f"{uid(1)}  CT  2024-01-31  3  BL" in done.out


def test_a_closed_site_sends_nothing(office, study):
    assert office.trial("site", TRIAL, "01", "closed", *WHY).code == 0
    refused = office.trial("upload", TRIAL, study, "--site", "01", "--subject", SUBJECT)
    assert (refused.code, "is closed" in refused.err) == (2, True)


def test_a_query_is_asked_answered_closed_and_reopened_by_command(office):
    asked = office.verb("query", "open", TRIAL, "which contrast agent?", "--site", "01", "--code", "contrast")
    assert (asked.code, asked.out) == (0, f"{TRIAL}/Q0001: open\n")
    name = f"{TRIAL}/Q0001"
    nameless = office.verb("query", "answer", name, "iohexol")
    assert (nameless.code, "comes from" in nameless.err) == (2, True)
    steps = (
        ("answer", name, "iohexol", "--source", "e-mail of 2026-03-04"),
        ("close", name, "--reason", "answered"),
        ("reopen", name, "--reason", "of another scan"),
        ("cancel", name, "--reason", "asked twice"),
    )
    states = [office.verb("query", *step).out.split()[-1] for step in steps]
    assert states == ["answered", "closed", "open", "cancelled"]
    assert f"{name}  site 01  cancelled" in office.verb("query", "list", TRIAL, "--all").out
    assert name not in office.verb("query", "list", TRIAL).out
    assert office.verb("query", "list", TRIAL, role=Role.RADIOLOGIST).code == 2
