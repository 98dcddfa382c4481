"""Whatever a file does to the process that parses it, an answer comes back, and the next file is answered too."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.fakes.dicom_files import ORIGIN, item, save, slice_of
from trialimg.adapters.dicom.examine import ChildExaminer
from trialimg.adapters.dicom.examine_child import MEMORY_BYTES, examined

CLEAN = {"PatientIdentityRemoved": "YES", "PatientID": "S1", "PatientName": "S1"}


@pytest.fixture(scope="module")
def examiner():
    made = ChildExaminer()
    yield made
    made.close()


def image(**facts) -> Dataset:
    return slice_of(np.zeros((4, 5), np.int16), ORIGIN, **{**CLEAN, **facts})


def codes(path: Path) -> list[str]:
    return [fault.code for fault in examined(path).faults]


def bomb(path: Path) -> Path:
    """A deflated file of half a megabyte that inflates to half a gigabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = b"\0" * (1 << 20)
    head = struct.pack("<HH2sHL", 0x0009, 0x1001, b"OB", 0, 512 << 20)
    data = packer.compress(head) + b"".join(packer.compress(zeros) for _ in range(512)) + packer.flush()
    syntax = DeflatedExplicitVRLittleEndian.encode() + b"\0" * (len(DeflatedExplicitVRLittleEndian) % 2)
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    length = struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(meta))
    path.write_bytes(bytes(128) + b"DICM" + length + meta + data)
    return path


def nested(path: Path, depth: int) -> Path:
    inner = item(PatientName="deep")
    for _ in range(depth):
        inner = item(ReferencedStudySequence=Sequence([inner]))
    (made,) = save([image(ReferencedStudySequence=Sequence([inner]))], path.parent, name=path.name)
    return made


def test_a_clean_image_says_what_it_is(tmp_path, examiner):
    (path,) = save([image(Manufacturer="GE", ManufacturerModelName="Revolution", SoftwareVersions="9")], tmp_path)
    answer = examiner.examine(path)
    assert answer.faults == ()
    assert (answer.subject, answer.scanner.named, answer.scanner.modality) == ("S1", "GE Revolution 9", "CT")
    assert answer.sop_uid
    assert not answer.zeroed_preamble


def test_after_each_hostile_file_the_next_one_is_answered(tmp_path, examiner):
    (clean,) = save([image()], tmp_path, name="clean")
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("hello")
    (tmp_path / "magic").write_bytes(bytes(128) + b"DICM" + b"\xff" * 4000)
    hostile = {
        "empty_file": tmp_path / "empty",
        "not_dicom": tmp_path / "text",
        "too_large": bomb(tmp_path / "bomb"),
        "no_such": tmp_path / "missing\nfile",
    }
    for path in (*hostile.values(), tmp_path / "magic", nested(tmp_path / "nested", 40)):
        answer = examiner.examine(path)
        assert answer.faults, path
        assert examiner.examine(clean).faults == ()
    assert [fault.code for fault in examiner.examine(hostile["too_large"]).faults] == ["too_large"]


def test_a_file_that_ends_the_reader_is_refused_and_another_reader_is_started(tmp_path, examiner):
    (clean,) = save([image()], tmp_path)
    examiner.examine(clean)
    child = examiner._child
    child.kill()
    child.wait()
    assert examiner.examine(clean).faults == ()
    assert examiner._child is not child


def test_a_file_that_takes_too_long_is_refused_and_the_next_one_is_answered(tmp_path):
    (clean,) = save([image()], tmp_path)
    slow = ChildExaminer(longest_s=30)
    assert slow.examine(clean).faults == ()
    slow._longest_s = 0.0
    assert [fault.code for fault in slow.examine(clean).faults] == ["too_slow"]
    slow._longest_s = 30
    assert slow.examine(clean).faults == ()
    slow.close()


def test_the_reader_has_little_memory_and_writes_no_file(tmp_path, examiner):
    (clean,) = save([image()], tmp_path)
    examiner.examine(clean)
    limits = Path(f"/proc/{examiner._child.pid}/limits").read_text()
    lines = {line[:26].strip(): line[26:].split() for line in limits.splitlines()}
    assert lines["Max address space"][0] == str(MEMORY_BYTES)
    assert lines["Max file size"][0] == "0"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, []),
        ({"PatientName": None}, []),
        ({"PatientName": ""}, []),
        ({"PatientBirthDate": ""}, []),
        ({"PatientName": "S1^^^^"}, []),
        ({"PatientName": "Zhang^Wei"}, ["identifier"]),
        ({"PatientIdentityRemoved": "NO"}, ["not_deidentified"]),
        ({"BurnedInAnnotation": "NO"}, []),
        ({"BurnedInAnnotation": "YES"}, ["burned_in_annotation"]),
        ({"AccessionNumber": "A123"}, ["identifier"]),
        ({"ReferringPhysicianName": "Dr^X"}, ["identifier"]),
        ({"OtherPatientIDsSequence": Sequence([item(PatientID="4711")])}, ["identifier"]),
        ({"ReferencedStudySequence": Sequence([item(OperatorsName="Li")])}, ["identifier"]),
    ],
)
def test_what_tells_who_the_patient_is_stands_against_a_file(tmp_path, facts, expected):
    (path,) = save([image(**facts)], tmp_path)
    assert codes(path) == expected


def test_private_attributes_are_refused_unless_they_are_declared_safe(tmp_path):
    data = image()
    data.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "Zhang Wei")
    (path,) = save([data], tmp_path)
    assert codes(path) == ["private_elements"]
    data.DeidentificationMethodCodeSequence = Sequence([item(CodeValue="113111", CodingSchemeDesignator="DCM")])
    (path,) = save([data], tmp_path, name="declared")
    assert codes(path) == []


def test_what_stands_behind_the_pixels_is_looked_at_too(tmp_path):
    data = image()
    data.private_block(0x7FE3, "ACME", create=True).add_new(1, "LO", "Zhang Wei")
    (path,) = save([data], tmp_path)
    assert codes(path) == ["private_elements"]


def test_the_refusal_says_nothing_of_what_it_found(tmp_path):
    (path,) = save([image(PatientName="Zhang^Wei", PatientBirthDate="19490101")], tmp_path)
    said = " ".join(fault.message for fault in examined(path).faults)
    assert "Zhang" not in said
    assert "1949" not in said


def test_something_in_front_of_the_data_is_named(tmp_path):
    (path,) = save([image()], tmp_path)
    path.write_bytes(b"#!/bin/sh" + path.read_bytes()[9:])
    assert examined(path).zeroed_preamble
