"""The shape a prompt suggests before any image is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointLps, PointPrompt, Prompt
from trialimg.volume import Geometry, Mask, Volume

__all__ = ["Ellipsoid", "EllipsoidRatios", "Window", "require_inside"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EllipsoidRatios:
    """What a prompt leaves open."""

    across: float = 0.9
    """Axis across a line, in the slice, in units of the line."""
    through: float = 0.9
    """Axis across line and slice, in units of the line, or of the mean of long and short axis."""


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """A solid ellipsoid in patient coordinates."""

    centre_lps_mm: FloatArray
    axes: FloatArray
    """Shape (3, 3): unit vectors of the axes, one a row."""
    semi_mm: FloatArray
    """Half of each axis."""

    @classmethod
    def of(cls, prompt: LinePrompt | BidirectionalPrompt | BoxPrompt, ratios: EllipsoidRatios) -> Ellipsoid:
        """Inscribed in a box, or with the line as its first axis, or with long and short axis as its first two."""
        if isinstance(prompt, BidirectionalPrompt):
            return cls._between(prompt, ratios)
        if isinstance(prompt, LinePrompt):
            start, end = np.array(prompt.start_lps_mm), np.array(prompt.end_lps_mm)
            length = float(np.linalg.norm(end - start))
            semi = length / 2 * np.array([1.0, ratios.across, ratios.through])
            return cls((start + end) / 2, _frame((end - start) / length), semi)
        low, high = np.array(prompt.corner_lps_mm), np.array(prompt.opposite_lps_mm)
        return cls((low + high) / 2, np.eye(3), np.abs(high - low) / 2)

    @classmethod
    def _between(cls, prompt: BidirectionalPrompt, ratios: EllipsoidRatios) -> Ellipsoid:
        """Across the short axis the centre is the short axis' own; through the slices it reaches as far as their mean.

        Notes
        -----
        The short axis counts by its part across the long one, and the mean is the geometric mean.
        """
        start, end = np.array(prompt.long_axis.start_lps_mm), np.array(prompt.long_axis.end_lps_mm)
        near, far = np.array(prompt.short_axis.start_lps_mm), np.array(prompt.short_axis.end_lps_mm)
        length = float(np.linalg.norm(end - start))
        first = (end - start) / length
        across = (far - near) - (far - near) @ first * first
        width = float(np.linalg.norm(across))
        second = across / width
        centre = (start + end) / 2
        centre = centre + ((near + far) / 2 - centre) @ second * second
        semi = np.array([length, width, ratios.through * np.sqrt(length * width)]) / 2
        return cls(centre, np.array([first, second, np.cross(first, second)]), semi)

    @classmethod
    def ball(cls, centre_lps_mm: PointLps, diameter_mm: float) -> Ellipsoid:
        """A ball around a point."""
        return cls(np.array(centre_lps_mm), np.eye(3), np.full(3, diameter_mm / 2))

    @classmethod
    def fitted(cls, region: npt.NDArray[np.bool_], grid: Geometry) -> Ellipsoid:
        """The ellipsoid with the centre and the second moments of a region of at least one voxel."""
        k, j, i = np.nonzero(region)
        points = grid.to_lps(np.stack([i, j, k], axis=1))
        edges = grid.matrix * np.asarray(grid.spacing_mm)
        spread = np.cov(points.T, bias=True) + edges @ edges.T / 12
        values, vectors = np.linalg.eigh(np.atleast_2d(spread))
        return cls(points.mean(axis=0), vectors.T[::-1], np.sqrt(5 * values[::-1]))

    def level(self, grid: Geometry) -> FloatArray:
        """0 at the centre, 1 on the surface, growing in proportion to the distance; shape (slices, rows, columns)."""
        offsets = _points(grid) - self.centre_lps_mm
        level: FloatArray = np.linalg.norm(offsets @ self.axes.T / self.semi_mm, axis=-1)
        return level

    def beyond_mm(self, grid: Geometry, axes: int) -> FloatArray:
        """How far each voxel lies beyond the ends of the first ``axes`` axes; 0 between them."""
        along = np.abs((_points(grid) - self.centre_lps_mm) @ self.axes[:axes].T)
        beyond: FloatArray = np.linalg.norm(np.maximum(along - self.semi_mm[:axes], 0.0), axis=-1)
        return beyond

    def wider(self, grid: Geometry, factor: float, voxels: float) -> Ellipsoid:
        """The same with each half axis times a factor, plus a part of the voxel's extent along it."""
        voxel_mm = np.linalg.norm(self.axes @ grid.matrix * np.asarray(grid.spacing_mm), axis=1)
        return replace(self, semi_mm=self.semi_mm * factor + voxel_mm * voxels)

    def half_extent_mm(self) -> FloatArray:
        """Half of the extent along x, y and z."""
        extent: FloatArray = np.sqrt(np.sum((self.axes * self.semi_mm[:, None]) ** 2, axis=0))
        return extent


@dataclass(frozen=True)
class Window:
    """The part of a grid that work is confined to, so that its cost does not grow with the volume."""

    grid: Geometry
    low: tuple[int, int, int]
    """First index (i, j, k)."""
    high: tuple[int, int, int]
    """One beyond the last index (i, j, k)."""

    @classmethod
    def around(cls, ellipsoid: Ellipsoid, grid: Geometry, *, scale: float, margin_mm: float) -> Window:
        """All voxels within the ellipsoid's extent times ``scale`` plus a margin; at least one."""
        half = ellipsoid.half_extent_mm() * scale + margin_mm
        signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
        return cls.between(grid.to_index(ellipsoid.centre_lps_mm + signs * half), grid)

    @classmethod
    def between(cls, index_ijk: FloatArray, grid: Geometry) -> Window:
        """The smallest window that holds some continuous indices, shape (n, 3), as far as they lie in the grid."""
        size = np.array(grid.size)
        low = np.clip(np.floor(index_ijk.min(axis=0)), 0, size - 1).astype(int)
        high = np.clip(np.ceil(index_ijk.max(axis=0)) + 1, low + 1, size).astype(int)
        (i0, j0, k0), (i1, j1, k1) = low.tolist(), high.tolist()
        return cls(grid, (i0, j0, k0), (i1, j1, k1))

    @property
    def geometry(self) -> Geometry:
        return self.grid.cropped(self.low, self.high)

    def cut(self, image: Volume) -> Volume:
        """The part of an image on the whole grid."""
        return image.cropped(self.low, self.high)

    def cut_array(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The part of an array ``[k, j, i]`` on the whole grid."""
        return array[self._slices]

    def paste(self, region: npt.NDArray[np.bool_]) -> Mask:
        """A region of the window as label 1 on the whole grid."""
        array = np.zeros(self.grid.shape, np.uint8)
        array[self._slices] = region
        return Mask(array, self.grid)

    @property
    def _slices(self) -> tuple[slice, slice, slice]:
        k, j, i = (slice(a, b) for a, b in zip(reversed(self.low), reversed(self.high), strict=True))
        return k, j, i


def require_inside(prompt: Prompt, grid: Geometry) -> None:
    """Refuse a prompt that lies, even with one of its points, outside of the image.

    Raises
    ------
    GeometryError
        Names the point and the box that the image covers.
    """
    for point, what in _named_points(prompt):
        grid.require_point(point, what)


def _named_points(prompt: Prompt) -> Iterator[tuple[PointLps, str]]:
    match prompt:
        case PointPrompt():
            yield prompt.point_lps_mm, "the point"
        case LinePrompt():
            yield prompt.start_lps_mm, "the start of the line"
            yield prompt.end_lps_mm, "the end of the line"
        case BidirectionalPrompt():
            yield prompt.long_axis.start_lps_mm, "the start of the long axis"
            yield prompt.long_axis.end_lps_mm, "the end of the long axis"
            yield prompt.short_axis.start_lps_mm, "the start of the short axis"
            yield prompt.short_axis.end_lps_mm, "the end of the short axis"
        case BoxPrompt():
            yield prompt.corner_lps_mm, "the first corner of the box"
            yield prompt.opposite_lps_mm, "the second corner of the box"


def _points(grid: Geometry) -> FloatArray:
    """Patient coordinates of every voxel's centre, shape (slices, rows, columns, 3)."""
    k, j, i = np.indices(grid.shape)
    return grid.to_lps(np.stack([i, j, k], axis=-1))


def _frame(first: FloatArray) -> FloatArray:
    """Three perpendicular unit vectors: the given one, one across it as level as can be, one across both."""
    upright = np.array([0.0, 0.0, 1.0]) if abs(first[2]) < 0.9 else np.array([0.0, 1.0, 0.0])
    second = np.cross(upright, first)
    second /= np.linalg.norm(second)
    return np.array([first, second, np.cross(first, second)])
