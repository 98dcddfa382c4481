"""A lesion from the prompt's shape times the image's brightness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from trialimg.adapters.segmenters.ellipsoids import Ellipsoid, EllipsoidRatios, Window, require_inside
from trialimg.adapters.segmenters.following import FollowSettings, Pair, found_again
from trialimg.adapters.segmenters.scenes import Scene, Weights, grown_from, region_of_shape
from trialimg.adapters.segmenters.settings import require_positive_numbers
from trialimg.core.errors import GeometryError
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.volume import Mask, Volume

__all__ = ["ClassicalSegmenter"]

_FIXED_AXES = {LinePrompt: 1, BidirectionalPrompt: 2, BoxPrompt: 3, PointPrompt: 0}
"""Along how many axes of its shape a prompt says where the lesion ends."""


@dataclass(frozen=True)
class ClassicalSegmenter(FollowSettings, Weights, EllipsoidRatios):
    """The region that is as bright as the prompt's core, shaped like the prompt, and smooth."""

    slack_mm: float = 1.5
    """How far a reader's line or box may stop short of the lesion's edge."""
    point_start_mm: float = 8.0
    """Diameter of the ball around a click that a lesion is grown from."""
    point_largest_mm: float = 120.0
    """A region grown from a click that reaches this diameter has no edge of its own and is given up."""
    name: ClassVar[str] = "classical"
    version: ClassVar[str] = "5"
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
        shape = self._shape(image, prompt)
        if shape is None:
            return Mask(np.zeros(image.array.shape, np.uint8), image.geometry)
        window = Window.around(shape, image.geometry, scale=1.6, margin_mm=6.0)
        penalty = (shape.beyond_mm(window.geometry, _FIXED_AXES[type(prompt)]) / self.slack_mm) ** 2
        return window.paste(region_of_shape(Scene.of(window.cut(image), shape, self, penalty), self))

    def _shape(self, image: Volume, prompt: Prompt) -> Ellipsoid | None:
        if not isinstance(prompt, PointPrompt):
            return Ellipsoid.of(prompt, self)
        start = Ellipsoid.ball(prompt.point_lps_mm, self.point_start_mm)
        return grown_from(image, start, self, largest_mm=self.point_largest_mm)

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
        return window.paste(found_again(pair, self, self))
