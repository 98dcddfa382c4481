"""Bad input to the verbs for single steps: one line on stderr that says what and where, exit code 2, nothing left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.integration.verbs import GRID, run, write_pair
from trialimg.volume import Mask

Capture = pytest.CaptureFixture[str]

PROMPT = "--point 2,1,75"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an image and its mask, and files that are neither."""
    monkeypatch.chdir(tmp_path)
    _, mask = write_pair(tmp_path)
    moved = sitk.ReadImage(str(mask))
    moved.SetOrigin((-24.0, -20.0, 52.5))
    sitk.WriteImage(moved, "moved.nrrd")
    sitk.WriteImage(Mask(np.zeros(GRID.shape, np.uint8), GRID).to_sitk(), "empty.nrrd")
    Path("text.nrrd").write_text("not an image")
    Path("text.dcm").write_text("not an image")
    Path("folder").mkdir()
    Path("bad.yaml").write_text("setting:\n  binWidht: 10\n")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("measure none.nrrd", "none.nrrd: no such file"),
        ("measure none.dcm", "none.dcm: no such file"),
        ("measure text.nrrd", "text.nrrd: is not an NRRD file"),
        ("measure text.dcm", "text.dcm: not a DICOM file"),
        ("measure folder", "folder: a folder; name the file in it"),
        ("measure image.nrrd", "image.nrrd: a mask holds"),
        ("measure empty.nrrd", "the mask is empty"),
        ("measure moved.nrrd --image image.nrrd", "moved.nrrd and the image lie on different grids: origin by 2.5"),
        ("measure mask.nrrd --image none.nrrd", "none.nrrd: no such file"),
        ("measure mask.nrrd --region T01", "labels of this format have no names; leave out 'T01'"),
        ("measure", "Missing argument 'MASK'"),
        (f"segment none.nrrd {PROMPT} --out out.nrrd", "none.nrrd: no such file"),
        (f"segment none {PROMPT} --out out.nrrd", "none: no such file or folder"),
        (f"segment text.nrrd {PROMPT} --out out.nrrd", "text.nrrd: is not an NRRD file"),
        (f"segment folder {PROMPT} --out out.nrrd", "folder: holds no image series"),
        ("segment image.nrrd --out out.nrrd", "exactly one of --line, --point and --box, not none"),
        (f"segment image.nrrd {PROMPT} --box 0,0,60,5,5,70 --out out.nrrd", "not --point and --box"),
        ("segment image.nrrd --point 2,1,400 --out out.nrrd", "the point (2.0, 1.0, 400.0) mm lies outside"),
        ("segment image.nrrd --line -9,1,75,-99,1,75 --out out.nrrd", "the end of the line (-99.0, 1.0, 75.0) mm"),
        ("segment image.nrrd --box -9,1,75,9,8,-2 --out out.nrrd", "the second corner of the box (9.0, 8.0, -2.0) mm"),
        ("segment image.nrrd --line 1,2,3 --out out.nrrd", "'1,2,3' is not X1,Y1,Z1,X2,Y2,Z2"),
        ("segment image.nrrd --point 1,2,here --out out.nrrd", "'1,2,here' is not X,Y,Z"),
        (f"segment image.nrrd {PROMPT} --model medsam --out out.nrrd", "no segmenter is called 'medsam'"),
        (f"segment image.nrrd {PROMPT} --model folder --out out.nrrd", "folder: not a MONAI bundle"),
        (f"segment image.nrrd {PROMPT} --device tpu --out out.nrrd", "'tpu' is not one of"),
        (f"segment image.nrrd {PROMPT} --out out.png", "out.png: not one of .nii"),
        (f"segment image.nrrd {PROMPT} --out none/out.nrrd", "out.nrrd: cannot be written"),
        ("radiomics none.nrrd mask.nrrd", "none.nrrd: no such file"),
        ("radiomics image.nrrd none.nrrd", "none.nrrd: no such file"),
        ("radiomics image.nrrd text.nrrd", "text.nrrd: is not an NRRD file"),
        ("radiomics image.nrrd moved.nrrd", "lie on different grids: origin by 2.500"),
        ("radiomics image.nrrd empty.nrrd", "label 1 is not in the mask, which holds none"),
        ("radiomics image.nrrd mask.nrrd --label 3", "label 3 is not in the mask, which holds 1"),
        ("radiomics image.nrrd mask.nrrd --label 0", "0 is not in the range"),
        ("radiomics image.nrrd mask.nrrd --settings none.yaml", "none.yaml: cannot be read"),
        ("radiomics image.nrrd mask.nrrd --settings bad.yaml", "bad.yaml: setting.binWidht: "),
        ("radiomics image.nrrd mask.nrrd --settings text.nrrd", "text.nrrd: "),
    ],
)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(
    desk: Path, capsys: Capture, command: str, words: str
) -> None:
    before = sorted(path.name for path in desk.iterdir())
    for arguments in (command.split(), [*command.split(), "--json"]):
        answer = run(capsys, *arguments)
        assert (answer.code, answer.out) == (2, "")
        (line,) = answer.err.splitlines()
        assert line.startswith("trialimg: error: ")
        assert words in line
    assert sorted(path.name for path in desk.iterdir()) == before


def test_a_mask_that_is_there_already_is_kept_when_the_new_one_is_refused(desk: Path, capsys: Capture) -> None:
    before = (desk / "mask.nrrd").read_bytes()
    assert run(capsys, "segment", "image.nrrd", "--point", "2,1,400", "--out", "mask.nrrd").code == 2
    assert (desk / "mask.nrrd").read_bytes() == before
