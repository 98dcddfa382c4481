"""A made-up person in a made-up scanner: the true anatomy, averaged over voxels, blurred, with noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy import ndimage

from trialimg.imaging.phantom_anatomy import Anatomy
from trialimg.imaging.phantom_lesion import LesionSolid
from trialimg.imaging.phantom_paint import paint_anatomy, paint_vessels
from trialimg.imaging.phantom_pose import Pose
from trialimg.imaging.phantom_shapes import Capsule, FloatArray, Points
from trialimg.imaging.phantom_slab import Slab
from trialimg.volume import Geometry

__all__ = ["Kernel", "Person", "Technique", "acquire", "draw"]

_THIN_SLICES = 2
_SLICES_AT_ONCE = 3
_BODY_HALF_MM = (200.0, 150.0)


class Kernel(Enum):
    """Reconstruction kernel: how sharp edges are, and how coarse the grain of the noise."""

    SOFT = "SOFT"
    STANDARD = "STANDARD"
    SHARP = "SHARP"


_EDGE_MM = {Kernel.SOFT: 1.4, Kernel.STANDARD: 1.2, Kernel.SHARP: 0.6}
_GRAIN_MM = {Kernel.SOFT: 2.0, Kernel.STANDARD: 1.6, Kernel.SHARP: 0.7}
_NOISE = {Kernel.SOFT: 0.8, Kernel.STANDARD: 1.0, Kernel.SHARP: 2.1}


@dataclass(frozen=True)
class Technique:
    """How a scan was taken."""

    kernel: Kernel = Kernel.STANDARD
    exposure_mas: float = 120.0

    @property
    def noise_hu(self) -> float:
        """Standard deviation in the middle of the abdomen."""
        return 6.5 * _NOISE[self.kernel] * float(np.sqrt(120.0 / self.exposure_mas))


@dataclass(frozen=True)
class Person:
    """An anatomy with its vessels."""

    anatomy: Anatomy
    lung_vessels: tuple[Capsule, ...] = ()
    liver_vessels: tuple[Capsule, ...] = ()


def draw(person: Person, pose: Pose, lesions: Sequence[LesionSolid], grid: Geometry) -> FloatArray:
    """The true anatomy on an axial grid, HU, shape (slices, rows, columns): each voxel the mean over its extent."""
    x, y, z = _axes(grid)
    hu = np.full(grid.shape, person.anatomy.tissue.outside, dtype=np.float32)
    columns = _span(x - pose.shift_mm[0], _BODY_HALF_MM[0])
    rows = _span(y - pose.shift_mm[1], _BODY_HALF_MM[1])
    offsets = ((np.arange(_THIN_SLICES) + 0.5) / _THIN_SLICES - 0.5) * grid.slice_spacing_mm
    for first in range(0, len(z), _SLICES_AT_ONCE):
        centres = z[first : first + _SLICES_AT_ONCE]
        thin = _thin_slices(person, pose, (x[columns], y[rows], (centres[:, None] + offsets).ravel()), grid)
        parts = thin.reshape(len(centres), _THIN_SLICES, *thin.shape[1:])
        hu[first : first + len(centres), rows, columns] = sum(parts[:, i] for i in range(_THIN_SLICES)) / _THIN_SLICES
    for lesion in lesions:
        lesion.paint(hu, (x, y, z))
    return hu


def acquire(hu: FloatArray, technique: Technique, grid: Geometry, rng: np.random.Generator) -> FloatArray:
    """What the scanner shows of it: blurred by the kernel, with noise of the kernel's grain, HU, unrounded."""
    pixel = grid.spacing_mm[0]
    edge = _EDGE_MM[technique.kernel] / pixel
    seen = ndimage.gaussian_filter(hu, (0.0, edge, edge))
    grain = _GRAIN_MM[technique.kernel] / pixel
    noise = ndimage.gaussian_filter(rng.standard_normal(hu.shape), (0.0, grain, grain))
    noise /= _grain_deviation(grain)
    result: FloatArray = seen + noise * (technique.noise_hu * _noise_share(hu, pixel))
    return result


def _thin_slices(person: Person, pose: Pose, axes: Sequence[FloatArray], grid: Geometry) -> FloatArray:
    x, y, z = axes
    wall = pose.wall((x[None, None, :], y[None, :, None], z[:, None, None]))
    inner = pose.inner(wall)
    slab = Slab.blank(person.anatomy, _single(wall), _single(inner), pixel_mm=grid.spacing_mm[0])
    paint_anatomy(slab, person.anatomy)
    paint_vessels(slab, person.lung_vessels, 40.0)
    paint_vessels(slab, person.liver_vessels, person.anatomy.tissue.blood)
    return slab.hu


def _noise_share(hu: FloatArray, pixel_mm: float) -> FloatArray:
    """Noise relative to the middle of the abdomen: more where the rays pass through more tissue."""
    density = np.clip((hu + 1000.0) / 1050.0, 0.0, 1.0)
    reach = round(60.0 / pixel_mm)
    around = ndimage.uniform_filter(density, (0, reach, reach), mode="constant")
    share: FloatArray = 0.05 + 0.95 * np.minimum(1.6 * around, 1.0)
    return share


def _grain_deviation(grain_pixels: float) -> float:
    impulse = np.zeros((41, 41))
    impulse[20, 20] = 1.0
    return float(np.sqrt(np.sum(ndimage.gaussian_filter(impulse, grain_pixels) ** 2)))


def _axes(grid: Geometry) -> tuple[FloatArray, FloatArray, FloatArray]:
    x, y, z = (o + s * np.arange(n) for o, s, n in zip(grid.origin_lps_mm, grid.spacing_mm, grid.size, strict=True))
    return x, y, z


def _span(offsets_mm: FloatArray, half_mm: float) -> slice:
    near = np.flatnonzero(np.abs(offsets_mm) <= half_mm)
    return slice(int(near[0]), int(near[-1]) + 1)


def _single(points: Points) -> Points:
    x, y, z = (np.ascontiguousarray(p, dtype=np.float32) for p in np.broadcast_arrays(*points))
    return x, y, z
