"""Real images: volumes and masks against the answers that come with them."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from trialimg.adapters.dicom.source import DicomSource, read_image
from trialimg.bootstrap import open_image, open_mask
from trialimg.core.errors import IntakeError
from trialimg.core.trial import Severity
from trialimg.services.images import ImageIndex
from trialimg.volume import Mask, Unit, Volume

pytestmark = pytest.mark.reference

FOLDERS = {"CT": "CT", "PT": "PET", "MR": "MR_T1"}


@pytest.fixture(scope="module")
def sarcoma(reference: Path) -> tuple[Path, ImageIndex]:
    root = reference / "sarcoma" / "dicom"
    return root, DicomSource().index(root)


@pytest.fixture(scope="module")
def inventory(reference: Path) -> dict[tuple[str, str], float]:
    """Published tumour volumes in ml by subject and modality."""
    with (reference / "sarcoma" / "inventory.csv").open() as file:
        return {(row["subject"], row["modality"]): float(row["volume_ml"]) for row in csv.DictReader(file)}


def image_and_region(root: Path, index: ImageIndex, subject: str, modality: str) -> tuple[Volume, Mask]:
    source = DicomSource()
    (series,) = [s for s in index.series if (s.subject, s.modality) == (subject, modality)]
    (drawn,) = [c for c in index.contour_sets if c.series_uid == series.series_uid]
    image = source.volume(series, root)
    return image, source.contours(drawn, image, root)[drawn.names[0]]


class TestSarcoma:
    """STS_002 and STS_008 of the TCIA soft-tissue-sarcoma set as IBSI distributes them (CC BY 3.0).

    Its RTSTRUCTs name image instances that are not part of the set, so they are paired by series.
    """

    def test_everything_is_used(self, sarcoma):
        _, index = sarcoma
        assert Counter(series.modality for series in index.series) == {"CT": 2, "MR": 2, "PT": 2}
        assert len(index.contour_sets) == 6
        assert index.findings == ()

    @pytest.mark.parametrize("subject", ["STS_002", "STS_008"])
    @pytest.mark.parametrize("modality", ["CT", "PT", "MR"])
    def test_the_drawn_volume_is_the_published_one(self, sarcoma, inventory, subject, modality):
        _, region = image_and_region(*sarcoma, subject, modality)
        volume_ml = region.array.sum() * region.geometry.voxel_volume_mm3 / 1000
        assert volume_ml == pytest.approx(inventory[subject, FOLDERS[modality]], rel=0.01)

    @pytest.mark.parametrize("subject", ["STS_002", "STS_008"])
    @pytest.mark.parametrize("modality", ["CT", "PT", "MR"])
    def test_image_and_mask_are_those_that_were_published_as_nifti(self, sarcoma, reference, subject, modality):
        image, region = image_and_region(*sarcoma, subject, modality)
        folder = reference / "sarcoma" / "nifti" / subject
        expected = open_image(folder / f"{FOLDERS[modality]}_image.nii.gz")
        drawn = open_mask(folder / f"{FOLDERS[modality]}_mask.nii.gz", image)
        assert image.geometry.differences(expected.geometry) == ()
        assert np.array_equal(region.array != 0, drawn.array != 0)
        if modality == "PT":  # a slope of seven digits, multiplied in 32 bits there
            assert image.unit is Unit.SUV_BW
            assert np.allclose(image.array, expected.array, rtol=1e-6)
        else:
            assert np.array_equal(image.array, expected.array)


class TestLungDx:
    """A0001 of TCIA Lung-PET-CT-Dx (CC BY 4.0)."""

    @pytest.fixture(scope="class")
    def folder(self, reference: Path) -> Path:
        return reference / "lung_dx" / "dicom" / "A0001"

    def test_the_series_is_one_stack(self, folder):
        image = read_image(folder)
        assert image.array.shape == (64, 512, 512)
        assert image.geometry.slice_spacing_mm == pytest.approx(5.0)
        assert image.unit is Unit.HU

    def test_it_is_what_simpleitk_reads_bit_for_bit(self, folder):
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
        expected = Volume.from_sitk(reader.Execute())
        found = read_image(folder)
        assert np.array_equal(found.array, expected.array)
        assert found.array.dtype == np.int16
        assert found.geometry.differences(expected.geometry) == ()

    def test_nine_of_the_boxes_lie_on_neighbouring_slices_and_hold_tissue(self, folder, reference):
        (series,) = DicomSource().index(folder).series
        headers = [pydicom.dcmread(folder / file.path, stop_before_pixels=True) for file in series.files]
        uids = [str(header.SOPInstanceUID) for header in headers]
        boxes = {path.stem: path for path in (reference / "lung_dx" / "boxes_A0001").glob("*.xml")}
        slices = [k for k, uid in enumerate(uids) if uid in boxes]  # the other boxes are of other series
        assert slices == list(range(slices[0], slices[0] + 9))
        image = read_image(folder)
        for k in slices:
            (box,) = ElementTree.parse(boxes[uids[k]]).findall("object/bndbox")
            low_x, low_y, high_x, high_y = (int(box.findtext(n)) for n in ("xmin", "ymin", "xmax", "ymax"))
            inside = image.array[k, low_y:high_y, low_x:high_x]
            assert np.median(inside) > -100  # a tumour, not lung of -800 HU


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))


class TestSegmentations:
    """Test data of dcmqi (BSD-3-Clause): SEG objects and the label images they were made from."""

    @pytest.mark.parametrize(
        ("seg", "image", "region", "answer", "label"),
        [
            ("liver.dcm", "ct-3slice", "Liver", "liver_seg.nrrd", 1),
            ("partial_overlaps.dcm", "ct-3slice", "GREEN", "partial_overlaps-1.nrrd", 1),
            ("partial_overlaps.dcm", "ct-3slice", "ORANGE", "partial_overlaps-2.nrrd", 2),
            ("partial_overlaps.dcm", "ct-3slice", "PURPLE", "partial_overlaps-3.nrrd", 3),
            ("partial_overlaps.dcm", "ct-3slice", "LIGHT_BLUE", "partial_overlaps-1.nrrd", 4),
            ("partial_overlaps.dcm", "ct-3slice", "DARK_BLUE", "partial_overlaps-1.nrrd", 5),
            ("24x38x3/seg/label.seg", "24x38x3/image", "Liver", "24x38x3/nrrd/label.nrrd", 1),
            ("24x38x3/seg/label.seg", "24x38x3/multiframe", "Liver", "24x38x3/nrrd/label.nrrd", 1),
            ("23x38x3/seg/label.seg", "23x38x3/image", "Liver", "23x38x3/nrrd/label.nrrd", 1),
            ("sparse-labelmap-noppv.dcm", "24x38x3/image", "Liver", "sparse_labelmap_noppv_seg.nrrd", 1),
            ("sparse-labelmap-ppv5.dcm", "24x38x3/image", "Liver", "sparse_labelmap_ppv5_seg.nrrd", 1),
        ],
    )
    def test_a_segment_is_the_one_that_went_in(self, reference, seg, image, region, answer, label):
        folder = reference / "dicom_objects" / "segmentations"
        expected = open_mask(folder / answer)
        for on in (open_image(folder / image), None):
            found = open_mask(folder / seg, on, region=region)
            assert found.geometry.differences(expected.geometry) == ()
            assert dice(found.array != 0, expected.array == label) == 1.0

    def test_overlapping_segments_are_refused_as_one_mask(self, reference):
        with pytest.raises(IntakeError, match="'GREEN' and 'ORANGE' overlap"):
            open_mask(reference / "dicom_objects" / "segmentations" / "partial_overlaps.dcm")

    @pytest.mark.parametrize(
        ("name", "size"),
        [
            ("seg_image_ct_binary", (16, 16, 3)),
            ("seg_image_ct_binary_fractional", (16, 16, 3)),
            ("seg_image_ct_true_fractional", (16, 16, 3)),
            ("seg_image_ct_binary_single_frame", (128, 128, 1)),
        ],
    )
    def test_highdicom_reads_the_same(self, reference, name, size):
        from highdicom.seg import segread

        path = reference / "dicom_objects" / "highdicom" / f"{name}.dcm"
        found = open_mask(path)
        assert found.geometry.size == size
        theirs = segread(str(path)).get_volume(
            combine_segments=False, rescale_fractional=True, skip_overlap_checks=True
        )
        inside = theirs.array[..., 0] >= 0.5
        assert np.array_equal(found.array != 0, inside if theirs.direction[2, 2] > 0 else inside[::-1])


class TestOddFiles:
    """Files that break readers: pynetdicom's and pydicom's own test data."""

    @pytest.mark.parametrize("package", [False, True], ids=["collected", "pydicom"])
    def test_every_file_is_used_or_said(self, reference, tmp_path, package):
        folder = Path(pydicom.__file__).parent / "data" if package else reference / "malformed_dicom"
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix not in {".txt", ".json", ".md"} and "DICOMDIR" not in path.name:
                assert used_or_said(path), f"{path} is neither used nor said"

    @pytest.mark.parametrize("package", [False, True], ids=["collected", "pydicom"])
    def test_a_series_is_read_or_refused_with_a_reason(self, reference, package):
        root = Path(pydicom.__file__).parent / "data" if package else reference / "malformed_dicom"
        source = DicomSource()
        index = source.index(root)
        excluded = {f.where for f in index.findings if f.severity is Severity.EXCLUDED}
        read = 0
        for series in index.series:
            try:
                volume = source.volume(series, root)
            except IntakeError as refusal:
                assert refusal.faults
            else:
                assert f"series {series.series_uid}" not in excluded
                assert volume.array.shape[1:] == (series.rows, series.columns)
                read += 1
        assert read >= 3


def used_or_said(path: Path) -> bool:
    from trialimg.adapters.dicom.index import index_files

    try:
        index = index_files(path.parent, [path.name])
    except IntakeError as refusal:
        return bool(refusal.faults) or is_regions(path)
    return bool(index.series)


def is_regions(path: Path) -> bool:
    """A structure set or segmentation alone is no image, and nothing is wrong with it."""
    return pydicom.dcmread(path, stop_before_pixels=True, force=True).Modality in ("RTSTRUCT", "SEG")
