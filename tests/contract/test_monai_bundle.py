"""What the bundle segmenter promises beside what every segmenter does: pinned, plain, the same digits every time."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.fakes.bundles import (
    SETTINGS,
    UNET,
    FirstHalf,
    FourImages,
    NoNumber,
    OneChannel,
    inference_config,
    scripted_bundle,
    weights_bundle,
)
from trialimg.adapters.segmenters.monai_bundle import MonaiBundleSegmenter
from trialimg.core.errors import GeometryError, InvalidValueError, ModelError
from trialimg.core.prompts import BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.volume import Geometry, Mask, Unit, Volume

GRID = Geometry((64, 56, 24), (1.5, 1.5, 3.0), (-45.0, -40.0, 100.0))
TURN = np.radians(20.0)
OBLIQUE = Geometry(
    (80, 80, 30), (1.2, 1.2, 2.5), (-50.0, -30.0, 90.0),
    (np.cos(TURN), -np.sin(TURN), 0.0, np.sin(TURN), np.cos(TURN), 0.0, 0.0, 0.0, 1.0),
)  # fmt: skip
CENTRE = (2.0, 6.0, 136.0)

Point = tuple[float, float, float]


def balls(*places: tuple[Point, float], grid: Geometry = GRID) -> Mask:
    """Balls by centre (LPS mm) and radius in mm."""
    k, j, i = np.indices(grid.shape)
    points = grid.to_lps(np.stack([i, j, k], axis=-1))
    inside = np.zeros(grid.shape, np.uint8)
    for centre, radius_mm in places:
        inside[np.linalg.norm(points - centre, axis=-1) <= radius_mm] = 1
    return Mask(inside, grid)


def scan(mask: Mask, kind: npt.DTypeLike = np.float32) -> Volume:
    noise = np.random.default_rng(4).normal(0, 5, mask.array.shape)
    return Volume((np.where(mask.array > 0, 200, 40) + noise).astype(kind), mask.geometry, "CT", Unit.HU)


def overlap(found: Mask, true: Mask) -> float:
    both = np.count_nonzero((found.array > 0) & (true.array > 0))
    return 2 * both / (np.count_nonzero(found.array) + np.count_nonzero(true.array))


@pytest.fixture
def bright(tmp_path: Path) -> MonaiBundleSegmenter:
    return MonaiBundleSegmenter(model=scripted_bundle(tmp_path / "bundle"), device="cpu")


def from_inference(folder: Path, **changes: Any) -> MonaiBundleSegmenter:
    return MonaiBundleSegmenter(model=weights_bundle(folder, inference_config(**changes)), device="cpu")


class TestPinning:
    def test_the_pinned_digest_lets_the_bundle_in_wherever_it_lies(self, bright, tmp_path):
        copy = shutil.copytree(bright.model, tmp_path / "elsewhere" / "copy")
        assert MonaiBundleSegmenter(model=copy, model_digest=bright.model_digest).model_digest == bright.model_digest

    @pytest.mark.parametrize("change", ["contents", "name", "more"])
    def test_an_altered_bundle_is_refused_and_both_digests_are_named(self, bright, change):
        readme = bright.model / "docs.txt"
        if change == "contents":
            with (bright.model / "models" / "model.ts").open("ab") as file:
                file.write(b"\0")
        elif change == "name":
            (bright.model / "configs").rename(bright.model / "config")
            shutil.copytree(bright.model / "config", bright.model / "configs")
        else:
            readme.write_text("new")
        found = MonaiBundleSegmenter(model=bright.model).model_digest
        with pytest.raises(ModelError, match=f"has the digest {found}, but {bright.model_digest} is pinned"):
            MonaiBundleSegmenter(model=bright.model, model_digest=bright.model_digest)

    def test_a_file_altered_after_the_bundle_was_opened_is_refused(self, bright):
        with (bright.model / "models" / "model.ts").open("ab") as file:
            file.write(b"\0")
        with pytest.raises(ModelError, match=r"model\.ts: has the digest sha256:.* now, but had sha256:"):
            bright.segment(scan(balls((CENTRE, 12))), PointPrompt(CENTRE))

    @pytest.mark.parametrize(
        ("missing", "words"),
        [
            ("", "no such folder"),
            ("configs/metadata.json", "not a MONAI bundle"),
            ("models/model.ts", "models/model.pt"),
        ],
    )
    def test_what_is_no_bundle_is_refused(self, bright, missing, words):
        if missing:
            (bright.model / missing).unlink()
        else:
            shutil.rmtree(bright.model)
        with pytest.raises(ModelError, match=words):
            MonaiBundleSegmenter(model=bright.model)

    def test_metadata_that_is_no_json_object_is_refused(self, bright):
        for text in ("{", "[1]", "[" * 100_000):
            (bright.model / "configs" / "metadata.json").write_text(text)
            with pytest.raises(ModelError, match=r"metadata\.json: not a JSON"):
                MonaiBundleSegmenter(model=bright.model)


class TestReproducibility:
    def test_two_runs_are_equal_bit_by_bit_whatever_the_number_of_threads(self, tmp_path):
        segmenter = from_inference(tmp_path / "bundle")
        image, prompt = scan(balls((CENTRE, 12))), BoxPrompt((-30.0, -30.0, 110.0), (40.0, 40.0, 160.0))
        threads = torch.get_num_threads()
        answers = []
        try:
            for count in (1, 2):
                torch.set_num_threads(count)
                answers.append(segmenter.segment(image, prompt).array)
                assert torch.get_num_threads() == count
        finally:
            torch.set_num_threads(threads)
        assert answers[0].any()
        assert np.array_equal(*answers)

    def test_threads_are_put_back_after_a_failure_too(self, tmp_path):
        threads = torch.get_num_threads()
        segmenter = MonaiBundleSegmenter(model=scripted_bundle(tmp_path / "bundle", OneChannel()), device="cpu")
        with pytest.raises(ModelError):
            segmenter.segment(scan(balls((CENTRE, 12))), PointPrompt(CENTRE))
        assert torch.get_num_threads() == threads

    def test_it_is_pickled_without_its_network_and_answers_the_same_there(self, bright):
        image = scan(balls((CENTRE, 12)))
        here = bright.segment(image, PointPrompt(CENTRE))
        there: MonaiBundleSegmenter = pickle.loads(pickle.dumps(bright))
        assert "_network" in vars(bright)
        assert not {"_network", "_device"} & set(vars(there))
        assert np.array_equal(there.segment(image, PointPrompt(CENTRE)).array, here.array)
        assert there.parameters() == bright.parameters()

    def test_one_device_that_is_not_there_is_refused(self, bright):
        segmenter = MonaiBundleSegmenter(model=bright.model, device="tpu")
        with pytest.raises(ModelError, match=r"there is no device 'tpu' here; there is .*cpu, or auto"):
            segmenter.segment(scan(balls((CENTRE, 12))), PointPrompt(CENTRE))


class TestGrids:
    @pytest.mark.parametrize("spacing_mm", [[1.5, 1.5, 3.0], [2.0, 2.0, 2.0], [1.0, 1.0, 1.5], [3.0, 2.5, 4.0]])
    @pytest.mark.parametrize("grid", [GRID, OBLIQUE], ids=["level", "oblique"])
    def test_the_lesion_comes_back_on_the_grid_of_the_image_from_any_spacing(self, bright, grid, spacing_mm):
        true = balls((CENTRE, 12), grid=grid)
        segmenter = MonaiBundleSegmenter(model=bright.model, spacing_mm=spacing_mm)
        found = segmenter.segment(scan(true, np.int16), PointPrompt(CENTRE))
        assert found.geometry == grid
        assert found.labels == (1,)
        assert overlap(found, true) > 0.9  # a ball of six voxels across at the coarsest

    def test_at_the_spacing_of_the_image_nothing_is_interpolated(self, bright):
        true = balls((CENTRE, 12))
        segmenter = MonaiBundleSegmenter(model=bright.model, spacing_mm=list(GRID.spacing_mm))
        assert np.array_equal(segmenter.segment(scan(true), PointPrompt(CENTRE)).array, true.array)

    def test_a_lesion_larger_than_the_surroundings_looked_at_is_found_whole(self, bright):
        true = balls((CENTRE, 32))
        segmenter = MonaiBundleSegmenter(model=bright.model, margin_mm=2.0, roi_size=[8, 8, 4])
        assert overlap(segmenter.segment(scan(true), PointPrompt(CENTRE)), true) > 0.97

    @pytest.mark.parametrize(("orientation", "side"), [("RAS", 1), ("LPS", -1), ("LAI", -1), ("RPI", 1)])
    def test_the_first_axis_points_where_the_orientation_says(self, tmp_path, orientation, side):
        bundle = scripted_bundle(tmp_path / "bundle", FirstHalf(), orientation=orientation, roi_size=[64, 64, 32])
        box = BoxPrompt((-40.0, -35.0, 105.0), (45.0, 40.0, 165.0))
        found = MonaiBundleSegmenter(model=bundle).segment(scan(balls((CENTRE, 12))), box)
        k, j, i = np.nonzero(found.array)
        x = GRID.to_lps(np.stack([i, j, k], axis=1))[:, 0]
        low, high = GRID.bounds_lps_mm()
        middle = (low[0] + high[0]) / 2
        assert len(x) > GRID.size[0] * GRID.size[1] * GRID.size[2] // 3
        assert np.all(side * (x - middle) > 0)


OTHER = (-30.0, -20.0, 112.0)


class TestChoice:
    @pytest.mark.parametrize(
        ("prompt", "chosen"),
        [
            (PointPrompt(CENTRE), "first"),
            (PointPrompt((CENTRE[0] + 17, *CENTRE[1:])), "first"),
            (PointPrompt((CENTRE[0] + 26, *CENTRE[1:])), "none"),
            (PointPrompt(OTHER), "second"),
            (LinePrompt((-9.0, 6.0, 136.0), (13.0, 6.0, 136.0)), "first"),
            (LinePrompt((16.0, 6.0, 136.0), (24.0, 6.0, 136.0)), "first"),
            (LinePrompt((26.0, 6.0, 136.0), (30.0, 6.0, 136.0)), "none"),
            (BoxPrompt((-10.0, -6.0, 124.0), (14.0, 18.0, 148.0)), "first"),
            (BoxPrompt((-40.0, -28.0, 104.0), (-4.0, 4.0, 130.0)), "second"),
            (BoxPrompt((25.0, 30.0, 110.0), (40.0, 40.0, 120.0)), "none"),
        ],
    )
    def test_what_the_prompt_touches_most_else_the_nearest_in_reach_else_nothing(self, bright, prompt, chosen):
        first, second = balls((CENTRE, 12)), balls((OTHER, 8))
        found = bright.segment(scan(balls((CENTRE, 12), (OTHER, 8))), prompt)
        if chosen == "none":
            assert found.is_empty
        else:
            assert overlap(found, {"first": first, "second": second}[chosen]) > 0.9

    def test_the_reach_of_a_click_is_a_setting(self, bright):
        prompt = PointPrompt((CENTRE[0] + 26, *CENTRE[1:]))
        far = MonaiBundleSegmenter(model=bright.model, point_reach_mm=16.0)
        assert overlap(far.segment(scan(balls((CENTRE, 12))), prompt), balls((CENTRE, 12))) > 0.9

    def test_without_any_lesion_the_mask_is_empty(self, bright):
        for prompt in (PointPrompt(CENTRE), LinePrompt(CENTRE, OTHER), BoxPrompt(CENTRE, OTHER)):
            assert bright.segment(scan(balls()), prompt).is_empty


class TestFollowing:
    def test_both_parts_of_a_lesion_that_split_and_nothing_farther_away(self, bright):
        parts = (((-6.0, 6.0, 136.0), 5.0), ((10.0, 6.0, 136.0), 5.0))
        later = scan(balls(*parts, (OTHER, 8)))
        found = bright.follow(later, scan(balls((CENTRE, 12))), balls((CENTRE, 12)))
        assert overlap(found, balls(*parts)) > 0.85

    def test_one_that_moved_within_reach_is_the_same_one_that_moved_farther_is_not(self, bright):
        was = balls((CENTRE, 6))
        moved = {away: balls(((CENTRE[0] + away, *CENTRE[1:]), 6)) for away in (14.0, 24.0)}
        assert overlap(bright.follow(scan(moved[14.0]), scan(was), was), moved[14.0]) > 0.85
        assert bright.follow(scan(moved[24.0]), scan(was), was).is_empty

    def test_one_that_is_gone_leaves_an_empty_mask(self, bright):
        was = balls((CENTRE, 12))
        assert bright.follow(scan(balls()), scan(was), was).is_empty

    def test_an_earlier_mask_without_a_lesion_is_refused(self, bright):
        with pytest.raises(GeometryError, match="the earlier mask is empty"):
            bright.follow(scan(balls()), scan(balls()), balls())


class TestSettings:
    def test_every_setting_in_force_is_among_the_parameters_with_where_it_runs(self, bright):
        assert bright.parameters() == {
            **{name: tuple(value) if isinstance(value, list) else value for name, value in SETTINGS.items()},
            "normalisation": "range",
            "intensity_mean": None,
            "intensity_sd": None,
            "prompt_channels": (),
            "overlap": 0.5,
            "margin_mm": 40.0,
            "point_reach_mm": 10.0,
            "follow_reach_mm": 5.0,
            "device": "cpu",
            "precision": "float32",
            "licence": "CC0-1.0",
        }

    def test_a_setting_given_goes_before_the_bundle(self, bright):
        given = MonaiBundleSegmenter(model=bright.model, overlap=0.25, lesion_labels=[2]).parameters()
        assert (given["overlap"], given["lesion_labels"]) == (0.25, (2,))

    def test_everything_that_does_not_fit_is_named_at_once(self, bright):
        wrong: dict[str, Any] = {
            "spacing_mm": [1, 1, 0], "intensity_range": [5, 5], "roi_size": [32, 32.0, 16], "lesion_labels": [],
            "orientation": "SAR", "overlap": 1.0, "margin_mm": 0, "point_reach_mm": True, "follow_reach_mm": -1,
        }  # fmt: skip
        with pytest.raises(InvalidValueError) as refusal:
            MonaiBundleSegmenter(model=bright.model, **wrong)
        assert sorted(fault.where for fault in refusal.value.faults) == sorted(wrong)

    def test_what_neither_bundle_nor_parameters_say_is_asked_for_by_name(self, bright):
        (bright.model / "configs" / "metadata.json").write_text(json.dumps({"trialimg": {"roi_size": [8, 8, 8]}}))
        with pytest.raises(InvalidValueError) as refusal:
            MonaiBundleSegmenter(model=bright.model, lesion_labels=[1])
        assert [fault.where for fault in refusal.value.faults] == ["spacing_mm", "orientation", "intensity_range"]

    def test_a_bundle_of_monai_says_its_settings_in_its_own_words(self, tmp_path):
        parameters = from_inference(tmp_path / "bundle").parameters()
        assert parameters["spacing_mm"] == (2.0, 2.0, 3.0)
        assert parameters["intensity_range"] == (0, 240)
        assert parameters["orientation"] == "RAS"
        assert (parameters["roi_size"], parameters["overlap"]) == ((32, 32, 16), 0.25)
        assert parameters["lesion_labels"] == (1,)

    def test_a_preparation_that_is_not_followed_is_refused_by_name(self, tmp_path):
        steps = [{"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": True}]
        with pytest.raises(ModelError, match="the preprocessing step NormalizeIntensityd is not followed here"):
            from_inference(tmp_path / "bundle", preprocessing={"transforms": steps})


class TestNothingOfABundleIsEvaluated:
    @pytest.mark.parametrize(
        ("network_def", "words"),
        [
            ({"_target_": "os.system", "command": "touch here"}, "'os.system' is not one of"),
            ({"_target_": "DenseNet121", "pretrained": True}, "'DenseNet121' is not one of"),
            ({**UNET, "channels": "$__import__('os').getcwd()"}, "channels of UNet is no plain value"),
            ({**UNET, "act": {"_target_": "os.getcwd"}}, "act of UNet is no plain value"),
            ({**UNET, "strides": ["@strides"]}, "strides of UNet is no plain value"),
            ({**UNET, "_requires_": "$1"}, "_requires_ of UNet is no plain value"),
            ({**UNET, "channels": [4]}, r"model\.pt: cannot be loaded"),
            ({**UNET, "colour": 1}, r"model\.pt: cannot be loaded"),
            ({**UNET, "out_channels": 3}, r"model\.pt: cannot be loaded"),
            ("$import os", "needs a network to go with it"),
        ],
    )
    def test_a_network_is_a_class_of_monai_by_name_and_plain_values(self, tmp_path, network_def, words):
        segmenter = from_inference(tmp_path / "bundle", network_def=network_def)
        with pytest.raises(ModelError, match=words):
            segmenter.segment(scan(balls((CENTRE, 12))), PointPrompt(CENTRE))

    def test_an_expression_counts_as_not_said(self, tmp_path):
        steps = [{"_target_": "Orientationd", "axcodes": "RAS"}, {"_target_": "Spacingd", "pixdim": "$[1, 1, 1]"}]
        with pytest.raises(ModelError, match="the preprocessing step Spacingd is not followed here"):
            from_inference(tmp_path / "bundle", preprocessing={"transforms": steps})

    def test_weights_that_are_a_program_are_refused_and_not_run(self, tmp_path):
        class Program:
            def __reduce__(self) -> Any:
                return os.mkdir, (str(tmp_path / "it_ran"),)

        segmenter = from_inference(tmp_path / "bundle")
        torch.save({"a": Program()}, segmenter.model / "models" / "model.pt")
        with pytest.raises(ModelError, match=r"model\.pt: cannot be loaded"):
            MonaiBundleSegmenter(model=segmenter.model).segment(scan(balls()), PointPrompt(CENTRE))
        assert not (tmp_path / "it_ran").exists()

    def test_weights_as_safetensors_give_the_same_mask(self, tmp_path):
        segmenter = from_inference(tmp_path / "bundle")
        weights = segmenter.model / "models" / "model.pt"
        state = torch.load(weights, weights_only=True)
        weights.unlink()
        (weights.with_suffix(".safetensors")).write_bytes(safetensors(state))
        image, prompt = scan(balls((CENTRE, 12))), BoxPrompt((-30.0, -30.0, 110.0), (40.0, 40.0, 160.0))
        expected = from_inference(tmp_path / "again").segment(image, prompt)
        assert expected.labels == (1,)
        assert np.array_equal(MonaiBundleSegmenter(model=segmenter.model).segment(image, prompt).array, expected.array)
        weights.with_suffix(".safetensors").write_bytes(safetensors(state)[:-40])
        with pytest.raises(ModelError, match="cannot be loaded"):
            MonaiBundleSegmenter(model=segmenter.model).segment(image, prompt)


def safetensors(state: dict[str, torch.Tensor]) -> bytes:
    """The format as its specification has it."""
    header, body = {}, b""
    for name, tensor in state.items():
        data = tensor.numpy().tobytes()
        offsets = [len(body), len(body) + len(data)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        body += data
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    return struct.pack("<Q", len(text)) + text + body


class TestNetworksThatCannotBeUsed:
    @pytest.mark.parametrize(
        ("network", "words"),
        [
            (OneChannel(), "needed are scores of background and lesion"),
            (NoNumber(), "scores that are not numbers"),
            (FourImages(), "the network cannot run on windows of"),
        ],
        ids=["one channel", "not a number", "four images"],
    )
    def test_the_reason_is_said(self, tmp_path, network, words):
        segmenter = MonaiBundleSegmenter(model=scripted_bundle(tmp_path / "bundle", network), device="cpu")
        with pytest.raises(ModelError, match=words):
            segmenter.segment(scan(balls((CENTRE, 12))), PointPrompt(CENTRE))

    def test_a_file_that_is_no_network(self, bright):
        (bright.model / "models" / "model.ts").write_bytes(b"not a network")
        with pytest.raises(ModelError, match=r"model\.ts: cannot be loaded"):
            MonaiBundleSegmenter(model=bright.model).segment(scan(balls()), PointPrompt(CENTRE))


def test_a_prompt_outside_of_the_image_is_refused_before_the_network_is_loaded(bright):
    prompts: list[Prompt] = [PointPrompt((500.0, 0.0, 130.0)), LinePrompt(CENTRE, (0.0, 0.0, 900.0))]
    for prompt in prompts:
        with pytest.raises(GeometryError, match="lies outside of the image"):
            bright.segment(scan(balls()), prompt)
    assert "_network" not in vars(bright)
