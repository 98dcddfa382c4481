"""A reader draws a line, the software answers with the lesion: outline, diameters, volume; a proposal, never more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.digest import digest_of
from trialimg.core.errors import IntakeError, ModelError
from trialimg.core.prompts import BidirectionalPrompt, LinePrompt, PointLps
from trialimg.imaging.measure import measure
from trialimg.services.ports import BlobStore, Segmenter
from trialimg.services.reading_entry import Axes
from trialimg.services.viewing import Box, KeptSeries, outlines_lps_mm
from trialimg.volume import Geometry, Mask, Unit, Volume
from trialimg.volume.packing import pack_mask, unpack_mask

__all__ = [
    "KeptMasks",
    "around",
    "axes_of",
    "kept_outlines",
    "outlines_on",
    "part_around",
    "proposed_axes",
    "series_volume",
]

_MARGIN_MM = 40.0
"""How much of the image around the line the segmenter sees, beyond the line's own length."""
_FEW_SLICES = 2
"""A stack of so few slices is read as a whole."""


@dataclass(frozen=True)
class KeptMasks:
    """Masks under their digests."""

    store: BlobStore

    def keep(self, mask: Mask) -> str:
        """Keep a mask; its digest."""
        return self.keep_packed(pack_mask(mask))

    def keep_packed(self, packed: bytes) -> str:
        digest = digest_of(packed)
        self.store.put(digest, packed)
        return digest

    def mask(self, digest: str) -> Mask | None:
        """The mask of a digest; None if it is not kept."""
        packed = self.store.get(digest)
        return None if packed is None else unpack_mask(packed)


def proposed_axes(
    series: KeptSeries,
    masks: KeptMasks,
    segmenter: Segmenter,
    *,
    uid: str,
    line: tuple[PointLps, PointLps],
    short_axis: tuple[PointLps, PointLps] | None = None,
) -> Axes:
    """The lesion under a line, as its segmenter sees it, with the diameters of its mask.

    Parameters
    ----------
    short_axis
        Where the reader drew it too, across the line.

    Raises
    ------
    IntakeError
        If the series is not kept.
    ModelError
        If nothing is found under the line.
    GeometryError
        If the line lies outside of the image.
    """
    part = part_around(series, uid, line)
    drawn = LinePrompt(*line)
    prompt = drawn if short_axis is None else BidirectionalPrompt(drawn, LinePrompt(*short_axis))
    mask = segmenter.segment(part, prompt)
    if mask.is_empty:
        raise ModelError("no lesion was found under this line; measure it by hand (B)")
    return axes_of(mask, part, uid=uid, digest=masks.keep(mask))


def axes_of(mask: Mask, part: Volume, *, uid: str, digest: str, outline: str = "", edited_from: str = "") -> Axes:
    """Diameters, volume and density of a lesion's mask, and by whom it was outlined.

    Parameters
    ----------
    mask
        Of label 1.
    part
        The image on the mask's grid.
    """
    found = measure(mask, 1)
    long_axis = _of_length(found.long_axis_lps_mm, found.long_axis_mm)
    short_axis = _of_length(found.short_axis_lps_mm, found.short_axis_mm)
    volume_ml = str(Decimal(str(found.volume_ml)).quantize(Decimal("0.001")))
    return Axes(uid, long_axis, short_axis, digest, volume_ml, _mean_hu(part, mask), outline, edited_from)


def _mean_hu(volume: Volume, mask: Mask) -> str:
    """Mean attenuation to 0.1 HU; empty where the image is not in HU."""
    if volume.unit is not Unit.HU:
        return ""
    mean = Decimal(str(float(volume.array[mask.array > 0].astype(np.float64).mean())))
    return str(mean.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))


def series_volume(
    series: KeptSeries, uid: str, numbers: range | None = None, *, part: Callable[[Geometry], Box] | None = None
) -> Volume:
    """The voxels of a kept series, of some of its slices, or of a part of those.

    Raises
    ------
    IntakeError
        If it is not kept.
    """
    found = series.volume(uid, numbers, part=part)
    if found is None:
        raise IntakeError("the images of this visit are not here; ask for them to be ingested again")
    return found


def part_around(series: KeptSeries, uid: str, line: tuple[PointLps, PointLps]) -> Volume:
    """The part of a kept series that a segmenter sees of a line.

    Raises
    ------
    IntakeError
        If the series is not kept.
    """
    numbers = _slices_around(series.geometry(uid), line)
    return series_volume(series, uid, numbers, part=lambda grid: _box_around(grid, line))


def _slices_around(geometry: Mapping[str, Any] | None, line: tuple[PointLps, PointLps]) -> range | None:
    """The slices that a segmenter sees of a line, so that no others are read; two at least."""
    if geometry is None or geometry["shape"][0] <= _FEW_SLICES:
        return None
    row, column = np.reshape(geometry["orientation"], (2, 3))
    axis = np.cross(row, column)
    heights = np.asarray(geometry["positions"]) @ axis
    ends = np.asarray(line)
    reach_mm = float(np.linalg.norm(ends[0] - ends[1])) / 2 + _MARGIN_MM
    near = np.flatnonzero(np.abs(heights - ends.mean(axis=0) @ axis) <= reach_mm + np.abs(np.diff(heights)).max())
    return range(int(near[0]), int(near[-1]) + 1) if len(near) > 1 else None


def around(volume: Volume, line: tuple[PointLps, PointLps]) -> Volume:
    """The part of an image around a line, large enough for the lesion and what surrounds it."""
    return volume.cropped(*_box_around(volume.geometry, line))


def _box_around(grid: Geometry, line: tuple[PointLps, PointLps]) -> Box:
    ends = np.asarray(line)
    reach_mm = float(np.linalg.norm(ends[0] - ends[1])) / 2 + _MARGIN_MM
    centre = grid.to_index(ends.mean(axis=0))
    reach = np.ceil(reach_mm / np.asarray(grid.spacing_mm))
    size = np.asarray(grid.size)
    low = np.clip(np.floor(centre - reach), 0, size - 1).astype(int)
    high = np.clip(np.ceil(centre + reach) + 1, low + 1, size).astype(int)
    return _index(low), _index(high)


def _index(values: npt.NDArray[np.int_]) -> tuple[int, int, int]:
    i, j, k = (int(value) for value in values)
    return i, j, k


def _of_length(points: tuple[PointLps, PointLps], length_mm: float) -> list[list[float]]:
    """The axis with ends as far apart as the measured length, which counts part of the pixels at its ends."""
    first, second = (np.asarray(point, dtype=np.float64) for point in points)
    apart = float(np.linalg.norm(second - first))
    if apart == 0:
        return [first.tolist(), second.tolist()]
    centre, half = (first + second) / 2, (second - first) / apart * length_mm / 2
    return [(centre - half).tolist(), (centre + half).tolist()]


def kept_outlines(masks: KeptMasks, digest: str, series: KeptSeries, uid: str) -> dict[int, list[list[list[float]]]]:
    """Outlines of a kept mask by the slices of a kept series; none where one of them is not kept."""
    try:
        return _kept_outlines(masks, digest, series, uid)
    except LookupError:
        return {}


@lru_cache(maxsize=512)
def _kept_outlines(masks: KeptMasks, digest: str, series: KeptSeries, uid: str) -> dict[int, list[list[list[float]]]]:
    """Worked out once: neither a mask nor a series ever changes under its name."""
    mask, geometry = masks.mask(digest), series.geometry(uid)
    if mask is None or geometry is None:
        raise LookupError(digest)
    return outlines_on(mask, geometry)


def outlines_on(mask: Mask, geometry: Mapping[str, Any]) -> dict[int, list[list[list[float]]]]:
    """Outlines of a mask by the slices of the series that it was drawn on, even where it covers only a part."""
    found = outlines_lps_mm(mask)
    row, column = np.reshape(geometry["orientation"], (2, 3))
    axis = np.cross(row, column)
    heights = np.asarray(geometry["positions"]) @ axis
    answer: dict[int, list[list[list[float]]]] = {}
    for lines in found.values():
        height = float(np.asarray(lines[0][0]) @ axis)
        answer.setdefault(int(np.abs(heights - height).argmin()), []).extend(lines)
    return answer
