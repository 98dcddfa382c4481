"""What models in one file promise beside what every segmenter does: described, licensed, pinned, the same digits."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.contract.test_monai_bundle import CENTRE, OBLIQUE, balls, overlap, scan
from tests.fakes.models import Shown, bright_graph, described, onnx_model, torchscript_model
from trialimg.adapters.segmenters.described_models import OnnxSegmenter, TorchscriptSegmenter
from trialimg.adapters.segmenters.onnx_network import OnnxNetwork
from trialimg.core.errors import ModelError
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.volume import Mask
from trialimg.volume.resample import resample_mask

KINDS = {"torchscript": (torchscript_model, TorchscriptSegmenter), "onnx": (onnx_model, OnnxSegmenter)}
Made = Callable[..., TorchscriptSegmenter | OnnxSegmenter]


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    """Makes a segmenter of a tiny model whose description has some words of its own."""
    build, segmenter = KINDS[request.param]

    def make(**words: object) -> TorchscriptSegmenter | OnnxSegmenter:
        own = {key: words.pop(key) for key in ("model_digest", "allow_unlicensed", "margin_mm") if key in words}
        return segmenter(model=build(tmp_path / "model", **words), device="cpu", **own)

    return make


class TestAnswers:
    @pytest.mark.parametrize("grid", [None, OBLIQUE], ids=["level", "oblique"])
    def test_the_region_at_the_prompt_and_no_other(self, made, grid):
        places = ((CENTRE, 12.0), ((-25.0, -15.0, 136.0), 8.0))
        options = {} if grid is None else {"grid": grid}
        found = made().segment(scan(balls(*places, **options)), PointPrompt(CENTRE))
        assert overlap(found, balls(places[0], **options)) > 0.9

    def test_two_runs_and_another_process_are_equal_bit_by_bit(self, made):
        segmenter, image = made(), scan(balls((CENTRE, 12.0)))
        first = segmenter.segment(image, PointPrompt(CENTRE)).array
        there = pickle.loads(pickle.dumps(segmenter))
        threads = torch.get_num_threads()
        try:
            torch.set_num_threads(2)
            assert np.array_equal(there.segment(image, PointPrompt(CENTRE)).array, first)
        finally:
            torch.set_num_threads(threads)
        assert np.array_equal(segmenter.segment(image, PointPrompt(CENTRE)).array, first)

    def test_a_file_is_asked_for_by_its_own_name_too(self, made):
        segmenter = made()
        file = segmenter.model / segmenter.described.card.weights
        assert type(segmenter)(model=file, device="cpu").model_digest == segmenter.model_digest
        with pytest.raises(ModelError, match="describes"):
            type(segmenter)(model=segmenter.model / "trialimg-model.yaml", device="cpu")

    def test_settings_name_and_licence_are_among_the_parameters(self, made):
        parameters = made(margin_mm=25.0).parameters()
        assert (parameters["model_name"], parameters["licence"], parameters["margin_mm"]) == ("tiny", "CC0-1.0", 25.0)
        assert parameters["precision"] == "float32"


class TestChances:
    def test_at_one_half_they_are_the_mask(self, made):
        segmenter, image = made(), scan(balls((CENTRE, 12.0), ((-25.0, -15.0, 136.0), 8.0)))
        chance = segmenter.probabilities(image, PointPrompt(CENTRE))
        assert (chance.array.dtype, chance.array.min() >= 0, chance.array.max() <= 1) == (np.float32, True, True)
        found = Mask((chance.array >= 0.5).astype(np.uint8), chance.geometry)
        back = resample_mask(found, image.geometry)
        assert overlap(back, segmenter.segment(image, PointPrompt(CENTRE))) > 0.98

    def test_a_lesion_that_nobody_pointed_at_has_none(self, made):
        other = (-25.0, -15.0, 136.0)
        chance = made().probabilities(scan(balls((CENTRE, 12.0), (other, 8.0))), PointPrompt(CENTRE))
        if chance.geometry.contains(other):
            i, j, k = np.rint(chance.geometry.to_index(other)).astype(int)
            assert chance.array[k, j, i] == 0.0

    def test_an_occlusion_map_shows_the_lesion_that_a_threshold_rests_on(self, made):
        segmenter, image = made(roi_size=[24, 24, 12]), scan(balls((CENTRE, 10.0)))
        found = segmenter.explanation(image, PointPrompt(CENTRE), method="occlusion")
        assert found.geometry.size == (24, 24, 12)
        inside = balls((CENTRE, 6.0), grid=found.geometry).array > 0
        assert found.array[inside].mean() > 5 * abs(found.array[~inside].mean())


class TestNormalisation:
    """`Bright` marks what is above one half after it."""

    @pytest.mark.parametrize(
        ("words", "threshold"),
        [
            ({"intensity_range": [0, 240]}, 120.0),
            (
                {"normalisation": "standard", "intensity_range": [-50, 300], "intensity_mean": 60, "intensity_sd": 80},
                100.0,
            ),
        ],
    )
    def test_a_level_becomes_one_half_as_described(self, made, words, threshold):
        image = scan(balls((CENTRE, 12.0)))
        ramp = image.array.copy()
        ramp[:] = 40 + 3.0 * np.arange(ramp.shape[2])
        found = made(**words, spacing_mm=[1.5, 1.5, 3.0]).segment(
            type(image)(ramp, image.geometry), BoxPrompt((-40.0, -30.0, 110.0), (45.0, 35.0, 160.0))
        )
        assert ramp[found.array > 0].min() == pytest.approx(threshold, abs=3.1)

    def test_by_the_image_itself(self, made):
        image = scan(balls((CENTRE, 12.0)))
        found = made(normalisation="image", intensity_range=None).segment(image, PointPrompt(CENTRE))
        threshold = image.array.astype(np.float64).mean() + 0.5 * image.array.astype(np.float64).std()
        assert 40 < threshold < 200
        assert overlap(found, balls((CENTRE, 12.0))) > 0.9


class TestPromptChannels:
    @pytest.mark.parametrize(
        ("channel", "prompt", "size_mm"),
        [
            ("click", PointPrompt(CENTRE), (7.06, 7.06, 7.06)),  # a Gaussian of 3 mm is above one half within 3.53 mm
            ("line", LinePrompt((-8.0, 6.0, 136.0), (12.0, 6.0, 136.0)), (27.06, 7.06, 7.06)),
            ("box", BoxPrompt((-10.0, -4.0, 125.0), (14.0, 16.0, 147.0)), (24.0, 20.0, 22.0)),
        ],
    )
    def test_the_network_sees_what_was_drawn(self, tmp_path, channel, prompt: Prompt, size_mm):
        model = torchscript_model(tmp_path / "m", Shown(), prompt_channels=[channel], spacing_mm=[1.0, 1.0, 1.0])
        image = scan(balls((CENTRE, 12.0)))
        found = TorchscriptSegmenter(model=model, device="cpu").segment(image, prompt)
        k, j, i = np.nonzero(found.array)
        extent = (np.ptp(np.stack([i, j, k], axis=1), axis=0) + 1) * image.geometry.spacing_mm
        assert extent == pytest.approx(size_mm, abs=3.01)  # a voxel of the image

    def test_both_axes_are_lines(self, tmp_path):
        model = torchscript_model(tmp_path / "m", Shown(), prompt_channels=["line"], spacing_mm=[1.0, 1.0, 1.0])
        long_axis, short_axis = (
            LinePrompt((-18.0, 6.0, 136.0), (22.0, 6.0, 136.0)),
            LinePrompt((2.0, -9.0, 136.0), (2.0, 21.0, 136.0)),
        )
        image = scan(balls((CENTRE, 12.0)))
        found = TorchscriptSegmenter(model=model, device="cpu").segment(
            image, BidirectionalPrompt(long_axis, short_axis)
        )
        i, j, k = np.rint(image.geometry.to_index([(-15.0, 6.0, 136.0), (2.0, 18.0, 136.0), (-10.0, 16.0, 136.0)]).T)
        assert found.array[k.astype(int), j.astype(int), i.astype(int)].tolist() == [1, 1, 0]


class TestRefusals:
    def test_another_digest_than_the_described_one(self, made):
        segmenter = made()
        with (segmenter.model / segmenter.described.card.weights).open("ab") as file:
            file.write(b"\0")
        with pytest.raises(ModelError, match=r"has the digest sha256:.*, but trialimg-model.yaml says sha256:"):
            type(segmenter)(model=segmenter.model, device="cpu")

    def test_a_file_that_changed_after_it_was_opened_is_not_loaded(self, made):
        segmenter = made()
        with (segmenter.model / segmenter.described.card.weights).open("ab") as file:
            file.write(b"\0")
        with pytest.raises(ModelError, match="when the model was opened"):
            segmenter.segment(scan(balls((CENTRE, 12.0))), PointPrompt(CENTRE))

    def test_another_digest_than_the_pinned_one_and_the_same_one_elsewhere(self, made, tmp_path):
        segmenter = made()
        copy = shutil.copytree(segmenter.model, tmp_path / "copy")
        pinned = segmenter.model_digest
        assert type(segmenter)(model=copy, model_digest=pinned, device="cpu").model_digest == pinned
        with pytest.raises(ModelError, match="is pinned"):
            type(segmenter)(model=copy, model_digest="sha256:" + 64 * "0", device="cpu")

    def test_no_licence_unless_it_is_allowed(self, made):
        with pytest.raises(ModelError, match="no licence is stated"):
            made(licence=None)
        assert made(licence=None, allow_unlicensed=True).licence == ""

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ({"sha256": None}, "sha256: is missing"),
            ({"sha256": "ABC"}, "64 hexadecimal digits"),
            ({"weights": "../model.ts"}, "name of a file in the same folder"),
            ({"kind": "pickle"}, "must be one of torchscript, onnx"),
            ({"name": 3}, "name: must be text"),
            ({"spacing_mm": [1, 1]}, "spacing_mm: must be three numbers"),
            ({"prompt_channels": ["scribble"]}, "prompt_channels: must be a list of click, line, box"),
            ({"normalisation": "standard"}, "intensity_mean: the model's description does not say it"),
            ({"python": "os.system"}, "python: is no setting"),
        ],
    )
    def test_a_description_with_a_fault_names_it(self, made, words, said):
        with pytest.raises(ModelError, match=said):
            made(**words)

    @pytest.mark.parametrize("text", ["[1, 2]", "{", "!!python/object/apply:os.getcwd []", "a: &a [*a]", "1: 2"])
    def test_what_is_no_plain_table_is_refused_and_never_run(self, tmp_path, text):
        folder = torchscript_model(tmp_path / "m")
        (folder / "trialimg-model.yaml").write_text(text)
        with pytest.raises(ModelError, match="trialimg-model"):
            TorchscriptSegmenter(model=folder)

    def test_a_folder_without_a_description(self, tmp_path):
        (tmp_path / "model.ts").write_bytes(b"")
        with pytest.raises(ModelError, match=r"no trialimg-model\.yaml"):
            TorchscriptSegmenter(model=tmp_path / "model.ts")

    def test_a_model_of_the_other_kind(self, tmp_path):
        with pytest.raises(ModelError, match="described as torchscript, not onnx"):
            OnnxSegmenter(model=torchscript_model(tmp_path / "m"))

    @pytest.mark.parametrize("kind", KINDS)
    def test_bytes_that_are_no_such_model(self, tmp_path, kind):
        folder = described(tmp_path / "m", kind, b"not a model")
        with pytest.raises(ModelError, match=r"no TorchScript|no ONNX graph"):
            KINDS[kind][1](model=folder, device="cpu").segment(scan(balls((CENTRE, 12.0))), PointPrompt(CENTRE))

    def test_a_pickle_in_the_place_of_torchscript_is_not_unpickled(self, tmp_path):
        torch.save({"a": Shown()}, tmp_path / "pickle.pt")
        folder = described(tmp_path / "m", "torchscript", (tmp_path / "pickle.pt").read_bytes())
        with pytest.raises(ModelError, match="no TorchScript"):
            TorchscriptSegmenter(model=folder, device="cpu").segment(scan(balls((CENTRE, 12.0))), PointPrompt(CENTRE))

    def test_a_graph_with_two_answers(self, tmp_path):
        folder = described(tmp_path / "m", "onnx", bright_graph(outputs=2))
        with pytest.raises(ModelError, match="one input and one output are needed"):
            OnnxSegmenter(model=folder, device="cpu").segment(scan(balls((CENTRE, 12.0))), PointPrompt(CENTRE))


class TestOnnxMemory:
    def test_a_graph_that_cannot_allocate_gets_smaller_windows(self, caplog):
        from trialimg.adapters.segmenters.bundle_windows import channel_labels

        network = OnnxNetwork(bright_graph(), "cpu")
        session, seen = network._session, []

        class Short:
            def run(self, names: object, feed: dict[str, np.ndarray]) -> object:
                shape = next(iter(feed.values())).shape[2:]
                seen.append(shape)
                if max(shape) > 48:
                    raise RuntimeError("Failed to allocate memory for requested buffer of size 123")
                return session.run(names, feed)

        network._session = Short()
        image = np.random.default_rng(2).random((1, 80, 70, 40)).astype(np.float32)
        labels = channel_labels(network, image, (64, 64, 40), overlap=0.5, device="cpu")
        assert np.array_equal(labels, image[0] > 0.5)
        assert set(seen) == {(64, 64, 40), (32, 32, 32)}
        assert "going on with (32, 32, 32)" in caplog.text
