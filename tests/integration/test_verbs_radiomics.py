"""`trialimg radiomics`: pyradiomics' features and the settings they rest on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.integration.verbs import GRID, egg, require_refusal, run, write_pair
from trialimg.volume import Mask

Capture = pytest.CaptureFixture[str]


def direct(image: Path, mask: Path, settings: Path | None = None) -> dict[str, float]:
    """pyradiomics called by itself."""
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    extractor = RadiomicsFeatureExtractor(*([str(settings)] if settings else []), additionalInfo=False)
    answer = extractor.execute(str(image), str(mask))
    return {name: float(value) for name, value in answer.items() if not name.startswith("diagnostics")}


def test_equal_to_pyradiomics_with_its_defaults(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write_pair(tmp_path)
    answer = run(capsys, "radiomics", image, mask, "--json")
    assert (answer.code, answer.err) == (0, "")
    document = json.loads(answer.out)
    assert sorted(document) == ["features", "settings"]
    assert document["features"] == pytest.approx(direct(image, mask), rel=1e-9)
    assert len(document["features"]) == 107
    assert document["settings"]["setting"]["binWidth"] == 25.0


PARAMETERS = """
setting:
  binWidth: 12.5
  resampledPixelSpacing: [1.5, 1.5, 2.5]
  interpolator: sitkLinear
  weightingNorm: euclidean
imageType:
  Original: {}
  LoG:
    sigma: [2.0, 3.0]
    binWidth: 5
  Wavelet:
    binWidth: 8
featureClass:
  shape:
  firstorder: [Mean, Entropy]
  glcm: [JointEntropy]
"""


def test_a_pyradiomics_parameter_file_means_the_same_here(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write_pair(tmp_path)
    settings = tmp_path / "parameters.yaml"
    settings.write_text(PARAMETERS)
    document = json.loads(run(capsys, "radiomics", image, mask, "--settings", settings, "--json").out)
    expected = direct(image, mask, settings)
    assert len(expected) == 14 + 11 * 3
    assert document["features"] == pytest.approx(expected, rel=1e-9)
    assert document["settings"]["imageType"]["LoG"] == {"binWidth": 5.0}
    assert document["settings"]["setting"]["sigma"] == [2.0, 3.0]


def test_a_person_gets_one_line_a_feature(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write_pair(tmp_path)
    lines = run(capsys, "radiomics", image, mask).out.splitlines()
    assert lines[-1].startswith("107 features of label 1, pyradiomics ")
    assert any(line.split()[0] == "original_shape_VoxelVolume" for line in lines)


def test_a_label_is_chosen(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write_pair(tmp_path)
    sitk.WriteImage(Mask(4 * egg().array, GRID).to_sitk(), str(mask))
    document = json.loads(run(capsys, "radiomics", image, mask, "--label", 4, "--json").out)
    assert document["settings"]["setting"]["label"] == 4
    require_refusal(run(capsys, "radiomics", image, mask), "label 1 is not in the mask, which holds 4")


def test_a_region_of_one_voxel_is_refused_never_nan_or_0(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write_pair(tmp_path)
    one = np.zeros(GRID.shape, np.uint8)
    one[5, 5, 5] = 1
    sitk.WriteImage(Mask(one, GRID).to_sitk(), str(mask))
    require_refusal(run(capsys, "radiomics", image, mask, "--json"), "label 1 has no features")


def test_image_and_mask_on_different_grids_are_refused(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write_pair(tmp_path)
    other = sitk.ReadImage(str(mask))
    other.SetSpacing((1.0, 1.0, 3.0))
    sitk.WriteImage(other, str(mask))
    require_refusal(run(capsys, "radiomics", image, mask), "different grids", "spacing by")


def test_an_unknown_key_of_the_settings_is_refused_by_name(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write_pair(tmp_path)
    settings = tmp_path / "parameters.json"
    settings.write_text(json.dumps({"setting": {"binWidht": 10}}))
    answer = run(capsys, "radiomics", image, mask, "--settings", settings, "--json")
    require_refusal(answer, "parameters.json", "setting.binWidht")


def test_settings_that_are_not_there_are_refused(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write_pair(tmp_path)
    require_refusal(run(capsys, "radiomics", image, mask, "--settings", tmp_path / "x.yaml"), "x.yaml")
