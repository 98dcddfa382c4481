"""Solid shapes as signed distances, and how they are painted into Hounsfield units.

A shape is known by about how far, in mm, points lie outside of it (negative inside).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Capsule",
    "FloatArray",
    "Points",
    "capsule_mm",
    "common",
    "coverage",
    "ellipsoid_mm",
    "joined",
    "oval_mm",
    "waves",
]

FloatArray = npt.NDArray[np.floating[Any]]
"""Single precision while painting. Only operations that IEEE 754 rounds exactly (+ - * / sqrt) are used there, so
that every processor paints the same image."""
Points = tuple[FloatArray, FloatArray, FloatArray]
"""Coordinates x, y, z in mm; any shapes that broadcast."""


def ellipsoid_mm(
    points: Points, centre_mm: tuple[float, float, float], semi_mm: tuple[float, float, float], turn: float = 0.0
) -> FloatArray:
    """Distance to an ellipsoid whose axes are turned about z by the angle with tangent ``turn``."""
    x, y, z = (p - c for p, c in zip(points, centre_mm, strict=True))
    if turn:
        norm = float(np.sqrt(1 + turn * turn))
        x, y = (x + turn * y) / norm, (y - turn * x) / norm
    a, b, c = semi_mm
    xa, yb, zc = x / a, y / b, z / c
    level = np.sqrt(xa * xa + yb * yb + zc * zc)
    xa, yb, zc = xa / a, yb / b, zc / c
    slope = np.sqrt(xa * xa + yb * yb + zc * zc)
    distance: FloatArray = level * (level - 1) / np.maximum(slope, 1e-9)
    return distance


def oval_mm(x: FloatArray, y: FloatArray, half_width_mm: FloatArray, half_depth_mm: FloatArray) -> FloatArray:
    """Distance along the ray from the axis to an oval a little squarer than an ellipse."""
    xa, yb = x / half_width_mm, y / half_depth_mm
    xa, yb = xa * xa, yb * yb
    level = np.sqrt(0.5 * (xa + yb + np.sqrt(xa * xa + yb * yb)))
    distance: FloatArray = np.sqrt(x * x + y * y) * (1 - 1 / np.maximum(level, 1e-6))
    return distance


@dataclass(frozen=True)
class Capsule:
    """A straight piece of a vessel or airway, thinner towards its end."""

    start_mm: tuple[float, float, float]
    end_mm: tuple[float, float, float]
    start_radius_mm: float
    end_radius_mm: float

    @cached_property
    def low_mm(self) -> tuple[float, float, float]:
        return self._corner(-1.0)

    @cached_property
    def high_mm(self) -> tuple[float, float, float]:
        return self._corner(1.0)

    def _corner(self, side: float) -> tuple[float, float, float]:
        choose = max if side > 0 else min
        x, y, z = (
            choose(a + side * self.start_radius_mm, b + side * self.end_radius_mm)
            for a, b in zip(self.start_mm, self.end_mm, strict=True)
        )
        return x, y, z


def capsule_mm(points: Points, capsule: Capsule) -> FloatArray:
    """Distance to a capsule."""
    along = [b - a for a, b in zip(capsule.start_mm, capsule.end_mm, strict=True)]
    length2 = sum(v * v for v in along) or 1e-9
    x, y, z = (p - a for p, a in zip(points, capsule.start_mm, strict=True))
    share = np.clip((x * along[0] + y * along[1] + z * along[2]) / length2, 0.0, 1.0)
    x, y, z = x - share * along[0], y - share * along[1], z - share * along[2]
    radius = capsule.start_radius_mm + share * (capsule.end_radius_mm - capsule.start_radius_mm)
    distance: FloatArray = np.sqrt(x * x + y * y + z * z) - radius
    return distance


def joined(first: FloatArray, *others: FloatArray) -> FloatArray:
    """What lies in any of the shapes."""
    return reduce(np.minimum, others, first)


def common(first: FloatArray, *others: FloatArray | float) -> FloatArray:
    """What lies in all of the shapes; ``-shape`` stands for everything but that shape."""
    return reduce(np.maximum, others, first)


def waves(
    points: Points, directions_per_mm: Sequence[tuple[float, float, float]], phases: Sequence[float]
) -> FloatArray:
    """A mottled texture between -1 and 1: the mean of smooth waves along several directions."""
    total: FloatArray = 0.0 * points[0]
    for (kx, ky, kz), phase in zip(directions_per_mm, phases, strict=True):
        turn = kx * points[0] + ky * points[1] + kz * points[2] + phase
        turn = turn - np.floor(turn)
        half = np.abs(turn * 4 - 2) - 1
        total = total + half * (1.5 - 0.5 * half * half)  # a triangle wave with its corners rounded
    return total / len(directions_per_mm)


def coverage(distance_mm: FloatArray, pixel_mm: float) -> FloatArray:
    """Share of each pixel that lies inside of a shape, for an edge straight across one pixel."""
    share: FloatArray = np.clip(0.5 - distance_mm / pixel_mm, 0.0, 1.0)
    return share
