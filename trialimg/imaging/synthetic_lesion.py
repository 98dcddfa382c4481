"""Lesions that never were: solids of many shapes and textures, and the images that they are put into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["Solid", "blended", "coverage_of", "drawn_solid", "smooth_noise", "turned_about"]

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]
"""Along slices, rows and columns."""


@dataclass(frozen=True, eq=False)
class Solid:
    """A body on a grid, slices first."""

    level: FloatArray
    """0 at the centre, 1 on the surface; grows with the distance."""
    region: BoolArray
    """Where the level is below 1, and joined to the centre."""


def smooth_noise(random: np.random.Generator, shape: tuple[int, ...], grain_voxels: float) -> FloatArray:
    """Noise of mean 0 and standard deviation 1 whose grains are about so many voxels wide."""
    coarse = [max(4, round(n / grain_voxels) + 2) for n in shape]
    noise = random.standard_normal(coarse, dtype=np.float32)
    for axis, (fine, n) in enumerate(zip(shape, coarse, strict=True)):
        noise = np.moveaxis(np.tensordot(_between(fine, n), noise, axes=(1, axis)), 0, axis)
    scaled: FloatArray = (noise - noise.mean()) / max(float(noise.std()), 1e-6)
    return scaled


def _between(fine: int, coarse: int) -> FloatArray:
    """Weights of linear interpolation, shape (fine, coarse), from the first to the last of some samples."""
    away = np.abs(np.linspace(0, coarse - 1, fine)[:, None] - np.arange(coarse)[None])
    weights: FloatArray = np.clip(1 - away, 0, 1).astype(np.float32)
    return weights


def turned_about(random: np.random.Generator, tilt: float) -> npt.NDArray[np.float64]:
    """A rotation of axes (slice, row, column): any turn in the slice, tilted out of it by a normal angle in radians."""
    turn = random.uniform(0, 2 * np.pi)
    lean, towards = random.normal(0, tilt), random.uniform(0, 2 * np.pi)
    c, s = np.cos(turn), np.sin(turn)
    in_slice = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    c, s = np.cos(lean), np.sin(lean)
    out = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = np.cos(towards), np.sin(towards)
    swivel = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    rotation: npt.NDArray[np.float64] = swivel @ out @ swivel.T @ in_slice
    return rotation


def drawn_solid(
    random: np.random.Generator,
    shape: tuple[int, int, int],
    centre: npt.ArrayLike,
    semi: npt.ArrayLike,
    *,
    rotation: npt.NDArray[np.float64],
    voxel: Triple = (1.0, 1.0, 1.0),
) -> Solid:
    """A rounded, boxy, lobed or spiked body.

    Parameters
    ----------
    shape
        Of the grid: slices, rows, columns.
    centre
        In voxels, (slice, row, column).
    semi
        Half axes along the rows of ``rotation``, in units of ``voxel``.
    voxel
        Edges of a voxel along (slice, row, column), in any unit.

    Notes
    -----
    A superellipsoid of power 1.7 to 4, its surface pushed in and out by broad noise (lobes) and, in one of four, by
    fine noise outwards only (spicules).
    """
    half = np.asarray(semi, dtype=np.float64)
    axes = [(np.arange(n) - c) * v for n, c, v in zip(shape, np.asarray(centre, dtype=float), voxel, strict=True)]
    z, y, x = np.meshgrid(*[a.astype(np.float32) for a in axes], indexing="ij", sparse=True)
    power = random.choice([2.0, 2.0, random.uniform(1.7, 4.0)])
    turned = (rotation / half[:, None]).astype(np.float32)
    parts = (np.abs(r[0] * z + r[1] * y + r[2] * x) for r in turned)
    summed = sum(part * part if power == 2.0 else part**power for part in parts)
    level = np.asarray(summed ** np.float32(1 / power), dtype=np.float32)
    grain = float(np.median(half)) / float(np.median(voxel))
    level = level + _lobes(random, shape, grain) * np.minimum(level, 1.0)
    return Solid(level, _joined(level, centre))


def _lobes(random: np.random.Generator, shape: tuple[int, ...], grain: float) -> FloatArray:
    """What is added to the level, in units of the radius."""
    push = random.uniform(0, 0.28) * smooth_noise(random, shape, max(grain * random.uniform(0.6, 1.4), 1.5))
    if random.random() < 0.4:
        push = push + random.uniform(0, 0.15) * smooth_noise(random, shape, max(grain * 0.35, 1.5))
    if random.random() < 0.25:
        spikes = np.maximum(smooth_noise(random, shape, max(grain * 0.25, 1.2)) - 1.0, 0)
        push = push - random.uniform(0.1, 0.4) * spikes
    return push.astype(np.float32)


def _joined(level: FloatArray, centre: npt.ArrayLike) -> BoolArray:
    """The part below 1 that holds the place nearest to the centre; holes closed."""
    inside = level < 1
    parts, count = ndimage.label(inside)
    if count == 0:
        return inside
    index = np.clip(np.rint(np.asarray(centre, dtype=float)).astype(int), 0, np.array(level.shape) - 1)
    chosen = parts[tuple(index)]
    if chosen == 0:
        chosen = 1 + int(np.argmax(np.bincount(parts[inside])[1:]))
    region: BoolArray = ndimage.binary_fill_holes(parts == chosen)
    return region


def coverage_of(solid: Solid, radius_voxels: float, blur_voxels: Triple) -> FloatArray:
    """The share of each voxel that a body fills, seen through a scanner's blur."""
    near = ndimage.binary_dilation(solid.region, iterations=1)
    sharp = np.clip(0.5 + (1 - solid.level) * radius_voxels, 0, 1) * near
    sharp = np.maximum(sharp, solid.region * 0.5).astype(np.float32)
    seen: FloatArray = ndimage.gaussian_filter(sharp, blur_voxels, truncate=2.5) if max(blur_voxels) > 0.2 else sharp
    return seen


def blended(background: FloatArray, share: FloatArray, value: FloatArray | float) -> FloatArray:
    """The image with a body of some brightness in it."""
    return np.asarray(background + share * (value - background), dtype=np.float32)
