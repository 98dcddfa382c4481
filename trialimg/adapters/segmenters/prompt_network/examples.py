"""What the network learns from: one example after another, each a pure function of seed and number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch.nn.functional import grid_sample
from torch.utils.data import Dataset

from trialimg.adapters.segmenters.prompt_network.channels import EDGE, Appearance, stacked
from trialimg.adapters.segmenters.prompt_network.framing import AROUND_BOX, AROUND_EARLIER, AROUND_LINE, Frame
from trialimg.adapters.segmenters.prompt_network.recipe import USUAL_PROMPTS
from trialimg.adapters.segmenters.prompt_network.sampling import (
    COARSEST,
    appearance_of,
    bounded,
    coarseness,
    outside_of,
    softened,
)
from trialimg.adapters.segmenters.prompt_network.simulated_reader import Drawing, drawn_prompt
from trialimg.imaging.measure import measure
from trialimg.imaging.synthetic_lesion import smooth_noise, turned_about
from trialimg.imaging.synthetic_scene import Look, SceneSettings, in_slices, scene_on
from trialimg.volume import Mask, Volume

__all__ = ["Case", "Examples", "Scan"]

FloatArray = npt.NDArray[np.float64]
Array32 = npt.NDArray[np.float32]

_DRAWINGS = tuple(Drawing)
_LOOKS = (Look.CT, Look.MR, Look.PET)
_LOOK_SHARES = (0.5, 0.3, 0.2)
_APPEARANCES = {Look.CT: Appearance.HU, Look.MR: Appearance.FREE, Look.PET: Appearance.SUV}
_FEWEST_VOXELS = 12
_CLICK_EDGES, _CLOSE_CLICK_EDGES = (0.35, 7.0), (1.4, 3.0)
"""Edges of the looks around a click in units of the lesion: from deep inside of it to far around, and just around."""
_GONE = 0.15
"""Share of the earlier regions, of synthetic lesions, that nothing is left of."""
_AIR_HU = -1000.0


@dataclass(frozen=True, eq=False)
class Scan:
    """An image in memory, with coarser copies of itself to be sampled from without aliasing."""

    values: Array32
    """Shape (slices, rows, columns)."""
    spacing_mm: tuple[float, float, float]
    """Of columns, rows and slices."""
    appearance: Appearance
    outside: float
    """Value beyond the image."""

    @classmethod
    def of(cls, image: Volume) -> Scan:
        """The scan of an image."""
        appearance = appearance_of(image)
        outside = outside_of(appearance, image.array)
        return cls(bounded(image.array, appearance, outside), image.geometry.spacing_mm, appearance, outside)

    @cached_property
    def levels(self) -> tuple[torch.Tensor, ...]:
        """The image, blurred for grids that are one, two, four and eight times as coarse as its pixels."""
        soft = (softened(self.values, self.spacing_mm, power) for power in range(COARSEST + 1))
        return tuple(torch.from_numpy(np.ascontiguousarray(v - np.float32(self.outside)))[None, None] for v in soft)

    def sampled(self, points_mm: Array32, voxel_mm: float) -> Array32:
        """The values at some points (x, y, z from the first voxel's centre), shape (k, j, i, 3), on a grid as coarse as
        ``voxel_mm``.
        """
        level = coarseness(voxel_mm, self.spacing_mm[0])
        return _at(self.levels[level], points_mm, self.spacing_mm) + np.float32(self.outside)


@dataclass(frozen=True, eq=False)
class Case:
    """A scan with the lesion in it."""

    name: str
    scan: Scan
    region: npt.NDArray[np.bool_]
    line_centre_mm: FloatArray
    """Middle of the long axis, from the first voxel's centre along columns, rows and slices."""
    line_mm: float
    box_centre_mm: FloatArray
    extent_mm: FloatArray
    """Of the whole region, along columns, rows and slices."""

    @classmethod
    def of(cls, name: str, image: Volume, lesion: Mask) -> Case:
        """The case of an image and a mask on its grid whose label 1 is one lesion.

        Raises
        ------
        GeometryError
            If they lie on different grids.
        """
        lesion.geometry.require_same(image.geometry, "the mask", "the image")
        ends = np.array(measure(lesion, 1).long_axis_lps_mm)
        spacing = np.asarray(image.geometry.spacing_mm)
        line = image.geometry.to_index(ends) * spacing
        index = np.argwhere(lesion.array == 1)[:, ::-1]
        low, high = (index.min(axis=0) - 0.5) * spacing, (index.max(axis=0) + 0.5) * spacing
        return cls(
            name, Scan.of(image), lesion.array == 1,
            line.mean(axis=0), float(np.linalg.norm(ends[1] - ends[0])), (low + high) / 2, high - low,
        )  # fmt: skip

    @cached_property
    def region_tensor(self) -> torch.Tensor:
        return torch.from_numpy(self.region.astype(np.float32))[None, None]


@dataclass(frozen=True, eq=False)
class Examples(Dataset[tuple[torch.Tensor, torch.Tensor]]):  # type: ignore[misc]  # mypy does not follow torch
    """Synthetic lesions in backgrounds and real ones in their scans, mixed."""

    backgrounds: Sequence[Scan]
    cases: Sequence[Case]
    real_share: float
    """Of examples that show a real lesion; 0 where there is no case."""
    seed: int
    first: int
    """Number of the first example."""
    count: int
    prompts: Mapping[str, float] = field(default_factory=lambda: USUAL_PROMPTS)
    """Share of each way to point at the lesion."""

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Channels and truth, shapes (CHANNELS, k, j, i) and (1, k, j, i)."""
        random = np.random.default_rng([self.seed, self.first + index])
        while True:
            real = bool(self.cases) and random.random() < self.real_share
            made = self._real(random) if real else self._synthetic(random)
            if made is not None:
                return made

    def _real(self, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor] | None:
        case = self.cases[int(random.integers(len(self.cases)))]
        drawing = self._drawing(random)
        frame = _frame(random, drawing, case)
        points = _points(random, frame)
        voxel_mm = frame.width_mm / EDGE
        values = case.scan.sampled(points, voxel_mm)
        region = _at(case.region_tensor, points, case.scan.spacing_mm) > 0.5
        slices = case.scan.spacing_mm[2] / (frame.height_mm / EDGE)
        if random.random() < 0.3:
            slices *= random.uniform(1.2, 2.5)
            values = in_slices(values, slices, offset=float(random.uniform(0, slices))) if slices > 1.3 else values
        values = _other_intensity(random, values, case.scan)
        return _example(random, values, region, drawing, _Seen(case.scan.appearance, frame.voxel_ratio, slices))

    def _synthetic(self, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor] | None:
        drawing = self._drawing(random)
        look = _LOOKS[int(random.choice(len(_LOOKS), p=_LOOK_SHARES))]
        long_mm = float(np.exp(random.uniform(np.log(4), np.log(130))))
        semi = long_mm / 2 * np.array([random.uniform(0.45, 1.6), random.uniform(0.5, 1.0), 1.0])
        rotation = turned_about(random, 0.35 if random.random() < 0.7 else 1.5)
        extent = 2 * np.sqrt(((rotation * semi[:, None]) ** 2).sum(axis=0))[::-1]
        frame = _frame(random, drawing, _Body(np.zeros(3), long_mm, np.zeros(3), extent))
        voxel_mm = (frame.height_mm / EDGE, frame.width_mm / EDGE, frame.width_mm / EDGE)
        slice_mm = float(random.choice([1.0, 1.5, 2.0, 3.0, 3.3, 4.0, 5.0])) if look is not Look.PET else 3.3
        slice_mm = min(slice_mm, max(voxel_mm[0], extent[2] / 3))
        centre = (EDGE - 1) / 2 - frame.centre_mm[::-1] / voxel_mm
        is_gone = drawing is Drawing.EARLIER and random.random() < _GONE
        settings = SceneSettings(
            look, voxel_mm, tuple(centre.tolist()), tuple(semi.tolist()), rotation, slice_mm, is_gone,
        )  # fmt: skip
        scene = scene_on(random, self._background(random, frame), settings)
        seen = _Seen(_APPEARANCES[look], frame.voxel_ratio, slice_mm / voxel_mm[0])
        made = _example(random, scene.values, scene.region, drawing, seen)
        return (made[0], torch.zeros_like(made[1])) if made and is_gone else made

    def _drawing(self, random: np.random.Generator) -> Drawing:
        shares = [self.prompts.get(drawing.value, 0.0) for drawing in _DRAWINGS]
        return _DRAWINGS[int(random.choice(len(_DRAWINGS), p=shares))]

    def _background(self, random: np.random.Generator, frame: Frame) -> Array32:
        """A piece of some scan about a place in the body."""
        scan = self.backgrounds[int(random.integers(len(self.backgrounds)))]
        size = np.array(scan.values.shape)
        wants_lung = random.random() < 0.35
        spot = (size * random.uniform(0.1, 0.9, 3)).astype(int)
        for _ in range(20):
            value = scan.values[tuple(spot)]
            if (-950 < value < -600) if wants_lung else (-150 < value < 250):
                break
            spot = (size * random.uniform(0.1, 0.9, 3)).astype(int)
        centre = spot[::-1] * np.array(scan.spacing_mm)
        points = _points(random, Frame(centre, frame.width_mm, frame.height_mm))
        return scan.sampled(points, frame.width_mm / EDGE)


@dataclass(frozen=True)
class _Seen:
    """How the grid shows the image."""

    appearance: Appearance
    voxel_ratio: float
    slices_voxels: float


@dataclass(frozen=True, eq=False)
class _Body:
    """What a frame is set around."""

    line_centre_mm: FloatArray
    line_mm: float
    box_centre_mm: FloatArray
    extent_mm: FloatArray


def _frame(random: np.random.Generator, drawing: Drawing, body: _Body | Case) -> Frame:
    """Where the network looks, as unsure as the prompt is of place and size."""
    if drawing is Drawing.BOX:
        extent = body.extent_mm * np.exp(random.normal(0, 0.03, 3))
        return Frame.around(body.box_centre_mm + random.normal(0, 0.015, 3) * extent, extent, AROUND_BOX)
    if drawing is Drawing.CLICK:
        edges = _CLICK_EDGES if random.random() < 0.5 else _CLOSE_CLICK_EDGES
        edge = float(body.extent_mm.max()) * np.exp(random.uniform(*np.log(edges)))
        return Frame(body.box_centre_mm + random.normal(0, 0.12, 3) * body.extent_mm, edge, edge)
    if drawing is Drawing.EARLIER:
        extent = body.extent_mm * np.exp(random.uniform(-0.25, 0.4) + random.normal(0, 0.05, 3))
        return Frame.around(body.box_centre_mm + random.normal(0, 0.08, 3) * extent, extent, AROUND_EARLIER)
    edge = AROUND_LINE * body.line_mm * np.exp(random.uniform(-0.15, 0.35))
    return Frame(body.line_centre_mm + random.normal(0, 0.03, 3) * body.line_mm, edge, edge)


def _points(random: np.random.Generator, frame: Frame) -> Array32:
    """Where the grid's voxels lie in the source (x, y, z), shape (k, j, i, 3): turned, mirrored, stretched, bent."""
    edges = np.array([frame.width_mm, frame.width_mm, frame.height_mm])
    stretch = np.exp(random.normal(0, 0.08, 3))
    turn = random.uniform(0, 2 * np.pi) if random.random() < 0.7 else 0.0
    mirror = random.choice([-1.0, 1.0], 3)
    c, s = np.cos(turn), np.sin(turn)
    matrix = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) * (mirror * stretch * edges / EDGE)
    steps = np.arange(EDGE) - (EDGE - 1) / 2
    k, j, i = np.meshgrid(steps, steps, steps, indexing="ij")
    offsets = np.stack([i, j, k], axis=-1).astype(np.float32)
    if random.random() < 0.35:
        bend = [smooth_noise(random, (EDGE, EDGE, EDGE), random.uniform(10, 20)) for _ in range(3)]
        offsets = offsets + np.stack(bend, axis=-1) * np.float32(random.uniform(0, 1.2))
    points: Array32 = offsets @ matrix.T.astype(np.float32) + frame.centre_mm.astype(np.float32)
    return points


def _at(image: torch.Tensor, points_mm: Array32, spacing_mm: Sequence[float]) -> Array32:
    """Linear interpolation; 0 outside."""
    size = np.array(image.shape[:1:-1], np.float32)
    place = 2 * points_mm / (np.asarray(spacing_mm, np.float32) * np.maximum(size - 1, 1)) - 1
    grid = torch.from_numpy(np.ascontiguousarray(place, dtype=np.float32))[None]
    with torch.no_grad():
        found = grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=True)
    values: Array32 = found[0, 0].numpy()
    return values


def _other_intensity(random: np.random.Generator, values: Array32, scan: Scan) -> Array32:
    """The image as another scanner might have shown it."""
    low, high = np.percentile(values, (1, 99.5))
    spread = max(float(high - low), 1e-6)
    if random.random() < 0.3:
        values = ndimage.gaussian_filter(values, random.uniform(0.3, 1.0), truncate=2.5)
    if scan.appearance is Appearance.HU:
        values = (values + _AIR_HU * -1) * random.normal(1, 0.02) + _AIR_HU + random.normal(0, 12)
        noise_sd = random.uniform(0, 25)
    else:
        share = np.clip((values - low) / spread, 0, None) ** np.exp(random.normal(0, 0.25))
        values = low + share * spread * np.exp(random.normal(0, 0.3))
        noise_sd = random.uniform(0, 0.05) * spread
    if scan.appearance is Appearance.FREE:
        values = values * np.exp(random.uniform(0, 0.25) * smooth_noise(random, values.shape, EDGE / 2))
        if random.random() < 0.15:
            values = high - values
    if random.random() < 0.5:
        values = values + noise_sd * random.standard_normal(values.shape, dtype=np.float32)
    return _cut_short(random, values.astype(np.float32), scan.outside)


def _cut_short(random: np.random.Generator, values: Array32, outside: float) -> Array32:
    """The image as if it ended within the grid: how much of it there is must say nothing about the lesion."""
    if random.random() < 0.3:
        axis, depth = int(random.integers(3)), int(random.integers(1, EDGE // 6))
        place: list[Any] = [slice(None)] * 3
        place[axis] = slice(0, depth) if random.random() < 0.5 else slice(EDGE - depth, EDGE)
        values[tuple(place)] = outside
    return values


def _example(
    random: np.random.Generator, values: Array32, region: npt.NDArray[np.bool_], drawing: Drawing, seen: _Seen
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """None where next to nothing of the lesion is on the grid."""
    if np.count_nonzero(region) < _FEWEST_VOXELS:
        return None
    prompt = drawn_prompt(random, region, drawing, voxel_ratio=seen.voxel_ratio, slices_voxels=seen.slices_voxels)
    appearance = Appearance.FREE if random.random() < 0.08 else seen.appearance
    given = stacked(values, appearance, prompt, voxel_ratio=seen.voxel_ratio, slices_voxels=seen.slices_voxels)
    return torch.from_numpy(given), torch.from_numpy(region[None].astype(np.float32))
