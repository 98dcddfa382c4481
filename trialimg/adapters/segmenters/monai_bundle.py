"""A lesion by a trained network from a local MONAI bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from trialimg.adapters.segmenters.bundle import Bundle
from trialimg.adapters.segmenters.bundle_settings import BundleSettings
from trialimg.adapters.segmenters.model_files import require_licence
from trialimg.adapters.segmenters.whole_volume import WholeVolumeSegmenter

__all__ = ["MonaiBundleSegmenter"]


@dataclass(frozen=True, kw_only=True, eq=False)
class MonaiBundleSegmenter(WholeVolumeSegmenter):
    """What the network of a bundle marks around the prompt; a setting that is None is taken from the bundle."""

    name: ClassVar[str] = "monai_bundle"
    version: ClassVar[str] = "1"

    model: Path
    """Folder of the bundle."""
    model_digest: str = ""
    """Digest that the bundle must have, empty for any; after that, the one it has."""
    device: str = "auto"
    allow_unlicensed: bool = False
    """Let a bundle in that does not say under what licence it may be used."""
    spacing_mm: Sequence[float] | None = None
    intensity_range: Sequence[float] | None = None
    roi_size: Sequence[int] | None = None
    lesion_labels: Sequence[int] | None = None
    orientation: str | None = None
    overlap: float | None = None
    margin_mm: float | None = None
    point_reach_mm: float | None = None
    follow_reach_mm: float | None = None

    bundle: Bundle = field(init=False, repr=False)
    settings: BundleSettings = field(init=False, repr=False)

    def __post_init__(self) -> None:
        bundle = Bundle.at(self.model, self.model_digest)
        known = {item.name for item in fields(BundleSettings)}
        given = {name: value for name, value in vars(self).items() if name in known and value is not None}
        settings = BundleSettings.of({**bundle.described(), **given})
        require_licence(bundle.licence, str(self.model), allow_unlicensed=self.allow_unlicensed)
        object.__setattr__(self, "bundle", bundle)
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "model_digest", bundle.digest)

    @property
    def licence(self) -> str:
        """Under what licence the bundle may be used; empty where it does not say."""
        return self.bundle.licence

    def parameters(self) -> Mapping[str, object]:
        """Every setting in force, defaults and what the bundle says included, its licence, where the network runs."""
        return {**super().parameters(), "licence": self.licence}

    def _load(self) -> Any:
        from trialimg.adapters.segmenters.bundle_network import load_network

        return load_network(self.bundle, self._device)
