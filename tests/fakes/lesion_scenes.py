"""A lesion and its surroundings in a few centimetres of body, painted fine, blurred and sampled as a scanner does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.volume import Geometry, Mask, Unit, Volume

__all__ = ["Egg", "Organ", "paint"]

FloatArray = npt.NDArray[np.float64]
Shape = Callable[[FloatArray], FloatArray]
"""From points (..., 3) in mm to how far they lie outside."""

_FINE = (2, 2, 4)
_BLUR_MM = 0.8


@dataclass(frozen=True)
class Egg:
    """An ellipsoid, LPS mm."""

    centre: tuple[float, float, float]
    semi: tuple[float, float, float]
    turn: float = 0.0
    """About z, radians."""

    def __call__(self, points: FloatArray) -> FloatArray:
        x, y, z = np.moveaxis(points - np.array(self.centre), -1, 0)
        x, y = x * np.cos(self.turn) + y * np.sin(self.turn), y * np.cos(self.turn) - x * np.sin(self.turn)
        level = np.sqrt((x / self.semi[0]) ** 2 + (y / self.semi[1]) ** 2 + (z / self.semi[2]) ** 2)
        distance: FloatArray = (level - 1) * min(self.semi)
        return distance


@dataclass(frozen=True)
class Organ:
    """What a lesion lies in: levels and noise in HU, and what else is there."""

    background: float
    lesion: float
    noise: float
    others: tuple[tuple[Shape, float], ...] = ()


def paint(
    organ: Organ,
    lesions: tuple[Egg, ...],
    *,
    half_mm: float = 40.0,
    spacing_mm: tuple[float, float, float] = (2.0, 2.0, 5.0),
    seed: int = 0,
) -> tuple[Volume, Mask]:
    """The image of a cube around the origin, and the voxels that the lesions fill at least half."""
    size = np.ceil(2 * half_mm / np.array(spacing_mm)).astype(int)
    fine = np.array(spacing_mm) / _FINE
    axes = [(np.arange(n * f) + 0.5) * step - half_mm for n, f, step in zip(size, _FINE, fine, strict=True)]
    z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
    points = np.stack([x, y, z], axis=-1)
    hu = np.full(points.shape[:3], float(organ.background))
    filled = np.zeros_like(hu)
    for shape, value in (*organ.others, *((egg, organ.lesion) for egg in lesions)):
        share = np.clip(0.5 - shape(points) / min(fine), 0, 1)
        hu += share * (value - hu)
        filled = np.maximum(filled, share) if isinstance(shape, Egg) and shape in lesions else filled * (1 - share)
    seen = _averaged(ndimage.gaussian_filter(hu, (0, _BLUR_MM / fine[1], _BLUR_MM / fine[0])), size)
    grain = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=seen.shape), (0, 0.6, 0.6))
    first = tuple(-half_mm + step / 2 for step in spacing_mm)
    i, j, k = size.tolist()
    grid = Geometry((i, j, k), spacing_mm, (first[0], first[1], first[2]))
    image = Volume((seen + grain * organ.noise / grain.std()).astype(np.float32), grid, "CT", Unit.HU)
    return image, Mask((_averaged(filled, size) >= 0.5).astype(np.uint8), grid)


def _averaged(fine: FloatArray, size: npt.NDArray[np.intp]) -> FloatArray:
    i, j, k = size
    mean: FloatArray = fine.reshape(k, _FINE[2], j, _FINE[1], i, _FINE[0]).mean(axis=(1, 3, 5))
    return mean
