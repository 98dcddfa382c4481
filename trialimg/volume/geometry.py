"""Where a grid of voxels lies in the patient: LPS coordinates in mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import GeometryError

__all__ = ["Geometry"]

FloatArray = npt.NDArray[np.float64]

POSITION_TOLERANCE_MM = 1e-2
"""Two grids whose corners lie closer than this are one grid: DICOM decimal strings and NIfTI's 32-bit floats
carry positions no better than some micrometres over a body's length."""
DIRECTION_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Geometry:
    """A regular grid; index axes are (i, j, k) = (column, row, slice), arrays are indexed ``[k, j, i]``.

    Notes
    -----
    ``point_lps_mm = origin + direction @ (spacing * index)``; the origin is the centre of voxel (0, 0, 0). DICOM
    PS3.3 C.7.6.2.1.1 (image plane) with a third axis along the stack.
    """

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_lps_mm: tuple[float, float, float]
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    """3 x 3, row by row; its columns are the unit vectors of i, j and k."""

    def __post_init__(self) -> None:
        if any(n < 1 for n in self.size):
            raise GeometryError(f"a grid of size {self.size} holds no voxel")
        if not all(np.isfinite(s) and s > 0 for s in self.spacing_mm):
            raise GeometryError(f"spacing {self.spacing_mm} mm is not positive")
        if not np.isfinite(self.origin_lps_mm).all() or not np.isfinite(self.direction).all():
            raise GeometryError("origin or direction is not a number")
        if abs(abs(np.linalg.det(self.matrix)) - 1) > 1e-3:
            raise GeometryError(f"direction {self.direction} does not consist of three perpendicular unit vectors")

    @property
    def matrix(self) -> FloatArray:
        """Direction as an array of shape (3, 3)."""
        return np.asarray(self.direction, dtype=np.float64).reshape(3, 3)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of an array on this grid: (slices, rows, columns)."""
        return self.size[2], self.size[1], self.size[0]

    @property
    def voxel_volume_mm3(self) -> float:
        return float(np.prod(self.spacing_mm))

    @property
    def in_plane_spacing_mm(self) -> tuple[float, float]:
        """Distance between columns and between rows."""
        return self.spacing_mm[0], self.spacing_mm[1]

    @property
    def slice_spacing_mm(self) -> float:
        return self.spacing_mm[2]

    def to_lps(self, index_ijk: npt.ArrayLike) -> FloatArray:
        """Patient coordinates, shape (..., 3) in LPS mm, of continuous indices, shape (..., 3)."""
        index = np.asarray(index_ijk, dtype=np.float64)
        points: FloatArray = (index * np.asarray(self.spacing_mm)) @ self.matrix.T + np.asarray(self.origin_lps_mm)
        return points

    def to_index(self, points_lps_mm: npt.ArrayLike) -> FloatArray:
        """Continuous indices (i, j, k), shape (..., 3), of patient coordinates, shape (..., 3) in LPS mm."""
        offset = np.asarray(points_lps_mm, dtype=np.float64) - np.asarray(self.origin_lps_mm)
        index: FloatArray = (offset @ np.linalg.inv(self.matrix).T) / np.asarray(self.spacing_mm)
        return index

    def contains(self, point_lps_mm: npt.ArrayLike) -> bool:
        """Whether a point lies in some voxel of the grid (half a voxel around the centres)."""
        index = self.to_index(point_lps_mm)
        return bool(np.all(index >= -0.5) and np.all(index <= np.asarray(self.size) - 0.5))

    def require_point(self, point_lps_mm: npt.ArrayLike, what: str) -> None:
        """Refuse a point outside of the grid.

        Raises
        ------
        GeometryError
            Names the point and the box that the image covers.
        """
        if self.contains(point_lps_mm):
            return
        low, high = self.bounds_lps_mm()
        point = ", ".join(f"{x:.1f}" for x in np.asarray(point_lps_mm, dtype=float))
        raise GeometryError(
            f"{what} ({point}) mm lies outside of the image, which covers "
            + " x ".join(f"[{a:.1f}, {b:.1f}]" for a, b in zip(low, high, strict=True))
            + " mm (LPS)"
        )

    def bounds_lps_mm(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest corner in LPS mm of the box around all voxels."""
        ends = np.array([(-0.5, n - 0.5) for n in self.size])
        corners = self.to_lps([(i, j, k) for i in ends[0] for j in ends[1] for k in ends[2]])
        return corners.min(axis=0), corners.max(axis=0)

    def differences(self, other: Geometry) -> tuple[str, ...]:
        """What differs between two grids, in words with numbers; empty if they are one grid."""
        found: list[str] = []
        if self.size != other.size:
            found.append(f"size {self.size} against {other.size} voxels")
        spacing = np.subtract(self.spacing_mm, other.spacing_mm)
        if np.any(np.abs(spacing) * np.asarray(self.size) > POSITION_TOLERANCE_MM * 2):
            found.append(f"spacing by {_text(spacing)} mm")
        origin = np.subtract(self.origin_lps_mm, other.origin_lps_mm)
        if np.linalg.norm(origin) > POSITION_TOLERANCE_MM:
            found.append(f"origin by {np.linalg.norm(origin):.3f} mm ({_text(origin)})")
        turn = np.abs(self.matrix - other.matrix).max()
        if turn > DIRECTION_TOLERANCE:
            found.append(f"direction by up to {turn:.4f}")
        return tuple(found)

    def require_same(self, other: Geometry, what: str, than: str) -> None:
        """Refuse to bring two different grids together.

        Raises
        ------
        GeometryError
            Names what differs and by how many mm.
        """
        if found := self.differences(other):
            raise GeometryError(f"{what} and {than} lie on different grids: {'; '.join(found)}")

    def cropped(self, low: tuple[int, int, int], high: tuple[int, int, int]) -> Geometry:
        """The part of the grid from index ``low`` (included) to ``high`` (excluded), both (i, j, k)."""
        origin = self.to_lps(low)
        size = (high[0] - low[0], high[1] - low[1], high[2] - low[2])
        return Geometry(size, self.spacing_mm, (float(origin[0]), float(origin[1]), float(origin[2])), self.direction)

    def as_dict(self) -> dict[str, Any]:
        return {
            "size": list(self.size),
            "spacing_mm": list(self.spacing_mm),
            "origin_lps_mm": list(self.origin_lps_mm),
            "direction": list(self.direction),
        }


def _text(vector: npt.ArrayLike) -> str:
    return ", ".join(f"{x:.4g}" for x in np.asarray(vector))
