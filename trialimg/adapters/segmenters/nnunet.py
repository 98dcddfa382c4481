"""A lesion by the networks of an nnU-Net v2 results folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from trialimg.adapters.segmenters.bundle_settings import BundleSettings
from trialimg.adapters.segmenters.model_card import settings_of
from trialimg.adapters.segmenters.model_files import require_licence
from trialimg.adapters.segmenters.nnunet_folder import NnunetFolder, NnunetPlan
from trialimg.adapters.segmenters.whole_volume import WholeVolumeSegmenter
from trialimg.core.errors import ModelError

__all__ = ["NnunetSegmenter"]


@dataclass(frozen=True, kw_only=True, eq=False)
class NnunetSegmenter(WholeVolumeSegmenter):
    """What an nnU-Net marks around the prompt: mean of its folds, windows as nnU-Net lays them."""

    name: ClassVar[str] = "nnunet"
    version: ClassVar[str] = "1"

    model: Path
    """Results folder of one trainer, plan and configuration."""
    model_digest: str = ""
    """Digest that its files must have, empty for any; after that, the one they have."""
    device: str = "auto"
    configuration: str = "3d_fullres"
    lesion_labels: Sequence[int] | None = None
    """Which labels are lesion; needed where the data set has several."""
    orientation: str = "LPS"
    """Where the axes of the training images pointed to; nnU-Net itself does not look at it."""
    margin_mm: float = 40.0
    mirror: bool = False
    """Answer for every mirror image as well, as nnU-Net does unless it is told not to; eight times the work."""
    allow_unlicensed: bool = False
    """Let a model in that does not say under what licence it may be used."""

    folder: NnunetFolder = field(init=False, repr=False)
    plan: NnunetPlan = field(init=False, repr=False)
    settings: BundleSettings = field(init=False, repr=False)

    def __post_init__(self) -> None:
        folder = NnunetFolder.at(self.model, self.model_digest)
        plan = folder.plan(self.configuration)
        chosen = list(self.lesion_labels or (plan.labels if len(plan.labels) == 1 else ()))
        if not chosen:
            raise ModelError(f"{self.model}: several labels {plan.labels}; say by lesion_labels which are lesion")
        described = {
            "spacing_mm": plan.to_xyz(plan.spacing_mm),
            "roi_size": plan.to_xyz(plan.patch_size),
            "lesion_labels": chosen,
            "orientation": self.orientation,
            "margin_mm": self.margin_mm,
            **plan.normalisation,
        }
        settings = settings_of(described, str(self.model))
        require_licence(folder.licence, str(self.model), allow_unlicensed=self.allow_unlicensed)
        for name, value in (("folder", folder), ("plan", plan), ("settings", settings)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "model_digest", folder.digest)

    @property
    def licence(self) -> str:
        """Under what licence the model may be used; empty where it does not say."""
        return self.folder.licence

    def parameters(self) -> Mapping[str, object]:
        """Every setting in force, what the plans say included, the licence, and where the networks run."""
        own = {"configuration": self.configuration, "mirror": self.mirror, "licence": self.licence}
        return {**super().parameters(), **own, "folds": list(self.folder.checkpoints)}

    def _load(self) -> Any:
        from trialimg.adapters.segmenters.nnunet_network import read_checkpoint, trained_network

        folds = []
        for name in self.folder.checkpoints:
            fold = read_checkpoint(self.folder.read(name), str(self.model / name))
            if fold["configuration"] != self.configuration:
                found = fold["configuration"]
                raise ModelError(f"{self.model / name}: trained as {found!r}, not {self.configuration!r}; say which")
            folds.append(fold["weights"])
        return trained_network(self.plan, folds, device=self._device, mirror=self.mirror)
