"""Voxels with their place and their unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from trialimg.core.errors import GeometryError
from trialimg.volume.geometry import Geometry

__all__ = ["Mask", "Unit", "Volume", "geometry_of"]


class Unit(Enum):
    """What a voxel's number means."""

    HU = "HU"
    SUV_BW = "g/ml{SUVbw}"
    ARBITRARY = "1"


@dataclass(frozen=True, eq=False)
class Volume:
    """An image: array of shape (slices, rows, columns), its geometry, modality and unit."""

    array: npt.NDArray[Any]
    geometry: Geometry
    modality: str = "OT"
    unit: Unit = Unit.ARBITRARY
    history: tuple[str, ...] = ()
    """Every change of grid or unit since the file was read, in words."""

    def __post_init__(self) -> None:
        _require_shape(self.array, self.geometry, "image")

    def to_sitk(self) -> Any:
        """The same image as `SimpleITK.Image`."""
        return _to_sitk(self.array, self.geometry)

    @classmethod
    def from_sitk(cls, image: Any, *, modality: str = "OT", unit: Unit = Unit.ARBITRARY) -> Volume:
        """An image from a scalar 3D `SimpleITK.Image`."""
        return cls(sitk.GetArrayFromImage(image), geometry_of(image), modality, unit)

    def cropped(self, low: tuple[int, int, int], high: tuple[int, int, int]) -> Volume:
        """The part from index ``low`` (included) to ``high`` (excluded), both (i, j, k)."""
        part = self.array[low[2] : high[2], low[1] : high[1], low[0] : high[0]]
        return replace(self, array=np.ascontiguousarray(part), geometry=self.geometry.cropped(low, high))


@dataclass(frozen=True, eq=False)
class Mask:
    """A labelled region: unsigned integer array of shape (slices, rows, columns); 0 is background."""

    array: npt.NDArray[np.unsignedinteger[Any]]
    geometry: Geometry
    names: tuple[tuple[int, str], ...] = ()
    """Label value to name, where the source names its segments."""

    def __post_init__(self) -> None:
        _require_shape(self.array, self.geometry, "mask")
        if self.array.dtype.kind != "u":
            raise GeometryError(f"a mask holds unsigned labels, not {self.array.dtype}")

    @property
    def labels(self) -> tuple[int, ...]:
        """Label values present, background left out, ascending."""
        return tuple(int(v) for v in np.unique(self.array) if v)

    @property
    def is_empty(self) -> bool:
        return not bool(self.array.any())

    def only(self, label: int) -> Mask:
        """The region of one label, with value 1."""
        return Mask((self.array == label).astype(np.uint8), self.geometry)

    def to_sitk(self) -> Any:
        """The same mask as `SimpleITK.Image`."""
        return _to_sitk(self.array, self.geometry)

    @classmethod
    def from_sitk(cls, image: Any) -> Mask:
        """A mask from a 3D `SimpleITK.Image` of whole numbers.

        Raises
        ------
        GeometryError
            If a voxel is negative, not whole, or over 65535.
        """
        array = sitk.GetArrayFromImage(image)
        if array.dtype.kind == "f" and not np.array_equal(array, np.round(array)):
            raise GeometryError("a mask holds whole numbers; this file holds fractions")
        if array.min() < 0 or array.max() > np.iinfo(np.uint16).max:
            raise GeometryError("a mask holds labels from 0 to 65535")
        kind = np.uint8 if array.max() <= np.iinfo(np.uint8).max else np.uint16
        return cls(array.astype(kind), geometry_of(image))


def geometry_of(image: Any) -> Geometry:
    """Geometry of a 3D `SimpleITK.Image`.

    Raises
    ------
    GeometryError
        If the image is not three-dimensional.
    """
    if image.GetDimension() != 3:
        raise GeometryError(f"an image with {image.GetDimension()} dimensions; three are needed")
    return Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())


def _to_sitk(array: npt.NDArray[Any], geometry: Geometry) -> Any:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(geometry.spacing_mm)
    image.SetOrigin(geometry.origin_lps_mm)
    image.SetDirection(geometry.direction)
    return image


def _require_shape(array: npt.NDArray[Any], geometry: Geometry, what: str) -> None:
    if array.shape != geometry.shape:
        raise GeometryError(
            f"{what} array {array.shape} does not fit its grid {geometry.shape} (slices, rows, columns)"
        )
