"""The picture beside each measurement: the slice of the long axis, cut around the lesion."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.digest import canonical_json
from trialimg.core.prompts import PointLps
from trialimg.imaging.contour import outlines
from trialimg.imaging.measure import LesionMeasurement
from trialimg.services.lesion_tracking import FoundLesion
from trialimg.services.results import KeyImage
from trialimg.services.work import Stage, Workbench
from trialimg.volume import Unit, Volume

__all__ = ["key_image"]

_KEY_IMAGE = Stage("key_image", "2")
_HALF_EDGE_MM = 40.0
_LUNG_BELOW_HU = -400.0
_LUNG_SHARE = 0.3
_RIM_VOXELS = 2
_ALONG_AXIS = 0.9

Point = tuple[float, float]


def key_image(
    bench: Workbench, found: FoundLesion, measurement: LesionMeasurement | None, *, first: FoundLesion
) -> KeyImage:
    """The lesion's slice with outline and diameters; where nothing was found, the place it was looked for.

    Parameters
    ----------
    first
        The lesion as it was first found: its surroundings there choose the grey window of all of its pictures.
    """
    inputs = {
        "scan": found.scan.digest,
        "mask": found.digest,
        "measurement": measurement,
        "at": found.expected_lps_mm,
        "first": [first.scan.digest, first.digest],
    }
    return _unpack(bench.once(_KEY_IMAGE, inputs, lambda: _pack(_draw(found, measurement, first))))


def _draw(found: FoundLesion, measurement: LesionMeasurement | None, first: FoundLesion) -> KeyImage:
    volume = found.scan.volume
    middle = _middle(measurement) if measurement else found.expected_lps_mm
    column, row, depth = volume.geometry.to_index(middle).tolist()
    k = int(np.clip(round(depth), 0, volume.geometry.size[2] - 1))
    dx, dy = volume.geometry.in_plane_spacing_mm
    half_mm = max(_HALF_EDGE_MM, 0.9 * measurement.long_axis_mm) if measurement else _HALF_EDGE_MM
    left, right = _span(column, half_mm / dx, volume.geometry.size[0])
    top, bottom = _span(row, half_mm / dy, volume.geometry.size[1])
    cut = volume.array[k, top:bottom, left:right].astype(np.float32)
    low, high, window = _window(volume, cut, in_lung=_in_lung(first))
    grey = np.clip((cut - low) / (high - low) * 255, 0, 255).round().astype(np.uint8)

    def in_cut(point: PointLps) -> Point:
        i, j, _ = volume.geometry.to_index(point).tolist()
        return round(i - left, 3), round(j - top, 3)

    return KeyImage(
        grey,
        (dx, dy),
        _outlines(found, k, (left, top)),
        _line(measurement.long_axis_lps_mm, in_cut) if measurement else None,
        _line(measurement.short_axis_lps_mm, in_cut) if measurement else None,
        window,
        bool(volume.geometry.matrix[0, 0] > _ALONG_AXIS),
        round(float(volume.geometry.to_lps((column, row, k))[2]), 2),
    )


def _line(ends: tuple[PointLps, PointLps], in_cut: Callable[[PointLps], Point]) -> tuple[Point, Point]:
    return in_cut(ends[0]), in_cut(ends[1])


def _outlines(found: FoundLesion, k: int, corner: tuple[int, int]) -> tuple[tuple[Point, ...], ...]:
    """Outlines of the region in one slice, in pixels of the cut."""
    offset = np.rint(found.scan.geometry.to_index(found.mask.geometry.origin_lps_mm)).astype(int)
    slice_of_mask = k - int(offset[2])
    if found.mask.is_empty or not 0 <= slice_of_mask < found.mask.array.shape[0]:
        return ()
    shift = (int(offset[0]) - corner[0], int(offset[1]) - corner[1])
    lines = outlines(found.mask.array[slice_of_mask])
    return tuple(tuple((round(x + shift[0], 3), round(y + shift[1], 3)) for x, y in line) for line in lines)


def _middle(measurement: LesionMeasurement) -> PointLps:
    x, y, z = np.mean(measurement.long_axis_lps_mm, axis=0).tolist()
    return x, y, z


def _span(centre: float, half: float, length: int) -> tuple[int, int]:
    low = int(np.clip(round(centre - half), 0, max(0, length - 2)))
    return low, int(np.clip(round(centre + half) + 1, low + 2, length))


def _in_lung(first: FoundLesion) -> bool:
    """Whether a good part of what lies around the lesion, in CT, is air."""
    if first.scan.volume.unit is not Unit.HU:
        return False
    k, j, i = np.nonzero(first.mask.array)
    offset = np.rint(first.scan.geometry.to_index(first.mask.geometry.origin_lps_mm)).astype(int)
    rim = [(int(axis.min()), int(axis.max()) + 1) for axis in (i + offset[0], j + offset[1], k + offset[2])]
    low = [max(0, start - _RIM_VOXELS) for start, _ in rim]
    (i0, j0, k0), (i1, j1, k1) = low, [end + _RIM_VOXELS for _, end in rim]
    around = first.scan.volume.array[k0:k1, j0:j1, i0:i1]
    return float(np.mean(around < _LUNG_BELOW_HU)) > _LUNG_SHARE


def _window(volume: Volume, cut: npt.NDArray[np.float32], *, in_lung: bool) -> tuple[float, float, str]:
    """Lowest and highest grey value, and the window in words."""
    if volume.unit is Unit.HU:
        width, level = (1500.0, -600.0) if in_lung else (400.0, 40.0)
        return level - width / 2, level + width / 2, f"W {width:.0f} L {level:.0f} HU"
    if volume.unit is Unit.SUV_BW:
        return 0.0, 10.0, "SUV 0 to 10"
    low, high = (float(v) for v in np.percentile(cut, (1, 99)))
    return low, max(high, low + 1e-6), "1st to 99th percentile"


def _pack(image: KeyImage) -> bytes:
    facts = {name: value for name, value in vars(image).items() if name != "grey"}
    return canonical_json({**facts, "shape": image.grey.shape}) + b"\n" + zlib.compress(image.grey.tobytes())


def _unpack(data: bytes) -> KeyImage:
    head, _, body = data.partition(b"\n")
    facts: dict[str, Any] = json.loads(head)
    grey = np.frombuffer(zlib.decompress(body), np.uint8).reshape(facts.pop("shape"))
    nested = {name: _tuples(value) for name, value in facts.items()}
    return KeyImage(grey=grey, **nested)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
