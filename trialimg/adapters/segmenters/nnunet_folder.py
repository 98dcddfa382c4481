"""An nnU-Net v2 results folder: `plans.json`, `dataset.json` and the checkpoints of its folds, read as data.

References
----------
Isensee F et al. nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation. Nat Methods
2021;18:203.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trialimg.adapters.segmenters.model_files import ModelFiles, digested
from trialimg.core.errors import ModelError

__all__ = ["NnunetFolder", "NnunetPlan"]

CHECKPOINT = "checkpoint_final.pth"
_PLANS, _DATASET = "plans.json", "dataset.json"
_NORMALISATIONS = {"CTNormalization": "standard", "ZScoreNormalization": "image"}


@dataclass(frozen=True)
class NnunetPlan:
    """What one configuration says, axes as nnU-Net has them."""

    configuration: str
    spacing_mm: tuple[float, ...]
    patch_size: tuple[int, ...]
    axes_xyz: tuple[int, int, int]
    """For each axis of nnU-Net the axis of (x, y, z) that it is."""
    normalisation: Mapping[str, object]
    labels: tuple[int, ...]
    """Labels beside the background."""
    architecture: Mapping[str, Any]

    def to_xyz(self, values: tuple[Any, ...]) -> list[Any]:
        """Values by nnU-Net's axes in the order x, y, z."""
        return [values[self.axes_xyz.index(axis)] for axis in range(3)]


@dataclass(frozen=True)
class NnunetFolder(ModelFiles):
    """The files that an answer of the folder rests on, as they were when it was opened."""

    @classmethod
    def at(cls, folder: Path, pinned: str = "") -> NnunetFolder:
        """The folder of one trainer, plan and configuration.

        Raises
        ------
        ModelError
            If it is no such folder, or its digest is not the pinned one.
        """
        checkpoints = sorted(folder.glob(f"fold_*/{CHECKPOINT}")) if folder.is_dir() else []
        described = [folder / name for name in (_PLANS, _DATASET)]
        if not checkpoints or not all(path.is_file() for path in described):
            raise ModelError(f"{folder}: no nnU-Net results; it needs {_PLANS}, {_DATASET} and fold_*/{CHECKPOINT}")
        licence = [path for path in (folder / "LICENSE",) if path.is_file()]
        found = cls(folder, digested(folder, [*described, *checkpoints, *licence]))
        found.require_digest(pinned, "model")
        return found

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """Names of the folds' checkpoints."""
        return tuple(name for name in self.files if name.endswith(CHECKPOINT))

    @property
    def licence(self) -> str:
        """The licence that `dataset.json` states, or the first line of a file LICENSE; empty where there is neither.

        Raises
        ------
        ModelError
            If the file cannot be read.
        """
        dataset = self._json(_DATASET)
        said = next((dataset[key] for key in ("licence", "license") if isinstance(dataset.get(key), str)), "").strip()
        if said or "LICENSE" not in self.files:
            return str(said)
        lines = self.read("LICENSE").decode(errors="replace").splitlines()
        return next((line.strip() for line in lines if line.strip()), "")

    def plan(self, configuration: str) -> NnunetPlan:
        """What the plans say of a configuration.

        Raises
        ------
        ModelError
            If it is not there, or is one that is not run here: 2D, a cascade, several channels, regions.
        """
        plans, dataset = self._json(_PLANS), self._json(_DATASET)
        try:
            said = _configuration(plans, configuration)
            spacing, patch = tuple(said["spacing"]), tuple(said["patch_size"])
            channels = dataset["channel_names"] if "channel_names" in dataset else dataset["modality"]
            one_channel = len(channels) == 1 and len(said["normalization_schemes"]) == 1
            if len(patch) != 3 or not one_channel or said.get("previous_stage"):
                raise ModelError(
                    f"{self.folder}: {configuration} is 2D, a cascade, or takes several channels; none is run"
                )
            turned = plans["transpose_forward"]
            x, y, z = (2 - int(axis) for axis in turned)
            return NnunetPlan(
                configuration,
                tuple(float(spacing[n]) for n in range(3)),
                tuple(int(patch[n]) for n in range(3)),
                (x, y, z),
                self._normalisation(plans, said),
                self._labels(dataset),
                said["architecture"],
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise ModelError(
                f"{self.folder}: {_PLANS} and {_DATASET} are not as nnU-Net writes them ({fault!r})"
            ) from fault

    def _normalisation(self, plans: Mapping[str, Any], said: Mapping[str, Any]) -> Mapping[str, object]:
        scheme = said["normalization_schemes"][0]
        if scheme not in _NORMALISATIONS or (scheme == "ZScoreNormalization" and said["use_mask_for_norm"][0]):
            raise ModelError(f"{self.folder}: its normalisation ({scheme}, within a mask perhaps) is not followed here")
        kind = _NORMALISATIONS[scheme]
        if kind == "image":
            return {"normalisation": kind}
        of = plans["foreground_intensity_properties_per_channel"]["0"]
        limits = [float(of["percentile_00_5"]), float(of["percentile_99_5"])]
        mean, sd = float(of["mean"]), max(float(of["std"]), 1e-8)
        return {"normalisation": kind, "intensity_range": limits, "intensity_mean": mean, "intensity_sd": sd}

    def _labels(self, dataset: Mapping[str, Any]) -> tuple[int, ...]:
        labels = dataset["labels"]
        if "ignore" in labels or not all(type(value) is int for value in labels.values()):
            raise ModelError(f"{self.folder}: regions and ignored labels are not run here; labels are plain numbers")
        return tuple(sorted(value for value in labels.values() if value != 0))

    def _json(self, name: str) -> dict[str, Any]:
        try:
            value = json.loads(self.read(name))
        except (ValueError, RecursionError) as fault:
            raise ModelError(f"{self.folder / name}: not a JSON file ({fault})") from fault
        if not isinstance(value, dict):
            raise ModelError(f"{self.folder / name}: not a JSON object")
        return value


def _configuration(plans: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A configuration with everything that it inherits, whatever the depth."""
    merged: dict[str, Any] = {}
    seen: set[str] = set()
    while name and name not in seen:
        seen.add(name)
        said = plans["configurations"][name]
        merged = {**said, **merged}
        name = said.get("inherits_from", "")
    return merged
