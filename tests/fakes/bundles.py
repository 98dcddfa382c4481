"""Tiny MONAI bundles, built on the spot; nothing was trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

SETTINGS: dict[str, Any] = {
    "spacing_mm": [2.0, 2.0, 3.0],
    "intensity_range": [0, 240],
    "roi_size": [32, 32, 16],
    "lesion_labels": [1],
    "orientation": "RAS",
}
"""Under these, a body of 40 becomes 1/6 and a lesion of 200 becomes 5/6."""

UNET: dict[str, Any] = {
    "_target_": "UNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 2,
    "channels": [4, 8],
    "strides": [2],
    "num_res_units": 1,
}


class Bright(torch.nn.Module):
    """Background below one half, lesion above."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([0.5 - x, x - 0.5], dim=1)


class FirstHalf(torch.nn.Module):
    """Lesion in the first half of the first axis, whatever the image shows."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        lesion = torch.zeros_like(x)
        lesion[:, :, : x.shape[2] // 2] = 1.0
        return torch.cat([0.5 - lesion, lesion - 0.5], dim=1)


class OneChannel(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class NoNumber(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, x / 0.0 * 0.0], dim=1)


class FourImages(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv3d(4, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.first(x)


def scripted_bundle(folder: Path, network: torch.nn.Module | None = None, **settings: Any) -> Path:
    """A bundle of a TorchScript network and a section with our settings."""
    bundle = _folder(folder, {"version": "0.1.0", "license": "CC0-1.0", "trialimg": {**SETTINGS, **settings}})
    torch.jit.script(network or Bright()).save(bundle / "models" / "model.ts")
    return bundle


def weights_bundle(folder: Path, inference: Mapping[str, Any]) -> Path:
    """A bundle as MONAI's own are: weights, the network's definition, transforms and inferer; no section of ours."""
    from monai.networks.nets import UNet

    formats = {
        "inputs": {"image": {"num_channels": 1, "spatial_shape": [16, 16, 16], "value_range": [0, 1]}},
        "outputs": {"pred": {"num_channels": 2, "channel_def": {"0": "background", "1": "lesion"}}},
    }
    bundle = _folder(folder, {"version": "0.1.0", "license": "CC0-1.0", "network_data_format": formats})
    (bundle / "configs" / "inference.json").write_text(json.dumps(inference), encoding="utf-8")
    torch.manual_seed(5)
    arguments = {key: value for key, value in UNET.items() if key != "_target_"}
    torch.save(UNet(**arguments).state_dict(), bundle / "models" / "model.pt")
    return bundle


def inference_config(**changes: Any) -> dict[str, Any]:
    """What ``configs/inference.json`` of a bundle says, expressions included."""
    steps = [
        {"_target_": "LoadImaged", "keys": "image"},
        {"_target_": "EnsureChannelFirstd", "keys": "image"},
        {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
        {"_target_": "Spacingd", "keys": "image", "pixdim": [2.0, 2.0, 3.0], "mode": "bilinear"},
        {"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": 0, "a_max": 240, "b_min": 0, "b_max": 1,
         "clip": True},
        {"_target_": "EnsureTyped", "keys": "image"},
    ]  # fmt: skip
    return {
        "imports": ["$import os"],
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "network_def": UNET,
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": steps},
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [32, 32, 16], "overlap": 0.25},
        **changes,
    }


def _folder(folder: Path, metadata: Mapping[str, Any]) -> Path:
    for name in ("configs", "models"):
        (folder / name).mkdir(parents=True)
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    return folder
