"""Voxels out of DICOM: where they lie and what they mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from tests.fakes.dicom_files import (
    AXIAL,
    OBLIQUE,
    ORIGIN,
    SPACING_MM,
    compressed_by_gdcm,
    enhanced,
    item,
    save,
    slice_of,
    stack,
)
from trialimg.adapters.dicom.source import DicomSource, read_image
from trialimg.core.errors import IntakeError
from trialimg.volume import Unit, Volume

PIXELS = np.random.default_rng(5).integers(0, 3000, (6, 16, 20), dtype=np.int16)
PET = {
    "modality": "PT", "Units": "BQML", "CorrectedImage": ["ATTN", "DECY"], "DecayCorrection": "START",
    "PatientWeight": 70, "SeriesDate": "20240131", "SeriesTime": "120000", "AcquisitionDate": "20240131",
    "AcquisitionTime": "120500",
}  # fmt: skip
DOSE = {
    "RadionuclideTotalDose": 350e6, "RadionuclideHalfLife": 6586.2,
    "RadiopharmaceuticalStartDateTime": "20240131101013.8",
}  # fmt: skip


def volume(folder: Path) -> Volume:
    source = DicomSource()
    (series,) = source.index(folder).series
    return source.volume(series, folder)


def codes(folder: Path) -> list[str]:
    with pytest.raises(IntakeError) as refused:
        volume(folder)
    return [fault.code for fault in refused.value.faults]


class TestPlace:
    @pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE, (0, 1, 0, 0, 0, -1), (-1, 0, 0, 0, -1, 0)])
    def test_every_voxel_lies_where_the_headers_say(self, tmp_path, orientation):
        slices = stack(PIXELS, orientation=orientation)
        save(slices, tmp_path)
        found = volume(tmp_path)
        for data in slices:
            corner = np.asarray(data.ImagePositionPatient, float)
            row, column = np.asarray(orientation[:3], float), np.asarray(orientation[3:], float)
            point = corner + 7 * SPACING_MM[0] * row + 4 * SPACING_MM[1] * column  # column 7, row 4
            i, j, k = found.geometry.to_index(point)
            assert (i, j) == (pytest.approx(7), pytest.approx(4))
            assert found.array[round(k), 4, 7] == data.pixel_array[4, 7] - 1024

    def test_the_third_axis_is_the_normal_of_the_slices(self, tmp_path):
        save(stack(PIXELS, orientation=OBLIQUE), tmp_path)
        grid = volume(tmp_path).geometry
        assert np.linalg.det(grid.matrix) == pytest.approx(1)
        assert np.allclose(grid.matrix[:, 2], np.cross(OBLIQUE[:3], OBLIQUE[3:]))

    def test_the_distance_of_slices_comes_from_their_positions(self, tmp_path):
        save(stack(PIXELS, gap_mm=1.5, SliceThickness=3.0, SpacingBetweenSlices=9.0), tmp_path)
        assert volume(tmp_path).geometry.spacing_mm == (0.5, 0.75, pytest.approx(1.5))

    def test_a_lone_slice_is_as_thick_as_it_says(self, tmp_path):
        save(stack(PIXELS[:1]), tmp_path)
        assert volume(tmp_path).geometry.spacing_mm[2] == 2.0

    @pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE])
    def test_a_ct_is_what_simpleitk_reads_bit_for_bit(self, tmp_path, orientation):
        save(stack(PIXELS, orientation=orientation), tmp_path)
        assert_same_as_simpleitk(tmp_path)


class TestUnit:
    def test_ct_is_in_hounsfield_units(self, tmp_path):
        save(stack(PIXELS), tmp_path)
        found = volume(tmp_path)
        assert (found.modality, found.unit, found.array.dtype) == ("CT", Unit.HU, np.int16)
        assert np.array_equal(found.array, PIXELS.astype(int) - 1024)

    def test_a_ct_that_says_it_holds_something_else_is_not_in_hounsfield_units(self, tmp_path):
        save(stack(PIXELS, RescaleType="MGML"), tmp_path)
        assert volume(tmp_path).unit is Unit.ARBITRARY

    def test_a_ct_without_rescale_is_refused(self, tmp_path):
        save(stack(PIXELS, RescaleSlope=None), tmp_path)
        assert codes(tmp_path) == ["no_rescale"]

    def test_values_that_need_more_than_16_bits_are_kept(self, tmp_path):
        save(stack(PIXELS, RescaleSlope=100), tmp_path)
        found = volume(tmp_path)
        assert found.array.dtype == np.int32
        assert found.array.max() == int(PIXELS.max()) * 100 - 1024

    def test_every_slice_has_its_own_slope(self, tmp_path):
        slices = stack(PIXELS)
        for k, data in enumerate(slices):
            data.RescaleSlope = 0.5 + k
        save(slices, tmp_path)
        expected = PIXELS * (0.5 + np.arange(6))[:, None, None] - 1024
        assert np.allclose(volume(tmp_path).array, expected, rtol=1e-6)

    def test_mr_is_in_its_own_numbers_with_or_without_rescale(self, tmp_path):
        save(stack(PIXELS, modality="MR", RescaleSlope=None, RescaleIntercept=None), tmp_path)
        found = volume(tmp_path)
        assert found.unit is Unit.ARBITRARY
        assert np.array_equal(found.array, PIXELS)

    def test_old_overlays_in_the_high_bits_are_not_part_of_the_image(self, tmp_path):
        stored = (PIXELS & 0x0FFF).astype(np.uint16)
        save(stack(stored | 0x8000, BitsStored=12, HighBit=11), tmp_path)
        assert np.array_equal(volume(tmp_path).array, stored.astype(int) - 1024)

    def test_signed_pixels_of_twelve_bits_keep_their_sign(self, tmp_path):
        signed = (PIXELS - 1500).astype(np.int16)
        stored = (signed & 0x0FFF).astype(np.int16)
        save(stack(stored, BitsStored=12, HighBit=11, RescaleIntercept=0), tmp_path)
        assert np.array_equal(volume(tmp_path).array, signed)


class TestPet:
    def test_activity_becomes_suv_by_body_weight(self, tmp_path):
        save(stack(PIXELS, **PET, RadiopharmaceuticalInformationSequence=Items([item(**DOSE)])), tmp_path)
        found = volume(tmp_path)
        assert found.unit is Unit.SUV_BW
        assert np.allclose(found.array, PIXELS * 4e-4, rtol=1e-6)  # 70 kg, 350 MBq, one half-life waited
        assert "SUV by body weight" in found.history[0]

    def test_activity_without_dose_or_weight_is_refused_with_both(self, tmp_path):
        dose = item(**{**DOSE, "RadionuclideTotalDose": None})
        save(
            stack(PIXELS, **{**PET, "PatientWeight": None}, RadiopharmaceuticalInformationSequence=Items([dose])),
            tmp_path,
        )
        assert codes(tmp_path) == ["suv_missing", "suv_missing"]

    def test_slices_that_contradict_one_another_are_refused(self, tmp_path):
        slices = stack(PIXELS, **PET, RadiopharmaceuticalInformationSequence=Items([item(**DOSE)]))
        slices[3].PatientWeight = 75
        save(slices, tmp_path)
        assert codes(tmp_path) == ["suv_contradiction"]

    def test_a_time_that_is_none_is_refused(self, tmp_path):
        save(stack(PIXELS, **{**PET, "SeriesTime": "29:99"}), tmp_path)
        assert codes(tmp_path) == ["unreadable"]

    def test_suv_is_taken_as_it_is(self, tmp_path):
        save(stack(PIXELS, modality="PT", Units="GML", RescaleSlope=0.001), tmp_path)
        assert np.allclose(volume(tmp_path).array, PIXELS * 0.001, rtol=1e-6)

    def test_philips_counts_are_scaled_by_their_private_factor(self, tmp_path):
        slices = stack(PIXELS, modality="PT", Units="CNTS")
        for data in slices:
            data.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.0005")
        save(slices, tmp_path)
        assert np.allclose(volume(tmp_path).array, PIXELS * 5e-4, rtol=1e-6)


class TestEncoding:
    @pytest.mark.parametrize(
        ("implicit", "little"),
        [(True, True), (False, True), (False, False)],
        ids=["implicit", "explicit", "big-endian"],
    )
    def test_files_of_old_without_preamble_in_any_encoding(self, tmp_path, implicit, little):
        pixels = PIXELS if little else PIXELS.byteswap()
        for number, data in enumerate(stack(pixels)):
            del data.file_meta
            data.save_as(tmp_path / f"{number}", implicit_vr=implicit, little_endian=little)
        assert np.array_equal(volume(tmp_path).array, PIXELS.astype(int) - 1024)


class TestCompression:
    def test_rescale_must_be_stated_whoever_decodes(self, tmp_path):
        slices = stack(PIXELS.astype(np.uint16), RescaleSlope=None)
        for data in slices:
            compressed_by_gdcm(data, "JPEG", tmp_path)
        save(slices, tmp_path)
        assert codes(tmp_path) == ["no_rescale"]

    @pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless], ids=lambda uid: uid.name)
    def test_compressed_pixels_are_the_same_pixels(self, tmp_path, syntax):
        slices = stack(PIXELS.astype(np.uint16))
        for data in slices:
            data.compress(syntax, generate_instance_uid=False)
        save(slices, tmp_path)
        assert np.array_equal(volume(tmp_path).array, PIXELS.astype(int) - 1024)

    @pytest.mark.parametrize(("compressor", "syntax"), [("JPEG", JPEGLosslessSV1), ("JPEG2000", JPEG2000Lossless)])
    def test_pixels_compressed_by_gdcm_are_the_same_pixels(self, tmp_path, compressor, syntax):
        slices = stack(PIXELS.astype(np.uint16))
        for data in slices:
            compressed_by_gdcm(data, compressor, tmp_path)
            assert data.file_meta.TransferSyntaxUID == syntax
        save(slices, tmp_path)
        assert np.array_equal(volume(tmp_path).array, PIXELS.astype(int) - 1024)

    @pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
    def test_damaged_pixels_are_refused(self, tmp_path, compressor):
        slices = stack(PIXELS.astype(np.uint16))
        for data in slices:
            compressed_by_gdcm(data, compressor, tmp_path)
        damaged = bytearray(slices[2].PixelData)
        damaged[20:60] = bytes(40)
        slices[2].PixelData = bytes(damaged)
        save(slices, tmp_path)
        assert codes(tmp_path) == ["undecodable_pixels"]


class TestMultiFrame:
    def test_more_frames_than_are_described_are_refused(self, tmp_path):
        save([slice_of(PIXELS[:2], ORIGIN, NumberOfFrames=2)], tmp_path)
        assert codes(tmp_path) == ["undecodable_pixels"]

    def test_several_frames_that_only_gdcm_decodes_are_refused(self, tmp_path):
        data = enhanced(PIXELS.astype(np.uint16), order=range(6))
        data.file_meta.TransferSyntaxUID = JPEGLosslessSV1
        data.PixelData = encapsulate([b"\xff\xd8 jpeg"] * 6)
        data["PixelData"].is_undefined_length = True
        save([data], tmp_path)
        assert codes(tmp_path) == ["undecodable_pixels"]

    def test_frames_are_ordered_by_position(self, tmp_path):
        (path,) = save([enhanced(PIXELS, order=[3, 0, 5, 1, 4, 2])], tmp_path)
        for found in (volume(tmp_path), read_image(path)):
            assert np.array_equal(found.array, PIXELS.astype(int) - 1024)
            assert (found.unit, found.geometry.spacing_mm) == (Unit.HU, (0.5, 0.75, 2.0))

    def test_the_record_counts_its_slices(self, tmp_path):
        save([enhanced(PIXELS, order=range(6))], tmp_path)
        (series,) = DicomSource().index(tmp_path).series
        assert (series.slices, len(series.files)) == (6, 1)

    def test_a_frame_left_out_is_a_missing_slice(self, tmp_path):
        save([enhanced(PIXELS, order=[0, 1, 3, 4, 5])], tmp_path)
        assert codes(tmp_path) == ["missing_slices"]


class TestChange:
    def test_a_file_changed_since_it_was_indexed_is_refused(self, tmp_path):
        paths = save(stack(PIXELS), tmp_path)
        source = DicomSource()
        (series,) = source.index(tmp_path).series
        data = bytearray(paths[0].read_bytes())
        data[-1] ^= 1
        paths[0].write_bytes(data)
        with pytest.raises(IntakeError, match="not the one that was indexed") as refused:
            source.volume(series, tmp_path)
        assert refused.value.faults[0].code == "file_changed"


class TestOneImage:
    def test_a_folder_with_one_series(self, tmp_path):
        save(stack(PIXELS), tmp_path)
        assert np.array_equal(read_image(tmp_path).array, PIXELS.astype(int) - 1024)

    def test_a_folder_with_several_lists_them(self, tmp_path):
        save(stack(PIXELS), tmp_path / "first")
        save(stack(PIXELS, series=2, SeriesDescription="liver"), tmp_path / "second")
        with pytest.raises(IntakeError, match=r"2 series.*first: CT chest; second: CT liver"):
            read_image(tmp_path)

    def test_a_folder_with_a_damaged_slice_is_refused_even_if_the_rest_is_regular(self, tmp_path):
        paths = save(stack(PIXELS), tmp_path)
        paths[-1].write_bytes(paths[-1].read_bytes()[:-50])
        with pytest.raises(IntakeError, match="i5"):
            read_image(tmp_path)

    def test_other_files_beside_it_do_no_harm(self, tmp_path):
        save(stack(PIXELS), tmp_path)
        (tmp_path / "notes.pdf").write_bytes(b"%PDF")
        assert read_image(tmp_path).array.shape == PIXELS.shape

    def test_one_slice_of_many_is_refused(self, tmp_path):
        (path,) = save([slice_of(PIXELS[0], ORIGIN)], tmp_path)
        with pytest.raises(IntakeError, match="one slice of a series"):
            read_image(path)

    def test_what_is_not_there(self, tmp_path):
        with pytest.raises(IntakeError, match="no such file or folder"):
            read_image(tmp_path / "absent")


def assert_same_as_simpleitk(folder: Path) -> None:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    expected = reader.Execute()
    found = volume(folder)
    assert np.array_equal(found.array, sitk.GetArrayFromImage(expected))
    assert found.geometry.differences(Volume.from_sitk(expected).geometry) == ()
