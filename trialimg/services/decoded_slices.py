"""Slices that were decoded lately, kept in memory for the next question about the same place."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import numpy as np
import numpy.typing as npt

__all__ = ["DecodedSlices"]

Pixels = npt.NDArray[np.int16]

_MOST_BYTES = 512 * 1024**2


class DecodedSlices:
    """As many slices as fit; the one that was asked for longest ago goes first. Several threads may share it."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._slices: OrderedDict[tuple[str, int], Pixels] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, series: str, number: int) -> Pixels | None:
        """A slice, shape (rows, columns); None where it is not at hand."""
        with self._lock:
            found = self._slices.get((series, number))
            if found is not None:
                self._slices.move_to_end((series, number))
            return found

    def put(self, series: str, number: int, pixels: Pixels) -> None:
        """Keep a slice, which nobody may change any more."""
        with self._lock:
            self._take(series, number)
            self._slices[series, number] = pixels
            self._bytes += pixels.nbytes
            while self._bytes > self.most_bytes:
                self._take(*next(iter(self._slices)))

    def forget(self, series: str) -> None:
        """Let go of every slice of a series."""
        with self._lock:
            for name, number in [key for key in self._slices if key[0] == series]:
                self._take(name, number)

    def _take(self, series: str, number: int) -> None:
        gone = self._slices.pop((series, number), None)
        self._bytes -= 0 if gone is None else gone.nbytes
