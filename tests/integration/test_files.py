"""NIfTI, NRRD and MetaImage in and out, and the doors that choose between them and DICOM."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from tests.fakes.dicom_files import ORIGIN, save, segmentation, stack
from trialimg.adapters.files.volumes import read_mask, read_volume, write_mask
from trialimg.bootstrap import open_image, open_mask, save_mask
from trialimg.core.errors import GeometryError, IntakeError
from trialimg.volume import Geometry, Mask, Unit, Volume

ARRAY = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
GRID = Geometry((6, 5, 4), (0.5, 0.75, 2.0), (-10.0, 20.0, 30.0), (0.8, 0.0, -0.6, 0.6, 0.0, 0.8, 0.0, -1.0, 0.0))
LABELS = (ARRAY % 4).astype(np.uint8)
ENDINGS = [".nii", ".nii.gz", ".nrrd", ".mha"]


def code(refused: pytest.ExceptionInfo[IntakeError]) -> str:
    (fault,) = refused.value.faults
    return fault.code


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_image_keeps_its_voxels_and_its_place(tmp_path, ending):
    path = tmp_path / f"image{ending}"
    sitk.WriteImage(Volume(ARRAY, GRID).to_sitk(), str(path))
    found = read_volume(path)
    assert np.array_equal(found.array, ARRAY)
    assert found.geometry.differences(GRID) == ()
    assert (found.modality, found.unit) == ("OT", Unit.ARBITRARY)  # the file does not say


def test_nifti_coordinates_are_turned_from_ras_to_lps(tmp_path):
    affine = np.array([[-2, 0, 0, 10], [0, 3, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1.0]])
    nibabel.save(nibabel.Nifti1Image(np.transpose(ARRAY), affine), tmp_path / "image.nii.gz")
    found = read_volume(tmp_path / "image.nii.gz")
    for i, j, k in [(0, 0, 0), (5, 1, 2), (2, 4, 3)]:
        x, y, z, _ = affine @ (i, j, k, 1)
        assert found.geometry.to_lps((i, j, k)) == pytest.approx((-x, -y, z))
        assert found.array[k, j, i] == ARRAY[k, j, i]


def test_nifti_scaling_is_applied(tmp_path):
    image = nibabel.Nifti1Image(np.transpose(ARRAY), np.eye(4))
    image.header.set_slope_inter(0.5, -3)
    nibabel.save(image, tmp_path / "image.nii")
    assert np.allclose(read_volume(tmp_path / "image.nii").array, nibabel.load(tmp_path / "image.nii").get_fdata().T)


def test_a_fourth_dimension_of_one_is_no_dimension(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.transpose(ARRAY)[..., None], np.diag((-2, -3, 4, 1))), tmp_path / "image.nii")
    found = read_volume(tmp_path / "image.nii")
    assert np.array_equal(found.array, ARRAY)
    assert found.geometry.spacing_mm == (2.0, 3.0, 4.0)


class TestRefusals:
    @pytest.mark.parametrize(
        ("what", "image", "expected"),
        [
            ("four dimensions", sitk.Image([4, 4, 4, 2], sitk.sitkInt16), "not_three_dimensional"),
            ("two dimensions", sitk.Image([4, 4], sitk.sitkInt16), "not_three_dimensional"),
            ("colour", sitk.Image([4, 4, 4], sitk.sitkVectorUInt8, 3), "not_scalar"),
        ],
    )
    @pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
    def test_what_is_not_one_grey_scale_volume(self, tmp_path, what, image, expected, ending):
        path = tmp_path / f"image{ending}"
        sitk.WriteImage(image, str(path))
        with pytest.raises(IntakeError, match="image") as refused:
            read_volume(path)
        assert code(refused) in {expected, "not_scalar"}  # NIfTI keeps the second of two frames as a component

    def test_four_dimensions_of_nifti(self, tmp_path):
        nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4, 2), np.int16), np.eye(4)), tmp_path / "series.nii")
        with pytest.raises(IntakeError, match="4 x 4 x 4 x 2 voxels; three dimensions are needed") as refused:
            read_volume(tmp_path / "series.nii")
        assert code(refused) == "not_three_dimensional"

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_bytes_that_are_no_image(self, tmp_path, ending, capfd):
        path = tmp_path / f"image{ending}"
        path.write_bytes(b"not an image")
        with pytest.raises(IntakeError) as refused:
            read_volume(path)
        assert code(refused) == "unreadable"
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)
        assert capfd.readouterr() == ("", "")  # ITK's own remarks do not reach the user

    @pytest.mark.parametrize("compressed", [False, True])
    @pytest.mark.parametrize("ending", ENDINGS)
    def test_a_file_cut_off(self, tmp_path, ending, compressed, capfd):
        path = tmp_path / f"image{ending}"
        noise = np.random.default_rng(1).integers(0, 1000, ARRAY.shape, dtype=np.int16)
        sitk.WriteImage(Volume(noise, GRID).to_sitk(), str(path), useCompression=compressed)
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(IntakeError) as refused:
            read_volume(path)
        assert code(refused) == "unreadable"
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("endian", ["<", ">"])
    def test_nifti_of_both_byte_orders_whole_and_cut_off(self, tmp_path, endian):
        path = tmp_path / "image.nii"
        header = nibabel.Nifti1Header(endianness=endian)
        header.set_data_dtype(np.dtype(np.int16).newbyteorder(endian))
        nibabel.save(nibabel.Nifti1Image(np.transpose(ARRAY), np.eye(4), header), path)
        assert np.array_equal(read_volume(path).array, ARRAY)
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(IntakeError, match="ends 1 bytes before its last voxel"):
            read_volume(path)

    def test_nifti_of_version_2_is_named(self, tmp_path):
        nibabel.save(nibabel.Nifti2Image(np.transpose(ARRAY), np.eye(4)), tmp_path / "image.nii")
        with pytest.raises(IntakeError, match="is not a NIfTI-1 file"):
            read_volume(tmp_path / "image.nii")

    @pytest.mark.parametrize(
        ("name", "header"),
        [
            ("image.nrrd", "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\ndata file: x.raw\n\n"),
            ("image.mha", "NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nElementDataFile = x.raw\n"),
        ],
    )
    def test_a_header_that_points_at_another_file(self, tmp_path, name, header):
        (tmp_path / name).write_text(header)
        (tmp_path / "x.raw").write_bytes(b"secrets!")
        with pytest.raises(IntakeError, match="in another file"):
            read_volume(tmp_path / name)

    @pytest.mark.parametrize("name", ["image.png", "image.nhdr", "image.mhd", "image"])
    def test_other_endings(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(IntakeError) as refused:
            read_volume(tmp_path / name)
        assert code(refused) == "unknown_format"

    def test_what_is_not_there(self, tmp_path):
        with pytest.raises(IntakeError, match="no such file") as refused:
            read_volume(tmp_path / "absent.nii")
        assert code(refused) == "no_such_file"

    def test_a_header_that_promises_more_than_memory_is_refused_before_it_is_believed(self, tmp_path):
        header = "NRRD0004\ntype: short\ndimension: 3\nsizes: 60000 60000 60000\nencoding: gzip\nendian: little\n\n"
        (tmp_path / "bomb.nrrd").write_bytes(header.encode() + gzip.compress(b"\0" * 100))
        with pytest.raises(IntakeError) as refused:
            read_volume(tmp_path / "bomb.nrrd")
        assert code(refused) == "too_large"

    @pytest.mark.parametrize("values", [ARRAY - 1, ARRAY + 0.5])
    def test_a_mask_of_negative_numbers_or_fractions(self, tmp_path, values):
        sitk.WriteImage(Volume(values, GRID).to_sitk(), str(tmp_path / "mask.nrrd"))
        with pytest.raises(IntakeError) as refused:
            read_mask(tmp_path / "mask.nrrd")
        assert code(refused) == "not_a_mask"


class TestWriting:
    @pytest.mark.parametrize("ending", ENDINGS)
    def test_a_mask_comes_back(self, tmp_path, ending):
        path = tmp_path / f"mask{ending}"
        write_mask(Mask(LABELS, GRID), path)
        found = read_mask(path)
        assert np.array_equal(found.array, LABELS)
        assert found.geometry.differences(GRID) == ()
        assert [p.name for p in tmp_path.iterdir()] == [path.name]

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_the_same_mask_is_the_same_bytes(self, tmp_path, ending):
        for name in ("a", "b"):
            write_mask(Mask(LABELS, GRID), tmp_path / f"{name}{ending}")
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()

    def test_an_ending_that_is_not_written_leaves_nothing(self, tmp_path):
        with pytest.raises(IntakeError, match=r"\.nii\.gz"):
            write_mask(Mask(LABELS, GRID), tmp_path / "mask.png")
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(IntakeError, match="cannot be written") as refused:
            write_mask(Mask(LABELS, GRID), tmp_path / "absent" / "mask.nrrd")
        assert code(refused) == "cannot_write"

    def test_a_write_that_fails_keeps_what_was_there(self, tmp_path, monkeypatch):
        path = tmp_path / "mask.nrrd"
        write_mask(Mask(LABELS, GRID), path)
        before = path.read_bytes()

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("disk full")

        monkeypatch.setattr(sitk, "WriteImage", fail)
        with pytest.raises(IntakeError, match="disk full"):
            write_mask(Mask(LABELS + 1, GRID), path)
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == ["mask.nrrd"]


class TestDoors:
    def test_an_image_is_a_folder_of_dicom_or_a_file(self, tmp_path):
        save(stack(ARRAY), tmp_path / "dicom")
        sitk.WriteImage(Volume(ARRAY, GRID).to_sitk(), str(tmp_path / "image.nrrd"))
        assert open_image(tmp_path / "dicom").unit is Unit.HU
        assert np.array_equal(open_image(tmp_path / "image.nrrd").array, ARRAY)

    def test_a_mask_and_its_image_share_a_grid(self, tmp_path):
        save_mask(Mask(LABELS, GRID), tmp_path / "mask.nii.gz")
        image = Volume(ARRAY, GRID)
        assert np.array_equal(open_mask(tmp_path / "mask.nii.gz", image).array, LABELS)
        moved = Volume(ARRAY, Geometry(GRID.size, GRID.spacing_mm, (-9.0, 20.0, 30.0), GRID.direction))
        with pytest.raises(GeometryError, match=r"mask\.nii\.gz and the image .* origin by 1\.000 mm"):
            open_mask(tmp_path / "mask.nii.gz", moved)

    def test_a_segmentation_lies_on_its_own_grid_or_on_the_images(self, tmp_path):
        (path,) = save([segmentation(LABELS[:2] & 1, slices=[1, 2], segments=[1, 1])], tmp_path)
        image = Volume(ARRAY, Geometry((6, 5, 4), (0.5, 0.75, 2.0), ORIGIN))
        assert open_mask(path).geometry.size == (6, 5, 2)
        assert open_mask(path, image).geometry.size == (6, 5, 4)
        assert open_mask(path, image, region="part 1").names == ((1, "part 1"),)

    def test_labels_without_names_cannot_be_chosen_by_name(self, tmp_path):
        save_mask(Mask(LABELS, GRID), tmp_path / "mask.nrrd")
        with pytest.raises(IntakeError, match="no names"):
            open_mask(tmp_path / "mask.nrrd", region="lesion")

    @pytest.mark.parametrize("open_it", [open_image, open_mask])
    def test_what_is_not_there_or_not_an_image(self, tmp_path: Path, open_it):
        with pytest.raises(IntakeError, match="no such file"):
            open_it(tmp_path / "absent")
        (tmp_path / "text.txt").write_text("a text")
        with pytest.raises(IntakeError):
            open_it(tmp_path / "text.txt")
