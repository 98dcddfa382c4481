"""A lesion from the prompt's shape times the image's brightness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.adapters.segmenters.ellipsoids import Ellipsoid, EllipsoidRatios, Window, require_inside
from trialimg.adapters.segmenters.following import FollowSettings, Pair, Weights, found_again
from trialimg.adapters.segmenters.levels import estimate_levels
from trialimg.adapters.segmenters.regions import SpacingZyx, filled, largest_part, settle, without_branches
from trialimg.adapters.segmenters.settings import require_positive_numbers
from trialimg.core.errors import GeometryError
from trialimg.core.prompts import LinePrompt, Prompt
from trialimg.volume import Mask, Volume

__all__ = ["ClassicalSegmenter"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Scene:
    """The image around a prompt, and the prompt's shape in it."""

    image: FloatArray
    level: FloatArray
    """Of the ellipsoid: below 1 inside."""
    shape_odds: FloatArray
    thickness_mm: float
    spacing_mm: SpacingZyx


_ROUNDS = 3
_CORE = 0.5
_NEAR = 0.8
_SURROUNDINGS = (1.2, 2.0)
_FEWEST_VOXELS = 8


@dataclass(frozen=True)
class ClassicalSegmenter(FollowSettings, EllipsoidRatios):
    """The region that is as bright as the prompt's core, shaped like the prompt, and smooth.

    Odds are natural logarithms.
    """

    shape_odds: float = 5.0
    """Log odds of the prompt's shape at its centre; they fall with the cube of the distance, to 0 on its surface."""
    brightness_odds: float = 8.0
    """Most that one voxel's brightness can say."""
    smoothness_odds: float = 4.0
    """What a voxel's neighbours say together when they agree."""
    line_end_mm: float = 1.5
    """How far a reader's line may stop short of the lesion's edge."""
    thinnest: float = 0.3
    """Parts thinner than this share of the prompt's shortest axis are vessels or bridges, not lesion."""
    name: ClassVar[str] = "classical"
    version: ClassVar[str] = "1"
    model_digest: ClassVar[str] = ""

    def __post_init__(self) -> None:
        require_positive_numbers(self)

    def parameters(self) -> Mapping[str, object]:
        """Every setting in force, defaults included."""
        return asdict(self)

    def segment(self, image: Volume, prompt: Prompt) -> Mask:
        """The lesion that the prompt points at; empty where nothing there stands out.

        Raises
        ------
        GeometryError
            If the prompt lies outside of the image.
        """
        require_inside(prompt, image.geometry)
        ellipsoid = Ellipsoid.of(prompt, self)
        window = Window.around(ellipsoid, image.geometry, scale=1.6, margin_mm=6.0)
        return window.paste(self._found(self._scene(window.cut(image), ellipsoid, prompt)))

    def follow(self, image: Volume, earlier: Volume, earlier_mask: Mask) -> Mask:
        """The same lesion in a later image; empty where it is gone, several parts where it split.

        Raises
        ------
        GeometryError
            If the three lie on different grids, or the earlier mask is empty.
        """
        grid = image.geometry
        earlier.geometry.require_same(grid, "the earlier image", "the later image")
        earlier_mask.geometry.require_same(grid, "the earlier mask", "the later image")
        if earlier_mask.is_empty:
            raise GeometryError("the earlier mask is empty: there is no lesion to follow")
        was = earlier_mask.array > 0
        window = Window.around(Ellipsoid.fitted(was, grid), grid, scale=1.8, margin_mm=12.0)
        later, before = (window.cut(volume).array.astype(np.float64) for volume in (image, earlier))
        pair = Pair(later, before, window.cut_array(was), window.geometry)
        weights = Weights(self.shape_odds, self.brightness_odds, self.smoothness_odds, self.thinnest)
        return window.paste(found_again(pair, self, weights))

    def _scene(self, image: Volume, ellipsoid: Ellipsoid, prompt: Prompt) -> _Scene:
        grid = image.geometry
        level = ellipsoid.level(grid)
        odds = self.shape_odds * (1 - level**3)
        if isinstance(prompt, LinePrompt):
            odds -= (ellipsoid.beyond_ends_mm(grid) / self.line_end_mm) ** 2
        x, y, z = grid.spacing_mm
        thickness = self.thinnest * 2 * float(ellipsoid.semi_mm.min())
        return _Scene(image.array.astype(np.float64), level, np.maximum(odds, -30.0), thickness, (z, y, x))

    def _found(self, scene: _Scene) -> BoolArray:
        core = scene.level <= max(_CORE, float(np.sort(scene.level, axis=None)[:_FEWEST_VOXELS][-1]))
        surroundings = (scene.level > _SURROUNDINGS[0]) & (scene.level < _SURROUNDINGS[1])
        region = np.zeros_like(core)
        for _ in range(_ROUNDS):
            region = self._region(scene, core, surroundings)
            if np.count_nonzero(region) < _FEWEST_VOXELS:
                break
            inner = ndimage.binary_erosion(region)
            core = inner if np.count_nonzero(inner) >= _FEWEST_VOXELS else region
            surroundings = ~ndimage.binary_dilation(region, iterations=2) & (scene.level < _SURROUNDINGS[1])
        return region

    def _region(self, scene: _Scene, core: BoolArray, surroundings: BoolArray) -> BoolArray:
        odds = scene.shape_odds
        if surroundings.any():
            levels = estimate_levels(scene.image, core, surroundings)
            odds = odds + levels.evidence(scene.image, self.brightness_odds)
        region = settle(odds, self.smoothness_odds, scene.spacing_mm)
        region = without_branches(region, scene.thickness_mm, scene.spacing_mm)
        return filled(largest_part(region, scene.level < _NEAR))
