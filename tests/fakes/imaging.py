"""A small world of images: bodies with bright balls in them, and adapters that need no file and no network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import ndimage

from trialimg.core.errors import Fault, IntakeError
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.services.images import ContourSet, FileRecord, ImageIndex, SeriesRecord
from trialimg.volume import Geometry, Mask, Unit, Volume

GRID = Geometry((64, 56, 24), (4.0, 4.0, 6.0), (-126.0, -110.0, 0.0))
LESION_HU, BODY_HU = 200.0, 40.0

Ball = tuple[tuple[float, float, float], float]
"""Centre (LPS mm) and diameter in mm."""


def body_with(balls: tuple[Ball, ...], grid: Geometry = GRID) -> Volume:
    """A body with two lungs and a spine, and balls of 200 HU."""
    k, j, i = np.indices(grid.shape)
    x, y, z = np.moveaxis(grid.to_lps(np.stack([i, j, k], axis=-1)), -1, 0)
    hu = np.where((x / 110) ** 2 + (y / 85) ** 2 < 1, BODY_HU, -1000.0)
    for side in (-50, 50):
        hu[((x - side) / 35) ** 2 + ((y + 20) / 45) ** 2 + ((z - 80) / 70) ** 2 < 1] = -850
    hu[(x / 15) ** 2 + ((y - 60) / 12) ** 2 < 1] = 120
    for (a, b, c), diameter_mm in balls:
        hu[(x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2 <= (diameter_mm / 2) ** 2] = LESION_HU
    noise = np.random.default_rng(7).normal(0, 5, grid.shape)
    return Volume((hu + noise).astype(np.float32), grid, "CT", Unit.HU)


@dataclass
class World:
    """An `ImageSource` over images in memory."""

    volumes: dict[str, Volume] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    series: list[SeriesRecord] = field(default_factory=list)
    regions: dict[str, Mapping[str, Mask]] = field(default_factory=dict)
    contour_sets: list[ContourSet] = field(default_factory=list)
    decoded: list[str] = field(default_factory=list)

    def add(self, subject: str, day: dt.date, *balls: Ball, broken: str = "", grid: Geometry = GRID) -> SeriesRecord:
        """One CT of a subject; ``broken`` is the reason why it cannot be read."""
        uid = f"{subject}.{day.isoformat()}"
        digest = f"sha256:{uid}-{balls}-{broken}-{grid.size}"
        record = SeriesRecord(
            subject, f"study.{uid}", uid, f"frame.{uid}", "CT", day, "CT", (FileRecord(f"{uid}.dcm", digest),),
            grid.size[1], grid.size[0], (4.0, 4.0), 6.0,
        )  # fmt: skip
        self.series.append(record)
        if broken:
            self.broken[uid] = broken
        else:
            self.volumes[uid] = body_with(balls, grid)
        return record

    def index(self, root: Path, *, progress: object = None) -> ImageIndex:
        return ImageIndex(tuple(self.series), tuple(self.contour_sets))

    def volume(self, series: SeriesRecord, root: Path) -> Volume:
        uid = series.series_uid
        if uid in self.broken:
            raise IntakeError("not one whole stack", (Fault(uid, "missing_slices", self.broken[uid]),))
        self.decoded.append(uid)
        return self.volumes[uid]

    def contours(self, contour_set: ContourSet, image: Volume, root: Path) -> Mapping[str, Mask]:
        return self.regions[contour_set.file.path]


@dataclass(frozen=True)
class BrightSegmenter:
    """Whatever is brighter than 120 HU and connected to the prompt; on later scans, near the earlier mask."""

    name: str = "bright"
    version: str = "1"
    model_digest: str = ""
    reach_mm: float = 12.0

    def parameters(self) -> Mapping[str, object]:
        return {"reach_mm": self.reach_mm}

    def segment(self, image: Volume, prompt: Prompt) -> Mask:
        match prompt:
            case LinePrompt():
                points = [np.add(prompt.start_lps_mm, prompt.end_lps_mm) / 2]
            case BidirectionalPrompt():
                axes = (prompt.long_axis, prompt.short_axis)
                points = [np.add(axis.start_lps_mm, axis.end_lps_mm) / 2 for axis in axes]
            case PointPrompt():
                points = [np.array(prompt.point_lps_mm)]
            case BoxPrompt():
                points = [np.add(prompt.corner_lps_mm, prompt.opposite_lps_mm) / 2]
        for point in points:
            image.geometry.require_point(point, "prompt")
        labels, _ = ndimage.label(image.array > (LESION_HU + BODY_HU) / 2)
        i, j, k = np.rint(image.geometry.to_index(points[0])).astype(int)
        found = labels[k, j, i]
        return Mask(((labels == found) & (found > 0)).astype(np.uint8), image.geometry)

    def follow(self, image: Volume, earlier: Volume, earlier_mask: Mask) -> Mask:
        image.geometry.require_same(earlier.geometry, "image", "earlier image")
        image.geometry.require_same(earlier_mask.geometry, "image", "earlier mask")
        away_mm = ndimage.distance_transform_edt(earlier_mask.array == 0, sampling=image.geometry.spacing_mm[::-1])
        near = (image.array > (LESION_HU + BODY_HU) / 2) & (away_mm <= self.reach_mm)
        return Mask(near.astype(np.uint8), image.geometry)


@dataclass(frozen=True)
class VoxelCounter:
    """A `FeatureExtractor` of one feature."""

    name: str = "voxels"
    version: str = "1"

    def parameters(self) -> Mapping[str, object]:
        return {}

    def extract(self, image: Volume, mask: Mask, label: int) -> Mapping[str, float]:
        image.geometry.require_same(mask.geometry, "image", "mask")
        return {"voxels": float(np.count_nonzero(mask.array == label))}
