"""nnU-Net results folders: read as data, run as nnU-Net itself runs them, and never unpickled."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from tests.contract.test_monai_bundle import CENTRE, balls, scan
from tests.fakes.models import DATASET, PLANS, Shown, nnunet_folder
from trialimg.adapters.segmenters.nnunet import NnunetSegmenter
from trialimg.core.errors import ModelError
from trialimg.core.prompts import BoxPrompt, PointPrompt
from trialimg.volume import Geometry, Volume


def plans(**changes: object) -> dict[str, object]:
    changed = copy.deepcopy(PLANS)
    for key, value in changes.items():
        place = changed["configurations"]["base"] if key in changed["configurations"]["base"] else changed
        place[key] = value
    return changed


class TestReading:
    def test_what_the_plans_say_becomes_settings(self, tmp_path):
        made = NnunetSegmenter(model=nnunet_folder(tmp_path / "m"), device="cpu")
        parameters = made.parameters()
        assert (parameters["spacing_mm"], parameters["roi_size"]) == ((1.5, 2.0, 3.0), (32, 24, 16))
        assert (parameters["normalisation"], parameters["intensity_range"]) == ("standard", (0.0, 240.0))
        assert (parameters["intensity_mean"], parameters["intensity_sd"]) == (120.0, 60.0)
        assert (parameters["licence"], parameters["lesion_labels"]) == ("CC-BY-4.0", (1,))
        assert parameters["folds"] == ["fold_0/checkpoint_final.pth", "fold_1/checkpoint_final.pth"]

    def test_turned_axes_are_turned_back(self, tmp_path):
        turned = plans(transpose_forward=[2, 0, 1], patch_size=[32, 16, 24], spacing=[1.5, 3.0, 2.0])
        parameters = NnunetSegmenter(model=nnunet_folder(tmp_path / "m", plans=turned), device="cpu").parameters()
        assert (parameters["spacing_mm"], parameters["roi_size"]) == ((1.5, 2.0, 3.0), (32, 24, 16))

    def test_an_image_is_scaled_by_itself_where_the_plans_say_so(self, tmp_path):
        folder = nnunet_folder(tmp_path / "m", plans=plans(normalization_schemes=["ZScoreNormalization"]))
        assert NnunetSegmenter(model=folder, device="cpu").settings.normalisation == "image"

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"patch_size": [24, 32], "spacing": [2.0, 1.5]}, "not as nnU-Net writes them|2D, a cascade"),
            ({"normalization_schemes": ["RescaleTo01Normalization"]}, "its normalisation .* is not followed"),
            ({"normalization_schemes": ["ZScoreNormalization"], "use_mask_for_norm": [True]}, "is not followed here"),
            ({"normalization_schemes": ["CTNormalization", "CTNormalization"]}, "several channels"),
            ({"configurations": {}}, "not as nnU-Net writes them"),
        ],
    )
    def test_what_is_not_run_here_is_refused_by_its_name(self, tmp_path, changes, words):
        with pytest.raises(ModelError, match=words):
            NnunetSegmenter(model=nnunet_folder(tmp_path / "m", plans=plans(**changes)))

    def test_several_labels_have_to_be_chosen_from(self, tmp_path):
        folder = nnunet_folder(
            tmp_path / "m", dataset={**DATASET, "labels": {"background": 0, "liver": 1, "tumour": 2}}
        )
        with pytest.raises(ModelError, match="say by lesion_labels which are lesion"):
            NnunetSegmenter(model=folder)
        assert NnunetSegmenter(model=folder, lesion_labels=[2]).settings.lesion_labels == (2,)

    @pytest.mark.parametrize("labels", [{"background": 0, "whole": [1, 2]}, {"background": 0, "a": 1, "ignore": 2}])
    def test_regions_and_ignored_labels_are_refused(self, tmp_path, labels):
        with pytest.raises(ModelError, match="regions and ignored labels"):
            NnunetSegmenter(model=nnunet_folder(tmp_path / "m", dataset={**DATASET, "labels": labels}))

    def test_no_licence_and_another_digest_are_refused(self, tmp_path):
        bare = {key: value for key, value in DATASET.items() if key != "licence"}
        folder = nnunet_folder(tmp_path / "m", dataset=bare)
        with pytest.raises(ModelError, match="no licence is stated"):
            NnunetSegmenter(model=folder)
        digest = NnunetSegmenter(model=folder, allow_unlicensed=True).model_digest
        (folder / "LICENSE").write_text("\nApache License 2.0\n")
        assert NnunetSegmenter(model=folder).licence == "Apache License 2.0"
        with pytest.raises(ModelError, match="is pinned"):
            NnunetSegmenter(model=folder, model_digest=digest)

    def test_a_folder_without_a_checkpoint_is_none(self, tmp_path):
        with pytest.raises(ModelError, match="no nnU-Net results"):
            NnunetSegmenter(model=tmp_path)


class TestUntrustedCheckpoints:
    def test_one_that_would_run_code_is_not_loaded(self, tmp_path):
        folder = nnunet_folder(tmp_path / "m", network_weights={"a": Shown()})
        with pytest.raises(ModelError, match="no checkpoint of nnU-Net that is plain tensors"):
            NnunetSegmenter(model=folder, device="cpu").segment(scan(balls((CENTRE, 12.0))), PointPrompt(CENTRE))

    def test_one_of_another_configuration_is_named(self, tmp_path):
        folder = nnunet_folder(tmp_path / "m", init_args={"configuration": "3d_lowres"})
        with pytest.raises(ModelError, match="trained as '3d_lowres', not '3d_fullres'"):
            NnunetSegmenter(model=folder, device="cpu").segment(scan(balls((CENTRE, 12.0))), PointPrompt(CENTRE))

    @pytest.mark.parametrize(
        ("place", "value"),
        [("network_class_name", "os.system"), ("network_class_name", "dynamic_network_architectures.x.Evil")],
    )
    def test_plans_that_name_anything_else_are_refused(self, tmp_path, place, value):
        architecture = {**PLANS["configurations"]["base"]["architecture"], place: value}
        folder = nnunet_folder(tmp_path / "m", plans=plans(architecture=architecture))
        with pytest.raises(ModelError, match="is not one of PlainConvUNet, ResidualEncoderUNet"):
            NnunetSegmenter(model=folder, device="cpu").segment(scan(balls((CENTRE, 12.0))), PointPrompt(CENTRE))

    def test_parts_of_any_other_name_are_not_looked_up(self, tmp_path):
        architecture = copy.deepcopy(PLANS["configurations"]["base"]["architecture"])
        architecture["arch_kwargs"]["nonlin"] = "os.system"
        folder = nnunet_folder(tmp_path / "m", plans=plans(architecture=architecture))
        with pytest.raises(ModelError, match=r"'os\.system', which is not among the parts"):
            NnunetSegmenter(model=folder, device="cpu").segment(scan(balls((CENTRE, 12.0))), PointPrompt(CENTRE))


class TestAgainstNnunetItself:
    """Where nnU-Net is installed: a network that its own trainer writes, asked through its own predictor."""

    @pytest.mark.parametrize("turned", [False, True], ids=["as it is", "axes turned"])
    def test_the_same_labels_for_the_same_image(self, tmp_path, turned, monkeypatch):
        pytest.importorskip("nnunetv2", reason="needs nnunetv2, which is not one of our dependencies")
        for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
            monkeypatch.setenv(name, str(tmp_path))
        from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
        from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

        said = plans(transpose_forward=[2, 0, 1], transpose_backward=[1, 2, 0], patch_size=[32, 16, 24],
                     spacing=[1.5, 3.0, 2.0]) if turned else plans()  # fmt: skip
        architecture = PLANS["configurations"]["base"]["architecture"]
        torch.manual_seed(3)
        network = get_network_from_plans(
            architecture["network_class_name"], architecture["arch_kwargs"], architecture["_kw_requires_import"], 1, 2,
            deep_supervision=False,
        )  # fmt: skip
        scalars = {"_best_ema": np.float64(0.7), "logging": {"ema_fg_dice": [np.float64(0.5)]}, "current_epoch": 3}
        folder = nnunet_folder(tmp_path / "m", plans=said, network_weights=network.state_dict(), **scalars)

        grid = Geometry((32, 24, 16), (1.5, 2.0, 3.0), (0.0, 0.0, 0.0))
        image = Volume(np.random.default_rng(1).normal(120, 60, grid.shape).astype(np.float32), grid)
        predictor = nnUNetPredictor(
            use_gaussian=False, use_mirroring=False, device=torch.device("cpu"), perform_everything_on_device=False
        )
        predictor.initialize_from_trained_model_folder(str(folder), use_folds=(0, 1))
        theirs = predictor.predict_single_npy_array(image.array[None], {"spacing": [3.0, 2.0, 1.5]}, None, None, False)

        ours = NnunetSegmenter(model=folder, device="cpu")
        low, high = grid.bounds_lps_mm()
        everything = BoxPrompt(tuple((low + 0.01).tolist()), tuple((high - 0.01).tolist()))
        found = ours.segment(image, everything)
        from scipy import ndimage

        parts, count = ndimage.label(theirs == 1, np.ones((3, 3, 3)))
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        sizes[0] = 0
        assert 0.05 < np.mean(theirs == 1) < 0.95
        # nnU-Net keeps its sums in half precision (so the Gaussian, which underflows at the corners, is left out)
        assert np.mean((found.array > 0) == (parts == sizes.argmax())) > 0.998
