"""A lesion as a smooth solid whose size is known: what it looks like in voxels and what a perfect ruler would read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trialimg.core.prompts import PointLps
from trialimg.imaging.phantom_shapes import FloatArray, Points, coverage

__all__ = ["Bump", "LesionShape", "LesionSolid"]

_SPHERE_POINTS = 6000
_FINE_IN_PLANE = 4
_FINE_THROUGH_PLANE = 5


@dataclass(frozen=True)
class Bump:
    """One lobe of the surface: ``amplitude`` times the Legendre polynomial of a degree about a direction."""

    direction: PointLps
    amplitude: float
    degree: int
    """2, 3 or 5."""


@dataclass(frozen=True)
class LesionShape:
    """A turned ellipsoid with a lobed surface, without place and size."""

    semi: PointLps
    """Semi-axes in units of the lesion's scale."""
    rotation: tuple[float, ...]
    """3 x 3, row by row; rows are the axes in the patient's frame."""
    bumps: tuple[Bump, ...] = ()

    def radius_factor(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """How far the surface lies out along unit directions of the ellipsoid's own space; 1 without bumps."""
        factor: FloatArray = np.ones(np.broadcast(x, y, z).shape)
        for bump in self.bumps:
            u, v, w = bump.direction
            factor = factor + bump.amplitude * _legendre(u * x + v * y + w * z, bump.degree)
        return factor

    def unit_volume(self) -> float:
        """Volume at scale 1."""
        i = np.arange(_SPHERE_POINTS)
        z = 1 - (2 * i + 1) / _SPHERE_POINTS
        turn = i * (np.pi * (3 - np.sqrt(5.0)))
        flat = np.sqrt(1 - z * z)
        factor = self.radius_factor(flat * np.cos(turn), flat * np.sin(turn), z)
        a, b, c = self.semi
        return float(a * b * c * 4 * np.pi / 3 * np.mean(factor**3))


@dataclass(frozen=True)
class LesionSolid:
    """A lesion at its place in one scan (LPS mm)."""

    shape: LesionShape
    centre_lps_mm: PointLps
    scale_mm: float
    value_hu: float
    core_hu: float = 0.0
    """Added at the very centre, fading towards the surface: negative for a necrotic mass."""

    @property
    def reach_mm(self) -> float:
        """No point of the lesion is farther from its centre."""
        return self.scale_mm * max(self.shape.semi) * (1 + sum(abs(b.amplitude) for b in self.shape.bumps))

    @property
    def volume_ml(self) -> float:
        return self.shape.unit_volume() * self.scale_mm**3 / 1000

    def scaled(self, scale_mm: float) -> LesionSolid:
        return replace(self, scale_mm=scale_mm)

    def distance_mm(self, points: Points) -> FloatArray:
        """Distance to the surface along the ray from the centre, negative inside; points in LPS mm."""
        return self._level(points)[0]

    def paint(self, hu: FloatArray, axes_mm: Sequence[FloatArray]) -> None:
        """Put the lesion into an image, each voxel by the share of it that the lesion fills.

        Parameters
        ----------
        hu
            Image of shape (slices, rows, columns), changed in place.
        axes_mm
            Evenly spaced LPS coordinates of columns (x), rows (y) and slices (z).
        """
        spans, fine = [], []
        steps = (_FINE_IN_PLANE, _FINE_IN_PLANE, _FINE_THROUGH_PLANE)
        for axis, centre, parts in zip(axes_mm, self.centre_lps_mm, steps, strict=True):
            pitch = float(axis[1] - axis[0])
            near = np.flatnonzero(np.abs(axis - centre) <= self.reach_mm + abs(pitch))
            if near.size == 0:
                return
            spans.append(slice(int(near[0]), int(near[-1]) + 1))
            offsets = ((np.arange(parts) + 0.5) / parts - 0.5) * pitch
            fine.append((axis[near][:, None] + offsets).ravel())
        x, y, z = fine[0][None, None, :], fine[1][None, :, None], fine[2][:, None, None]
        distance, depth = self._level((x, y, z))
        share = coverage(distance, abs(float(fine[0][1] - fine[0][0])))
        part = hu[spans[2], spans[1], spans[0]]
        filled = _block_mean(share, steps)
        excess = _block_mean(share * (self.value_hu + self.core_hu * depth), steps)
        part[...] = part * (1 - filled) + excess

    def _level(self, points: Points) -> tuple[FloatArray, FloatArray]:
        """Distance along the ray, and how central a point is (1 at the centre, 0 from half way out)."""
        x, y, z = (p - c for p, c in zip(points, self.centre_lps_mm, strict=True))
        r, (a, b, c) = self.shape.rotation, self.shape.semi
        qx = (r[0] * x + r[1] * y + r[2] * z) / (a * self.scale_mm)
        qy = (r[3] * x + r[4] * y + r[5] * z) / (b * self.scale_mm)
        qz = (r[6] * x + r[7] * y + r[8] * z) / (c * self.scale_mm)
        level = np.maximum(np.sqrt(qx * qx + qy * qy + qz * qz), 1e-6)
        out = level / self.shape.radius_factor(qx / level, qy / level, qz / level)
        distance = np.sqrt(x * x + y * y + z * z) * (1 - 1 / out)
        return distance, np.clip(1.6 - 2.0 * out, 0.0, 1.0)


def _legendre(t: FloatArray, degree: int) -> FloatArray:
    t2 = t * t
    if degree == 2:
        return (3 * t2 - 1) / 2
    if degree == 3:
        return t * (5 * t2 - 3) / 2
    return t * ((63 * t2 - 70) * t2 + 15) / 8


def _block_mean(fine: FloatArray, steps: tuple[int, int, int]) -> FloatArray:
    nx, ny, nz = steps
    k, j, i = fine.shape
    blocks = fine.reshape(k // nz, nz, j // ny, ny, i // nx, nx)
    mean: FloatArray = blocks.mean(axis=(1, 3, 5))
    return mean
