"""`trialimg segment`: a prompt on the command line becomes a mask, or one line that says why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.integration.verbs import CENTRE, GRID, SEMI_MM, egg, require_refusal, run, write_pair
from trialimg.bootstrap import open_image
from trialimg.imaging.measure import measure
from trialimg.volume import Mask

Capture = pytest.CaptureFixture[str]

X, Y, Z = CENTRE
HALF_X, HALF_Y, HALF_Z = SEMI_MM
LINE = f"{X - HALF_X},{Y},{Z},{X + HALF_X},{Y},{Z}"
BOX = f"{X - HALF_X},{Y - HALF_Y},{Z - HALF_Z},{X + HALF_X},{Y + HALF_Y},{Z + HALF_Z}"
SHORT = f"{X},{Y - HALF_Y},{Z},{X},{Y + HALF_Y},{Z}"
PROMPTS = {
    "line": ("--line", LINE),
    "both_axes": ("--line", LINE, "--short-axis", SHORT),
    "point": ("--point", f"{X},{Y},{Z}"),
    "box": ("--box", BOX),
}


def overlap(found: Mask, true: Mask) -> float:
    both = np.count_nonzero((found.array > 0) & (true.array > 0))
    return 2 * both / (np.count_nonzero(found.array) + np.count_nonzero(true.array))


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_a_mask_on_the_grid_of_the_image(tmp_path: Path, capsys: Capture, prompt: tuple[str, str]) -> None:
    image, _ = write_pair(tmp_path)
    out = tmp_path / "found.nii.gz"
    answer = run(capsys, "segment", image, *prompt, "--out", out)
    assert (answer.code, answer.err) == (0, "")
    assert "classical" in answer.out
    found = Mask.from_sitk(sitk.ReadImage(str(out)))
    found.geometry.require_same(GRID, "mask", "image")
    assert overlap(found, egg()) > 0.9


def test_one_json_document_with_prompt_method_and_measurement(tmp_path: Path, capsys: Capture) -> None:
    image, _ = write_pair(tmp_path)
    out = tmp_path / "found.nrrd"
    answer = run(capsys, "segment", image, *PROMPTS["line"], "--model", "ellipsoid", "--out", out, "--json")
    document = json.loads(answer.out)
    assert document["mask"] == str(out)
    assert document["prompt"] == {"line": {"start_lps_mm": [X - HALF_X, Y, Z], "end_lps_mm": [X + HALF_X, Y, Z]}}
    assert document["segmenter"]["name"] == "ellipsoid"
    assert document["segmenter"]["parameters"]["across"] == 0.9
    (lesion,) = document["lesions"]
    assert lesion["long_axis_mm"] == measure(Mask.from_sitk(sitk.ReadImage(str(out))), 1).long_axis_mm


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--box", BOX, "--short-axis", SHORT), ("--short-axis goes with --line",)),
        (("--line", LINE, "--short-axis", LINE), ("--line with --short-axis", "lies across the long axis")),
        (("--point", "500,0,60"), ("point (500.0, 0.0, 60.0) mm lies outside", "[-24.5, 23.5]")),
        (("--line", "0,0,60,0,0,900"), ("the end of the line (0.0, 0.0, 900.0) mm lies outside",)),
        (("--line", "1,1,60,1,1,60"), ("--line", "two different ends")),
        (("--box", "1,1,60,5,1,70"), ("--box", "an extent along every axis")),
        (("--point", "1,2"), ("'1,2' is not X,Y,Z",)),
        (("--point", "1,2,nan"), ("'1,2,nan' is not X,Y,Z",)),
        ((), ("exactly one of --line, --point and --box, not none",)),
        ((*PROMPTS["line"], *PROMPTS["point"]), ("not --line and --point",)),
        ((*PROMPTS["point"], "--model", "magic"), ("no segmenter is called 'magic'", "classical", "ellipsoid")),
    ],
)
def test_what_cannot_be_segmented_leaves_no_mask(
    tmp_path: Path, capsys: Capture, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    image, _ = write_pair(tmp_path)
    out = tmp_path / "found.nrrd"
    require_refusal(run(capsys, "segment", image, *arguments, "--out", out), *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.nrrd", "mask.nrrd"]


def test_an_image_that_is_not_there_and_a_mask_format_that_is_unknown_are_refused(
    tmp_path: Path, capsys: Capture
) -> None:
    image, _ = write_pair(tmp_path)
    answer = run(capsys, "segment", tmp_path / "none.nrrd", *PROMPTS["point"], "--out", tmp_path / "found.nrrd")
    require_refusal(answer, "none.nrrd", "no such file")
    answer = run(capsys, "segment", image, *PROMPTS["point"], "--out", tmp_path / "found.png")
    require_refusal(answer, "found.png")
    assert not (tmp_path / "found.png").exists()


def test_a_point_where_nothing_stands_out_leaves_no_mask(tmp_path: Path, capsys: Capture) -> None:
    flat = sitk.GetImageFromArray(np.zeros((20, 40, 48), np.float32))
    path = tmp_path / "flat.nrrd"
    sitk.WriteImage(flat, str(path))
    answer = run(capsys, "segment", path, "--point", "20,20,10", "--out", tmp_path / "found.nrrd")
    require_refusal(answer, "finds no lesion at this prompt", "no mask is written")
    assert not (tmp_path / "found.nrrd").exists()


@pytest.mark.reference
def test_a_real_chest_ct_as_dicom_is_segmented_within_the_radiologists_boxes(
    reference: Path, tmp_path: Path, capsys: Capture
) -> None:
    """Lung-PET-CT-Dx A0001, 5 mm slices from z = -229 to -189 mm: nine boxes, here the one around all of them."""
    columns, rows, z_mm = (285, 359), (301, 402), (-231.5, -186.5)
    folder = reference / "lung_dx" / "dicom" / "A0001"
    grid = open_image(folder).geometry
    (x0, y0, _), (x1, y1, _) = grid.to_lps([(columns[0], rows[0], 0), (columns[1], rows[1], 0)]).tolist()
    out = tmp_path / "found.nii.gz"
    box = f"{x0},{y0},{z_mm[0]},{x1},{y1},{z_mm[1]}"
    document = json.loads(run(capsys, "segment", folder, "--box", box, "--out", out, "--json").out)
    (lesion,) = document["lesions"]
    assert 40 < lesion["long_axis_mm"] < 90
    found = Mask.from_sitk(sitk.ReadImage(str(out)))
    k, j, i = np.nonzero(found.array)
    slack = 5  # pixels; a box may stop short of the edge
    assert columns[0] - slack <= i.min() <= i.max() <= columns[1] + slack
    assert rows[0] - slack <= j.min() <= j.max() <= rows[1] + slack
    assert len(np.unique(k)) >= 7
