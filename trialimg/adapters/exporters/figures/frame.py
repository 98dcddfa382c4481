"""Where a value lies on the paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trialimg.adapters.exporters.figures.drawing import Point
from trialimg.services.figures.figure import Axis

__all__ = ["Frame", "apart"]


@dataclass(frozen=True)
class Frame:
    """The rectangle that values are drawn in, and what its edges stand for."""

    corner: Point
    size: Point
    across: Axis
    up: Axis

    @property
    def left(self) -> float:
        return self.corner[0]

    @property
    def top(self) -> float:
        return self.corner[1]

    @property
    def right(self) -> float:
        return self.corner[0] + self.size[0]

    @property
    def bottom(self) -> float:
        return self.corner[1] + self.size[1]

    def x(self, value: float) -> float:
        return self.left + _share(self.across, value) * self.size[0]

    def y(self, value: float) -> float:
        return self.bottom - _share(self.up, value) * self.size[1]

    def at(self, x: float, y: float) -> Point:
        return self.x(x), self.y(y)


def _share(axis: Axis, value: float) -> float:
    low, high = axis.low, axis.high
    if axis.is_log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low)


def apart(wished: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places in the same order, at least a gap from one another and inside the limits, close to those wished for."""
    placed: list[float] = []
    for wish in wished:
        placed.append(max(wish, placed[-1] + gap) if placed else max(wish, low))
    if placed and placed[-1] > high:
        limit = high
        for place in range(len(placed) - 1, -1, -1):
            placed[place] = min(placed[place], limit)
            limit = placed[place] - gap
    return placed
