"""The segmenter `trialimg-prompt`: the same digits everywhere, pinned weights, a device that runs out of memory."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from trialimg.adapters.segmenters.prompt_network.channels import CHANNELS, EDGE
from trialimg.adapters.segmenters.prompt_network.network import PromptUNet
from trialimg.adapters.segmenters.prompt_network.running import answering
from trialimg.adapters.segmenters.prompt_network.segmenter import PromptNetworkSegmenter
from trialimg.bootstrap import segmenter
from trialimg.core.errors import GeometryError, InvalidValueError, ModelError
from trialimg.core.experience import Experience
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt
from trialimg.services.ports import ProbabilisticSegmenter
from trialimg.volume import Geometry, Unit, Volume

GRID = Geometry((60, 56, 30), (1.5, 1.5, 3.0), (-45.0, -42.0, -45.0))
LINE = LinePrompt((-13.0, 0.0, 0.0), (13.0, 0.0, 0.0))


def nodule() -> Volume:
    k, j, i = np.indices(GRID.shape)
    inside = np.linalg.norm(GRID.to_lps(np.stack([i, j, k], axis=-1)), axis=-1) <= 13
    noise = np.random.default_rng(2).normal(0, 20, GRID.shape)
    return Volume((np.where(inside, 30.0, -850.0) + noise).astype(np.float32), GRID, "CT", Unit.HU)


def digest() -> str:
    """Of the mask of one image, and of the chances behind it."""
    made = PromptNetworkSegmenter(device="cpu")
    parts = (made.segment(nodule(), LINE).array, made.probabilities(nodule(), LINE).array)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def test_another_process_with_more_threads_gives_the_same_bits() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_segmenter as t; print(t.digest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == digest()


def test_chances_lie_on_a_grid_of_their_own_and_their_half_is_the_mask() -> None:
    made: ProbabilisticSegmenter = PromptNetworkSegmenter(device="cpu")
    chances, mask = made.probabilities(nodule(), LINE), made.segment(nodule(), LINE)
    assert chances.array.shape == (EDGE, EDGE, EDGE)
    assert chances.array.dtype == np.float32
    assert 0 <= chances.array.min() <= chances.array.max() <= 1
    likely_ml = (chances.array >= 0.5).sum() * chances.geometry.voxel_volume_mm3
    assert (mask.array > 0).sum() * GRID.voxel_volume_mm3 == pytest.approx(likely_ml, rel=0.1)


def test_both_spellings_of_its_name_and_a_pinned_digest() -> None:
    made = segmenter("trialimg-prompt", device="cpu")
    assert segmenter("trialimg_prompt", device="cpu").model_digest == made.model_digest
    assert segmenter("trialimg-prompt", model_digest=made.model_digest).model_digest == made.model_digest
    with pytest.raises(ModelError, match="the pin says sha256:0"):
        segmenter("trialimg-prompt", model_digest="sha256:0")


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="weights of trialimg-prompt lie there"):
        PromptNetworkSegmenter(model=tmp_path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    folder = Path(PromptNetworkSegmenter().shipped.folder)
    card = json.loads((folder / "card.json").read_text())
    card["network"]["widths"] = [8, 8]
    (tmp_path / "card.json").write_text(json.dumps(card))
    (tmp_path / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes())
    with pytest.raises(ModelError, match="do not fit the network"):
        PromptNetworkSegmenter(model=tmp_path, device="cpu").segment(nodule(), LINE)


def test_a_prompt_outside_is_refused_and_nothing_there_is_nothing_found() -> None:
    made = PromptNetworkSegmenter(device="cpu")
    with pytest.raises(GeometryError, match="lies outside of the image"):
        made.segment(nodule(), PointPrompt((0.0, 0.0, 500.0)))


def test_who_follows_is_a_setting_that_stands_in_the_parameters() -> None:
    by_classical, by_network = PromptNetworkSegmenter(device="cpu"), PromptNetworkSegmenter(following="network")
    assert by_network.parameters()["follow"] == "network"
    assert "across" in by_classical.parameters()["follow"]
    with pytest.raises(InvalidValueError, match="'oracle'; it is classical or network"):
        PromptNetworkSegmenter(following="oracle")


class Forgetful(PromptUNet):
    """Runs out of memory at its first look."""

    looks = 0

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        self.looks += 1
        if self.looks == 1:
            raise torch.OutOfMemoryError("out of memory")
        return super().forward(given)


def test_out_of_memory_falls_back_to_the_cpu_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    torch.manual_seed(1)
    network = Forgetful(CHANNELS, (8, 8))
    given = np.zeros((CHANNELS, EDGE, EDGE, EDGE), np.float32)
    with caplog.at_level(logging.WARNING):
        chance = answering(network, "cpu")(given[None], 2)[0]
    assert chance.shape == (EDGE, EDGE, EDGE)
    assert "out of memory on cpu; this lesion is segmented on the cpu" in caplog.text


@pytest.mark.parametrize("edge", [16, 48])
def test_blocks_of_voxels_fold_into_channels_and_back(edge: int) -> None:
    from trialimg.adapters.segmenters.prompt_network.network import _folded, _unfolded

    given = torch.arange(edge**3, dtype=torch.float32).reshape(1, 1, edge, edge, edge)
    assert torch.equal(_unfolded(_folded(given)), given)


def with_card(tmp_path: Path, **words: object) -> PromptNetworkSegmenter:
    folder = Path(PromptNetworkSegmenter().shipped.folder)
    card = {**json.loads((folder / "card.json").read_text()), **words}
    (tmp_path / "card.json").write_text(json.dumps(card))
    (tmp_path / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes())
    return PromptNetworkSegmenter(model=tmp_path, device="cpu")


KNOWN = {"answers": 57, "subjects": 19, "bad": 12, "share": 0.9, "long_axis": [0.9, 1.1], "volume": [0.6, 1.7]}


def test_what_the_card_says_of_earlier_answers_is_known_by_kind_of_prompt(tmp_path: Path) -> None:
    made = with_card(tmp_path, experience={"line": KNOWN})
    assert made.experience(LINE) == Experience(57, 19, 12, 0.9, (0.9, 1.1), (0.6, 1.7))
    assert made.experience(PointPrompt((0.0, 0.0, 0.0))) is None


@pytest.mark.parametrize("wrong", [{"bad": 58}, {"volume": [0.6]}, {"share": "most"}, {"long_axis": None}], ids=str)
def test_a_card_that_cannot_be_right_about_them_is_named(tmp_path: Path, wrong: dict[str, object]) -> None:
    made = with_card(tmp_path, experience={"line": {**KNOWN, **wrong}})
    with pytest.raises(ModelError, match=r"card\.json: what it says of earlier answers cannot be"):
        made.experience(LINE)


def test_the_shipped_weights_know_of_every_kind_of_prompt_and_that_clicks_were_mostly_answered_badly() -> None:
    made = PromptNetworkSegmenter(device="cpu")
    both = BidirectionalPrompt(LINE, LinePrompt((0.0, -4.0, 0.0), (0.0, 4.0, 0.0)))
    box, click = BoxPrompt((-5.0, -5.0, -5.0), (5.0, 5.0, 5.0)), PointPrompt((0.0, 0.0, 0.0))
    known = [made.experience(prompt) for prompt in (LINE, both, box, click)]
    assert [one is not None and one.is_mostly_bad for one in known] == [False, False, False, True]
