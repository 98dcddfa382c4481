"""One lesion from scan to scan: segmented from a prompt, carried over by registration, found again, measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.digest import digest_of
from trialimg.core.errors import GeometryError
from trialimg.core.prompts import PointLps, Prompt
from trialimg.imaging import measure, register
from trialimg.imaging.match import nearest_lesion
from trialimg.imaging.measure import LesionMeasurement
from trialimg.imaging.register import Alignment
from trialimg.services.ports import FeatureExtractor, Segmenter
from trialimg.services.scans import Scan
from trialimg.services.work import Stage, Workbench
from trialimg.volume import Geometry, Mask, Unit
from trialimg.volume.packing import pack_mask, unpack_mask
from trialimg.volume.resample import Interpolator, resample, resample_mask

__all__ = ["FoundLesion", "LesionTracker", "TrackingSettings", "separate"]

IntArray = npt.NDArray[np.intp]

_SEGMENT = Stage("segment", "1")
_BODY = Stage("register_body", register.VERSION)
_LOCAL = Stage("register_locally", register.VERSION)
_FOLLOW = Stage("follow", "1")
_MEASURE = Stage("measure", measure.VERSION)
_FEATURES = Stage("features", "1")
_ATTENUATION = Stage("mean_hu", "1")
_RIM_VOXELS = 2


@dataclass(frozen=True)
class TrackingSettings:
    """How a lesion is looked for in a later scan."""

    affine: bool
    margin_mm: float
    """How far around its expected place a lesion is looked for."""


@dataclass(frozen=True, eq=False)
class FoundLesion:
    """A lesion's region in one scan; the mask covers only the part of the scan around it."""

    scan: Scan
    mask: Mask
    digest: str
    """Digest of the packed mask: the evidence of every number read from it."""
    expected_lps_mm: PointLps
    """Where it was looked for."""
    radius_mm: float
    """Radius it was expected to have: the earlier one, of a ball of the same volume."""
    touching: tuple[str, ...] = ()
    """Labels of lesions whose regions met this one and were separated half way."""


@dataclass(frozen=True)
class LesionTracker:
    """The steps from prompt to numbers, each done once."""

    bench: Workbench
    segmenter: Segmenter
    extractor: FeatureExtractor
    settings: TrackingSettings

    def from_prompt(self, scan: Scan, prompt: Prompt) -> FoundLesion:
        """The lesion a reader points at.

        Raises
        ------
        GeometryError
            If the prompt lies outside of the scan.
        ModelError
            If the segmenter cannot run.
        """
        inputs = {"scan": scan.digest, "prompt": [type(prompt).__name__, prompt], **self._segmenter_facts()}

        def compute() -> bytes:
            return pack_mask(_around(self.segmenter.segment(scan.volume, prompt)))

        return _first_seen(scan, self.bench.once(_SEGMENT, inputs, compute))

    def from_region(self, scan: Scan, region: Mask) -> FoundLesion:
        """The lesion a reader outlined."""
        return _first_seen(scan, pack_mask(_around(region)))

    def follow(self, earlier: FoundLesion, scan: Scan) -> FoundLesion | None:
        """The same lesion in a later scan, empty where it is gone; None where the scan does not show its place."""
        inputs = {
            "earlier_scan": earlier.scan.digest,
            "earlier_mask": earlier.digest,
            "scan": scan.digest,
            "affine": self.settings.affine,
            "margin_mm": self.settings.margin_mm,
            **self._segmenter_facts(),
        }
        alignment = self._align(earlier, scan)
        expected = alignment.inverse_apply(_centre(earlier.mask))
        if not scan.geometry.contains(expected):
            return None

        def compute() -> bytes:
            return pack_mask(_around(self._follow(earlier, scan, alignment)))

        packed = self.bench.once(_FOLLOW, inputs, compute)
        return FoundLesion(scan, unpack_mask(packed), digest_of(packed), expected, _radius_mm(earlier.mask))

    def measure(self, found: FoundLesion) -> tuple[LesionMeasurement, ...]:
        """Every connected part of the lesion measured, largest first; none where it is gone."""
        answer = self.bench.once_json(
            _MEASURE,
            {"mask": found.digest, "scan": found.scan.digest},
            lambda: _measured(found.mask, found.scan.geometry),
        )
        return tuple(_measurement(facts) for facts in answer)

    def features(self, found: FoundLesion) -> dict[str, float]:
        """The lesion's radiomic features; none where it is too small for any."""
        inputs = {
            "scan": found.scan.digest,
            "mask": found.digest,
            "extractor": f"{self.extractor.name}@{self.extractor.version}",
            "parameters": self.extractor.parameters(),
        }
        answer: dict[str, float] = self.bench.once_json(_FEATURES, inputs, lambda: self._extract(found))
        return answer

    def mean_hu(self, found: FoundLesion) -> float | None:
        """The mean attenuation of the lesion's voxels; None where the scan is not in Hounsfield units."""
        inputs = {"scan": found.scan.digest, "mask": found.digest}
        answer: float | None = self.bench.once_json(_ATTENUATION, inputs, lambda: _mean_hu(found))
        return answer

    def _extract(self, found: FoundLesion) -> object:
        try:
            return dict(self.extractor.extract(found.scan.volume, _on_grid(found.mask, found.scan.geometry), 1))
        except GeometryError:  # fewer voxels than a texture needs; the lesion's diameter stands without features
            return {}

    def _follow(self, earlier: FoundLesion, scan: Scan, alignment: Alignment) -> Mask:
        low, high = _search_box(earlier.mask, alignment, scan.geometry, self.settings.margin_mm)
        image = scan.volume.cropped(low, high)
        moved = alignment.to_sitk()
        outside = float(earlier.scan.volume.array.min())
        before = resample(earlier.scan.volume, image.geometry, Interpolator.LINEAR, outside=outside, transform=moved)
        prior = resample_mask(earlier.mask, image.geometry, transform=moved)
        if prior.is_empty:  # a lesion smaller than the later scan's voxels is looked for in the voxel of its centre
            prior = _one_voxel(image.geometry, alignment.inverse_apply(_centre(earlier.mask)))
        return self.segmenter.follow(image, before, prior)

    def _align(self, earlier: FoundLesion, scan: Scan) -> Alignment:
        pair = {"fixed": scan.digest, "moving": earlier.scan.digest, "affine": self.settings.affine}

        def body() -> object:
            return register.register_body(scan.volume, earlier.scan.volume, affine=self.settings.affine)

        whole = Alignment.from_dict(self.bench.once_json(_BODY, pair, body))
        centre = whole.inverse_apply(_centre(earlier.mask))
        radius = _radius_mm(earlier.mask) + self.settings.margin_mm

        def local() -> object:
            return register.register_locally(
                scan.volume, earlier.scan.volume, whole, centre_lps_mm=centre, radius_mm=radius
            )

        place = {**pair, "body": digest_of(whole), "centre_lps_mm": centre, "radius_mm": radius}
        return Alignment.from_dict(self.bench.once_json(_LOCAL, place, local))

    def _segmenter_facts(self) -> dict[str, object]:
        return {
            "segmenter": f"{self.segmenter.name}@{self.segmenter.version}",
            "parameters": self.segmenter.parameters(),
            "model": self.segmenter.model_digest,
        }


def _first_seen(scan: Scan, packed: bytes) -> FoundLesion:
    mask = unpack_mask(packed)
    return FoundLesion(scan, mask, digest_of(packed), _centre(mask), _radius_mm(mask))


def separate(found: Mapping[str, FoundLesion]) -> dict[str, FoundLesion]:
    """Regions of one scan that share no voxel: each contested voxel goes to the lesion it is nearest to.

    Parameters
    ----------
    found
        Lesion label to its region, all in one scan.
    """
    holders: dict[int, list[str]] = {}
    for label, lesion in found.items():
        for voxel in _flat_voxels(lesion).tolist():
            holders.setdefault(voxel, []).append(label)
    contested: dict[tuple[str, ...], list[int]] = {}
    for voxel, labels in holders.items():
        if len(labels) > 1:
            contested.setdefault(tuple(labels), []).append(voxel)
    answer = dict(found)
    for meeting, voxels in contested.items():
        lesions = [found[label] for label in meeting]
        k, j, i = np.unravel_index(voxels, lesions[0].scan.geometry.shape)
        points = lesions[0].scan.geometry.to_lps(np.stack([i, j, k], axis=1))
        centres = np.array([lesion.expected_lps_mm for lesion in lesions])
        owner = nearest_lesion(points, centres, np.array([lesion.radius_mm for lesion in lesions]))
        for position, label in enumerate(meeting):
            others = tuple(other for other in meeting if other != label)
            answer[label] = _without(answer[label], np.array(voxels)[owner != position], others)
    return answer


def _flat_voxels(lesion: FoundLesion) -> IntArray:
    """Positions of the lesion's voxels in the whole scan's flattened array."""
    low = _offset(lesion.mask.geometry, lesion.scan.geometry)
    k, j, i = np.nonzero(lesion.mask.array)
    return np.ravel_multi_index((k + low[2], j + low[1], i + low[0]), lesion.scan.geometry.shape)


def _without(lesion: FoundLesion, lost: IntArray, others: tuple[str, ...]) -> FoundLesion:
    whole = _on_grid(lesion.mask, lesion.scan.geometry)
    array = whole.array.copy()
    array.reshape(-1)[lost] = 0
    packed = pack_mask(_around(Mask(array, whole.geometry)))
    touching = tuple(dict.fromkeys((*lesion.touching, *others)))
    return replace(lesion, mask=unpack_mask(packed), digest=digest_of(packed), touching=touching)


def _around(mask: Mask) -> Mask:
    """The part of a mask that holds its region, with a rim; one voxel of background where it is empty."""
    places = np.nonzero(mask.array)
    if not places[0].size:
        middle = [n // 2 for n in mask.geometry.size]
        return _cut(mask, middle, [m + 1 for m in middle])
    low = [max(0, int(axis.min()) - _RIM_VOXELS) for axis in reversed(places)]
    high = [
        min(n, int(axis.max()) + 1 + _RIM_VOXELS) for n, axis in zip(mask.geometry.size, reversed(places), strict=True)
    ]
    return _cut(mask, low, high)


def _cut(mask: Mask, low: Sequence[int], high: Sequence[int]) -> Mask:
    part = mask.array[low[2] : high[2], low[1] : high[1], low[0] : high[0]]
    corner, end = (low[0], low[1], low[2]), (high[0], high[1], high[2])
    return Mask(np.ascontiguousarray(part), mask.geometry.cropped(corner, end))


def _offset(part: Geometry, whole: Geometry) -> tuple[int, int, int]:
    """Index (i, j, k) in the whole grid of the first voxel of its part."""
    i, j, k = np.rint(whole.to_index(part.origin_lps_mm)).astype(int).tolist()
    return i, j, k


def _on_grid(mask: Mask, grid: Geometry) -> Mask:
    """The mask in its whole scan."""
    array = np.zeros(grid.shape, mask.array.dtype)
    i, j, k = _offset(mask.geometry, grid)
    slices, rows, columns = mask.array.shape
    array[k : k + slices, j : j + rows, i : i + columns] = mask.array
    return Mask(array, grid)


def _one_voxel(grid: Geometry, point_lps_mm: PointLps) -> Mask:
    array = np.zeros(grid.shape, np.uint8)
    i, j, k = np.clip(np.rint(grid.to_index(point_lps_mm)).astype(int), 0, np.array(grid.size) - 1).tolist()
    array[k, j, i] = 1
    return Mask(array, grid)


def _search_box(
    mask: Mask, alignment: Alignment, grid: Geometry, margin_mm: float
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Corners (i, j, k) of the part of a later scan where the lesion of an earlier one may be."""
    low_mm, high_mm = mask.geometry.bounds_lps_mm()
    ends = list(zip(low_mm, high_mm, strict=True))
    corners = [alignment.inverse_apply((x, y, z)) for x in ends[0] for y in ends[1] for z in ends[2]]
    index = grid.to_index(corners)
    margin = margin_mm / np.asarray(grid.spacing_mm)
    low = np.clip(np.floor(index.min(axis=0) - margin), 0, np.array(grid.size) - 1).astype(int).tolist()
    high = np.clip(np.ceil(index.max(axis=0) + margin) + 1, 1, grid.size).astype(int).tolist()
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _centre(mask: Mask) -> PointLps:
    """Centre of gravity of a region; of its grid where the region is empty."""
    k, j, i = np.nonzero(mask.array)
    index = [float(axis.mean()) for axis in (i, j, k)] if i.size else [(n - 1) / 2 for n in mask.geometry.size]
    x, y, z = mask.geometry.to_lps(index).tolist()
    return x, y, z


def _radius_mm(mask: Mask) -> float:
    """Radius of the ball with the region's volume, at least half a voxel's diagonal."""
    volume_mm3 = float(np.count_nonzero(mask.array)) * mask.geometry.voxel_volume_mm3
    smallest = float(np.linalg.norm(mask.geometry.spacing_mm)) / 2
    return max(smallest, float(np.cbrt(3 * volume_mm3 / (4 * np.pi))))


def _measured(mask: Mask, scan: Geometry) -> list[LesionMeasurement]:
    """Measurements with slice numbers of the whole scan."""
    if mask.is_empty:
        return []
    first_slice = _offset(mask.geometry, scan)[2]
    parts = measure.measure_fragments(mask)
    return [replace(part, slice_index=part.slice_index + first_slice) for part in parts]


def _mean_hu(found: FoundLesion) -> float | None:
    volume = found.scan.volume
    if volume.unit is not Unit.HU:
        return None
    i, j, k = _offset(found.mask.geometry, found.scan.geometry)
    slices, rows, columns = found.mask.array.shape
    around = volume.array[k : k + slices, j : j + rows, i : i + columns]
    return float(around[found.mask.array > 0].astype(np.float64).mean())


def _measurement(facts: dict[str, Any]) -> LesionMeasurement:
    lines = {name: tuple(tuple(end) for end in facts[name]) for name in ("long_axis_lps_mm", "short_axis_lps_mm")}
    return LesionMeasurement(**{**facts, **lines, "flags": tuple(facts["flags"])})
