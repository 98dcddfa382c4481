"""One lesion from scan to scan: segmented from a prompt, carried over by registration, found again, measured."""

from __future__ import annotations

from collections.abc import Mapping
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
from trialimg.services.propagation import around, centre_of, find_again, offset_in, on_grid, radius_of
from trialimg.services.scans import Scan
from trialimg.services.work import Stage, Workbench
from trialimg.volume import Geometry, Mask, Unit
from trialimg.volume.packing import pack_mask, unpack_mask

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
            return pack_mask(around(self.segmenter.segment(scan.volume, prompt)))

        return _first_seen(scan, self.bench.once(_SEGMENT, inputs, compute))

    def from_region(self, scan: Scan, region: Mask) -> FoundLesion:
        """The lesion a reader outlined."""
        return _first_seen(scan, pack_mask(around(region)))

    def follow(self, earlier: FoundLesion, scan: Scan) -> FoundLesion | None:
        """The same lesion in a later scan, empty where it is gone; None where the scan does not show its place."""
        alignment = self._align(earlier, scan)
        expected = alignment.inverse_apply(centre_of(earlier.mask))
        if not scan.geometry.contains(expected):
            return None
        inputs = {
            "earlier_scan": earlier.scan.digest,
            "earlier_mask": earlier.digest,
            "scan": scan.digest,
            "alignment": alignment,
            "margin_mm": self.settings.margin_mm,
            **self._segmenter_facts(),
        }

        def compute() -> bytes:
            pair, margin_mm = (earlier.scan.volume, earlier.mask), self.settings.margin_mm
            return pack_mask(around(find_again(self.segmenter, scan.volume, pair, alignment, margin_mm=margin_mm)))

        packed = self.bench.once(_FOLLOW, inputs, compute)
        return FoundLesion(scan, unpack_mask(packed), digest_of(packed), expected, radius_of(earlier.mask))

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
            return dict(self.extractor.extract(found.scan.volume, on_grid(found.mask, found.scan.geometry), 1))
        except GeometryError:  # fewer voxels than a texture needs; the lesion's diameter stands without features
            return {}

    def _align(self, earlier: FoundLesion, scan: Scan) -> Alignment:
        pair = {"fixed": scan.digest, "moving": earlier.scan.digest, "affine": self.settings.affine}

        def body() -> object:
            return register.register_body(scan.volume, earlier.scan.volume, affine=self.settings.affine)

        whole = Alignment.from_dict(self.bench.once_json(_BODY, pair, body))
        centre = whole.inverse_apply(centre_of(earlier.mask))
        radius = radius_of(earlier.mask) + self.settings.margin_mm

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
    return FoundLesion(scan, mask, digest_of(packed), centre_of(mask), radius_of(mask))


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
    low = offset_in(lesion.mask.geometry, lesion.scan.geometry)
    k, j, i = np.nonzero(lesion.mask.array)
    return np.ravel_multi_index((k + low[2], j + low[1], i + low[0]), lesion.scan.geometry.shape)


def _without(lesion: FoundLesion, lost: IntArray, others: tuple[str, ...]) -> FoundLesion:
    whole = on_grid(lesion.mask, lesion.scan.geometry)
    array = whole.array.copy()
    array.reshape(-1)[lost] = 0
    packed = pack_mask(around(Mask(array, whole.geometry)))
    touching = tuple(dict.fromkeys((*lesion.touching, *others)))
    return replace(lesion, mask=unpack_mask(packed), digest=digest_of(packed), touching=touching)


def _measured(mask: Mask, scan: Geometry) -> list[LesionMeasurement]:
    """Measurements with slice numbers of the whole scan."""
    if mask.is_empty:
        return []
    first_slice = offset_in(mask.geometry, scan)[2]
    parts = measure.measure_fragments(mask)
    return [replace(part, slice_index=part.slice_index + first_slice) for part in parts]


def _mean_hu(found: FoundLesion) -> float | None:
    volume = found.scan.volume
    if volume.unit is not Unit.HU:
        return None
    i, j, k = offset_in(found.mask.geometry, found.scan.geometry)
    slices, rows, columns = found.mask.array.shape
    around = volume.array[k : k + slices, j : j + rows, i : i + columns]
    return float(around[found.mask.array > 0].astype(np.float64).mean())


def _measurement(facts: dict[str, Any]) -> LesionMeasurement:
    lines = {name: tuple(tuple(end) for end in facts[name]) for name in ("long_axis_lps_mm", "short_axis_lps_mm")}
    return LesionMeasurement(**{**facts, **lines, "flags": tuple(facts["flags"])})
