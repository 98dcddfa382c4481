"""Images as a viewer in a browser needs them: slices encoded once, at ingest, and outlines in patient coordinates."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.digest import canonical_json, digest_of
from trialimg.core.errors import IntakeError, IntegrityError
from trialimg.imaging.contour import outlines
from trialimg.services.ports import KeptBlobs
from trialimg.volume import Geometry, Mask, Unit, Volume

__all__ = ["ENCODING", "EncodedSeries", "KeptSeries", "encode", "grid_of", "outlines_lps_mm"]

ENCODING = "2"
"""Changes with the bytes below: series that were kept in another way are encoded again."""

_LARGEST = np.iinfo(np.int16).max
_GRAIN_MM = 2
"""Decimals of a millimetre in an outline: far below a pixel."""


@dataclass(frozen=True)
class EncodedSeries:
    """One stack of slices, ready to be sent."""

    geometry: Mapping[str, Any]
    """shape (slices, rows, columns), orientation (6 cosines: along a row, along a column), pixel_spacing (between
    rows, between columns; mm), positions (centre of each slice's first pixel, LPS mm), modality, unit, step (what one
    stored step is worth in that unit), window (width, level that show most of the image), frame (digest of the frame
    of reference; empty where it is not known)."""
    slices: tuple[bytes, ...]
    """Each gzip of int16, little endian, row by row."""


def encode(volume: Volume, *, frame_of_reference_uid: str = "") -> EncodedSeries:
    """The slices of a volume as 16-bit steps, with all that a viewer needs to place and window them.

    Notes
    -----
    Whole numbers that fit in 16 bits (CT in HU) are kept as they are; anything else is rounded to steps of the
    largest magnitude / 32767, far below what a screen shows.
    """
    array = np.asarray(volume.array)
    step = _step(array)
    stored = np.rint(array / step).astype("<i2")
    grid = volume.geometry
    columns_first = grid.matrix.T
    low, high = (float(value) for value in np.percentile(array[:: max(1, len(array) // 32)], (1, 99)))
    geometry = {
        "shape": list(grid.shape),
        "orientation": [float(x) for x in (*columns_first[0], *columns_first[1])],
        "pixel_spacing": [grid.spacing_mm[1], grid.spacing_mm[0]],
        "positions": grid.to_lps([(0, 0, k) for k in range(grid.size[2])]).tolist(),
        "modality": volume.modality,
        "unit": volume.unit.value,
        "step": step,
        "window": [max(high - low, step), (high + low) / 2],
        "frame": digest_of(frame_of_reference_uid) if frame_of_reference_uid else "",
    }
    return EncodedSeries(geometry, tuple(_packed(one) for one in stored))


def _step(array: npt.NDArray[Any]) -> float:
    largest = float(np.abs(array).max())
    if not np.isfinite(largest):
        raise IntakeError("an image with values that are not numbers cannot be shown; send the series again")
    is_whole = np.issubdtype(array.dtype, np.integer) or bool((array == np.rint(array)).all())
    return 1.0 if (is_whole and largest <= _LARGEST) or largest == 0 else largest / _LARGEST


def _packed(pixels: npt.NDArray[np.int16]) -> bytes:
    return gzip.compress(np.ascontiguousarray(pixels).tobytes(), compresslevel=1, mtime=0)


@dataclass(frozen=True)
class KeptSeries:
    """Encoded series in a blob store, each under a name that tells a reader nothing."""

    store: KeptBlobs

    def keep(self, name: str, series: EncodedSeries) -> None:
        """Keep a series; the geometry comes last, so that a series that is found is whole."""
        for number, data in enumerate(series.slices):
            self.store.put(_key(name, str(number)), data)
        self.store.put(_key(name, "geometry"), canonical_json(series.geometry))

    def has(self, name: str) -> bool:
        return self.store.get(_key(name, "geometry")) is not None

    def geometry(self, name: str) -> Mapping[str, Any] | None:
        """What places the slices; None if there is no such series."""
        data = self.store.get(_key(name, "geometry"))
        if data is None:
            return None
        found: Mapping[str, Any] = json.loads(data)
        return found

    def forget(self, name: str) -> int:
        """Remove a series; how many blobs went. Like all that is encoded here, it can be made again from its source.

        The geometry goes last, so that a removal that was interrupted can be done again.
        """
        geometry = self.geometry(name)
        if geometry is None:
            return 0
        parts = [*map(str, range(geometry["shape"][0])), "geometry"]
        for part in parts:
            self.store.remove(_key(name, part))
        return len(parts)

    def slice(self, name: str, number: int) -> bytes | None:
        """One slice as it is sent; None if the series has no such slice."""
        return self.store.get(_key(name, str(number)))

    def volume(self, name: str, numbers: range | None = None) -> Volume | None:
        """The voxels again, to the step in which they were kept; None if there is no such series.

        Parameters
        ----------
        numbers
            Which slices, at least two one after the other; None for all.
        """
        geometry = self.geometry(name)
        if geometry is None:
            return None
        if numbers is not None:
            positions = geometry["positions"][numbers.start : numbers.stop]
            geometry = {**geometry, "shape": [len(positions), *geometry["shape"][1:]], "positions": positions}
        first = numbers.start if numbers is not None else 0
        slices = [self.slice(name, first + number) for number in range(geometry["shape"][0])]
        stored = [np.frombuffer(gzip.decompress(data), "<i2") for data in slices if data is not None]
        if len(stored) != geometry["shape"][0]:
            raise IntegrityError(f"series {name}: slices are missing; ingest it again")
        array = np.stack(stored).reshape(geometry["shape"])
        if geometry["step"] != 1.0:
            array = array.astype(np.float32) * np.float32(geometry["step"])
        return Volume(array, grid_of(geometry), str(geometry["modality"]), Unit(geometry["unit"]))


def grid_of(geometry: Mapping[str, Any]) -> Geometry:
    """The grid of a kept series."""
    slices, rows, columns = geometry["shape"]
    along_row, along_column = np.reshape(geometry["orientation"], (2, 3))
    positions = np.asarray(geometry["positions"])
    step = positions[-1] - positions[0] if slices > 1 else np.cross(along_row, along_column)
    apart_mm = float(np.linalg.norm(step)) / max(slices - 1, 1)
    stack = step / np.linalg.norm(step)
    direction = np.column_stack([along_row, along_column, stack]).ravel()
    between_rows, between_columns = geometry["pixel_spacing"]
    origin = (float(positions[0][0]), float(positions[0][1]), float(positions[0][2]))
    return Geometry(
        (columns, rows, slices), (between_columns, between_rows, apart_mm), origin, tuple(map(float, direction))
    )


def _key(name: str, part: str) -> str:
    return digest_of({"viewed series": name, "part": part, "encoding": ENCODING})


def outlines_lps_mm(mask: Mask) -> dict[int, list[list[list[float]]]]:
    """Closed lines around a mask, slice by slice: slice number to lines of points, LPS mm."""
    if mask.is_empty:
        return {}
    places = [np.flatnonzero(mask.array.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    slices, rows, columns = (slice(int(found[0]), int(found[-1]) + 1) for found in places)
    part = mask.array[slices, rows, columns]
    first = (columns.start, rows.start)
    return {
        number: list(_lines(mask.geometry, part[number - slices.start], number, first))
        for number in map(int, places[0])
    }


def _lines(grid: Geometry, part: npt.NDArray[Any], number: int, first: tuple[int, int]) -> Iterator[list[list[float]]]:
    """Lines on one slice around a part of it that begins at a column and row."""
    for line in outlines(part):
        index = np.column_stack([np.asarray(line) + first, np.full(len(line), number)])
        yield np.round(grid.to_lps(index), _GRAIN_MM).tolist()
