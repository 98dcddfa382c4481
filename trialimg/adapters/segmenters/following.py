"""The same lesion in a later image: smaller, larger, moved a little, in pieces, or gone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.adapters.segmenters.levels import Levels, estimate_levels
from trialimg.adapters.segmenters.regions import SpacingZyx, distance_mm, filled, settle, without_branches

__all__ = ["FollowSettings", "Pair", "found_again"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FollowSettings:
    """How a lesion is looked for where it was."""

    reach_mm: float = 6.0
    """How far the lesion may have moved against its surroundings."""
    growth: float = 0.5
    """By how much of its radius it may have grown."""
    place_odds: float = 4.0
    """Log odds that the earlier place lends; they fall with the cube of the distance, to 0 where the reach ends."""
    known_odds: float = 4.0
    """What speaks against a place that was bright outside of the lesion before."""
    smallest_ml: float = 0.02
    """Less than this is no lesion, nor a fragment of one."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two images on one grid, and where the lesion was in the earlier one; arrays (slices, rows, columns)."""

    later: FloatArray
    earlier: FloatArray
    earlier_region: BoolArray
    spacing_mm: SpacingZyx


def found_again(pair: Pair, settings: FollowSettings, *, smoothness: float, limit: float) -> BoolArray:
    """Where the lesion is now; nothing where it is gone.

    Parameters
    ----------
    smoothness, limit
        Log odds that neighbours, and that one voxel's brightness, can add.
    """
    levels = _levels(pair)
    away_mm = distance_mm(pair.earlier_region, pair.spacing_mm)
    voxel_mm3 = float(np.prod(pair.spacing_mm))
    radius_mm = float(np.cbrt(3 * voxel_mm3 * np.count_nonzero(pair.earlier_region) / (4 * np.pi)))
    far = (radius_mm + away_mm) / (radius_mm * (1 + settings.growth / 2) + settings.reach_mm)
    odds = levels.evidence(pair.later, limit) + np.clip(settings.place_odds * (1 - far**3), -30.0, 0.0)
    known = (levels.evidence(pair.earlier, limit) > 0) & (away_mm > min(pair.spacing_mm))
    odds = np.where(known, odds - settings.known_odds, odds)
    region = settle(odds, smoothness, pair.spacing_mm)
    region = without_branches(region, 0.3 * radius_mm, pair.spacing_mm)
    parts, count = ndimage.label(region, np.ones((3, 3, 3)))
    sizes = np.bincount(parts.ravel(), minlength=count + 1) * voxel_mm3 / 1000
    kept = sizes >= settings.smallest_ml
    kept[0] = False
    return filled(kept[parts])


def _levels(pair: Pair) -> Levels:
    inner = ndimage.binary_erosion(pair.earlier_region)
    core = inner if np.count_nonzero(inner) >= 8 else pair.earlier_region
    away_mm = distance_mm(pair.earlier_region, pair.spacing_mm)
    return estimate_levels(pair.earlier, core, (away_mm > 3.0) & (away_mm < 12.0))
