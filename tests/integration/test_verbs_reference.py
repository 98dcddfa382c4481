"""The verbs for single steps on real images: a chest CT, and a sarcoma in CT, PET and T1 with its RTSTRUCT."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from tests.integration.verbs import run
from trialimg.volume import Mask

Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.reference


def answer(capsys: Capture, *arguments: object) -> Any:
    """The document of a call that succeeds."""
    done = run(capsys, *arguments, "--json")
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def inventory(reference: Path, subject: str) -> dict[str, dict[str, str]]:
    """Published facts of a subject's tumour, by modality."""
    with (reference / "sarcoma" / "inventory.csv").open(newline="") as file:
        return {row["modality"]: row for row in csv.DictReader(file) if row["subject"] == subject}


@pytest.fixture
def lung1(reference: Path) -> tuple[Path, Path]:
    return tuple(reference / "pyradiomics" / f"lung1_{kind}.nrrd" for kind in ("image", "label"))  # type: ignore[return-value]


def test_the_features_of_a_chest_ct_equal_those_of_pyradiomics(lung1: tuple[Path, Path], capsys: Capture) -> None:
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    features = answer(capsys, "radiomics", *lung1)["features"]
    expected = RadiomicsFeatureExtractor(additionalInfo=False).execute(*map(str, lung1))
    assert len(features) == 107
    assert set(features) == set(expected)
    for name, value in features.items():
        assert value == pytest.approx(float(expected[name]), rel=1e-9, abs=1e-12), name


@pytest.mark.parametrize(("model", "least"), [("ellipsoid", 0.5), ("classical", 0.7)])
def test_the_nodule_of_a_chest_ct_is_found_from_its_long_axis(
    lung1: tuple[Path, Path], tmp_path: Path, capsys: Capture, model: str, least: float
) -> None:
    image, label = lung1
    (true,) = answer(capsys, "measure", label, "--image", image)["lesions"]
    line = ",".join(str(value) for point in true["long_axis_lps_mm"] for value in point)
    out = tmp_path / "found.nii.gz"
    found = answer(capsys, "segment", image, "--line", line, "--model", model, "--out", out)
    drawn, made = (np.asarray(Mask.from_sitk(sitk.ReadImage(str(path))).array > 0) for path in (label, out))
    assert 2 * np.count_nonzero(drawn & made) / (drawn.sum() + made.sum()) > least
    assert found["voxels"] == made.sum()
    (again,) = answer(capsys, "measure", out, "--image", image)["lesions"]
    (lesion,) = found["lesions"]
    assert again["long_axis_mm"] == pytest.approx(lesion["long_axis_mm"], rel=1e-6)  # NIfTI: 32-bit positions
    assert again["volume_ml"] == pytest.approx(lesion["volume_ml"], rel=1e-6)


@pytest.mark.parametrize("modality", ["CT", "PET", "MR_T1"])
def test_a_sarcoma_drawn_on_dicom_has_its_published_volume_and_its_features(
    reference: Path, capsys: Capture, modality: str
) -> None:
    folder = reference / "sarcoma" / "dicom" / "STS_002" / modality
    image, mask = folder / "image", folder / "mask" / "RS.dcm"
    published = float(inventory(reference, "STS_002")[modality]["volume_ml"])
    (lesion,) = answer(capsys, "measure", mask, "--image", image)["lesions"]
    assert lesion["volume_ml"] == pytest.approx(published, rel=0.01)
    assert f"GTV_Mass_{modality}" in run(capsys, "measure", mask, "--image", image).out
    document = answer(capsys, "radiomics", image, mask, "--region", f"GTV_Mass_{modality}")
    features = document["features"]
    assert features["original_shape_VoxelVolume"] == pytest.approx(1000 * lesion["volume_ml"], rel=1e-9)
    low, high = {"CT": (-1024, 3071), "PET": (0, 50), "MR_T1": (0, 5000)}[modality]
    assert low <= features["original_firstorder_Minimum"] < features["original_firstorder_Maximum"] <= high


def test_a_region_that_is_not_there_is_refused_with_those_that_are(reference: Path, capsys: Capture) -> None:
    folder = reference / "sarcoma" / "dicom" / "STS_002" / "CT"
    refused = run(capsys, "measure", folder / "mask" / "RS.dcm", "--image", folder / "image", "--region", "GTV")
    assert refused.code == 2
    assert "no region 'GTV'; it has GTV_Mass_CT" in refused.err
    assert len(refused.err.splitlines()) == 1
