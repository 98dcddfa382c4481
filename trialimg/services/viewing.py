"""Images as a viewer in a browser needs them: slices encoded once, at ingest, and outlines in patient coordinates."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.digest import canonical_json, digest_of
from trialimg.core.errors import IntakeError, IntegrityError
from trialimg.imaging.contour import outlines
from trialimg.services.decoded_slices import DecodedSlices
from trialimg.services.ports import KeptBlobs
from trialimg.volume import Geometry, Mask, Unit, Volume

__all__ = ["ENCODING", "Box", "EncodedSeries", "KeptSeries", "encode", "grid_of", "outlines_lps_mm"]

ENCODING = "2"
"""Changes with the bytes below: series that were kept in another way are encoded again."""

_LARGEST = np.iinfo(np.int16).max
_GZIP = 31
"""What zlib calls a gzip stream."""
_GRAIN_MM = 2
"""Decimals of a millimetre in an outline: far below a pixel."""

Box = tuple[tuple[int, int, int], tuple[int, int, int]]
"""First index (i, j, k) and the one behind the last."""


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
    at_hand: DecodedSlices | None = field(default=None, compare=False, repr=False)
    """Where slices that were read are kept for a while; None: each is read anew."""

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
        if self.at_hand is not None:
            self.at_hand.forget(name)
        return len(parts)

    def slice(self, name: str, number: int) -> bytes | None:
        """One slice as it is sent; None if the series has no such slice."""
        return self.store.get(_key(name, str(number)))

    def read_ahead(self, name: str, numbers: Iterable[int]) -> None:
        """Decode slices that will be asked for, where they are kept at hand; what is not there is left out."""
        geometry = self.geometry(name)
        if geometry is not None and self.at_hand is not None:
            for number in numbers:
                self._pixels(name, number, geometry["shape"][1:])

    def _pixels(self, name: str, number: int, shape: tuple[int, int]) -> npt.NDArray[np.int16] | None:
        """One slice as it was stored; None if the series has no such slice."""
        found = self.at_hand.get(name, number) if self.at_hand is not None else None
        if found is not None:
            return found
        data = self.slice(name, number)
        if data is None:
            return None
        decoded = np.frombuffer(zlib.decompress(data, _GZIP, 2 * shape[0] * shape[1]), "<i2").reshape(shape)
        if self.at_hand is not None:
            self.at_hand.put(name, number, decoded)
        return decoded

    def volume(
        self, name: str, numbers: range | None = None, *, part: Callable[[Geometry], Box] | None = None
    ) -> Volume | None:
        """The voxels again, to the step in which they were kept; None if there is no such series.

        Parameters
        ----------
        numbers
            Which slices, at least two one after the other; None for all.
        part
            Which part of these slices, by their grid; None for all of it.
        """
        geometry = self.geometry(name)
        if geometry is None:
            return None
        numbers = numbers or range(geometry["shape"][0])
        positions = geometry["positions"][numbers.start : numbers.stop]
        grid = grid_of({**geometry, "shape": [len(positions), *geometry["shape"][1:]], "positions": positions})
        low, high = part(grid) if part else ((0, 0, 0), grid.size)
        shape = geometry["shape"][1:]
        read = [self._pixels(name, numbers.start + number, shape) for number in range(low[2], high[2])]
        found = [pixels[low[1] : high[1], low[0] : high[0]] for pixels in read if pixels is not None]
        if len(found) != high[2] - low[2]:
            raise IntegrityError(f"series {name}: slices are missing; ingest it again")
        array: npt.NDArray[Any] = np.stack(found)
        if geometry["step"] != 1.0:
            array = array.astype(np.float32) * np.float32(geometry["step"])
        grid = grid.cropped(low, high) if part else grid
        return Volume(array, grid, str(geometry["modality"]), Unit(geometry["unit"]))


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
