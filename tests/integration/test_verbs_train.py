"""`trialimg train`: from a recipe to weights that `trialimg segment` takes, and on with a user's lesions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.fakes.dicom_files import save, segmentation, stack
from tests.integration.verbs import CENTRE, SEMI_MM, require_refusal, run, write_pair

Capture = pytest.CaptureFixture[str]

RECIPE = """
seed: 3
widths: [8, 8]
backgrounds: [ct/image.nii.gz]
lesions: lesions.csv
folds: [[A], [B]]
pretraining: {iterations: 1, batch: 1}
finetuning: {iterations: 1, batch: 1}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a background, two subjects with a lesion each, and a recipe."""
    folder = tmp_path / "data"
    (folder / "ct").mkdir(parents=True)
    image, mask = write_pair(folder)
    sitk.WriteImage(sitk.ReadImage(str(image)), str(folder / "ct" / "image.nii.gz"))
    second = folder / f"second_{mask.name}"
    second.write_bytes(mask.read_bytes())
    rows = f"image,mask,subject,modality\n{image.name},{mask.name},A,CT\n{image.name},{second.name},B,CT\n"
    (folder / "lesions.csv").write_text(rows)
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def train(capsys: Capture, data: Path, *more: str | Path):
    return run(capsys, "train", data / "recipe.yaml", "--data", data, "--device", "cpu", "--workers", "0", *more)


def test_a_fold_leaves_its_subjects_out_and_its_weights_segment(tmp_path: Path, capsys: Capture, data: Path) -> None:
    answer = train(capsys, data, "--fold", "1", "--out", tmp_path / "runs", "--json")
    assert answer.code == 0
    folder = tmp_path / "runs" / "fold-1"
    assert json.loads(answer.out)["folder"] == str(folder)
    card = json.loads((folder / "card.json").read_text())
    assert (card["trained_on"], card["left_out"]) == (["A"], ["B"])
    assert card["recipe"]["finetuning"]["iterations"] == 1
    assert (folder / "curve.csv").read_text().startswith("1,")
    assert (folder / "curve.svg").read_text().startswith("<svg")
    x, y, z = CENTRE
    line = f"{x - SEMI_MM[0]},{y},{z},{x + SEMI_MM[0]},{y},{z}"
    out = tmp_path / "found.nii.gz"
    image = data / "ct" / "image.nii.gz"
    again = run(capsys, "segment", image, "--line", line, "--model", folder, "--out", out, "--device", "cpu")
    assert again.code in (0, 1, 2)  # one step teaches nothing: a mask, or the word that there is none
    assert "trialimg-prompt" in again.out + again.err


def test_a_second_call_goes_on_from_what_was_learnt(tmp_path: Path, capsys: Capture, data: Path) -> None:
    digests = []
    for _ in range(2):
        answer = train(capsys, data, "--out", tmp_path / "runs", "--json")
        digests.append(json.loads(answer.out)["weights_digest"])
    assert digests[0] == digests[1]
    assert (tmp_path / "runs" / "pretrained" / "curve.csv").read_text().count("\n") == 1


def test_weights_are_taught_on_with_a_user_s_lesions_in_nnunet_s_layout(
    tmp_path: Path, capsys: Capture, data: Path
) -> None:
    first = json.loads(train(capsys, data, "--out", tmp_path / "runs", "--json").out)
    lesions = tmp_path / "Dataset001"
    for name in ("imagesTr", "labelsTr"):
        (lesions / name).mkdir(parents=True)
    image = sitk.ReadImage(str(data / "ct" / "image.nii.gz"))
    sitk.WriteImage(image, str(lesions / "imagesTr" / "one_0000.nii.gz"))
    mask_file = next(path for path in data.iterdir() if path.name.startswith("second_"))
    sitk.WriteImage(sitk.ReadImage(str(mask_file)), str(lesions / "labelsTr" / "one.nii.gz"))
    (lesions / "dataset.json").write_text(json.dumps({"channel_names": {"0": "CT"}, "labels": {"lesion": 1}}))
    more = ("--finetune", lesions, "--start", first["folder"], "--out", tmp_path / "ours", "--json")
    card = json.loads((Path(json.loads(train(capsys, data, *more).out)["folder"]) / "card.json").read_text())
    assert card["started_from"] == first["weights_digest"]
    assert card["trained_on"] == ["one"]
    assert card["weights_digest"] != first["weights_digest"]


def test_weights_are_taught_on_with_dicom_images_and_their_rtstruct_and_seg(
    tmp_path: Path, capsys: Capture, data: Path, root: Path
) -> None:
    first = json.loads(train(capsys, data, "--out", tmp_path / "runs", "--json").out)
    series = np.full((6, 16, 20), 40, np.int16)
    save(stack(series), tmp_path / "series")
    cuboid = np.zeros((3, 16, 20), np.uint8)
    cuboid[:, 4:9, 5:11] = 1
    (seg,) = save([segmentation(cuboid, slices=[1, 2, 3], segments=[1, 1, 1])], tmp_path, name="seg{}")
    visit = root / "sample_data" / "01-001" / "BL"
    table = tmp_path / "lesions.csv"
    table.write_text(
        f"image,mask,subject,modality\n{visit / 'ct'},{visit / 'rtstruct.dcm'},01-001,CT\n"
        f"{tmp_path / 'series'},{seg},B,CT\n"
    )
    more = ("--finetune", table, "--start", first["folder"], "--out", tmp_path / "ours", "--json")
    answer = train(capsys, data, *more)
    assert answer.code == 0, answer.err
    card = json.loads((tmp_path / "ours" / "finetuned" / "card.json").read_text())
    assert card["trained_on"] == ["01-001", "B"]
    assert card["started_from"] == first["weights_digest"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--fold", "2"), ("has 2 folds", "there is no fold 2")),
        (("--fold", "0", "--finetune", "somewhere"), ("--fold belongs to the recipe",)),
        (("--start", "somewhere"), ("--start goes with --finetune",)),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, capsys: Capture, data: Path, more: tuple[str, ...], words: tuple[str, ...]
) -> None:
    require_refusal(train(capsys, data, *more, "--out", tmp_path / "runs"), *words)
    assert not (tmp_path / "runs").exists()


def test_a_subject_of_a_fold_that_is_not_in_the_data_set_is_refused(
    tmp_path: Path, capsys: Capture, data: Path
) -> None:
    recipe = data / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("[B]", "[C]"))
    require_refusal(train(capsys, data, "--out", tmp_path / "runs"), "C is not in the data set")


def test_a_background_that_is_nowhere_is_named(tmp_path: Path, capsys: Capture, data: Path) -> None:
    (data / "ct" / "image.nii.gz").unlink()
    require_refusal(train(capsys, data, "--out", tmp_path / "runs"), "ct/image.nii.gz", "give --data")
    assert not (tmp_path / "runs").exists()
