"""What stands beside a model's file: `trialimg-model.yaml`, its name, licence, digest, and how an image is prepared.

A description is data: nothing in it is evaluated, and no code is found by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trialimg.adapters.segmenters.bundle_settings import BundleSettings
from trialimg.adapters.segmenters.model_files import ModelFiles, digested
from trialimg.core.errors import Fault, InvalidValueError, ModelError

__all__ = ["CARD", "KINDS", "DescribedModel", "ModelCard"]

CARD = "trialimg-model.yaml"
KINDS = ("torchscript", "onnx")
"""What a description may be beside of; bundles and nnU-Net folders describe themselves."""
_WORDS = ("name", "licence", "kind", "weights", "sha256", "version")
_NEEDED = ("name", "kind", "weights", "sha256")
_LONGEST_BYTES = 1 << 20


@dataclass(frozen=True)
class ModelCard:
    """The words of a description; how an image is prepared stands in its settings."""

    name: str
    kind: str
    weights: str
    """File name, in the same folder."""
    sha256: str
    """Digest of that file in hexadecimal digits."""
    licence: str = ""
    version: str = ""


@dataclass(frozen=True)
class DescribedModel(ModelFiles):
    """A model's file with its description, as they were when they were opened."""

    card: ModelCard
    settings: Mapping[str, Any]

    @classmethod
    def at(cls, path: Path, kind: str, pinned: str = "") -> DescribedModel:
        """The model in a folder, or by the name of its file there.

        Parameters
        ----------
        kind
            What it must be, one of `KINDS`.
        pinned
            Digest that description and file must have together; empty: any.

        Raises
        ------
        ModelError
            If there is no such model, its description has a fault, or a digest is another one.
        """
        folder = path if path.is_dir() else path.parent
        card, settings = read_card(folder)
        if not path.is_dir() and path.name != card.weights:
            raise ModelError(f"{path}: {CARD} beside it describes {card.weights!r}, not this file")
        if card.kind != kind:
            raise ModelError(f"{folder}: described as {card.kind}, not {kind}")
        files = digested(folder, [folder / CARD, folder / card.weights])
        found = cls(folder, files, card, settings)
        if files[card.weights] != f"sha256:{card.sha256}":
            message = f"has the digest {files[card.weights]}, but {CARD} says sha256:{card.sha256}"
            raise ModelError(f"{folder / card.weights}: {message}; it is not the file that was described")
        found.require_digest(pinned, "model")
        return found

    def weights(self) -> bytes:
        """The bytes of the model's file, the same that were digested.

        Raises
        ------
        ModelError
            If they have changed since.
        """
        return self.read(self.card.weights)


def read_card(folder: Path) -> tuple[ModelCard, Mapping[str, Any]]:
    """A description and its settings.

    Raises
    ------
    ModelError
        If there is none, or with everything that is wrong with its words.
    """
    path = folder / CARD
    if not path.is_file():
        raise ModelError(f"{folder}: no {CARD}; a model's licence, digest and preparation are described there")
    if path.stat().st_size > _LONGEST_BYTES:
        raise ModelError(f"{path}: longer than {_LONGEST_BYTES} bytes")
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as fault:
        raise ModelError(f"{path}: cannot be read as YAML ({' '.join(str(fault).split())[:200]})") from fault
    if not isinstance(said, Mapping) or not all(isinstance(key, str) for key in said):
        raise ModelError(f"{path}: not a table of names and values")
    words = {name: said[name] for name in _WORDS if name in said}
    if faults := tuple(_faults(words)):
        raise ModelError(f"{path}: " + "; ".join(f"{fault.where}: {fault.message}" for fault in faults))
    return ModelCard(**words), {name: value for name, value in said.items() if name not in _WORDS}


def settings_of(described: Mapping[str, Any], place: str) -> BundleSettings:
    """The settings of a description.

    Raises
    ------
    ModelError
        With everything that is missing or does not fit.
    """
    try:
        return BundleSettings.of(described)
    except InvalidValueError as refused:
        raise ModelError(f"{place}: " + "; ".join(f"{f.where}: {f.message}" for f in refused.faults)) from refused


def _faults(words: Mapping[str, Any]) -> Iterator[Fault]:
    for name in _NEEDED:
        if name not in words:
            yield Fault(name, "missing_key", "is missing")
    for name, value in words.items():
        if not isinstance(value, str) or not value.strip():
            yield Fault(name, "bad_value", f"must be text, not {value!r}")
    if "kind" in words and words["kind"] not in KINDS:
        yield Fault("kind", "bad_value", f"must be one of {', '.join(KINDS)}, not {words['kind']!r}")
    weights = words.get("weights")
    if isinstance(weights, str) and (Path(weights).name != weights or weights in (".", "..")):
        yield Fault("weights", "bad_value", f"must be the name of a file in the same folder, not {weights!r}")
    sha256 = words.get("sha256")
    if isinstance(sha256, str) and (len(sha256) != 64 or set(sha256) - set("0123456789abcdef")):
        yield Fault("sha256", "bad_value", "must be 64 hexadecimal digits in lower case")
