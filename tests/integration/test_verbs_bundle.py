"""A MONAI bundle by the command line and by a protocol, as the page `use-a-monai-bundle` tells."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
import yaml

from tests.fakes.bundles import Bright, scripted_bundle
from tests.integration.verbs import CENTRE, egg, run, write_pair
from trialimg import bootstrap
from trialimg.adapters.segmenters.bundle_settings import BundleSettings
from trialimg.core.errors import ModelError
from trialimg.protocol.images import Segmentation
from trialimg.services.ports import Segmenter
from trialimg.volume import Geometry, Mask, Volume

Capture = pytest.CaptureFixture[str]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-a-monai-bundle.md"
PROMPT = ("--point", ",".join(map(str, CENTRE)))


def blocks(language: str) -> list[str]:
    """The code blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return scripted_bundle(tmp_path / "bundle", intensity_range=[-90, 45])


def overlap(found: Mask, true: Mask) -> float:
    both = np.count_nonzero((found.array > 0) & (true.array > 0))
    return 2 * both / (np.count_nonzero(found.array) + np.count_nonzero(true.array))


def test_the_folder_of_a_bundle_segments_and_is_named_by_its_digest(tmp_path: Path, capsys: Capture, bundle: Path):
    image, _ = write_pair(tmp_path)
    out = tmp_path / "found.nii.gz"
    document = json.loads(run(capsys, "segment", image, *PROMPT, "--model", bundle, "--out", out, "--json").out)
    digest = document["segmenter"]["model_digest"]
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    assert document["segmenter"]["parameters"]["spacing_mm"] == [2.0, 2.0, 3.0]
    assert document["segmenter"]["parameters"]["device"] in ("cpu", "cuda", "mps")
    assert overlap(Mask.from_sitk(sitk.ReadImage(str(out))), egg()) > 0.9
    answer = run(capsys, "segment", image, *PROMPT, "--model", bundle, "--model-digest", digest, "--out", out)
    assert answer.code == 0
    assert digest in answer.out.replace("\n", "")


def test_another_digest_an_altered_file_or_no_bundle_are_refused_in_one_line(
    tmp_path: Path, capsys: Capture, bundle: Path
):
    image, _ = write_pair(tmp_path)
    out = tmp_path / "found.nii.gz"
    wrong = "sha256:" + 64 * "1"
    cases: list[tuple[tuple[Any, ...], str]] = [
        (("--model", bundle, "--model-digest", wrong), wrong),
        (("--model", tmp_path), "not a MONAI bundle"),
        (("--model", "monai_bundle"), "needs the folder of its model"),
        (("--model", bundle, "--device", "mps"), "there is no device 'mps' here"),
    ]
    for arguments, words in cases:
        if "mps" in arguments and torch.backends.mps.is_available():
            continue
        answer = run(capsys, "segment", image, *PROMPT, *arguments, "--out", out)
        assert (answer.code, answer.out) == (2, "")
        assert len(answer.err.splitlines()) == 1
        assert words in answer.err
        assert not out.exists()


def test_the_page_makes_a_bundle_and_segments_with_it(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    exec(blocks("python")[0], {"network": Bright()})
    grid = Geometry((48, 40, 30), (1.5, 1.5, 3.0), (-34.0, -24.0, 96.0))
    k, j, i = np.indices(grid.shape)
    ball = np.linalg.norm(grid.to_lps(np.stack([i, j, k], axis=-1)) - (2.0, 6.0, 136.0), axis=-1) <= 12
    scan = Volume(np.where(ball, 40, -850).astype(np.int16), grid)
    sitk.WriteImage(scan.to_sitk(), "scan.nii.gz")
    program, *words = shlex.split(blocks("console")[0].removeprefix("$ "))
    assert program == "trialimg"
    assert run(capsys, *words).code == 0
    found = Mask.from_sitk(sitk.ReadImage("mask.nii.gz"))
    assert np.array_equal(found.array > 0, ball)


def test_the_page_pins_a_bundle_in_a_protocol(tmp_path: Path, bundle: Path):
    section = yaml.safe_load(blocks("yaml")[0])["segmentation"]
    (tmp_path / "models").mkdir()
    bundle.rename(tmp_path / section["model"])

    def made(digest: str) -> Segmenter:
        plan = Segmentation.model_validate_json(json.dumps({**section, "model_digest": digest}))
        return bootstrap.protocol_segmenter(plan, tmp_path, device="cpu")

    with pytest.raises(ModelError) as refusal:
        made(section["model_digest"])
    found = re.search("has the digest (sha256:[0-9a-f]{64})", str(refusal.value))
    assert found is not None
    assert made(found.group(1)).parameters()["margin_mm"] == 30


def test_the_table_of_settings_is_complete_and_true():
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([\w.]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {f.name: shown(f.default) for f in fields(BundleSettings)}


def shown(default: object) -> str:
    """A setting's default as the page writes it."""
    if default is MISSING:
        return "needed"
    return f"{default:g}" if isinstance(default, float) else str(default or "none")


def test_the_verb_does_not_load_torch_for_a_segmenter_without_a_network(tmp_path: Path):
    image, _ = write_pair(tmp_path)
    x, y, z = CENTRE
    code = (
        "import sys\nfrom trialimg.cli import main\n"
        f"try: main(['segment', {str(image)!r}, '--point', '{x},{y},{z}', '--model', 'ellipsoid', "
        f"'--out', {str(tmp_path / 'out.nrrd')!r}])\n"
        "except SystemExit as end: print(end.code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
