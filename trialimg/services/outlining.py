"""A reader changes the outline of a lesion in one slice: the mask that this makes, and what it measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import Fault, GeometryError, IntakeError, ReadingError
from trialimg.core.prompts import PointLps
from trialimg.imaging.contour import filled
from trialimg.services.prompted import KeptMasks, axes_of, series_volume
from trialimg.services.reading_content import BY_HAND, EDITED
from trialimg.services.reading_entry import Axes
from trialimg.services.viewing import Box, KeptSeries, grid_of
from trialimg.volume import Geometry, Mask, Volume

__all__ = ["Region", "outlined"]


@dataclass(frozen=True)
class Region:
    """What a closed line encloses on one slice of a series."""

    series_uid: str
    slice: int
    points_lps_mm: tuple[PointLps, ...]
    adds: bool
    """It becomes part of the lesion; False: it is cut from it."""


def outlined(series: KeptSeries, masks: KeptMasks, region: Region, *, before: Mapping[str, Any]) -> Axes:
    """The lesion after its outline was changed, with the diameters of its new mask.

    The mask that was changed is kept as it was, and named: what the software drew stays beside what a person made.

    Parameters
    ----------
    before
        Evidence of the lesion as it stood; a mask begins anew where it names none.

    Raises
    ------
    ReadingError
        If nothing of the lesion is left, or its outline lies on another series.
    IntakeError
        If the series is not kept.
    """
    geometry = series.geometry(region.series_uid)
    if geometry is None:
        raise IntakeError("the images of this visit are not here; ask for them to be ingested again")
    grid = grid_of(geometry)
    digest = str(before.get("digest") or "")
    stood = masks.mask(digest) if digest else None
    if stood is not None and before.get("series_uid") != region.series_uid:
        raise _refused("its outline lies on another series of this visit: change it there")
    mask = _changed(grid, stood, region)
    if mask.is_empty:
        raise _refused("nothing of the lesion would be left; say that it is absent, or too small")
    by_software = stood is not None and before.get("outline") != BY_HAND
    origin = str(before.get("edited_from") or digest) if by_software else ""
    part = _part_of(series, region.series_uid, mask, grid)
    return axes_of(
        mask, part, uid=region.series_uid, digest=masks.keep(mask), outline=EDITED if by_software else BY_HAND,
        edited_from=origin,
    )  # fmt: skip


def _changed(grid: Geometry, stood: Mask | None, region: Region) -> Mask:
    """The new mask, on the smallest part of the grid that holds both the old one and the line."""
    points = grid.to_index(region.points_lps_mm)[:, :2]
    boxes = [_around(points, region.slice, grid)]
    if stood is not None and not stood.is_empty:
        boxes.append(_box_of(stood, grid))
    low, high = np.min([box[0] for box in boxes], axis=0), np.max([box[1] for box in boxes], axis=0)
    array = np.zeros(tuple(high - low)[::-1], dtype=np.uint8)
    if len(boxes) > 1 and stood is not None:
        first, behind = (np.subtract(corner, low)[::-1] for corner in boxes[1])
        array[first[0] : behind[0], first[1] : behind[1], first[2] : behind[2]] = stood.array[_filled_part(stood)] != 0
    inside = filled([points - low[:2]], array.shape[1:])
    array[region.slice - low[2]][inside] = region.adds
    return Mask(array, grid.cropped(_corner(low), _corner(high)))


def _around(points: npt.NDArray[np.float64], number: int, grid: Geometry) -> Box:
    size = np.asarray(grid.size[:2])
    low = np.clip(np.floor(points.min(axis=0)), 0, size - 1).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + 1, low + 1, size).astype(int)
    return _corner(np.append(low, number)), _corner(np.append(high, number + 1))


def _filled_part(mask: Mask) -> tuple[slice, slice, slice]:
    """The smallest part of a mask's array that holds all of it."""
    k, j, i = (np.flatnonzero(mask.array.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    return slice(k[0], k[-1] + 1), slice(j[0], j[-1] + 1), slice(i[0], i[-1] + 1)


def _box_of(mask: Mask, grid: Geometry) -> Box:
    """Where a mask lies in the grid of its series, of which its own is a part."""
    k, j, i = _filled_part(mask)
    offset = np.rint(grid.to_index(mask.geometry.origin_lps_mm)).astype(int)
    low, high = (offset + np.array([getattr(axis, end) for axis in (i, j, k)]) for end in ("start", "stop"))
    if (low < 0).any() or (high > grid.size).any():
        raise _refused("its outline reaches beyond the images")
    own = mask.geometry.cropped((i.start, j.start, k.start), (i.stop, j.stop, k.stop))
    box = _corner(low), _corner(high)
    try:
        own.require_same(grid.cropped(*box), "outline", "images")
    except GeometryError:
        raise _refused("its outline was made on another grid than these images") from None
    return box


def _corner(index: npt.NDArray[np.int_]) -> tuple[int, int, int]:
    return int(index[0]), int(index[1]), int(index[2])


def _part_of(series: KeptSeries, uid: str, mask: Mask, grid: Geometry) -> Volume:
    """The image where the mask lies; two slices are read where it has one, since a volume has a thickness."""
    low = np.rint(grid.to_index(mask.geometry.origin_lps_mm)).astype(int)
    slices, rows, columns = mask.array.shape
    first = min(int(low[2]), max(grid.size[2] - 2, 0))
    numbers = range(first, max(int(low[2]) + slices, min(first + 2, grid.size[2])))
    volume = series_volume(series, uid, numbers)
    k = int(low[2]) - first
    return volume.cropped((int(low[0]), int(low[1]), k), (int(low[0]) + columns, int(low[1]) + rows, k + slices))


def _refused(message: str) -> ReadingError:
    return ReadingError(message, (Fault("outline", "outline", message),))
