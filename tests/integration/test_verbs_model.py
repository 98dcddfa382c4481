"""`trialimg model`, and `trialimg segment` with models by path: what is printed, kept and refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import yaml

from tests.fakes.bundles import scripted_bundle
from tests.fakes.models import nnunet_folder, onnx_model, torchscript_model
from tests.integration.verbs import CENTRE, egg, require_refusal, run, write_pair
from trialimg.volume import Mask

Capture = pytest.CaptureFixture[str]

PROMPT = ("--point", ",".join(map(str, CENTRE)))
SETTINGS = {"spacing_mm": [1.0, 1.0, 2.5], "intensity_range": [-90, 45]}
BUILDERS = {"torchscript": torchscript_model, "onnx": onnx_model, "monai_bundle": scripted_bundle}


@pytest.fixture(params=BUILDERS)
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return BUILDERS[request.param](tmp_path / request.param, **SETTINGS)


class TestModel:
    def test_the_list_names_every_segmenter_and_what_it_needs(self, capsys: Capture):
        listed = {
            entry["name"]: entry for entry in json.loads(run(capsys, "model", "list", "--json").out)["segmenters"]
        }
        assert {"ellipsoid", "classical", "monai_bundle", "torchscript", "onnx", "nnunet", "remote"} <= set(listed)
        assert (listed["ellipsoid"]["needs"], listed["onnx"]["needs"], listed["remote"]["needs"]) == (
            "", "a path", "an address",
        )  # fmt: skip
        assert "classical" in run(capsys, "model", "list").out

    def test_a_model_by_its_path_is_shown_with_licence_and_digest(self, capsys: Capture, model: Path):
        shown = json.loads(run(capsys, "model", "show", model, "--json").out)
        assert shown["name"] == model.name
        assert (shown["licence"], len(shown["model_digest"])) == ("CC0-1.0", 71)
        text = run(capsys, "model", "show", model).out
        assert "licence: CC0-1.0" in text
        assert shown["model_digest"] in text

    def test_an_nnunet_folder_is_recognised(self, capsys: Capture, tmp_path: Path):
        shown = json.loads(run(capsys, "model", "show", nnunet_folder(tmp_path / "m"), "--json").out)
        assert (shown["name"], shown["licence"]) == ("nnunet", "CC-BY-4.0")

    def test_verifying_says_what_holds_and_answers_the_same_twice(self, capsys: Capture, model: Path):
        digest = json.loads(run(capsys, "model", "show", model, "--json").out)["model_digest"]
        answer = run(capsys, "model", "verify", model, "--digest", digest, "--json")
        assert answer.code == 0
        found = json.loads(answer.out)
        assert [(check["what"], check["passed"]) for check in found["checks"]] == [
            ("description", True), ("digest", True), ("licence", True), ("answer", True),
        ]  # fmt: skip

    def test_verifying_a_model_with_a_fault_says_which_and_ends_with_1(self, capsys: Capture, tmp_path: Path):
        bare = torchscript_model(tmp_path / "m", licence=None)
        answer = run(capsys, "model", "verify", bare, "--digest", "sha256:" + 64 * "0")
        assert answer.code == 1
        assert "FAIL  licence: none is stated" in answer.out
        assert "FAIL  digest" in answer.out
        (bare / "model.ts").write_bytes(b"other")
        altered = run(capsys, "model", "verify", bare)
        assert altered.code == 1
        assert "FAIL  description" in altered.out

    def test_what_is_no_model_is_refused(self, capsys: Capture, tmp_path: Path):
        require_refusal(run(capsys, "model", "show", "nothing-of-this-name"), "no segmenter is called")
        (tmp_path / "x.onnx").write_bytes(b"")
        require_refusal(run(capsys, "model", "show", tmp_path / "x.onnx"), "no trialimg-model.yaml")


class TestSegment:
    def test_a_model_by_its_path_segments_and_names_its_licence(self, capsys: Capture, model: Path, tmp_path: Path):
        image, _ = write_pair(tmp_path)
        answer = run(capsys, "segment", image, *PROMPT, "--model", model, "--out", tmp_path / "found.nrrd")
        assert answer.code == 0
        assert "licence: CC0-1.0" in answer.out
        found = Mask.from_sitk(sitk.ReadImage(str(tmp_path / "found.nrrd")))
        both = np.count_nonzero((found.array > 0) & (egg().array > 0))
        assert 2 * both / (np.count_nonzero(found.array) + np.count_nonzero(egg().array)) > 0.95

    def test_no_licence_is_refused_unless_it_is_allowed(self, capsys: Capture, tmp_path: Path):
        image, _ = write_pair(tmp_path)
        bare = torchscript_model(tmp_path / "m", licence=None, **SETTINGS)
        asked = ("segment", image, *PROMPT, "--model", bare, "--out", tmp_path / "found.nrrd")
        require_refusal(run(capsys, *asked), "no licence is stated", "--allow-unlicensed")
        assert not (tmp_path / "found.nrrd").exists()
        answer = run(capsys, *asked, "--allow-unlicensed")
        assert answer.code == 0
        assert "licence: none is stated" in answer.out


class TestThePage:
    PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-your-own-model.md"

    def test_its_description_describes_a_model(self, capsys: Capture, tmp_path: Path):
        """With another digest, for other weights, it is one that is taken."""
        (text,) = re.findall(r"^```yaml\n(.*?)^```$", self.PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        folder = torchscript_model(tmp_path / "m")
        own = yaml.safe_load((folder / "trialimg-model.yaml").read_text())["sha256"]
        (folder / "trialimg-model.yaml").write_text(re.sub(r"sha256: \w+", f"sha256: {own}", text))
        shown = json.loads(run(capsys, "model", "show", folder, "--json").out)
        assert (shown["parameters"]["model_name"], shown["licence"]) == ("lung-lesions", "Apache-2.0")
        assert shown["parameters"]["prompt_channels"] == ["click"]


class TestEvidence:
    def test_how_sure_it_is_and_what_it_rests_on(self, capsys: Capture, tmp_path: Path):
        image, _ = write_pair(tmp_path)
        model = torchscript_model(tmp_path / "m", **SETTINGS)
        asked = ("segment", image, *PROMPT, "--model", model, "--out", tmp_path / "found.nrrd")
        answer = run(
            capsys, *asked, "--uncertainty", "--explain", tmp_path / "why", "--explain-by", "gradient", "--json"
        )
        said = json.loads(answer.out)
        spread = said["uncertainty"]["long_axis_mm"]
        assert spread["lower"] <= spread["upper"]
        assert spread["value"] == pytest.approx(22.6, abs=2.5)
        assert said["uncertainty"]["agreement"] > 0.8
        assert sorted(path.name for path in (tmp_path / "why").iterdir()) == [
            "entropy.nii.gz", "evidence.json", "explanation.nii.gz",
        ]  # fmt: skip
        assert json.loads((tmp_path / "why" / "evidence.json").read_text())["explanation"] == {"method": "gradient"}
        entropy = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "why" / "entropy.nii.gz")))
        assert 0 <= entropy.min() <= entropy.max() <= 1.0

    def test_a_person_reads_the_interval_and_the_flag(self, capsys: Capture, tmp_path: Path):
        image, _ = write_pair(tmp_path)
        model = torchscript_model(tmp_path / "m", **SETTINGS)
        answer = run(capsys, "segment", image, *PROMPT, "--model", model, "--out", tmp_path / "f.nrrd", "--uncertainty")
        assert "long axis: " in answer.out
        assert ("a person has to look: " in answer.out) != ("no flag" in answer.out)

    @pytest.mark.parametrize(("option", "words"), [("--uncertainty", "no chances"), ("--explain", "no explanation")])
    def test_a_segmenter_that_cannot_say_is_refused_and_nothing_is_written(
        self, capsys: Capture, tmp_path: Path, option: str, words: str
    ):
        image, _ = write_pair(tmp_path)
        more = (option, tmp_path / "why") if option == "--explain" else (option,)
        asked = ("segment", image, *PROMPT, "--model", "ellipsoid", "--out", tmp_path / "f.nrrd", *more)
        require_refusal(run(capsys, *asked), words)
        assert not (tmp_path / "f.nrrd").exists()
        assert not (tmp_path / "why").exists()
