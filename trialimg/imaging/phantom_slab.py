"""Some thin slices of the phantom while they are being painted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trialimg.imaging.phantom_anatomy import Anatomy
from trialimg.imaging.phantom_shapes import FloatArray, Points, coverage, waves

__all__ = ["Slab"]

Corner = tuple[float, float, float]

_SLACK_MM = 14.0
"""How far a pose may tilt a row of voxels away from its axis."""
_TEXTURE = ((0.021, 0.013, 0.009), (-0.011, 0.024, 0.017), (0.034, -0.019, 0.026), (0.009, 0.031, -0.041))


@dataclass(frozen=True, eq=False)
class Slab:
    """Where each voxel lies in the anatomy, and its value so far; arrays of shape (slices, rows, columns).

    ``wall`` are coordinates of body wall and bones, ``inner`` those of the organs, which breathing moves against
    the wall.
    """

    wall: Points
    inner: Points
    hu: FloatArray
    pixel_mm: float
    cavity_mm: FloatArray
    """Distance to the inside of the rib cage."""
    above_mm: FloatArray
    """Height above the diaphragm."""
    mottle: FloatArray
    """Texture of solid tissue, between -1 and 1."""

    @classmethod
    def blank(cls, anatomy: Anatomy, wall: Points, inner: Points, *, pixel_mm: float) -> Slab:
        """Slices with nothing but air."""
        return cls(
            wall,
            inner,
            np.full_like(wall[0], anatomy.tissue.outside),
            pixel_mm,
            anatomy.cavity(wall),
            anatomy.above_diaphragm(inner),
            waves(inner, _TEXTURE, anatomy.texture_phase),
        )

    def paint(self, distance_mm: FloatArray, value_hu: FloatArray | float) -> None:
        """Put a material where the shape is, mixed by coverage at its edge."""
        share = coverage(distance_mm, self.pixel_mm)
        np.add(self.hu, share * (value_hu - self.hu), out=self.hu)

    def around(self, low_mm: Corner, high_mm: Corner) -> Iterator[Slab]:
        """The part of the slab that a box of the anatomy may touch: one slab (views of this one), or none."""
        part = self.window(low_mm, high_mm)
        if part is None:
            return
        yield Slab(
            _cut(self.wall, part),
            _cut(self.inner, part),
            self.hu[part],
            self.pixel_mm,
            self.cavity_mm[part],
            self.above_mm[part],
            self.mottle[part],
        )

    def window(self, low_mm: Corner, high_mm: Corner) -> tuple[slice, slice, slice] | None:
        """Slices, rows and columns that a box of the anatomy may touch."""
        spans = []
        for line, low, high in zip(self._lines, low_mm, high_mm, strict=True):
            first, last = np.searchsorted(line, (low - _SLACK_MM, high + _SLACK_MM))
            if first == last:
                return None
            spans.append(slice(int(first), int(last)))
        return spans[2], spans[1], spans[0]

    @cached_property
    def _lines(self) -> Points:
        """Rising coordinates along the three voxel rows through the slab's middle."""
        k, j, i = (n // 2 for n in self.hu.shape)
        return self.inner[0][k, j, :], self.inner[1][k, :, i], self.inner[2][:, j, i]


def _cut(points: Points, part: tuple[slice, slice, slice]) -> Points:
    x, y, z = points
    return x[part], y[part], z[part]
