"""The site reader of the sample trial: draws what a person would draw, with a person's unsteadiness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trialimg.core.prompts import PointLps
from trialimg.imaging.phantom_lesion import LesionSolid
from trialimg.imaging.phantom_ruler import Reading, outline_mm
from trialimg.imaging.phantom_shapes import FloatArray
from trialimg.services.sample_plan import LesionAt, VisitPlan

__all__ = ["Drawn", "draw_lesion"]

LINE_JITTER_MM = 0.7
"""Standard deviation along x and along y of either end of a line: about 1 mm in the plane."""
LARGEST_JITTER_MM = 1.5
CONTOUR_JITTER_MM = 0.5
_CONTOUR_POINTS = 40
_CONTOUR_WAVES = 3


@dataclass(frozen=True)
class Drawn:
    """One lesion as the reader marked it, LPS mm."""

    label: str
    line: tuple[PointLps, PointLps]
    point: PointLps
    box: tuple[PointLps, PointLps]
    contours: tuple[tuple[int, FloatArray], ...]
    """Slice index, and the outline on it as points of shape (n, 3)."""


def draw_lesion(lesion: LesionAt, visit: VisitPlan, rng: np.random.Generator) -> Drawn:
    """Line, click, box and contours of a lesion in one piece."""
    solid, reading = lesion.parts[0], lesion.readings[0]
    contours = _contours(solid, visit, rng)
    return Drawn(lesion.course.label, _line(reading, rng), _click(reading, rng), _box(contours, rng), contours)


def _line(reading: Reading, rng: np.random.Generator) -> tuple[PointLps, PointLps]:
    """The long axis, each end about 1 mm off within its slice."""
    off = np.clip(rng.normal(0.0, LINE_JITTER_MM, (2, 2)), -LARGEST_JITTER_MM, LARGEST_JITTER_MM)
    start, end = reading.long_axis_lps_mm
    return (
        _rounded((start[0] + off[0, 0], start[1] + off[0, 1], start[2])),
        _rounded((end[0] + off[1, 0], end[1] + off[1, 1], end[2])),
    )


def _click(reading: Reading, rng: np.random.Generator) -> PointLps:
    """A click on the slice of the long axis, off the middle by up to a quarter of the short axis."""
    (x0, y0, z), (x1, y1, _) = reading.long_axis_lps_mm
    reach = reading.short_axis_mm / 4
    dx, dy = rng.uniform(-reach, reach, 2) * 0.7
    return _rounded(((x0 + x1) / 2 + dx, (y0 + y1) / 2 + dy, z))


def _box(contours: tuple[tuple[int, FloatArray], ...], rng: np.random.Generator) -> tuple[PointLps, PointLps]:
    """A box around the outlines, a little loose in the plane and half a slice beyond the last one drawn."""
    points = np.concatenate([outline for _, outline in contours])
    loose = np.array([*rng.uniform(0.0, 2.0, 2), 2.5])
    low, high = points.min(axis=0) - loose, points.max(axis=0) + loose
    return _rounded((low[0], low[1], low[2])), _rounded((high[0], high[1], high[2]))


def _contours(solid: LesionSolid, visit: VisitPlan, rng: np.random.Generator) -> tuple[tuple[int, FloatArray], ...]:
    """The outline on every slice that meets the lesion, gently off."""
    found = []
    for index, z in enumerate(visit.slices_z_mm):
        if abs(z - solid.centre_lps_mm[2]) > solid.reach_mm:
            continue
        outline = outline_mm(solid, z, points=_CONTOUR_POINTS)
        if outline is None:
            continue
        turn = 2 * np.pi * np.arange(_CONTOUR_POINTS) / _CONTOUR_POINTS
        off = np.zeros(_CONTOUR_POINTS)
        for wave in range(1, _CONTOUR_WAVES + 1):
            off += rng.normal(0.0, CONTOUR_JITTER_MM / _CONTOUR_WAVES) * np.sin(wave * turn + rng.uniform(0, 2 * np.pi))
        middle = outline.mean(axis=0)
        rays = outline - middle
        length = np.sqrt(np.sum(rays**2, axis=1))
        flat = middle + rays * (np.maximum(length + off, 0.5) / np.maximum(length, 1e-6))[:, None]
        points = np.column_stack([flat, np.full(_CONTOUR_POINTS, z)])
        found.append((index, np.round(points, 2)))
    return tuple(found)


def _rounded(point: PointLps) -> PointLps:
    x, y, z = (round(float(v), 1) for v in point)
    return x, y, z
