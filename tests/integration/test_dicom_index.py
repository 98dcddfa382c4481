"""Folders of odd files: what can be used is used, everything else is said."""

from __future__ import annotations

import os
import random
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from tests.fakes import dicom_files
from tests.fakes.dicom_files import AXIAL, ORIGIN, save, slice_of, stack, structure_set, uid
from trialimg.adapters.dicom import header
from trialimg.adapters.dicom.source import DicomSource
from trialimg.core.digest import file_digest
from trialimg.core.errors import IntakeError
from trialimg.core.trial import Severity
from trialimg.services.images import ImageIndex

PIXELS = np.arange(6 * 4 * 5, dtype=np.int16).reshape(6, 4, 5)


def index(folder: Path) -> ImageIndex:
    return DicomSource().index(folder)


def found(folder: Path, datasets: list[Dataset]) -> dict[str, Severity]:
    """Code to severity of what is said about a good series with these beside it."""
    save(stack(PIXELS, series=77), folder / "good")
    save(datasets, folder / "odd")
    answer = index(folder)
    assert uid(77) in [series.series_uid for series in answer.series]
    return {finding.code: finding.severity for finding in answer.findings}


def codes_of_a_series(folder: Path, datasets: list[Dataset]) -> list[str]:
    """What is said of one odd series, both by the index and by the refusal to read it."""
    save(datasets, folder)
    answer = index(folder)
    said = [finding.code for finding in answer.findings if finding.severity is Severity.EXCLUDED]
    with pytest.raises(IntakeError) as refused:
        DicomSource().volume(answer.series[0], folder)
    assert [fault.code for fault in refused.value.faults] == said
    return said


class TestOrder:
    def test_slices_are_ordered_by_position_whatever_their_numbers_and_names(self, tmp_path):
        slices = stack(PIXELS)
        for number, data in enumerate(slices):
            data.InstanceNumber = 100 - number
        random.Random(1).shuffle(slices)
        save(slices, tmp_path)
        (series,) = index(tmp_path).series
        volume = DicomSource().volume(series, tmp_path)
        assert np.array_equal(volume.array, PIXELS - 1024)
        assert series.slice_gaps_mm == (2.0,) * 5

    def test_the_order_of_the_file_system_does_not_matter(self, tmp_path):
        slices = stack(PIXELS) + stack(PIXELS, series=2)
        one = save(slices, tmp_path / "one")
        (tmp_path / "two").mkdir()
        for path in reversed(one):
            shutil.copy(path, tmp_path / "two" / path.name)
        assert index(tmp_path / "one") == index(tmp_path / "two")

    def test_folders_and_endings_do_not_matter(self, tmp_path):
        paths = save(stack(PIXELS), tmp_path / "a")
        (tmp_path / "a" / "b" / "c").mkdir(parents=True)
        paths[2].rename(tmp_path / "a" / "b" / "c" / "IM.0003.IMA")
        (series,) = index(tmp_path).series
        assert series.slices == 6
        assert series.files[2].path == "a/b/c/IM.0003.IMA"
        assert series.files[2].digest == file_digest(tmp_path / "a" / "b" / "c" / "IM.0003.IMA")


class TestFacts:
    def test_a_record_says_what_the_headers_say(self, tmp_path):
        facts = {
            "AcquisitionDate": "20240201", "ConvolutionKernel": ["I30f", "3"], "ContrastBolusAgent": "Iohexol",
            "Manufacturer": "ACME", "ManufacturerModelName": "One",
        }  # fmt: skip
        save(stack(PIXELS, **facts), tmp_path)
        (series,) = index(tmp_path).series
        assert (series.subject, series.modality, series.description) == ("S1", "CT", "chest")
        assert (series.rows, series.columns, series.slices) == (4, 5, 6)
        assert series.pixel_spacing_mm == (0.5, 0.75)  # between columns, between rows
        assert str(series.acquisition_date) == "2024-02-01"
        assert (series.kernel, series.contrast_agent) == ("I30f\\3", "Iohexol")
        assert (series.manufacturer, series.model_name, series.slice_thickness_mm) == ("ACME", "One", 2.0)

    def test_what_the_headers_do_not_say_is_none(self, tmp_path):
        save(stack(PIXELS, StudyDate=None, SliceThickness=None), tmp_path)
        (series,) = index(tmp_path).series
        nothing = (series.acquisition_date, series.slice_thickness_mm, series.kernel, series.contrast_agent)
        assert nothing == (None, None, None, None)

    def test_a_date_that_is_none_is_passed_over_for_the_next(self, tmp_path):
        save(stack(PIXELS, AcquisitionDate="20241399", StudyDate="20240131"), tmp_path)
        assert str(index(tmp_path).series[0].acquisition_date) == "2024-01-31"

    def test_progress_counts_the_files(self, tmp_path):
        save(stack(PIXELS), tmp_path)
        calls: list[tuple[str, int, int]] = []
        DicomSource().index(tmp_path, progress=lambda *call: calls.append(call))
        assert calls == [("index", n, 6) for n in range(1, 7)]


class TestFilesThatCannotBeUsed:
    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "unsupported_sop_class"),
            ({"SeriesInstanceUID": None}, "no_series_uid"),
            ({"PixelSpacing": None}, "no_pixel_spacing"),
            ({"PixelSpacing": [0.0, 1.0]}, "no_pixel_spacing"),
            ({"ImagePositionPatient": None}, "no_position"),
            ({"ImageOrientationPatient": None}, "no_orientation"),
            ({"ImageOrientationPatient": [1, 0, 0, 0.5, 1, 0]}, "bad_orientation"),
            ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "bad_orientation"),
            ({"PhotometricInterpretation": "PALETTE COLOR"}, "not_greyscale"),
            ({"PixelData": None}, "no_pixel_data"),
            ({"Rows": None}, "no_pixel_data"),
            ({"NumberOfFrames": 10**9}, "truncated"),
        ],
    )
    def test_one_odd_image_is_said_and_stops_nothing(self, tmp_path, facts, code):
        odd = slice_of(PIXELS[0], ORIGIN)
        for keyword, value in facts.items():
            delattr(odd, keyword) if value is None else setattr(odd, keyword, value)
        assert found(tmp_path, [odd]) == {code: Severity.EXCLUDED}

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty_file"),
            (b"PK\3\4 a zip archive", "not_dicom"),
            (b"\0" * 128 + b"DICM", "not_dicom"),
        ],
    )
    def test_bytes_that_are_no_image(self, tmp_path, content, code):
        save(stack(PIXELS), tmp_path)
        (tmp_path / "odd").write_bytes(content)
        (finding,) = index(tmp_path).findings
        assert (finding.code, finding.where) == (code, "odd")

    @pytest.mark.parametrize("kept", [0.1, 0.4, 0.7, 0.95, 0.999])
    def test_a_file_cut_off_anywhere_is_said(self, tmp_path, kept):
        save(stack(np.zeros((3, 64, 64), np.int16), series=2), tmp_path)
        (whole,) = save([slice_of(np.zeros((64, 64), np.int16), ORIGIN)], tmp_path, name="cut{}")
        whole.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * kept)])
        codes = {finding.code for finding in index(tmp_path).findings if finding.where == "cut0"}
        assert codes & {"truncated", "no_pixel_data", "no_series_uid", "not_dicom", "unreadable"}

    def test_a_slice_cut_off_at_the_end_of_its_pixels_is_truncated(self, tmp_path):
        paths = save(stack(PIXELS), tmp_path)
        paths[5].write_bytes(paths[5].read_bytes()[:-1])
        answer = index(tmp_path)
        assert [(f.code, f.where, f.subject) for f in answer.findings] == [("truncated", "i5", "S1")]
        assert answer.series[0].slices == 5

    def test_sequences_nested_beyond_reason(self, tmp_path):
        save(stack(PIXELS), tmp_path)
        odd = (b"\x08\0\x10\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff") * 3000
        (tmp_path / "odd").write_bytes(b"\0" * 128 + b"DICM" + odd)
        (finding,) = index(tmp_path).findings
        assert finding.code == "unreadable"

    def test_a_deflated_file_that_would_fill_the_memory(self, tmp_path, monkeypatch):
        monkeypatch.setattr(header, "HEADER_LIMIT_BYTES", 1 << 20)
        save(stack(PIXELS), tmp_path)
        good = slice_of(PIXELS[0], ORIGIN, series=2)
        good.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        (path,) = save([good], tmp_path, name="deflated{}")
        assert index(tmp_path).findings == ()  # an honest one is read
        data = path.read_bytes()
        meta = 132 + 12 + int.from_bytes(data[140:144], "little")
        packer = zlib.compressobj(9, wbits=-15)
        path.write_bytes(data[:meta] + packer.compress(bytes(8 << 20)) + packer.flush())
        (finding,) = index(tmp_path).findings
        assert (finding.code, finding.where) == ("too_large", "deflated0")

    def test_a_header_of_unreasonable_size(self, tmp_path, monkeypatch):
        monkeypatch.setattr(header, "HEADER_LIMIT_BYTES", 10_000)
        assert found(tmp_path, stack(PIXELS[:1], ImageComments="x" * 10_002)) == {"too_large": Severity.EXCLUDED}

    def test_compressed_pixels_that_would_fill_the_memory(self, tmp_path):
        odd = slice_of(PIXELS[0].astype(np.uint16), ORIGIN)
        odd.compress(RLELossless, generate_instance_uid=False)
        odd.Rows = odd.Columns = 65_000
        assert found(tmp_path, [odd]) == {"too_large": Severity.EXCLUDED}

    def test_a_file_larger_than_the_limit(self, tmp_path, monkeypatch):
        save(stack(PIXELS), tmp_path)
        monkeypatch.setattr(header, "FILE_LIMIT_BYTES", 100_000)
        (tmp_path / "odd").write_bytes(bytes(100_001))
        assert [finding.code for finding in index(tmp_path).findings] == ["too_large"]

    def test_a_pipe_is_not_waited_for(self, tmp_path):
        save(stack(PIXELS), tmp_path)
        os.mkfifo(tmp_path / "pipe")
        assert [finding.code for finding in index(tmp_path).findings] == ["not_a_regular_file"]

    def test_a_name_that_is_not_text(self, tmp_path):
        save(stack(PIXELS), tmp_path)
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.dcm")).write_bytes(b"x")
        (finding,) = index(tmp_path).findings
        assert (finding.code, finding.where) == ("unreadable_name", "\\udcff.dcm")

    def test_tables_notes_and_directories_are_passed_over_in_silence(self, tmp_path):
        save(stack(PIXELS), tmp_path)
        for name in ("subjects.csv", "README.md", "notes.TXT", "a.sha256", "b.json", ".DS_Store", "DICOMDIR"):
            (tmp_path / name).write_bytes(b"text")
        assert index(tmp_path).findings == ()

    def test_many_files_of_one_kind_are_said_once(self, tmp_path):
        (tmp_path / "scans").mkdir()
        save(stack(PIXELS), tmp_path)
        for n in range(9):
            (tmp_path / "scans" / f"{n}.jpg").write_bytes(b"\xff\xd8 not DICOM")
        (finding,) = index(tmp_path).findings
        assert "8 more" in finding.message

    def test_no_folder_and_no_image(self, tmp_path):
        with pytest.raises(IntakeError, match="no such folder"):
            index(tmp_path / "absent")
        with pytest.raises(IntakeError, match="no image series"):
            index(tmp_path)
        (tmp_path / "x").write_bytes(b"")
        with pytest.raises(IntakeError) as refused:
            index(tmp_path)
        assert [fault.code for fault in refused.value.faults] == ["empty_file"]


class TestSeriesThatAreNotOneStack:
    def test_missing_slices_are_counted_and_placed(self, tmp_path):
        slices = stack(np.zeros((9, 4, 5), np.int16))
        assert codes_of_a_series(tmp_path, slices[:2] + slices[4:7] + slices[8:]) == ["missing_slices"]
        message = index(tmp_path).findings[0].message
        assert message == "3 of 9 slices are missing: 2 after slice 2, 1 after slice 5"

    def test_spacing_that_varies(self, tmp_path):
        heights = [0, 1, 2, 3.5, 5]
        slices = [slice_of(PIXELS[0], (0, 0, z)) for z in heights]
        assert codes_of_a_series(tmp_path, slices) == ["varying_spacing"]

    def test_several_slices_at_one_position(self, tmp_path):
        twice = stack(PIXELS) + stack(PIXELS + 1)
        for number, data in enumerate(twice):
            data.SOPInstanceUID = uid(3, number)
        assert codes_of_a_series(tmp_path, twice) == ["duplicate_slices"]
        assert "6 such pairs" in index(tmp_path).findings[0].message

    def test_gantry_tilt(self, tmp_path):
        tilted = [slice_of(PIXELS[0], (0, 0.4 * k, 2.0 * k)) for k in range(5)]
        assert codes_of_a_series(tmp_path, tilted) == ["gantry_tilt"]
        assert "tilt 11.3 degrees" in index(tmp_path).findings[0].message

    def test_mixed_orientations(self, tmp_path):
        slices = stack(PIXELS) + stack(PIXELS, orientation=(0, 1, 0, 0, 0, -1))
        for number, data in enumerate(slices):
            data.SOPInstanceUID = uid(3, number)
        assert codes_of_a_series(tmp_path, slices) == ["mixed_orientations"]

    def test_mixed_sizes(self, tmp_path):
        slices = stack(PIXELS)
        slices[3] = slice_of(np.zeros((8, 8), np.int16), slices[3].ImagePositionPatient)
        assert codes_of_a_series(tmp_path, slices) == ["mixed_sizes"]

    def test_a_lone_slice_without_thickness(self, tmp_path):
        assert codes_of_a_series(tmp_path, stack(PIXELS[:1], SliceThickness=None)) == ["no_slice_spacing"]

    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"PatientID": "S2"}, "mixed_subjects"),
            ({"StudyInstanceUID": uid(70)}, "mixed_studies"),
            ({"FrameOfReferenceUID": uid(90)}, "mixed_frames_of_reference"),
            ({"Modality": "MR"}, "mixed_modalities"),
        ],
    )
    def test_a_series_of_two_things_is_no_series(self, tmp_path, facts, code):
        slices = stack(PIXELS)
        for keyword, value in facts.items():
            setattr(slices[4], keyword, value)
        assert found(tmp_path, slices) == {code: Severity.EXCLUDED}
        assert [series.series_uid for series in index(tmp_path).series] == [uid(77)]


class TestSeriesWithStrays:
    def test_a_localizer_is_left_out_and_said(self, tmp_path):
        scout = slice_of(PIXELS[0], (0, 0, 0), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
        scout.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        save([*stack(PIXELS), scout], tmp_path)
        answer = index(tmp_path)
        assert [(f.code, f.severity) for f in answer.findings] == [("localizer", Severity.INFO)]
        assert DicomSource().volume(answer.series[0], tmp_path).array.shape == PIXELS.shape

    def test_a_copy_is_left_out_and_said(self, tmp_path):
        paths = save(stack(PIXELS), tmp_path)
        shutil.copy(paths[0], tmp_path / "z copy")
        answer = index(tmp_path)
        assert [(f.code, f.where) for f in answer.findings] == [("duplicate_file", "z copy")]
        assert answer.series[0].slices == 6

    @pytest.mark.parametrize(
        ("facts", "code"), [({"PatientID": ""}, "no_subject"), ({"LossyImageCompression": "01"}, "lossy_compression")]
    )
    def test_a_doubt_is_said_and_the_series_is_used(self, tmp_path, facts, code):
        save(stack(PIXELS, **facts), tmp_path)
        answer = index(tmp_path)
        assert [(f.code, f.severity) for f in answer.findings] == [(code, Severity.WARNING)]
        assert DicomSource().volume(answer.series[0], tmp_path).array.shape == PIXELS.shape


def test_a_structure_set_without_closed_contours_is_said(tmp_path):
    point = structure_set({"isocentre": [np.array([ORIGIN])]}, kind="POINT")
    assert found(tmp_path, [point]) == {"no_regions": Severity.EXCLUDED}


def test_every_reason_is_on_the_reference_page(root):
    from trialimg.adapters.dicom.reasons import Reason

    page = (root / "docs" / "reference" / "images.md").read_text()
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in page] == []


def test_the_files_of_this_test_are_as_odd_as_they_say():
    """The stand-in slices differ from a good one only in what a test changes."""
    assert list(slice_of(PIXELS[0], ORIGIN).ImageOrientationPatient) == list(AXIAL)
    assert dicom_files.uid(1) != dicom_files.uid(2)
