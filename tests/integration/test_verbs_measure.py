"""`trialimg measure`: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.integration.verbs import GRID, egg, require_refusal, run, write_pair
from trialimg.volume import Mask

Capture = pytest.CaptureFixture[str]

KEYS = [
    "label", "long_axis_mm", "short_axis_mm", "caliper_width_mm", "volume_ml", "max_3d_mm", "who_product_mm2",
    "slice_index", "long_axis_lps_mm", "short_axis_lps_mm", "flags", "convention",
]  # fmt: skip


def test_one_json_document_with_every_lesion(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write_pair(tmp_path)
    answer = run(capsys, "measure", mask, "--image", image, "--json")
    assert (answer.code, answer.err) == (0, "")
    document = json.loads(answer.out)
    assert list(document) == ["lesions"]
    (lesion,) = document["lesions"]
    assert list(lesion) == KEYS
    assert lesion["long_axis_mm"] == pytest.approx(22.6, abs=0.4)
    assert lesion["short_axis_mm"] == pytest.approx(14.4, abs=0.6)
    assert lesion["volume_ml"] == pytest.approx(2.76, rel=0.03)


def test_a_person_gets_a_table_and_the_meaning_of_its_flags(tmp_path: Path, capsys: Capture) -> None:
    array = np.zeros(GRID.shape, np.uint8)
    array[0, 4, 4:8] = 1
    path = tmp_path / "mask.nii.gz"
    sitk.WriteImage(Mask(array, GRID).to_sitk(), str(path))
    answer = run(capsys, "measure", path)
    assert answer.code == 0
    assert "Long axis mm" in answer.out
    assert "3.5" in answer.out
    assert "touches_image_border: the lesion may go on beyond the image" in answer.out


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, capsys: Capture) -> None:
    require_refusal(run(capsys, "measure", tmp_path / "none.nrrd"), "none.nrrd", "no such file")


def test_a_file_that_is_no_image_is_refused(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "mask.nrrd"
    path.write_text("not an image")
    require_refusal(run(capsys, "measure", path, "--json"), "mask.nrrd", "is not an NRRD file")


def test_a_mask_on_another_grid_than_the_image_is_refused_with_the_difference(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write_pair(tmp_path)
    moved = sitk.ReadImage(str(mask))
    moved.SetOrigin((-24.0, -20.0, 52.5))
    sitk.WriteImage(moved, str(mask))
    require_refusal(
        run(capsys, "measure", mask, "--image", image), "mask.nrrd", "different grids", "origin by 2.500 mm"
    )


def test_an_empty_mask_is_refused_and_never_measured_as_0(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "mask.nrrd"
    sitk.WriteImage(Mask(0 * egg().array, GRID).to_sitk(), str(path))
    require_refusal(run(capsys, "measure", path, "--json"), "mask is empty")


@pytest.mark.reference
@pytest.mark.parametrize(
    ("series", "volume_ml", "diameter_mm"), [("CT", 53.3, 55.3), ("PET", 54.3, 51.9), ("MR_T1", 53.3, 55.3)]
)
def test_a_sarcoma_drawn_as_rtstruct_has_its_published_size(
    reference: Path, capsys: Capture, series: str, volume_ml: float, diameter_mm: float
) -> None:
    """Published: sarcoma/inventory.csv, whose diameters count between pixel centres."""
    folder = reference / "sarcoma" / "dicom" / "STS_002" / series
    answer = run(capsys, "measure", folder / "mask" / "RS.dcm", "--image", folder / "image", "--json")
    (lesion,) = json.loads(answer.out)["lesions"]
    half_pixel_mm = {"CT": 0.49, "PET": 2.73, "MR_T1": 0.49}[series]
    assert lesion["volume_ml"] == pytest.approx(volume_ml, rel=0.01)
    assert lesion["long_axis_mm"] == pytest.approx(diameter_mm + half_pixel_mm, abs=0.1)
