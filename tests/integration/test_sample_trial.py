"""`trialimg sample`: valid DICOM, whole or not at all, and always the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from highdicom._standard_utils import check_required_attributes, get_iod_module_map, is_attribute_in_iod
from pydicom.uid import UID

from trialimg import bootstrap
from trialimg.adapters.dicom.write import DicomScanWriter
from trialimg.core.errors import TrialimgError
from trialimg.core.lesions import Role
from trialimg.core.prompts import LinePrompt
from trialimg.services.annotations import read_annotations, read_subjects
from trialimg.services.sample import SLOPE_HU, scan_of
from trialimg.services.sample_plan import SLICES, SubjectPlan, plan_subject
from trialimg.services.sample_reader import LARGEST_JITTER_MM
from trialimg.services.sample_scenarios import SCENARIOS
from trialimg.services.sample_tables import annotation_rows, reader_drawings

SEED = 11
TRIALIMG = [sys.executable, "-m", "trialimg"]


def sample(out: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [
        *TRIALIMG,
        "sample",
        "--out",
        str(out),
        "--subjects",
        "1",
        "--timepoints",
        "2",
        "--seed",
        str(SEED),
        *more,
    ]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """One subject at two visits, and what the command said."""
    out = tmp_path_factory.mktemp("sample") / "trial"
    done = sample(out, "--json", PYTHONHASHSEED="1", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


@pytest.fixture(scope="module")
def subject() -> SubjectPlan:
    return plan_subject(0, timepoints=2, seed=SEED)


@pytest.fixture(scope="module")
def images(written: tuple[Path, dict[str, object]]) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted((written[0] / "01-001" / "BL" / "ct").iterdir())]


def test_summary_counts_what_was_written(written):
    out, summary = written
    files = digests(out)
    assert summary["subjects"] == 1
    assert summary["series"] == 2
    assert summary["images"] == 2 * SLICES == sum("/ct/" in name for name in files)
    sizes = sum((out / name).stat().st_size for name in files if name != "DIGESTS.sha256")
    assert summary["bytes"] == sizes
    assert summary["scenarios"] == [["01-001", SCENARIOS[0].name]]


def test_digest_list_names_every_file_in_the_form_of_sha256sum(written):
    out, summary = written
    text = (out / "DIGESTS.sha256").read_text()
    listed = dict(reversed(line.split("  ")) for line in text.splitlines())
    assert listed == {name: digest for name, digest in digests(out).items() if name != "DIGESTS.sha256"}
    assert summary["digest"] == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_same_arguments_give_the_same_bytes_whatever_the_process_is_like(written, tmp_path):
    np.random.seed(99)
    np.random.rand()
    bootstrap.write_sample(tmp_path / "again", subjects=1, timepoints=2, seed=SEED)
    assert digests(tmp_path / "again") == digests(written[0])


def test_same_arguments_give_the_same_bytes_in_another_process(written, tmp_path):
    done = sample(
        tmp_path / "again", PYTHONHASHSEED="77", OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2", TZ="Asia/Tokyo"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"digest: {written[1]['digest']}"
    assert digests(tmp_path / "again") == digests(written[0])


def test_another_seed_gives_another_trial(written, tmp_path):
    other = plan_subject(0, timepoints=2, seed=SEED + 1)
    same = plan_subject(0, timepoints=2, seed=SEED)
    assert other.person != same.person
    assert other.uid("BL", "series") != same.uid("BL", "series")


def test_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    done = sample(tmp_path)
    assert done.returncode == 2
    assert "not an empty folder" in done.stderr
    assert len(done.stderr.strip().splitlines()[-1:]) == 1
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("arguments", [("--timepoints", "1"), ("--subjects", "0"), ("--seed", "-1")])
def test_senseless_numbers_are_refused(tmp_path, arguments):
    done = sample(tmp_path / "trial", *arguments)
    assert done.returncode == 2
    assert not (tmp_path / "trial").exists()


def test_failure_half_way_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(self, drawing, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DicomScanWriter, "write_drawing", full)
    with pytest.raises(TrialimgError, match="No space left"):
        bootstrap.write_sample(tmp_path / "trial", subjects=1, timepoints=2, seed=SEED)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("kind", "iod"), [("ct/0001.dcm", "ct-image"), ("rtstruct.dcm", "rt-structure-set")])
def test_objects_carry_every_attribute_that_their_iod_requires_and_no_foreign_one(written, kind, iod):
    dataset = pydicom.dcmread(written[0] / "01-001" / "BL" / kind)
    for module in get_iod_module_map()[iod]:
        optional = module["usage"] == "U" and module["key"] not in ("frame-of-reference", "contrast-bolus")
        if not optional and module["usage"] != "C":
            check_required_attributes(dataset, module["key"])
    for element in dataset:
        assert is_attribute_in_iod(element.keyword, dataset.SOPClassUID), element.keyword
    for element in dataset.iterall():
        if element.VR == "UI":
            assert all(UID(uid).is_valid for uid in ([element.value] if element.VM == 1 else element.value))


def test_objects_name_nobody(images):
    for dataset in images:
        assert dataset.PatientIdentityRemoved == "YES"
        assert dataset.PatientID == dataset.PatientName == "01-001"
        assert not dataset.PatientBirthDate
        assert not dataset.ReferringPhysicianName


def test_images_are_lossless_and_lie_where_the_plan_says(images, subject):
    scan = scan_of(subject, subject.visits[0])
    assert images[0].file_meta.TransferSyntaxUID.name == "JPEG-LS Lossless Image Compression"
    for k, dataset in enumerate(images):
        assert np.array_equal(dataset.pixel_array, scan.stored[k])
        assert dataset.ImagePositionPatient == pytest.approx(scan.geometry.to_lps((0, 0, k)), abs=1e-3)
    assert len({dataset.FrameOfReferenceUID for dataset in images}) == 1


def test_rounding_to_stored_steps_adds_little_to_the_noise_of_any_scan():
    rounding_hu = SLOPE_HU / 12**0.5  # standard deviation of a uniform error
    for index in range(3):
        for visit in plan_subject(index, timepoints=4, seed=2024).visits:
            assert rounding_hu < 0.4 * visit.technique.noise_hu


def test_every_visit_has_its_own_study_frame_of_reference_and_origin(written):
    first, second = (
        pydicom.dcmread(written[0] / "01-001" / visit / "ct" / "0001.dcm", stop_before_pixels=True)
        for visit in ("BL", "W06")
    )
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID", "StudyDate"):
        assert first[name].value != second[name].value
    assert first.ImagePositionPatient[2] != second.ImagePositionPatient[2]


def test_own_reader_finds_the_series_and_the_drawn_regions(written, subject):
    out = written[0]
    source = bootstrap.image_source()
    index = source.index(out)
    assert [record.slices for record in index.series] == [SLICES, SLICES]
    assert not [
        finding for finding in index.findings if finding.severity.value == "excluded" and "dcm" in finding.where
    ]
    drawn = index.contour_sets[0]
    series = next(record for record in index.series if record.series_uid == drawn.series_uid)
    volume = source.volume(series, out)
    assert volume.geometry.differences(subject.visits[0].grid) == ()
    masks = source.contours(drawn, volume, out)
    for lesion in subject.visits[0].lesions:
        truth_ml = lesion.parts[0].volume_ml
        drawn_ml = masks[lesion.course.label].array.sum() * volume.geometry.voxel_volume_mm3 / 1000
        # outlines half a mm off, and slices of 5 mm: the smaller the lesion, the coarser
        assert drawn_ml == pytest.approx(truth_ml, rel=0.12, abs=0.35), lesion.course.label


def test_series_with_missing_slices_is_not_taken_for_a_whole_one(tmp_path):
    index = next(i for i, scenario in enumerate(SCENARIOS) if scenario.incomplete)
    subject = plan_subject(index, timepoints=3, seed=SEED)
    visit = subject.visits[2]
    scan = scan_of(subject, visit)
    DicomScanWriter().write_scan(scan, tmp_path / "ct")
    numbers = sorted(int(path.stem) for path in (tmp_path / "ct").iterdir())
    assert len(numbers) == SLICES - 3
    assert numbers[0] == 1
    assert numbers[-1] == SLICES
    source = bootstrap.image_source()
    record = source.index(tmp_path).series[0]
    assert max(record.slice_gaps_mm) == pytest.approx(20.0)
    with pytest.raises(TrialimgError):
        source.volume(record, tmp_path)


def test_tables_are_what_the_pipeline_reads(written, subject):
    out = written[0]
    people = read_subjects((out / "subjects.csv").read_text())
    assert [(p.id, p.site, p.arm) for p in people] == [("01-001", "01", "A")]
    said = read_annotations((out / "annotations.csv").read_text())
    baseline = [a for a in said if a.date == subject.visits[0].date]
    assert {a.lesion for a in baseline} == {"T01", "T02", "NT01"}
    for label in ("T01", "T02", "NT01"):
        kinds = [a.prompt_kind.value for a in baseline if a.lesion == label and a.prompt_kind]
        assert kinds == ["line", "point", "box", "contour"]


def test_reader_draws_the_long_axis_about_a_millimetre_off_on_a_slice_of_the_series(written, subject):
    said = read_annotations((written[0] / "annotations.csv").read_text())
    visit = subject.visits[0]
    off = []
    for lesion in visit.lesions:
        line = next(a.prompt for a in said if a.lesion == lesion.course.label and isinstance(a.prompt, LinePrompt))
        truth = lesion.readings[0].long_axis_lps_mm
        for drawn, true in zip((line.start_lps_mm, line.end_lps_mm), truth, strict=True):
            off.append(np.hypot(drawn[0] - true[0], drawn[1] - true[1]))
            assert abs(np.subtract(visit.slices_z_mm, drawn[2])).min() < 0.06
    assert 0 < max(off) <= LARGEST_JITTER_MM * 2**0.5 + 0.1
    assert np.mean(off) > 0.2


@pytest.mark.parametrize("index", range(len(SCENARIOS)))
def test_prompts_lie_in_their_lesion(index):
    subject = plan_subject(index, timepoints=4, seed=SEED)
    for visit in subject.visits:
        solids = {lesion.course.label: lesion.parts[0] for lesion in visit.lesions if lesion.parts}
        for drawn in reader_drawings(subject, visit):
            solid = solids[drawn.label]
            x, y, z = (np.array([v]) for v in drawn.point)
            assert solid.distance_mm((x, y, z))[0] < 0
            low, high = np.array(drawn.box)
            assert (low < np.array(solid.centre_lps_mm)).all()
            assert (high > np.array(solid.centre_lps_mm)).all()


def test_new_lesions_are_said_to_be_new_with_a_line_and_progression_of_non_targets_with_a_word():
    words = {}
    for index, scenario in enumerate(SCENARIOS):
        subject = plan_subject(index, timepoints=4, seed=SEED)
        for visit in subject.visits[1:]:
            for row in annotation_rows(subject, visit, reader_drawings(subject, visit)):
                assert row["role"] != Role.TARGET.value  # the pipeline follows targets by itself
                key = (scenario.name, visit.id, row["lesion"])
                words.setdefault(key, []).append((row.get("prompt", ""), row["status"]))
    assert words == {
        ("progression_by_new_lesion", "W12", "NL01"): [("line", "unequivocal")],
        ("non_target_progression", "W12", "NT01"): [("", "unequivocal_progression")],
        ("non_target_progression", "W18", "NT01"): [("", "unequivocal_progression")],
        ("stable_with_equivocal_new_lesion", "W12", "NL01"): [("line", "equivocal")],
    }
