"""Tiny models in one file with their description, and nnU-Net folders, built on the spot; nothing was trained."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
import yaml

from tests.fakes.bundles import SETTINGS, Bright


class Shown(torch.nn.Module):
    """Lesion where the second channel, what the reader drew, is above one half."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        drawn = x[:, 1:2]
        return torch.cat([0.5 - drawn, drawn - 0.5], dim=1)


def described(folder: Path, what: str, data: bytes, **words: Any) -> Path:
    """A folder with a model's file and its description; a word that is None is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    name = {"torchscript": "model.ts", "onnx": "model.onnx"}[what]
    (folder / name).write_bytes(data)
    said = {
        "name": "tiny", "version": "0.1", "licence": "CC0-1.0", "kind": what, "weights": name,
        "sha256": hashlib.sha256(data).hexdigest(), **SETTINGS, **words,
    }  # fmt: skip
    said = {key: value for key, value in said.items() if value is not None}
    (folder / "trialimg-model.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    return folder


def torchscript_model(folder: Path, network: torch.nn.Module | None = None, **words: Any) -> Path:
    """A described TorchScript network."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.jit.script(network or Bright()).save(folder / "model.ts")
    return described(folder, "torchscript", (folder / "model.ts").read_bytes(), **words)


def onnx_model(folder: Path, **words: Any) -> Path:
    """A described ONNX graph that does what `Bright` does."""
    return described(folder, "onnx", bright_graph(), **words)


def bright_graph(outputs: int = 1) -> bytes:
    """Background below one half, lesion above, as an ONNX graph."""
    import onnx
    from onnx import TensorProto, helper

    shape = [1, 1, "x", "y", "z"]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    names = ["scores", *(f"more{n}" for n in range(outputs - 1))]
    answers = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2, "x", "y", "z"]) for name in names]
    half = helper.make_tensor("half", TensorProto.FLOAT, [1], [0.5])
    nodes = [
        helper.make_node("Sub", ["half", "x"], ["below"]),
        helper.make_node("Sub", ["x", "half"], ["above"]),
        *(helper.make_node("Concat", ["below", "above"], [name], axis=1) for name in names),
    ]
    graph = helper.make_graph(nodes, "bright", [x], answers, [half])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made)
    data: bytes = made.SerializeToString()
    return data


ARCHITECTURE: dict[str, Any] = {
    "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
    "arch_kwargs": {
        "n_stages": 2, "features_per_stage": [4, 8], "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[3, 3, 3], [3, 3, 3]], "strides": [[1, 1, 1], [2, 2, 2]], "n_conv_per_stage": [1, 1],
        "n_conv_per_stage_decoder": [1], "conv_bias": True,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d", "norm_op_kwargs": {"eps": 1e-05, "affine": True},
        "dropout_op": None, "dropout_op_kwargs": None, "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    },
    "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
}  # fmt: skip
PLANS: dict[str, Any] = {
    "dataset_name": "Dataset001_Tiny", "plans_name": "nnUNetPlans", "transpose_forward": [0, 1, 2],
    "transpose_backward": [0, 1, 2], "image_reader_writer": "SimpleITKIO", "label_manager": "LabelManager",
    "original_median_spacing_after_transp": [3.0, 2.0, 1.5],
    "original_median_shape_after_transp": [16, 24, 32],
    "foreground_intensity_properties_per_channel": {
        "0": {"mean": 120.0, "std": 60.0, "percentile_00_5": 0.0, "percentile_99_5": 240.0, "max": 250.0, "min": -5.0,
              "median": 120.0},
    },
    "configurations": {
        "base": {
            "data_identifier": "tiny", "preprocessor_name": "DefaultPreprocessor", "batch_size": 2,
            "patch_size": [16, 24, 32], "spacing": [3.0, 2.0, 1.5], "median_image_size_in_voxels": [16.0, 24.0, 32.0],
            "normalization_schemes": ["CTNormalization"], "use_mask_for_norm": [False],
            "resampling_fn_data": "resample_data_or_seg_to_shape",
            "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None},
            "resampling_fn_seg": "resample_data_or_seg_to_shape",
            "resampling_fn_seg_kwargs": {"is_seg": True, "order": 1, "order_z": 0, "force_separate_z": None},
            "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
            "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None},
            "architecture": ARCHITECTURE, "batch_dice": False,
        },
        "3d_fullres": {"inherits_from": "base"},
    },
}  # fmt: skip
DATASET: dict[str, Any] = {
    "channel_names": {"0": "CT"}, "labels": {"background": 0, "lesion": 1}, "numTraining": 4, "file_ending": ".nii.gz",
    "licence": "CC-BY-4.0",
}  # fmt: skip


def nnunet_folder(
    folder: Path, *, plans: dict[str, Any] | None = None, dataset: dict[str, Any] | None = None, **checkpoint: Any
) -> Path:
    """The results folder of an nnU-Net; without weights of a network unless ``network_weights`` are given."""
    said = {
        "network_weights": {},
        "init_args": {"configuration": "3d_fullres", "fold": 0},
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": (0, 1, 2),
        **checkpoint,
    }
    for fold in (0, 1):
        (folder / f"fold_{fold}").mkdir(parents=True)
        torch.save(said, folder / f"fold_{fold}" / "checkpoint_final.pth")
    (folder / "plans.json").write_text(json.dumps(plans or PLANS), encoding="utf-8")
    (folder / "dataset.json").write_text(json.dumps(dataset or DATASET), encoding="utf-8")
    return folder
