"""A lesion of about the shape of an ellipsoid, found by its brightness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.adapters.segmenters.ellipsoids import Ellipsoid, Window
from trialimg.adapters.segmenters.levels import estimate_levels
from trialimg.adapters.segmenters.regions import SpacingZyx, filled, largest_part, settle, without_branches
from trialimg.volume import Geometry, Volume
from trialimg.volume.resample import Interpolator, resample

__all__ = ["Scene", "Weights", "grown_from", "region_of_shape"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

_ROUNDS = 3
_CORE = 0.5
_NEAR = 0.8
_SURROUNDINGS = (1.2, 2.0)
_FEWEST_VOXELS = 8
_LEAST_ODDS = -30.0


@dataclass(frozen=True)
class Weights:
    """How shape, brightness and smoothness are weighed; odds are natural logarithms."""

    shape_odds: float = 5.0
    """Log odds of the expected shape at its centre; they fall with the cube of the distance, to 0 on its surface."""
    brightness_odds: float = 8.0
    """Most that one voxel's brightness can say."""
    smoothness_odds: float = 4.0
    """What a voxel's neighbours say together when they agree."""
    thinnest: float = 0.3
    """Parts thinner than this share of the expected shape's shortest axis are vessels or bridges, not lesion."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The image around an expected shape; arrays (slices, rows, columns)."""

    image: FloatArray
    level: FloatArray
    """Of the shape: below 1 inside."""
    shape_odds: FloatArray
    thickness_mm: float
    spacing_mm: SpacingZyx

    @classmethod
    def of(cls, image: Volume, shape: Ellipsoid, weights: Weights, penalty: FloatArray | float = 0.0) -> Scene:
        """The scene with the shape's odds, less a penalty for places the prompt rules out."""
        level = shape.level(image.geometry)
        odds = np.maximum(weights.shape_odds * (1 - level**3) - penalty, _LEAST_ODDS)
        x, y, z = image.geometry.spacing_mm
        thickness = weights.thinnest * 2 * float(shape.semi_mm.min())
        return cls(image.array.astype(np.float64), level, odds, thickness, (z, y, x))

    def region(self, core: BoolArray, surroundings: BoolArray, weights: Weights) -> BoolArray:
        """Shape, brightness and neighbours weighed once.

        Parameters
        ----------
        core, surroundings
            Where the brightness of the lesion, and of what is around it, is read.
        """
        odds = self.shape_odds
        if surroundings.any():
            levels = estimate_levels(self.image, core, surroundings)
            odds = odds + levels.evidence(self.image, weights.brightness_odds)
        region = settle(odds, weights.smoothness_odds, self.spacing_mm)
        region = without_branches(region, self.thickness_mm, self.spacing_mm)
        return filled(largest_part(region, self.level < _NEAR))

    def stands_out(self) -> bool:
        """Whether some tissue around the shape is not as bright as its middle, beyond the spread of either."""
        surroundings = self.surroundings()
        return bool(surroundings.any()) and estimate_levels(self.image, self.core(), surroundings).contrast > 1.0

    def core(self) -> BoolArray:
        """The middle of the shape, at least some voxels."""
        return self.level <= max(_CORE, float(np.sort(self.level, axis=None)[:_FEWEST_VOXELS][-1]))

    def surroundings(self) -> BoolArray:
        """A shell around the shape."""
        return (self.level > _SURROUNDINGS[0]) & (self.level < _SURROUNDINGS[1])


def region_of_shape(scene: Scene, weights: Weights) -> BoolArray:
    """The lesion of about the scene's shape; brightness is read anew around each answer."""
    core, surroundings = scene.core(), scene.surroundings()
    region = np.zeros_like(core)
    for _ in range(_ROUNDS):
        before, region = region, scene.region(core, surroundings, weights)
        if np.count_nonzero(region) < _FEWEST_VOXELS or np.array_equal(region, before):
            break
        inner = ndimage.binary_erosion(region)
        core = inner if np.count_nonzero(inner) >= _FEWEST_VOXELS else region
        surroundings = ~ndimage.binary_dilation(region, iterations=2) & (scene.level < _SURROUNDINGS[1])
    return region


_SLACK = 1.05
_STILL = 1.03
_MOST_GROWTH_ROUNDS = 40
_VOXELS_PER_HALF_AXIS = 8


def grown_from(image: Volume, start: Ellipsoid, weights: Weights, *, largest_mm: float) -> Ellipsoid | None:
    """The ellipsoid that a lesion fills, grown from a place inside of it until its edge stops it; None without an edge.

    Parameters
    ----------
    start
        A small ellipsoid inside of the lesion.
    largest_mm
        Longest axis at which to give up.
    """
    shape = start
    for _ in range(_MOST_GROWTH_ROUNDS):
        wider = shape.wider(image.geometry, _SLACK, 0.5)
        window = Window.around(wider, image.geometry, scale=1.5, margin_mm=2.0)
        part = _no_finer(window.cut(image), float(shape.semi_mm.min()) / _VOXELS_PER_HALF_AXIS)
        scene = Scene.of(part, wider, weights)
        region = scene.region(scene.core(), scene.surroundings(), weights)
        if not region.any():
            return None
        grown = Ellipsoid.fitted(region, part.geometry)
        if 2 * grown.semi_mm.max() > largest_mm:
            return None
        if np.prod(grown.semi_mm) < np.prod(shape.semi_mm) * _STILL:
            return grown if scene.stands_out() else None
        shape = grown
    return None


def _no_finer(image: Volume, edge_mm: float) -> Volume:
    """The image on a grid whose voxels are at least so long along each axis; itself where they are."""
    grid = image.geometry
    spacing = np.maximum(grid.spacing_mm, edge_mm)
    size = np.maximum(np.floor(np.asarray(grid.size) * grid.spacing_mm / spacing), 1).astype(int)
    if np.array_equal(size, grid.size):
        return image
    (i, j, k), (x, y, z) = size.tolist(), spacing.tolist()
    first = (np.asarray(grid.size) - 1) / 2 - (size - 1) / 2 * spacing / grid.spacing_mm
    a, b, c = grid.to_lps(first).tolist()
    coarse = Geometry((i, j, k), (x, y, z), (a, b, c), grid.direction)
    return resample(image, coarse, Interpolator.LINEAR, outside=float(image.array.min()))
