"""`trialimg evaluate segment` on data sets in the layouts that people have, and what it says of what is wrong."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.integration.verbs import egg, require_refusal, run, write_pair

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return write_pair(tmp_path)


@pytest.fixture
def table(pair: tuple[Path, Path], tmp_path: Path) -> Path:
    path = tmp_path / "set.csv"
    shutil.copy(pair[1], tmp_path / "again.nrrd")
    rows = [f"image.nrrd,{mask},{subject},CT" for mask, subject in (("mask.nrrd", "s1"), ("again.nrrd", "s2"))]
    path.write_text("\n".join(["image,mask,subject,modality", *rows]) + "\n")
    return path


def nnunet_folder(folder: Path) -> Path:
    write_pair(folder)
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir()
    (folder / "image.nrrd").rename(folder / "imagesTr" / "case_1_0000.nrrd")
    (folder / "mask.nrrd").rename(folder / "labelsTr" / "case_1.nrrd")
    (folder / "dataset.json").write_text('{"channel_names": {"0": "CT"}, "file_ending": ".nrrd"}')
    return folder


def inventory_folder(folder: Path) -> Path:
    image, mask = write_pair(folder)
    place = folder / "nifti" / "S_1"
    place.mkdir(parents=True)
    for path, name in ((image, "CT_image"), (mask, "CT_mask")):
        sitk.WriteImage(sitk.ReadImage(str(path)), str(place / f"{name}.nii.gz"))
    (folder / "inventory.csv").write_text("subject,modality,dims\nS_1,CT,48x40x20\n")
    return folder


def test_a_table_beside_both_baselines(table: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    answer = run(capsys, "evaluate", "segment", table, "--model", "classical", "--out", out)
    assert answer.code == 0
    assert "classical minus ellipsoid" in answer.out
    summary = json.loads((out / "summary.json").read_text())
    assert list(summary["models"]) == ["classical", "ellipsoid"]
    assert summary["groups"][0]["metrics"]["dice"]["value"] > 0.9
    rows = list(csv.DictReader((out / "lesions.csv").open()))
    assert [(row["subject"], row["model"]) for row in rows] == [
        ("s1", "classical"), ("s1", "ellipsoid"), ("s2", "classical"), ("s2", "ellipsoid"),
    ]  # fmt: skip
    drawing = (out / "dice.svg").read_text()
    assert f"lesion 1, classical: {float(rows[0]['dice']):.3f}" in drawing


def test_one_json_document_and_nothing_else(table: Path, capsys: Capture) -> None:
    answer = run(capsys, "evaluate", "segment", table, "--model", "ellipsoid", "--prompt", "box", "--json")
    document = json.loads(answer.out)
    assert document["comparison"]["settings"]["prompt"] == "box"
    assert set(document["comparison"]["models"]) == {"ellipsoid", "classical"}
    assert len(document["comparison"]["scores"]) == 4
    assert document["files"] == []


@pytest.mark.parametrize("make", [nnunet_folder, inventory_folder])
def test_folders_in_known_layouts(make, tmp_path: Path, capsys: Capture) -> None:
    answer = run(capsys, "evaluate", "segment", make(tmp_path), "--model", "ellipsoid", "--steady", "--json")
    scores = json.loads(answer.out)["comparison"]["scores"]
    assert {(score["subject"], score["modality"]) for score in scores} in ({("case_1", "CT")}, {("S_1", "CT")})
    assert all(score["dice"] > 0.6 for score in scores)


def test_only_the_subjects_that_were_asked_for(table: Path, capsys: Capture) -> None:
    chosen = run(capsys, "evaluate", "segment", table, "--model", "ellipsoid", "--subject", "s2", "--json")
    assert {score["subject"] for score in json.loads(chosen.out)["comparison"]["scores"]} == {"s2"}
    require_refusal(
        run(capsys, "evaluate", "segment", table, "--model", "ellipsoid", "--subject", "s3"), "no subject s3"
    )


def test_a_lesion_that_is_not_found_is_named_with_the_reason(tmp_path: Path, capsys: Capture) -> None:
    """A click into an even image has no edge to find."""
    mask = egg()
    image = sitk.GetImageFromArray(np.full(mask.array.shape, 7.0, np.float32))
    image.CopyInformation(mask.to_sitk())
    sitk.WriteImage(image, str(tmp_path / "image.nrrd"))
    sitk.WriteImage(mask.to_sitk(), str(tmp_path / "mask.nrrd"))
    (tmp_path / "set.csv").write_text("image,mask\nimage.nrrd,mask.nrrd\n")
    answer = run(capsys, "evaluate", "segment", tmp_path / "set.csv", "--model", "classical", "--prompt", "click")
    assert answer.code == 0
    assert "no mask: mask.nrrd, lesion 1, classical: no lesion was found" in answer.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,mask\ngone.nrrd,mask.nrrd\n", "1 file(s) are not there"),
        ("picture,mask\nimage.nrrd,mask.nrrd\n", "fault(s) in set.csv"),
        ("image,mask\n", "holds no case"),
        ("image,mask\nimage.nrrd,\n", "1 fault(s)"),
        ("image,mask\nimage.nrrd,mask.nrrd\nimage.nrrd,mask.nrrd\n", "1 fault(s)"),
    ],
)
def test_a_table_with_a_fault_is_refused(pair: object, tmp_path: Path, capsys: Capture, text: str, words: str) -> None:
    path = tmp_path / "set.csv"
    path.write_text(text)
    require_refusal(run(capsys, "evaluate", "segment", path, "--model", "ellipsoid"), words)


def test_what_is_no_data_set_is_refused(tmp_path: Path, capsys: Capture) -> None:
    require_refusal(run(capsys, "evaluate", "segment", tmp_path, "--model", "ellipsoid"), "no data set")
    (tmp_path / "imagesTr").mkdir()
    (tmp_path / "labelsTr").mkdir()
    (tmp_path / "dataset.json").write_text("[")
    require_refusal(run(capsys, "evaluate", "segment", tmp_path, "--model", "ellipsoid"), "not a JSON file")


@pytest.mark.reference
def test_a_real_tumour_from_a_line_is_half_right_by_its_shape_alone(
    reference: Path, tmp_path: Path, capsys: Capture
) -> None:
    """FDG-PET of one subject; 0.5 to 0.9 is what an ellipsoid from a line reaches on any of them."""
    place = reference / "sarcoma" / "nifti" / "STS_003"
    (tmp_path / "set.csv").write_text(
        f"image,mask,subject,modality\n{place / 'PET_image.nii.gz'},{place / 'PET_mask.nii.gz'},STS_003,PET\n"
    )
    answer = run(capsys, "evaluate", "segment", tmp_path / "set.csv", "--model", "classical", "--json")
    scores = {score["model"]: score for score in json.loads(answer.out)["comparison"]["scores"]}
    assert 0.5 < scores["ellipsoid"]["dice"] < 0.9
    assert scores["classical"]["failure"] == ""
    assert scores["classical"]["true_long_axis_mm"] == pytest.approx(scores["ellipsoid"]["true_long_axis_mm"])
