"""The same lesion as it would have been sampled and outlined another time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter

from trialimg.core.errors import Fault, GeometryError, InvalidValueError
from trialimg.volume import Geometry, Mask, Volume
from trialimg.volume.resample import Interpolator, resample, resample_mask

__all__ = ["Perturbation", "perturbed"]

Array = npt.NDArray[np.float64]
_MARGIN_MM = 15.0
"""Around the lesion: room for the contour to move, and for filters to look beyond it."""
_MOST = 100


@dataclass(frozen=True)
class Perturbation:
    """How often and how far a lesion is perturbed; every number of it is drawn from the seed."""

    count: int = 10
    seed: int = 0
    rotation_deg: float = 10.0
    """Largest turn of the grid about the axis of its slices, either way."""
    translation_voxels: float = 0.5
    """Largest shift of the grid along each of its axes, either way."""
    contour_sd_mm: float = 0.5
    """Standard deviation of how far the contour moves in or out at a place; 0: not at all."""
    contour_length_mm: float = 5.0
    """Length over which the contour moves as one: standard deviation of the Gaussian that smooths the noise."""

    def __post_init__(self) -> None:
        if not 2 <= self.count <= _MOST:
            raise InvalidValueError(Fault("count", "out_of_range", f"2 to {_MOST} times, not {self.count}"))
        if min(self.rotation_deg, self.translation_voxels, self.contour_sd_mm) < 0 or self.contour_length_mm <= 0:
            raise InvalidValueError(Fault("sizes", "out_of_range", "none is negative, the length more than 0 mm"))


def perturbed(image: Volume, mask: Mask, label: int, how: Perturbation) -> Iterator[tuple[Volume, Mask]]:
    """The lesion turned and shifted against the grid, with a contour that moved, again and again.

    Each pair lies on a grid of its own around the lesion, of the image's spacing; the lesion has label 1. The image is
    interpolated linearly. Where a lesion is so small that its contour moves over all of it, the mask is empty.

    Raises
    ------
    GeometryError
        If image and mask lie on different grids, or the label is not in the mask.

    Notes
    -----
    Rotation, translation and contour randomisation after Zwanenburg et al.; there the contour is randomised by
    supervoxels, here by a smooth random field that is added to the distance from the surface.

    References
    ----------
    Zwanenburg A et al. Assessing robustness of radiomic features by image perturbation. Sci Rep 2019;9:614.
    """
    image.geometry.require_same(mask.geometry, "image", "mask")
    places = np.argwhere(mask.array == label)[:, ::-1]
    if not len(places):
        raise GeometryError(f"label {label} is not in the mask")
    alone = Mask((mask.array == label).astype(np.uint8), mask.geometry)
    for number in range(how.count):
        random = np.random.default_rng((how.seed, number))
        grid = _grid(image.geometry, places, random, how)
        region = resample_mask(alone, grid)
        moved = _moved(region.array > 0, grid.spacing_mm, random, how)
        outside = float(image.array.min())
        yield resample(image, grid, Interpolator.LINEAR, outside=outside), Mask(moved.astype(np.uint8), grid)


def _grid(
    geometry: Geometry, places_ijk: npt.NDArray[np.intp], random: np.random.Generator, how: Perturbation
) -> Geometry:
    """A grid around the lesion, turned about its centre and shifted."""
    spacing = np.asarray(geometry.spacing_mm)
    low, high = places_ijk.min(axis=0), places_ijk.max(axis=0)
    extent_mm = (high - low + 1) * spacing
    beside_mm = np.full(3, _MARGIN_MM)
    beside_mm[:2] += (np.hypot(*extent_mm[:2]) - extent_mm[:2]) / 2  # however it is turned
    size = high - low + 1 + 2 * np.ceil(beside_mm / spacing).astype(int)
    angle = np.deg2rad(random.uniform(-how.rotation_deg, how.rotation_deg))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    direction = geometry.matrix @ turn
    shift_mm = random.uniform(-how.translation_voxels, how.translation_voxels, size=3) * spacing
    centre = geometry.to_lps((low + high) / 2)
    origin = centre + direction @ (shift_mm - spacing * (size - 1) / 2)
    return Geometry(
        (int(size[0]), int(size[1]), int(size[2])),
        geometry.spacing_mm,
        (float(origin[0]), float(origin[1]), float(origin[2])),
        tuple(float(one) for one in direction.ravel()),
    )


def _moved(
    inside: npt.NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    random: np.random.Generator,
    how: Perturbation,
) -> npt.NDArray[np.bool_]:
    """The region with its surface moved in and out by a smooth random field."""
    noise = random.normal(size=inside.shape)  # drawn even where nothing moves: the next draw is the same
    if not how.contour_sd_mm or not inside.any():
        return inside
    sampling = spacing_mm[::-1]
    smooth = gaussian_filter(noise, [how.contour_length_mm / step for step in sampling], mode="reflect")
    spread = float(smooth.std())
    if not spread > 0:
        return inside
    half = min(spacing_mm) / 2  # from the centre of a voxel at the surface to the surface
    depth = np.where(
        inside,
        distance_transform_edt(inside, sampling=sampling) - half,
        half - distance_transform_edt(~inside, sampling=sampling),
    )
    moved: npt.NDArray[np.bool_] = depth + smooth / spread * how.contour_sd_mm > 0
    return moved
