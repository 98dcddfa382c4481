"""Where the network looks: a box around the prompt, then around what it found there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from trialimg.volume import Geometry

__all__ = ["AROUND_BOX", "AROUND_EARLIER", "AROUND_FOUND", "AROUND_LINE", "CLICK_LADDER_MM", "MOST_STRETCH", "Frame"]

FloatArray = npt.NDArray[np.float64]

AROUND_LINE = 2.4
"""Edge of the look at a line in units of the line."""
AROUND_BOX = 1.5
"""Edges of the look at a box in units of the box's."""
AROUND_EARLIER = 2.2
"""Edges of the look at an earlier region in units of its own."""
AROUND_FOUND = 2.0
"""Edge of the last look at a click in units of what was found there."""
MOST_STRETCH = 2.5
"""Most that a voxel of the grid may be higher than wide, or wider than high."""
CLICK_LADDER_MM = (30.0, 75.0, 190.0)
"""Edges of the first looks around a click, which says nothing of the lesion's size."""
_LEAST_EDGE_MM = 6.0


@dataclass(frozen=True, eq=False)
class Frame:
    """A box that stands square on an image's axes: as wide as deep, its height its own."""

    centre_mm: FloatArray
    """Along columns, rows and slices, from the first voxel's centre."""
    width_mm: float
    height_mm: float

    @classmethod
    def around(cls, centre_mm: npt.ArrayLike, extent_mm: npt.ArrayLike, times: float) -> Frame:
        """The box whose edges are so many times those of an extent along columns, rows and slices."""
        x, y, z = np.asarray(extent_mm, dtype=np.float64) * times
        width, height = max(x, y, _LEAST_EDGE_MM), max(z, _LEAST_EDGE_MM)
        width = max(width, height / MOST_STRETCH)
        return cls(np.asarray(centre_mm, dtype=np.float64), width, max(height, width / MOST_STRETCH))

    @property
    def voxel_ratio(self) -> float:
        """Height over width."""
        return self.height_mm / self.width_mm

    def grid(self, image: Geometry, edge: int) -> Geometry:
        """The box as a grid of so many voxels along each edge, with the axes of an image."""
        spacing = np.array([self.width_mm, self.width_mm, self.height_mm]) / edge
        first_mm = self.centre_mm - (edge - 1) / 2 * spacing
        x, y, z = image.to_lps(first_mm / np.asarray(image.spacing_mm)).tolist()
        a, b, c = spacing.tolist()
        return Geometry((edge, edge, edge), (a, b, c), (x, y, z), image.direction)

    def wider(self, times: float) -> Frame:
        """The same about its centre, its edges so many times as long."""
        return replace(self, width_mm=self.width_mm * times, height_mm=self.height_mm * times)
