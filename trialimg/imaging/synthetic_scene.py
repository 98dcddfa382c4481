"""A piece of a real or made-up scan with a lesion put into it, as CT, or remapped to look like MR or PET."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.imaging.synthetic_lesion import (
    BoolArray,
    FloatArray,
    Solid,
    Triple,
    blended,
    coverage_of,
    drawn_solid,
    smooth_noise,
    turned_about,
)

__all__ = ["Look", "SceneSettings", "SyntheticScene", "in_slices", "scene_on"]

_LUNG_HU = -500.0
_MOST_NEIGHBOURS = 3


class Look(Enum):
    """Which kind of scanner the scene is to look like."""

    CT = "ct"
    MR = "mr"
    PET = "pet"


@dataclass(frozen=True, eq=False)
class SceneSettings:
    """Where and how large the lesion is on a grid whose voxels are ``voxel_mm``; triples are (slice, row, column)."""

    look: Look
    voxel_mm: Triple
    centre: Triple
    """In voxels."""
    semi_mm: Triple
    """Half axes along the rows of ``rotation``."""
    rotation: npt.NDArray[np.float64]
    slice_mm: float
    """Distance of the slices that the scanner took."""
    is_gone: bool = False
    """The place of a lesion that is not there any more."""


@dataclass(frozen=True, eq=False)
class SyntheticScene:
    """An image and where the lesion is in it, or was."""

    values: FloatArray
    region: BoolArray


def scene_on(random: np.random.Generator, background_hu: FloatArray, settings: SceneSettings) -> SyntheticScene:
    """A lesion, its neighbours and vessels in a CT background, seen by a scanner.

    Parameters
    ----------
    background_hu
        Shape (slices, rows, columns).
    """
    shape = background_hu.shape
    solid = drawn_solid(
        random, (shape[0], shape[1], shape[2]), settings.centre, settings.semi_mm,
        rotation=settings.rotation, voxel=settings.voxel_mm,
    )  # fmt: skip
    values = _remapped(random, background_hu, settings.look)
    contrast = _Contrast.of(random, values, solid, settings)
    values = _with_neighbours(random, values, contrast, settings, solid)
    if settings.is_gone:
        return SyntheticScene(_acquired(random, values, settings, contrast.step), solid.region)
    radius = float(np.median(settings.semi_mm)) / float(np.median(settings.voxel_mm))
    share = coverage_of(solid, radius, _blur_voxels(random, settings))
    values = blended(values, share, contrast.texture(random, solid, radius))
    return SyntheticScene(_acquired(random, values, settings, contrast.step), solid.region)


@dataclass(frozen=True)
class _Contrast:
    """How bright the lesion is, and how large a visible step is."""

    value: float
    step: float
    """Difference of lesion and surroundings."""

    @classmethod
    def of(cls, random: np.random.Generator, values: FloatArray, solid: Solid, settings: SceneSettings) -> _Contrast:
        shell = values[(solid.level > 1.1) & (solid.level < 1.6)]
        around = float(np.median(shell)) if shell.size else float(np.median(values))
        match settings.look:
            case Look.CT:
                return cls._in_ct(random, around)
            case Look.PET:
                low = float(np.percentile(values, 99))
                value = max(around, 0.3 * low) * random.uniform(1.5, 3.0) + low * np.exp(random.uniform(-1, 2.2))
                return cls(value, abs(value - around))
            case Look.MR:
                spread = float(np.percentile(values, 95) - np.percentile(values, 5)) + 1e-3
                step = spread * random.uniform(0.15, 0.9) * random.choice([-1, 1])
                return cls(around + step, abs(step))

    @classmethod
    def _in_ct(cls, random: np.random.Generator, around: float) -> _Contrast:
        if around < _LUNG_HU:
            value = random.uniform(-60, 90) if random.random() < 0.8 else random.uniform(-550, -150)
        else:
            value = around + random.choice([-1, -1, 1, 1, 1]) * np.exp(random.uniform(np.log(14), np.log(130)))
        return cls(float(value), abs(float(value) - around))

    def texture(self, random: np.random.Generator, solid: Solid, radius: float) -> FloatArray:
        """Brightness inside: even or mottled, a bright rim, a dead core, flecks."""
        value = np.full(solid.level.shape, self.value, np.float32)
        if random.random() < 0.6:
            grain = max(radius * random.uniform(0.15, 0.7), 1.5)
            value += self.step * random.uniform(0.05, 0.4) * smooth_noise(random, value.shape, grain)
        if random.random() < 0.3:
            wobble = 0.15 * smooth_noise(random, value.shape, max(radius * 0.5, 1.5))
            core = np.clip((random.uniform(0.4, 0.85) - solid.level + wobble) * 6, 0, 1)
            value += core * self.step * random.uniform(-1.0, 0.3)
        if random.random() < 0.3:
            rim = np.exp(-((solid.level - 0.9) ** 2) / (2 * random.uniform(0.05, 0.15) ** 2))
            value += rim * self.step * random.uniform(0.1, 0.8)
        if random.random() < 0.1:
            value += self.step * 4 * (smooth_noise(random, value.shape, 1.5) > 2.3)
        return value.astype(np.float32)


def _remapped(random: np.random.Generator, hu: FloatArray, look: Look) -> FloatArray:
    """The anatomy of a CT with another scanner's brightness."""
    if look is Look.CT:
        return (hu + np.float32(random.normal(0, 8))).astype(np.float32)
    knots = np.array([-1000, -700, -150, -60, 10, 40, 70, 120, 250, 1000], np.float32)
    if look is Look.MR:
        levels = random.uniform(0, 1, len(knots))
        levels[:2] = random.uniform(0, 0.08, 2)
        values = np.interp(ndimage.gaussian_filter(hu, 0.6), knots, levels)
        field = np.exp(random.uniform(0, 0.3) * smooth_noise(random, hu.shape, min(hu.shape) / 2))
        return np.asarray(1000 * values * field, dtype=np.float32)
    levels = np.exp(random.normal(-0.7, 0.5, len(knots)))
    levels[:2] *= 0.3
    values = np.interp(ndimage.gaussian_filter(hu, 1.5), knots, levels)
    return np.asarray(values * np.exp(0.3 * smooth_noise(random, hu.shape, 8.0)), dtype=np.float32)


def _with_neighbours(
    random: np.random.Generator, values: FloatArray, contrast: _Contrast, settings: SceneSettings, solid: Solid
) -> FloatArray:
    """Bodies and tubes as bright as the lesion, beside it or running into it, that are not lesion."""
    shape = (values.shape[0], values.shape[1], values.shape[2])
    voxel = np.asarray(settings.voxel_mm)
    size = float(np.max(settings.semi_mm))
    for _ in range(int(random.integers(0, _MOST_NEIGHBOURS + 1))):
        way = random.normal(size=3)
        way /= np.linalg.norm(way)
        tube = random.random() < 0.5
        reach = size * random.uniform(0.9, 2.2)
        thin = size * (random.uniform(0.08, 0.3) if tube else random.uniform(0.25, 0.9))
        semi = (size * 6, thin, thin * random.uniform(0.7, 1)) if tube else (thin, thin, thin)
        centre = np.asarray(settings.centre) + way * (reach if tube else reach + 0.6 * thin) / voxel
        other = drawn_solid(
            random, shape, centre, semi, rotation=turned_about(random, 0.7)[[1, 0, 2]], voxel=settings.voxel_mm
        )
        share = coverage_of(other, thin / float(np.median(voxel)), (0.6, 0.6, 0.6))
        around = contrast.value + contrast.step * random.normal(0, 0.15)
        values = blended(values, share * (solid.level > 0.9), float(around))
    return values


def _blur_voxels(random: np.random.Generator, settings: SceneSettings) -> Triple:
    """The scanner's blur in voxels of the grid."""
    size = float(np.min(settings.semi_mm))
    blur_mm = random.uniform(2.0, 4.0) if settings.look is Look.PET else random.uniform(0.3, 1.2)
    if random.random() < 0.25:
        blur_mm = max(blur_mm, size * random.uniform(0.05, 0.25))
    blur_mm = min(blur_mm, 0.45 * size)
    z, y, x = (blur_mm / v for v in settings.voxel_mm)
    return z, y, x


def _acquired(random: np.random.Generator, values: FloatArray, settings: SceneSettings, step: float) -> FloatArray:
    """Thick slices, and noise of the scanner's grain."""
    thick = settings.slice_mm / settings.voxel_mm[0]
    noise = smooth_noise(random, values.shape, random.uniform(1.0, 2.5)) if random.random() < 0.5 else None
    if noise is None:
        noise = random.standard_normal(values.shape, dtype=np.float32)
    most = 0.35 * step if settings.look is not Look.CT else min(0.6 * step, 40.0)
    values = values + noise * np.float32(random.uniform(0, most))
    if thick > 1.3:
        values = in_slices(values, thick, offset=float(random.uniform(0, thick)))
    return np.maximum(values, 0) if settings.look is Look.PET else values


def in_slices(values: FloatArray, thick_voxels: float, *, offset: float) -> FloatArray:
    """The image as if taken in slices of so many voxels, and interpolated between them again."""
    count = values.shape[0]
    centres = np.arange(offset - thick_voxels, count + thick_voxels, thick_voxels)
    spread = np.abs(np.arange(count)[None] - centres[:, None]) / thick_voxels
    weights = np.clip(1.0 - spread, 0, 1) + 1e-9
    slices = np.tensordot(weights / weights.sum(axis=1, keepdims=True), values, axes=(1, 0))
    back = np.clip(1 - np.abs(np.arange(count)[:, None] - centres[None]) / thick_voxels, 0, 1)
    back /= back.sum(axis=1, keepdims=True)
    return np.asarray(np.tensordot(back, slices, axes=(1, 0)), dtype=np.float32)
