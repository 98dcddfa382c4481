"""A lesion from its prompt alone: the baseline that every other segmenter has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from trialimg.adapters.segmenters.ellipsoids import Ellipsoid, EllipsoidRatios, Window, require_inside
from trialimg.adapters.segmenters.settings import require_positive_numbers
from trialimg.core.prompts import PointPrompt, Prompt
from trialimg.volume import Mask, Volume

__all__ = ["EllipsoidSegmenter"]


@dataclass(frozen=True)
class EllipsoidSegmenter(EllipsoidRatios):
    """The ellipsoid that a prompt suggests; no voxel of the image is looked at."""

    point_diameter_mm: float = 20.0
    """Diameter of the ball around a click."""
    name: ClassVar[str] = "ellipsoid"
    version: ClassVar[str] = "1"
    model_digest: ClassVar[str] = ""

    def __post_init__(self) -> None:
        require_positive_numbers(self)

    def parameters(self) -> Mapping[str, object]:
        """Every setting in force, defaults included."""
        return asdict(self)

    def segment(self, image: Volume, prompt: Prompt) -> Mask:
        """The ellipsoid, at least the voxel at its centre.

        Raises
        ------
        GeometryError
            If the prompt lies outside of the image.
        """
        require_inside(prompt, image.geometry)
        if isinstance(prompt, PointPrompt):
            ellipsoid = Ellipsoid.ball(prompt.point_lps_mm, self.point_diameter_mm)
        else:
            ellipsoid = Ellipsoid.of(prompt, self)
        window = Window.around(ellipsoid, image.geometry, scale=1.0, margin_mm=0.0)
        level = ellipsoid.level(window.geometry)
        return window.paste(level <= max(1.0, float(np.min(level))))

    def follow(self, image: Volume, earlier: Volume, earlier_mask: Mask) -> Mask:
        """The earlier mask where registration brought it.

        Raises
        ------
        GeometryError
            If the three lie on different grids.
        """
        earlier.geometry.require_same(image.geometry, "the earlier image", "the later image")
        earlier_mask.geometry.require_same(image.geometry, "the earlier mask", "the later image")
        return Mask((earlier_mask.array > 0).astype(np.uint8), image.geometry)
