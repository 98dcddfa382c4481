"""The segmenter `trialimg-prompt`: our own network behind a line, both axes, a click or a box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy import ndimage

from trialimg.adapters.segmenters.bundle_network import device_for
from trialimg.adapters.segmenters.classical import ClassicalSegmenter
from trialimg.adapters.segmenters.ellipsoids import Window, require_inside
from trialimg.adapters.segmenters.prompt_network.looking import Found, found_again, found_at
from trialimg.adapters.segmenters.prompt_network.shipped import Shipped
from trialimg.core.errors import Fault, GeometryError, InvalidValueError
from trialimg.core.experience import Experience
from trialimg.core.prompts import PointPrompt, Prompt
from trialimg.volume import Mask, Unit, Volume
from trialimg.volume.resample import Interpolator, resample

__all__ = ["PromptNetworkSegmenter"]

_FOLLOWERS = ("classical", "network")


@dataclass(frozen=True, kw_only=True, eq=False)
class PromptNetworkSegmenter:
    """What a small network of our own marks at the prompt."""

    name: ClassVar[str] = "trialimg-prompt"
    version: ClassVar[str] = "3"

    model: Path | None = None
    """Folder of other weights for the same network; None: those that come with the software."""
    model_digest: str = ""
    """Digest that the weights must have, empty for any; after that, the one they have."""
    device: str = "auto"
    following: str = "classical"
    """Who looks for a lesion again in a later image: `classical`, or the `network`, shown the earlier region."""

    shipped: Shipped = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.following not in _FOLLOWERS:
            fault = Fault("following", "bad_value", f"is {self.following!r}; it is {' or '.join(_FOLLOWERS)}")
            raise InvalidValueError(fault)
        shipped = Shipped.at(self.model, self.model_digest or "")
        object.__setattr__(self, "shipped", shipped)
        object.__setattr__(self, "model_digest", shipped.digest)

    @property
    def licence(self) -> str:
        """Under what licence the weights may be used."""
        return self.shipped.licence

    def parameters(self) -> Mapping[str, object]:
        """Every setting in force, and where the network runs."""
        precision = "mixed float16" if self._device == "cuda" else "float32"
        follow: object = asdict(ClassicalSegmenter()) if self.following == "classical" else self.following
        return {"device": self._device, "precision": precision, "threshold": 0.5, "follow": follow}

    def segment(self, image: Volume, prompt: Prompt) -> Mask:
        """The connected region that the prompt touches; empty where the network sees none there.

        Raises
        ------
        GeometryError
            If the prompt lies outside of the image.
        ModelError
            If the weights were altered, or the device cannot run the network.
        """
        return _brought_back(self._found(image, prompt), image)

    def probabilities(self, image: Volume, prompt: Prompt) -> Volume:
        """The chance of every voxel on the grid of the last look, 48 voxels along each edge, axes of the image.

        Notes
        -----
        The mean over the four mirror images along columns and rows. `segment` keeps the part at or above one half that
        the prompt touches and interpolates its chances onto the image's grid.
        """
        found = self._found(image, prompt)
        step = f"chance of lesion by {self.name} {self.version}"
        return Volume(found.chance, found.grid, image.modality, Unit.ARBITRARY, (*image.history, step))

    def experience(self, prompt: Prompt) -> Experience | None:
        """How answers compared with the truth on subjects left out of the training, from the card of the weights."""
        return self.shipped.experience(prompt)

    def explanation(self, image: Volume, prompt: Prompt, *, method: str) -> Volume:
        """How much each place of the last look bears the lesion up, by `occlusion` or `gradient`.

        Raises
        ------
        GeometryError
            If the prompt lies outside of the image.
        ModelError
            If the network sees no lesion there.
        """
        from trialimg.adapters.segmenters.prompt_network.explaining import explanation_at

        require_inside(prompt, image.geometry)
        guess = _guess(image, prompt)
        return explanation_at(image, prompt, self.shipped, device=self._device, method=method, guess=guess)

    def follow(self, image: Volume, earlier: Volume, earlier_mask: Mask) -> Mask:
        """The same lesion in a later image; empty where it is gone, several parts where it split.

        Notes
        -----
        The network is shown the later image and the earlier region, not the earlier image. It outlines better than
        the classical segmenter what is still there, but hardly ever says that a lesion is gone.

        Raises
        ------
        GeometryError
            If the three lie on different grids, or the earlier mask is empty.
        """
        if self.following == "classical":
            return ClassicalSegmenter().follow(image, earlier, earlier_mask)
        earlier.geometry.require_same(image.geometry, "the earlier image", "the later image")
        earlier_mask.geometry.require_same(image.geometry, "the earlier mask", "the later image")
        if earlier_mask.is_empty:
            raise GeometryError("the earlier mask is empty: there is no lesion to follow")
        return _brought_back(found_again(image, earlier_mask, self._network), image)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the loaded network."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def _found(self, image: Volume, prompt: Prompt) -> Found:
        require_inside(prompt, image.geometry)
        return found_at(image, prompt, self._network, _guess(image, prompt))

    @cached_property
    def _device(self) -> str:
        return device_for(self.device)

    @cached_property
    def _network(self) -> Any:
        from trialimg.adapters.segmenters.prompt_network.running import running_network

        return running_network(self.shipped, self._device)


def _guess(image: Volume, prompt: Prompt) -> Mask | None:
    """What the classical segmenter sees around a click: of its size the network has no other hint."""
    return ClassicalSegmenter().segment(image, prompt) if isinstance(prompt, PointPrompt) else None


def _brought_back(found: Found, image: Volume) -> Mask:
    """The chances of the found part on the image's grid, where they reach one half."""
    if not found.region.any():
        return Mask(np.zeros(image.array.shape, np.uint8), image.geometry)
    near = ndimage.binary_dilation(found.region, iterations=2)
    others = (found.chance >= 0.5) & ~found.region
    kept = np.where(near & ~others, np.maximum(found.chance, 0.5 * found.region), 0).astype(np.float32)
    index = np.argwhere(near)[:, ::-1]
    corners = found.grid.to_lps(np.array([index.min(axis=0) - 1, index.max(axis=0) + 1]))
    window = Window.between(image.geometry.to_index(corners), image.geometry)
    chance = resample(Volume(kept, found.grid), window.geometry, Interpolator.LINEAR, outside=0.0)
    return window.paste(chance.array >= 0.5)
