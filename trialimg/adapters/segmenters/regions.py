"""From log odds of single voxels to one smooth solid region."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.special import expit

__all__ = ["distance_mm", "filled", "largest_part", "settle", "without_branches"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
SpacingZyx = tuple[float, float, float]
"""Distance between slices, rows and columns, in mm."""

_ROUNDS = 12
_CORNERS = np.ones((3, 3, 3))


def settle(odds: FloatArray, smoothness: float, spacing_mm: SpacingZyx) -> BoolArray:
    """The region that agrees both with each voxel's own log odds and with its neighbours.

    Parameters
    ----------
    odds
        Log odds that a voxel belongs to the region, by itself.
    smoothness
        Log odds that neighbours add when all of them agree.

    Notes
    -----
    Mean field of a Potts model with Gaussian neighbourhoods one pixel wide (in mm, so that thick slices hold less
    together than pixels do), a fixed number of rounds.

    References
    ----------
    Krähenbühl P, Koltun V. Efficient inference in fully connected CRFs with Gaussian edge potentials. NIPS 2011.
    """
    widths = min(spacing_mm[1:]) / np.asarray(spacing_mm)
    belief = expit(odds)
    for _ in range(_ROUNDS):
        around = ndimage.gaussian_filter(belief, widths, mode="nearest", truncate=3.0)
        belief = expit(odds + smoothness * (2 * around - 1))
    region: BoolArray = belief > 0.5
    return region


def without_branches(region: BoolArray, thickness_mm: float, spacing_mm: SpacingZyx) -> BoolArray:
    """The region without its parts thinner than a thickness (vessels, bridges to a neighbour).

    A region thinner than that everywhere, or a thickness below two pixels, changes nothing.
    """
    pixel_mm = min(spacing_mm)
    radius_mm = thickness_mm / 2
    if radius_mm < pixel_mm:
        return region
    depth = distance_mm(~region, spacing_mm) - pixel_mm / 2
    thick = depth >= radius_mm
    if not thick.any():
        return region
    return region & (distance_mm(thick, spacing_mm) <= radius_mm + pixel_mm)


def largest_part(region: BoolArray, near: BoolArray) -> BoolArray:
    """The connected part with the most voxels near a place; nothing where none is there."""
    parts, count = ndimage.label(region, _CORNERS)
    votes = np.bincount(parts[near & region], minlength=count + 1)
    votes[0] = 0
    if not votes.any():
        return np.zeros_like(region)
    chosen: BoolArray = parts == int(votes.argmax())
    return chosen


def filled(region: BoolArray) -> BoolArray:
    """The region with the holes of each slice closed."""
    return np.stack([ndimage.binary_fill_holes(plane) for plane in region])


def distance_mm(region: BoolArray, spacing_mm: SpacingZyx) -> FloatArray:
    """Distance from each voxel's centre to that of the nearest voxel of a region; beyond the image nothing is known."""
    if not region.any():
        return np.full(region.shape, np.inf)
    distance: FloatArray = ndimage.distance_transform_edt(~region, sampling=spacing_mm)
    return distance
