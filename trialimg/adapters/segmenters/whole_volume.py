"""A lesion out of everything that a network marks in the part of an image around a prompt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.adapters.segmenters.bundle_choice import (
    Choice,
    Extent,
    choice_by_earlier,
    choice_by_prompt,
    extent_of_mask,
    extent_of_prompt,
)
from trialimg.adapters.segmenters.bundle_settings import BundleSettings
from trialimg.adapters.segmenters.ellipsoids import Window, require_inside
from trialimg.adapters.segmenters.prompt_channels import Hint, hint_of_mask, hint_of_prompt
from trialimg.core.errors import GeometryError, ModelError
from trialimg.core.experience import Experience
from trialimg.core.prompts import Prompt
from trialimg.volume import Geometry, Mask, Volume
from trialimg.volume.resample import Interpolator, resample, resample_mask

__all__ = ["WholeVolumeSegmenter"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]


class WholeVolumeSegmenter(ABC):
    """What a network marks around the prompt; who inherits says which network, and how its images are prepared."""

    settings: BundleSettings
    device: str

    @abstractmethod
    def _load(self) -> Any:
        """The network: takes (1, channels, x, y, z), gives scores (1, labels, x, y, z); channel 0 is background."""

    def parameters(self) -> Mapping[str, object]:
        """Every setting in force, defaults and what the model says included, and where the network runs."""
        precision = "mixed float16" if self._device == "cuda" else "float32"
        return {**asdict(self.settings), "device": self._device, "precision": precision}

    def segment(self, image: Volume, prompt: Prompt) -> Mask:
        """The connected region that the prompt touches, or the nearest within its reach; else empty.

        Raises
        ------
        GeometryError
            If the prompt lies outside of the image.
        ModelError
            If the model was altered or cannot run on this image.
        """
        require_inside(prompt, image.geometry)
        reach_mm = self.settings.point_reach_mm
        asked = _Asked(image, hint_of_prompt(prompt), _Scaling.of(image, self.settings))
        return self._found(asked, extent_of_prompt(prompt, reach_mm), choice_by_prompt(prompt, reach_mm))

    def follow(self, image: Volume, earlier: Volume, earlier_mask: Mask) -> Mask:
        """Every region at the place where the lesion was; empty where there is none.

        Raises
        ------
        GeometryError
            If the three lie on different grids, or the earlier mask is empty.
        ModelError
            If the model was altered or cannot run on this image.
        """
        earlier.geometry.require_same(image.geometry, "the earlier image", "the later image")
        earlier_mask.geometry.require_same(image.geometry, "the earlier mask", "the later image")
        if earlier_mask.is_empty:
            raise GeometryError("the earlier mask is empty: there is no lesion to follow")
        choice = choice_by_earlier(earlier_mask, self.settings.follow_reach_mm)
        asked = _Asked(image, hint_of_mask(earlier_mask), _Scaling.of(image, self.settings))
        return self._found(asked, extent_of_mask(earlier_mask), choice)

    def experience(self, prompt: Prompt) -> Experience | None:  # noqa: ARG002 (the port asks by prompt)
        """None: the model's folder says nothing of it."""
        return None

    def probabilities(self, image: Volume, prompt: Prompt) -> Volume:
        """The chance that a voxel belongs to the lesion, on the network's own grid around the prompt.

        Notes
        -----
        Softmax over the scores, lesion channels added up; other lesions than the one that `segment` keeps are 0.

        Raises
        ------
        GeometryError
            If the prompt lies outside of the image.
        ModelError
            If the model was altered or cannot run on this image.
        """
        require_inside(prompt, image.geometry)
        reach_mm = self.settings.point_reach_mm
        asked = _Asked(image, hint_of_prompt(prompt), _Scaling.of(image, self.settings))
        extent, choose = extent_of_prompt(prompt, reach_mm), choice_by_prompt(prompt, reach_mm)
        whole = _level_grid(image.geometry, self.settings.spacing_mm)
        window = self._window(whole, extent, self.settings.margin_mm)
        chance = self._chances(asked, window.geometry)
        chosen = choose(chance >= 0.5, window.geometry)
        kept = np.where((chance < 0.5) | chosen, chance, np.float32(0))
        step = f"chance of lesion by {type(self).__name__}"
        return Volume(kept, window.geometry, image.modality, history=(*image.history, step))

    def explanation(self, image: Volume, prompt: Prompt, *, method: str) -> Volume:
        """How much each place bears the lesion up, by `occlusion` or `gradient`, in one window of the network.

        Raises
        ------
        GeometryError
            If the prompt lies outside of the image.
        ModelError
            If there is no lesion to explain, or the network has no gradient.
        """
        from trialimg.adapters.segmenters.explanation import explained

        require_inside(prompt, image.geometry)
        asked = _Asked(image, hint_of_prompt(prompt), _Scaling.of(image, self.settings))
        whole = _level_grid(image.geometry, self.settings.spacing_mm)
        grid = _centred(whole, asked.hint.centre, self.settings.roi_size)
        turned = _turned(self._input(asked, grid), self.settings.orientation)
        found = explained(
            self._network, turned, image_channels=1, lesion_channels=self.settings.lesion_labels, method=method,
        )  # fmt: skip
        array = _turned(found, self.settings.orientation).transpose(2, 1, 0)
        return Volume(np.ascontiguousarray(array), grid, image.modality, history=(*image.history, f"{method} map"))

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the loaded network."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    @cached_property
    def _device(self) -> str:
        from trialimg.adapters.segmenters.bundle_network import device_for

        return device_for(self.device)

    @cached_property
    def _network(self) -> Any:
        return self._load()

    def _found(self, asked: _Asked, extent: Extent, choose: Choice) -> Mask:
        """The chosen regions on the image's grid; more surroundings are looked at while they cut a region off."""
        image = asked.image
        whole = _level_grid(image.geometry, self.settings.spacing_mm)
        margin_mm = self.settings.margin_mm
        while True:
            window = self._window(whole, extent, margin_mm)
            region = choose(self._lesions(asked, window.geometry), window.geometry)
            if not _is_cut_off(region, window):
                return _brought_back(region, window.geometry, image.geometry)
            margin_mm *= 2

    def _window(self, whole: Geometry, extent: Extent, margin_mm: float) -> Window:
        """The part of the grid that lies around an extent, at least as large as the network's own window."""
        low, high = extent
        least_mm = np.multiply(self.settings.roi_size, self.settings.spacing_mm) / 2
        half_mm = np.maximum((high - low) / 2 + margin_mm, least_mm)
        centre = (low + high) / 2
        return Window.between(whole.to_index(np.array([centre - half_mm, centre + half_mm])), whole)

    def _lesions(self, asked: _Asked, grid: Geometry) -> BoolArray:
        """Where on a grid the network sees lesion."""
        from trialimg.adapters.segmenters.bundle_windows import channel_labels

        labels = self._swept(channel_labels, asked, grid)
        if labels.shape != grid.size:
            raise ModelError(f"the network gives {labels.shape} voxels for an image of {grid.size}")
        return np.isin(_turned(labels, self.settings.orientation).transpose(2, 1, 0), self.settings.lesion_labels)

    def _chances(self, asked: _Asked, grid: Geometry) -> FloatArray:
        """The chance of lesion on a grid."""
        from trialimg.adapters.segmenters.bundle_windows import channel_chances

        chances = self._swept(channel_chances, asked, grid)
        if chances.shape[1:] != grid.size or max(self.settings.lesion_labels) >= len(chances):
            raise ModelError(f"the network gives {chances.shape} numbers for an image of {grid.size}")
        lesion = chances[list(self.settings.lesion_labels)].sum(axis=0)
        return np.ascontiguousarray(_turned(lesion, self.settings.orientation).transpose(2, 1, 0))

    def _swept(self, sweep: Callable[..., npt.NDArray[Any]], asked: _Asked, grid: Geometry) -> npt.NDArray[Any]:
        """The network's answer on a grid, window by window, axes as it has them."""
        from trialimg.adapters.segmenters.bundle_windows import reproducible

        settings = self.settings
        turned = _turned(self._input(asked, grid), settings.orientation)
        with reproducible():
            return sweep(self._network, turned, settings.roi_size, overlap=settings.overlap, device=self._device)

    def _input(self, asked: _Asked, grid: Geometry) -> FloatArray:
        """What the network is shown of a grid, shape (channels, x, y, z)."""
        return asked.channels(grid, self.settings.prompt_channels).transpose(0, 3, 2, 1)


def _centred(whole: Geometry, centre: npt.NDArray[np.float64], size: tuple[int, int, int]) -> Geometry:
    """A grid of some size around a point, with the voxels of another grid."""
    first = np.rint(whole.to_index(centre)) - np.array(size) // 2
    x, y, z = whole.to_lps(first).tolist()
    return replace(whole, size=size, origin_lps_mm=(x, y, z))


@dataclass(frozen=True, eq=False)
class _Scaling:
    """From an image's values to those a network takes."""

    offset: float
    divisor: float
    lowest: float
    highest: float
    outside: float
    """Value, in the image's unit, beyond the image."""

    @classmethod
    def of(cls, image: Volume, settings: BundleSettings) -> _Scaling:
        if settings.normalisation == "image" or settings.intensity_range is None:
            values = image.array.astype(np.float64)
            return cls(float(values.mean()), max(float(values.std()), 1e-8), -np.inf, np.inf, float(values.min()))
        low, high = settings.intensity_range
        if settings.normalisation == "range":
            return cls(low, high - low, 0.0, 1.0, low)
        mean, sd = settings.intensity_mean or 0.0, settings.intensity_sd or 1.0
        return cls(mean, sd, (low - mean) / sd, (high - mean) / sd, low)

    def applied(self, values: FloatArray) -> FloatArray:
        scaled: FloatArray = np.clip((values - self.offset) / self.divisor, self.lowest, self.highest, dtype=np.float32)
        return scaled


@dataclass(frozen=True, eq=False)
class _Asked:
    """An image with what is known of the lesion in it."""

    image: Volume
    hint: Hint
    scaling: _Scaling

    def channels(self, grid: Geometry, prompt_channels: tuple[str, ...]) -> FloatArray:
        """The image and what the reader drew on a grid, shape (channels, slices, rows, columns)."""
        part = _around(grid.bounds_lps_mm(), self.image.geometry).cut(self.image)
        part = replace(part, array=part.array.astype(np.float32))
        values = resample(part, grid, Interpolator.LINEAR, outside=self.scaling.outside).array
        return np.concatenate([self.scaling.applied(values)[None], self.hint.channels(prompt_channels, grid)])


def _level_grid(grid: Geometry, spacing_mm: tuple[float, float, float]) -> Geometry:
    """The grid along the patient's axes, LPS, that covers another; the same one where spacing and axes are equal."""
    low, high = grid.bounds_lps_mm()
    spacing = np.asarray(spacing_mm)
    x, y, z = np.maximum(1, np.rint((high - low) / spacing)).astype(int).tolist()
    first = (low + high) / 2 - (np.array([x, y, z]) - 1) / 2 * spacing
    return Geometry((x, y, z), spacing_mm, (float(first[0]), float(first[1]), float(first[2])))


def _turned(array: npt.NDArray[Any], orientation: str) -> npt.NDArray[Any]:
    """From axes that point to L, P and S to the given ones, or back; the last three of an array are (x, y, z)."""
    axes = tuple(axis - 3 for axis, (letter, own) in enumerate(zip(orientation, "LPS", strict=True)) if letter != own)
    return np.flip(array, axes)


def _is_cut_off(region: BoolArray, window: Window) -> bool:
    """Whether a region touches an edge of the window beyond which the image goes on."""
    for axis, (low, high, size) in enumerate(zip(window.low, window.high, window.grid.size, strict=True)):
        along = np.flatnonzero(region.any(axis=tuple(a for a in range(3) if a != 2 - axis)))
        if len(along) and ((low > 0 and along[0] == 0) or (high < size and along[-1] == high - low - 1)):
            return True
    return False


def _brought_back(region: BoolArray, grid: Geometry, target: Geometry) -> Mask:
    """The region on the image's own grid."""
    if not region.any():
        return Mask(np.zeros(target.shape, np.uint8), target)
    mask = Mask(region.astype(np.uint8), grid)
    low, high = extent_of_mask(mask)
    window = _around((low - grid.spacing_mm, high + grid.spacing_mm), target)
    return window.paste(resample_mask(mask, window.geometry).array > 0)


def _around(extent: Extent, grid: Geometry) -> Window:
    """The part of a grid, however it is turned, that covers a box along the patient's axes, and a voxel more."""
    low, high = extent
    corners = low + np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * (high - low)
    index = grid.to_index(corners)
    return Window.between(np.array([index.min(axis=0) - 1, index.max(axis=0) + 1]), grid)
