"""A MONAI bundle on disk: its files under one digest, and what it says about itself in plain values.

A bundle's configuration may hold expressions and names of any Python object. Nothing of that is ever evaluated: values
are read as data, and one that is not plain counts as not said.

References
----------
MONAI Bundle Specification, https://docs.monai.io/en/stable/mb_specification.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trialimg.adapters.segmenters.model_files import ModelFiles, digested
from trialimg.core.errors import ModelError

__all__ = ["Bundle", "is_plain"]

METADATA = "configs/metadata.json"
INFERENCE = "configs/inference.json"
WEIGHTS = ("models/model.ts", "models/model.safetensors", "models/model.pt")
"""TorchScript, which needs no definition of the network, before weights alone."""
OWN_SECTION = "trialimg"
"""Key of metadata.json under which a bundle's author says our settings outright."""

_LICENCE_KEYS = ("licence", "license")
_LICENCE_FILE = "LICENSE"
_HARMLESS = frozenset(
    {"LoadImaged", "EnsureChannelFirstd", "AddChanneld", "EnsureTyped", "ToTensord", "CastToTyped", "CropForegroundd"}
)
"""Transforms that change no voxel that is kept."""


@dataclass(frozen=True)
class Bundle(ModelFiles):
    """The folder of a bundle as it was when it was opened."""

    @classmethod
    def at(cls, folder: Path, pinned: str = "") -> Bundle:
        """The bundle in a folder.

        Parameters
        ----------
        pinned
            Digest that it must have; empty: any.

        Raises
        ------
        ModelError
            If there is no bundle, it lacks a needed file, or its digest is another one.
        """
        if not folder.is_dir():
            raise ModelError(f"{folder}: no such folder; a MONAI bundle is a folder")
        files = digested(folder, [path for path in folder.rglob("*") if path.is_file()])
        found = cls(folder, files)
        if METADATA not in files or not any(name in files for name in WEIGHTS):
            raise ModelError(f"{folder}: not a MONAI bundle; it needs {METADATA} and one of {', '.join(WEIGHTS)}")
        found.require_digest(pinned, "bundle")
        return found

    @property
    def weights(self) -> str:
        """Name of the file that holds the trained network."""
        return next(name for name in WEIGHTS if name in self.files)

    @property
    def licence(self) -> str:
        """Under what licence the bundle may be used: its metadata's word, or the first line of its file LICENSE.

        Empty where it has neither.

        Raises
        ------
        ModelError
            If its metadata cannot be read.
        """
        metadata = self._json(METADATA)
        for key in _LICENCE_KEYS:
            if isinstance(text := metadata.get(key), str) and text.strip():
                return text.strip()
        if _LICENCE_FILE not in self.files:
            return ""
        lines = self.read(_LICENCE_FILE).decode(errors="replace").splitlines()
        return next((line.strip() for line in lines if line.strip()), "")

    def described(self) -> dict[str, object]:
        """Our settings as far as the bundle says them: its own section, or else what its transforms and inferer say.

        Raises
        ------
        ModelError
            If its preparation of the image has a step that is not followed here, and it has no section of ours.
        """
        metadata = self._json(METADATA)
        formats = _formats(metadata)
        own = metadata.get(OWN_SECTION)
        if isinstance(own, Mapping):
            return {**formats, **own}
        inference = self._json(INFERENCE)
        return {**formats, **dict(_inferer(inference)), **dict(self._preparation(inference))}

    def network_definition(self) -> Mapping[str, Any]:
        """Class and arguments of the network whose weights the bundle holds.

        Raises
        ------
        ModelError
            If it gives none.
        """
        definition = self._json(INFERENCE).get("network_def")
        if not isinstance(definition, Mapping):
            raise ModelError(f"{self.folder}: {self.weights} needs a network to go with it, network_def in {INFERENCE}")
        return definition

    def _preparation(self, inference: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
        """Settings that the transforms before the network stand for."""
        for step in _listed(inference, "preprocessing", "transforms"):
            match step:
                case {"_target_": "Orientationd", "axcodes": str(letters)} if is_plain(letters):
                    yield "orientation", letters
                case {"_target_": "Spacingd", "pixdim": list(spacing)} if is_plain(spacing):
                    yield "spacing_mm", spacing
                case {"_target_": "ScaleIntensityRanged", "b_min": 0, "b_max": 1, "clip": True, **rest}:
                    yield "intensity_range", [rest.get("a_min"), rest.get("a_max")]
                case {"_target_": str(name)} if name in _HARMLESS:
                    continue
                case _:
                    name = step.get("_target_", step) if isinstance(step, Mapping) else step
                    raise ModelError(
                        f"{self.folder / INFERENCE}: the preprocessing step {name} is not followed here; say what the "
                        f"network needs under {OWN_SECTION!r} in {METADATA}"
                    )

    def _json(self, name: str) -> Mapping[str, Any]:
        """A configuration file; empty where there is none."""
        if name not in self.files:
            return {}
        try:
            value = json.loads(self.read(name))
        except (ValueError, RecursionError) as fault:
            raise ModelError(f"{self.folder / name}: not a JSON file ({fault})") from fault
        if not isinstance(value, dict):
            raise ModelError(f"{self.folder / name}: not a JSON object")
        return value


def is_plain(value: object) -> bool:
    """Whether a configuration value is data: no expression, no reference, no object to be built."""
    if isinstance(value, str):
        return not value.startswith(("$", "@", "%"))
    if isinstance(value, list):
        return all(is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(not key.startswith("_") and is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, bool | int | float)


def _formats(metadata: Mapping[str, Any]) -> dict[str, object]:
    """Size of the window and label of the lesion, where the description of input and output fixes them."""
    formats = metadata.get("network_data_format")
    found: dict[str, object] = {}
    match formats:
        case {"inputs": {"image": {"spatial_shape": [int(x), int(y), int(z)]}}}:
            found["roi_size"] = [x, y, z]
    match formats:
        case {"outputs": {"pred": {"channel_def": dict(names)}}}:
            labels = [key for key, name in names.items() if name != "background"]
            if len(labels) == 1 and labels[0].isdecimal():
                found["lesion_labels"] = [int(labels[0])]
    return found


def _inferer(inference: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    match inference.get("inferer"):
        case {"_target_": "SlidingWindowInferer", **rest}:
            yield from ((key, rest[key]) for key in ("roi_size", "overlap") if key in rest and is_plain(rest[key]))


def _listed(config: Mapping[str, Any], *path: str) -> list[Any]:
    here: Any = config
    for key in path:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here if isinstance(here, list) else []
