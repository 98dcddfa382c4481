"""How bright a lesion is and what lies around it, and how much a voxel's value speaks for the one or the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["Levels", "estimate_levels", "noise_sd"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

_MAD_TO_SD = 1.4826
_HISTOGRAM_BINS_PER_SD = 8
_MOST_BINS = 4096
_SMALLEST_SHARE = 0.1
"""Tissues that fill less of the surroundings than this (small vessels, edges) are not a level of their own."""


@dataclass(frozen=True)
class Levels:
    """Brightness of a lesion and of the tissues around it, in the image's unit."""

    inside: float
    outside: tuple[float, ...]
    """One for each tissue around the lesion."""
    shares: tuple[float, ...]
    """How much of the surroundings each of them fills; they sum to 1."""
    spread: float
    """Standard deviation within each tissue."""

    @property
    def contrast(self) -> float:
        """Distance from the lesion to the tissue least like it, in units of the spread."""
        return max(abs(self.inside - level) for level in self.outside) / self.spread

    def evidence(self, image: FloatArray, limit: float) -> FloatArray:
        """Log odds that each voxel is lesion, by its value alone, between -limit and limit.

        Notes
        -----
        Lesion and surroundings are normal distributions of one spread, the surroundings a mixture. Where the lesion
        stands out from a tissue, the odds turn half-way between the two levels: the place of a blurred edge. A tissue
        as bright as the lesion holds the odds below the inverse of its share, so that shape has to decide there.
        """
        mixture = np.logaddexp.reduce(
            [
                np.log(share) + self._log_density(image, level)
                for level, share in zip(self.outside, self.shares, strict=True)
            ]
        )
        odds: FloatArray = np.clip(self._log_density(image, self.inside) - mixture, -limit, limit)
        return odds

    def _log_density(self, image: FloatArray, level: float) -> FloatArray:
        return -(((image - level) / self.spread) ** 2) / 2


def noise_sd(image: FloatArray, *, apart: int = 1) -> float:
    """Standard deviation of the noise, from second differences along rows; 0 for a flat image.

    Parameters
    ----------
    apart
        How many pixels apart values are compared. Neighbours show the least of the anatomy; but a soft kernel makes
        them alike and hides part of the noise, which some pixels apart do not.
    """
    step = min(apart, (image.shape[2] - 1) // 2)
    if step < 1:
        return float(_MAD_TO_SD * np.median(np.abs(image - np.median(image))))
    bend = (image[:, :, : -2 * step] - 2 * image[:, :, step:-step] + image[:, :, 2 * step :]) / np.sqrt(6)
    return float(_MAD_TO_SD * np.median(np.abs(bend)))


def estimate_levels(image: FloatArray, core: BoolArray, surroundings: BoolArray) -> Levels:
    """The levels that two regions show.

    Parameters
    ----------
    image
        Shape (slices, rows, columns).
    core
        Voxels that are very likely lesion; at least one.
    surroundings
        Voxels that are very likely not; at least one.
    """
    values = image[core]
    inside = float(np.median(values))
    own_spread = float(_MAD_TO_SD * np.median(np.abs(values - inside)))
    floor = 1e-3 * float(np.ptp(image)) or 1.0
    spread = max(noise_sd(image), own_spread, floor)
    outside, shares = _tissues(image[surroundings], spread)
    return Levels(inside, outside, shares, spread)


def _tissues(values: FloatArray, spread: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Modes of a sample's smoothed histogram and the share of the sample under each."""
    low, high = float(values.min()) - 4 * spread, float(values.max()) + 4 * spread
    bins = min(_MOST_BINS, int(np.ceil((high - low) / spread * _HISTOGRAM_BINS_PER_SD)))
    counts, edges = np.histogram(values, bins, (low, high))
    centres = (edges[1:] + edges[:-1]) / 2
    density = ndimage.gaussian_filter1d(counts.astype(np.float64), spread / (edges[1] - edges[0]), mode="constant")
    peaks = np.flatnonzero((density[1:-1] >= density[:-2]) & (density[1:-1] > density[2:])) + 1
    valleys = [first + int(np.argmin(density[first:second])) for first, second in pairwise(peaks.tolist())]
    shares = np.add.reduceat(counts, [0, *valleys]) / len(values)
    kept = (shares >= _SMALLEST_SHARE) | (shares == shares.max())
    kept_shares = shares[kept] / shares[kept].sum()
    return tuple(centres[peaks[kept]].tolist()), tuple(kept_shares.tolist())
