"""The same lesion in a later image: smaller, larger, moved a little, in pieces, or gone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.adapters.segmenters.ellipsoids import Ellipsoid
from trialimg.adapters.segmenters.levels import Levels, estimate_levels, noise_sd
from trialimg.adapters.segmenters.regions import (
    SpacingZyx,
    distance_mm,
    filled,
    largest_part,
    settle,
    without_branches,
)
from trialimg.adapters.segmenters.scenes import Weights
from trialimg.volume import Geometry

__all__ = ["FollowSettings", "Pair", "found_again"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class FollowSettings:
    """How a lesion is looked for where it was; odds are natural logarithms."""

    reach_mm: float = 6.0
    """How far the lesion may have moved against its surroundings."""
    place_odds: float = 4.0
    """Log odds that the earlier place lends; they fall with the cube of the distance, to 0 where the reach ends."""
    known_odds: float = 10.0
    """What speaks against a place that was as bright as the lesion, but outside of it, before."""
    largest_growth: float = 2.5
    """Beyond this multiple of its earlier axes the lesion is not followed."""
    least_overlap: float = 0.25
    """Share of a part (or of the earlier lesion, if that is smaller) that lies where the lesion was."""
    smallest_share: float = 0.1
    """A part with less of the earlier place than this share of the main part's is no fragment."""
    smallest_ml: float = 0.02
    """Less than this is no lesion, nor a fragment of one."""
    least_evidence: float = 25.0
    """Log odds of its brightness, over all of its voxels, that a part needs: one or two voxels of noise have less."""
    remnant_contrast: float = 0.2
    """Where nothing of the lesion's brightness is left: share of its contrast that a blurred remnant still shows."""
    remnant_sds: float = 6.0
    """How far above the surroundings a remnant stands, in standard deviations of the noise."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two images on one grid, and where the lesion was in the earlier one; arrays (slices, rows, columns)."""

    later: FloatArray
    earlier: FloatArray
    earlier_region: BoolArray
    grid: Geometry

    @cached_property
    def place(self) -> BoolArray:
        """Where the lesion was, give or take a voxel."""
        around: BoolArray = ndimage.binary_dilation(self.earlier_region, np.ones((3, 3, 3)))
        return around

    @property
    def spacing_zyx_mm(self) -> SpacingZyx:
        x, y, z = self.grid.spacing_mm
        return z, y, x


def found_again(pair: Pair, settings: FollowSettings, weights: Weights) -> BoolArray:
    """Where the lesion is now; nothing where it is gone.

    Notes
    -----
    Voxels as bright as the lesion was, near its earlier place and not known from before as something else, settle
    into parts. A part counts if enough of it lies where the lesion was: several such parts are a split lesion. Each
    is then grown and trimmed around the ellipsoid it fills, so that it neither leaks along a vessel or a wall of
    the same brightness nor keeps the earlier size.
    """
    levels = _levels(pair)
    brightness = levels.evidence(pair.later, weights.brightness_odds)
    odds = np.where(_known(pair, levels, weights), brightness - settings.known_odds, brightness)
    parts = _settled(pair, odds, settings, weights)
    against_noise = replace(levels, spread=min(levels.spread, noise_sd(pair.later, apart=3) or levels.spread))
    chosen = _lesion_parts(pair, parts, against_noise.evidence(pair.later, weights.brightness_odds), settings)
    if not chosen:
        return _remnant(pair, levels, settings)
    odds = odds + _bound(pair, settings, weights)
    region = np.zeros_like(pair.earlier_region)
    for part in chosen:
        region |= _grown((parts == part) & pair.place, odds, pair.grid, weights)
    return region


def _levels(pair: Pair) -> Levels:
    """The lesion's brightness and its surroundings', as the earlier image shows them."""
    inner = ndimage.binary_erosion(pair.earlier_region)
    core = inner if np.count_nonzero(inner) >= 8 else pair.earlier_region
    away_mm = distance_mm(pair.earlier_region, pair.spacing_zyx_mm)
    return estimate_levels(pair.earlier, core, (away_mm > 3.0) & (away_mm < 12.0))


def _known(pair: Pair, levels: Levels, weights: Weights) -> BoolArray:
    """What was as bright as the lesion, but beside it, before."""
    known: BoolArray = ~pair.place & (levels.evidence(pair.earlier, weights.brightness_odds) > 0)
    return known


def _settled(pair: Pair, odds: FloatArray, settings: FollowSettings, weights: Weights) -> IntArray:
    """Connected parts near the earlier place, numbered from 1."""
    radius_mm = _radius_mm(pair)
    away_mm = distance_mm(pair.earlier_region, pair.spacing_zyx_mm)
    far = (radius_mm + away_mm) / (radius_mm + settings.reach_mm)
    near_odds = odds + np.clip(settings.place_odds * (1 - far**3), -30.0, 0.0)
    region = settle(near_odds, weights.smoothness_odds, pair.spacing_zyx_mm)
    parts: IntArray = ndimage.label(region, np.ones((3, 3, 3)))[0]
    return parts


def _lesion_parts(pair: Pair, parts: IntArray, evidence: FloatArray, settings: FollowSettings) -> tuple[int, ...]:
    """Which of the parts are the lesion: bright enough, large enough, and where it was."""
    radius_mm, count = _radius_mm(pair), int(parts.max())
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    place = pair.place if radius_mm < settings.reach_mm else pair.earlier_region  # a small lesion may lie beside it
    inside = np.bincount(parts[place], minlength=count + 1)
    needed = settings.least_overlap * np.minimum(sizes, np.count_nonzero(pair.earlier_region))
    large = sizes * pair.grid.voxel_volume_mm3 / 1000 >= settings.smallest_ml
    certain = np.bincount(parts.ravel(), evidence.ravel(), minlength=count + 1) >= settings.least_evidence
    lesion = large & certain & (inside >= np.maximum(needed, 1))
    lesion[0] = False
    lesion &= inside >= settings.smallest_share * np.max(inside, where=lesion, initial=0)
    deep = _depths_mm(parts, pair) >= min(settings.reach_mm, radius_mm / 2)
    if (lesion & deep).any():  # a part on the rim of the earlier place is a neighbour seen through misalignment
        lesion &= deep
    return tuple(np.flatnonzero(lesion).tolist())


def _depths_mm(parts: IntArray, pair: Pair) -> FloatArray:
    """How deep each part reaches into the earlier place; index 0 is the background."""
    depth_mm = distance_mm(~pair.earlier_region, pair.spacing_zyx_mm)
    deepest: FloatArray = ndimage.maximum(depth_mm, parts, np.arange(parts.max() + 1))
    return deepest


def _bound(pair: Pair, settings: FollowSettings, weights: Weights) -> FloatArray:
    """Log odds against places beyond the largest growth."""
    earlier = Ellipsoid.fitted(pair.earlier_region, pair.grid)
    largest = replace(earlier, semi_mm=earlier.semi_mm * settings.largest_growth)
    return np.clip(weights.shape_odds * (1 - largest.level(pair.grid) ** 3), -30.0, 0.0)


_ROUNDS = 6
_SLACK = 1.1
"""How much larger than the part's own ellipsoid the shape is that it may fill in one round."""


def _grown(seed: BoolArray, odds: FloatArray, grid: Geometry, weights: Weights) -> BoolArray:
    """A part around its own ellipsoid, round by round, until nothing changes; the seed itself where it is too small."""
    x, y, z = grid.spacing_mm
    region = seed
    for _ in range(_ROUNDS):
        own = Ellipsoid.fitted(region, grid)
        semi_mm = np.maximum(own.semi_mm, min(grid.spacing_mm))
        level = replace(own, semi_mm=semi_mm * _SLACK).level(grid)
        shaped = odds + np.maximum(weights.shape_odds * (1 - level**3), -30.0)
        settled = settle(shaped, weights.smoothness_odds, (z, y, x))
        settled = without_branches(settled, weights.thinnest * 2 * float(semi_mm.min()), (z, y, x))
        settled = filled(largest_part(settled, region))
        if not settled.any():
            return seed
        if np.array_equal(settled, region):
            break
        region = settled
    return region


def _remnant(pair: Pair, levels: Levels, settings: FollowSettings) -> BoolArray:
    """A spot too small to reach the lesion's brightness, blurred by the scanner, where the lesion was."""
    around = min(levels.outside, key=lambda level: abs(levels.inside - level))
    contrast = (pair.later - around) / (levels.inside - around)
    noise = noise_sd(pair.later, apart=3)
    clear = (contrast >= settings.remnant_contrast) & (np.abs(pair.later - around) >= settings.remnant_sds * noise)
    parts, count = ndimage.label(clear, np.ones((3, 3, 3)))
    inside = np.bincount(parts[pair.earlier_region], minlength=count + 1)
    inside[0] = 0
    spot: BoolArray = parts == int(inside.argmax())
    if not inside.any() or np.count_nonzero(spot) > 2 * inside.max():
        return np.zeros_like(pair.earlier_region)
    return spot


def _radius_mm(pair: Pair) -> float:
    """Radius of the ball with the earlier lesion's volume."""
    volume_mm3 = pair.grid.voxel_volume_mm3 * np.count_nonzero(pair.earlier_region)
    return float(np.cbrt(3 * volume_mm3 / (4 * np.pi)))
