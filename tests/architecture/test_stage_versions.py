"""Stored work is found again by a stage's version: whoever changes how an answer is made must raise it."""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path

import pytest

from trialimg.adapters.segmenters.classical import ClassicalSegmenter
from trialimg.adapters.segmenters.described_models import OnnxSegmenter, TorchscriptSegmenter
from trialimg.adapters.segmenters.ellipsoid import EllipsoidSegmenter
from trialimg.adapters.segmenters.monai_bundle import MonaiBundleSegmenter
from trialimg.adapters.segmenters.nnunet import NnunetSegmenter
from trialimg.adapters.segmenters.prompt_network.segmenter import PromptNetworkSegmenter
from trialimg.adapters.segmenters.remote import RemoteSegmenter
from trialimg.imaging import measure, register

ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_name("stage_versions.json")
SEGMENTERS = "trialimg/adapters/segmenters"

CLASSICAL = ("classical", "ellipsoids", "following", "levels", "regions", "scenes")
REGISTER = ("register", "register_images", "register_start", "register_warp")
WHOLE_VOLUME = (
    "whole_volume", "bundle_choice", "bundle_network", "bundle_settings", "bundle_windows", "ellipsoids",
    "model_files", "prompt_channels",
)  # fmt: skip
BUNDLE = ("monai_bundle", "bundle", *WHOLE_VOLUME)
PROMPT_NETWORK = tuple(
    f"prompt_network/{name}"
    for name in ("channels", "framing", "looking", "network", "running", "sampling", "segmenter", "shipped")
)
DESCRIBED = ("described_models", "model_card", *WHOLE_VOLUME)
STAGES = {
    "measure": (measure.VERSION, ("trialimg/imaging/measure.py", "trialimg/imaging/diameters.py")),
    "register": (register.VERSION, tuple(f"trialimg/imaging/{name}.py" for name in REGISTER)),
    "ellipsoid": (EllipsoidSegmenter.version, (f"{SEGMENTERS}/ellipsoid.py", f"{SEGMENTERS}/ellipsoids.py")),
    "monai_bundle": (MonaiBundleSegmenter.version, tuple(f"{SEGMENTERS}/{name}.py" for name in BUNDLE)),
    "torchscript": (TorchscriptSegmenter.version, tuple(f"{SEGMENTERS}/{name}.py" for name in DESCRIBED)),
    "onnx": (
        OnnxSegmenter.version,
        tuple(f"{SEGMENTERS}/{name}.py" for name in (*DESCRIBED, "onnx_network")),
    ),
    "trialimg-prompt": (
        PromptNetworkSegmenter.version,
        tuple(f"{SEGMENTERS}/{name}.py" for name in (*PROMPT_NETWORK, "bundle_windows", *CLASSICAL)),
    ),
    "nnunet": (
        NnunetSegmenter.version,
        tuple(f"{SEGMENTERS}/{name}.py" for name in ("nnunet", "nnunet_folder", "nnunet_network", *WHOLE_VOLUME)),
    ),
    "remote": (
        RemoteSegmenter.version,
        tuple(f"{SEGMENTERS}/{name}.py" for name in ("remote", "remote_session", "bundle_choice", "ellipsoids")),
    ),
    "classical": (
        ClassicalSegmenter.version,
        tuple(
            f"{SEGMENTERS}/{name}.py"
            for name in ("classical", "ellipsoids", "following", "levels", "regions", "scenes")
        ),
    ),
}


def code_digest(paths: tuple[str, ...]) -> str:
    """Of the code alone: comments, docstrings and layout do not count."""
    digest = hashlib.sha256()
    for path in paths:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                node.body = [item for item in body if not _is_text(item)] or [ast.Pass()]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@pytest.mark.parametrize("stage", STAGES)
def test_code_that_makes_answers_changes_only_with_its_version(stage):
    version, paths = STAGES[stage]
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    assert recorded.get(f"{stage}@{version}") == code_digest(paths), (
        f"the code of {stage} is not that of version {version}: raise its version if an answer can differ, then run "
        f"`python {Path(__file__).relative_to(ROOT)}` to record it"
    )


def test_shipped_weights_change_only_with_the_card_and_the_documents_that_describe_them():
    made = PromptNetworkSegmenter()
    documented = (ROOT / "docs" / "reference" / "model-card.md").read_text(encoding="utf-8")
    assert made.shipped.card["weights_digest"] == made.model_digest
    assert made.model_digest in documented, "the figures of the model card are those of other weights"
    assert made.shipped.card["weights_bytes"] <= 10_000_000


def test_layout_and_words_do_not_count_but_code_does(tmp_path):
    texts = ('"""One."""\nX = 1  # a\n', '"""Other."""\nX   =   1\n', "X = 2\n")
    digests = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.py"
        path.write_text(text)
        digests.append(code_digest((str(path),)))
    assert digests[0] == digests[1] != digests[2]


if __name__ == "__main__":
    found = {f"{stage}@{version}": code_digest(paths) for stage, (version, paths) in STAGES.items()}
    RECORD.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
