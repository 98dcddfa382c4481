"""A lesion by a trained network in one file: TorchScript or ONNX, with its description beside it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from trialimg.adapters.segmenters.bundle_settings import BundleSettings
from trialimg.adapters.segmenters.model_card import DescribedModel, settings_of
from trialimg.adapters.segmenters.model_files import require_licence
from trialimg.adapters.segmenters.whole_volume import WholeVolumeSegmenter
from trialimg.core.errors import ModelError

__all__ = ["OnnxSegmenter", "TorchscriptSegmenter"]


@dataclass(frozen=True, kw_only=True, eq=False)
class _DescribedSegmenter(WholeVolumeSegmenter):
    """What a network marks around the prompt, prepared as its description says."""

    name: ClassVar[str]
    version: ClassVar[str] = "1"

    model: Path
    """Folder of the model, or its file there."""
    model_digest: str = ""
    """Digest that description and file must have together, empty for any; after that, the one they have."""
    device: str = "auto"
    allow_unlicensed: bool = False
    """Let a model in that does not say under what licence it may be used."""
    margin_mm: float | None = None
    """Surroundings of the prompt that are looked at first, instead of what the description says."""

    described: DescribedModel = field(init=False, repr=False)
    settings: BundleSettings = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = DescribedModel.at(self.model, self.name, self.model_digest)
        given = {} if self.margin_mm is None else {"margin_mm": self.margin_mm}
        settings = settings_of({**found.settings, **given}, str(self.model))
        require_licence(found.card.licence, str(self.model), allow_unlicensed=self.allow_unlicensed)
        object.__setattr__(self, "described", found)
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "model_digest", found.digest)

    @property
    def licence(self) -> str:
        """Under what licence the model may be used; empty where it does not say."""
        return self.described.card.licence

    def parameters(self) -> Mapping[str, object]:
        """Every setting in force, the model's own name and licence, where the network runs."""
        card = self.described.card
        return {**super().parameters(), "model_name": card.name, "model_version": card.version, "licence": card.licence}


class TorchscriptSegmenter(_DescribedSegmenter):
    """A network as TorchScript, a program in a restricted language: trusted by its digest alone."""

    name: ClassVar[str] = "torchscript"

    def _load(self) -> Any:
        import torch

        data = self.described.weights()
        try:
            network = torch.jit.load(io.BytesIO(data), map_location=self._device)
        except (RuntimeError, ValueError, EOFError) as fault:
            raise ModelError(f"{self.model}: no TorchScript that can be loaded ({_brief(fault)})") from fault
        return network.to(self._device).eval()


class OnnxSegmenter(_DescribedSegmenter):
    """A network as an ONNX graph, run by onnxruntime."""

    name: ClassVar[str] = "onnx"

    def _load(self) -> Any:
        from trialimg.adapters.segmenters.onnx_network import OnnxNetwork

        return OnnxNetwork(self.described.weights(), self._device)


def _brief(fault: Exception) -> str:
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()] or [type(fault).__name__]
    return lines[-1][:200]
