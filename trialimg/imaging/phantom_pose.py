"""Where the same body lies at another visit: set down a little differently, and breathing in a little more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialimg.core.prompts import PointLps
from trialimg.imaging.phantom_shapes import FloatArray, Points

__all__ = ["Pose", "Wobble"]

_BREATH_TOP_MM = 165.0
_BREATH_BOTTOM_MM = -10.0
_INVERSION_STEPS = 12


@dataclass(frozen=True)
class Wobble:
    """A smooth shift of tissue: ``amplitude * sin(kx x + px) sin(ky y + py) sin(kz z + pz)``."""

    wavenumber_per_mm: PointLps
    phase: PointLps
    amplitude_mm: PointLps


@dataclass(frozen=True)
class Pose:
    """The map between a scan (LPS mm) and the body's own frame (anatomy mm).

    ``anatomy = R @ (p + wobble(p) - shift)``; inner organs lie ``breath_mm`` lower below the diaphragm, less above
    it, nothing at the lung's top, while ribs and spine stay.
    """

    shift_mm: PointLps = (0.0, 0.0, 0.0)
    rotation: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    """3 x 3, row by row: from the scan's axes to the body's."""
    breath_mm: float = 0.0
    wobbles: tuple[Wobble, ...] = ()

    def wall(self, points: Points) -> Points:
        """Body-wall coordinates of points of the scan."""
        moved = self._wobbled(points)
        x, y, z = (p - s for p, s in zip(moved, self.shift_mm, strict=True))
        r = self.rotation
        return (
            r[0] * x + r[1] * y + r[2] * z,
            r[3] * x + r[4] * y + r[5] * z,
            r[6] * x + r[7] * y + r[8] * z,
        )

    def inner(self, wall: Points) -> Points:
        """Organ coordinates of points in body-wall coordinates."""
        x, y, z = wall
        share = np.clip((_BREATH_TOP_MM - z) / (_BREATH_TOP_MM - _BREATH_BOTTOM_MM), 0.0, 1.0)
        return x, y, z + self.breath_mm * (share * share * (3 - 2 * share))

    def to_scan(self, organ_point_mm: PointLps) -> PointLps:
        """The point of the scan (LPS mm) where a point of the organs' frame lies."""
        guess = np.array(organ_point_mm) + np.array(self.shift_mm)
        turn = np.array(self.rotation).reshape(3, 3)
        for _ in range(_INVERSION_STEPS):
            x, y, z = (np.array([v]) for v in guess)
            found = self.inner(self.wall((x, y, z)))
            miss = np.array(organ_point_mm) - np.array([v[0] for v in found])
            guess = guess + np.array([sum(turn[row, axis] * miss[row] for row in range(3)) for axis in range(3)])
        return float(guess[0]), float(guess[1]), float(guess[2])

    def _wobbled(self, points: Points) -> Points:
        x, y, z = points
        offset: list[FloatArray | float] = [0.0, 0.0, 0.0]
        for wobble in self.wobbles:
            (kx, ky, kz), (px, py, pz) = wobble.wavenumber_per_mm, wobble.phase
            wave = np.sin(kx * x + px) * np.sin(ky * y + py) * np.sin(kz * z + pz)
            offset = [o + a * wave for o, a in zip(offset, wobble.amplitude_mm, strict=True)]
        return x + offset[0], y + offset[1], z + offset[2]
