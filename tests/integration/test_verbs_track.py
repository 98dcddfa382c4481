"""`trialimg track` and `trialimg evaluate track` on files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.fakes.imaging import GRID, Ball, body_with
from tests.integration.verbs import require_refusal, run
from trialimg.volume import Mask

Capture = pytest.CaptureFixture[str]

FIRST: Ball = ((40.0, -60.0, 60.0), 26.0)
SECOND: Ball = ((-30.0, 50.0, 84.0), 30.0)
NEW: Ball = ((30.0, 50.0, 48.0), 26.0)


def write(folder: Path, name: str, *balls: Ball) -> tuple[Path, Path]:
    image, mask = folder / f"{name}.nii.gz", folder / f"{name}_mask.nii.gz"
    sitk.WriteImage(body_with(balls).to_sitk(), str(image))
    k, j, i = np.indices(GRID.shape)
    points = GRID.to_lps(np.stack([i, j, k], axis=-1))
    labels = np.zeros(GRID.shape, np.uint8)
    for number, (centre, diameter_mm) in enumerate(balls, start=1):
        labels[np.linalg.norm(points - np.array(centre), axis=-1) <= diameter_mm / 2] = number
    sitk.WriteImage(Mask(labels, GRID).to_sitk(), str(mask))
    return image, mask


def test_masks_of_both_visits_are_linked_and_written_with_one_label_a_lesion(tmp_path: Path, capsys: Capture) -> None:
    base, follow = write(tmp_path, "bl", FIRST, SECOND), write(tmp_path, "w06", (SECOND[0], 26.0), NEW)
    out = tmp_path / "out"
    answer = run(capsys, "track", *base, *follow, "--local", "shift", "--out", out, "--json")
    assert (answer.code, answer.err) == (0, "")
    document = json.loads(answer.out)
    kinds = {(link["kind"], *link["earlier"], *link["later"]) for link in document["links"]["follow"]}
    assert kinds == {("death", "L1"), ("persist", "L2", "L2"), ("birth", "L3")}
    second = next(one for one in document["lesions"] if one["id"] == "L2")
    assert second["seen"]["baseline"]["long_axis_mm"] > second["seen"]["follow"]["long_axis_mm"] > 20
    assert second["seen"]["follow"]["displacement_mm"] < 6
    assert document["alignments"]["follow"]["reason"] == ""
    assert json.loads((out / "links.json").read_text())["links"] == document["links"]
    written = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "follow.nii.gz")))
    assert set(np.unique(written)) == {0, 2, 3}


def test_without_a_mask_lesions_are_found_again_and_new_places_offered(tmp_path: Path, capsys: Capture) -> None:
    base, (image, _) = write(tmp_path, "bl", FIRST, SECOND), write(tmp_path, "w06", FIRST, SECOND, NEW)
    answer = run(capsys, "track", *base, image, "--then", image, "--local", "shift")
    assert (answer.code, answer.err) == (0, "")
    for study in ("follow", "follow2"):
        assert f"{study}: persist L1 -> L1" in answer.out
    assert "follow: new? at (" in answer.out
    assert "follow2: new? at (" not in answer.out  # it is the same image: nothing is new against the visit before


def test_what_cannot_be_tracked_is_refused_in_one_line(tmp_path: Path, capsys: Capture) -> None:
    image, mask = write(tmp_path, "bl", FIRST)
    _, empty = write(tmp_path, "none")
    require_refusal(run(capsys, "track", image, empty, image), "no lesion to follow")
    require_refusal(run(capsys, "track", image, mask, tmp_path / "absent.nii.gz"), "no such file")
    require_refusal(run(capsys, "track", image, mask, image, "--out", mask), "cannot make this folder")


def test_a_file_that_holds_no_pairs_is_refused(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "pairs.json"
    path.write_text('{"1": {"source": "a"}}')
    require_refusal(run(capsys, "evaluate", "track", path), "not a file of lesion pairs")


@pytest.mark.reference
def test_the_affine_guess_of_the_reference_pairs_is_as_published(reference: Path, capsys: Capture) -> None:
    answer = run(capsys, "evaluate", "track", reference / "lesion_pairs" / "valid.json", "--json")
    affine = next(iter(json.loads(answer.out)["pairs"].values()))[0]
    assert affine["n"] == 906
    assert affine["mean_mm"] == pytest.approx(10.1, abs=0.1)  # 11.2 mm and 58 % on the test half, Cai 2021, table 2
    assert affine["within_10_mm"]["value"] == pytest.approx(0.64, abs=0.01)
