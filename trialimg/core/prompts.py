"""What a reader gives the software to find a lesion by, in patient coordinates (LPS, mm)."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["BidirectionalPrompt", "BoxPrompt", "LinePrompt", "PointLps", "PointPrompt", "Prompt"]

PointLps = tuple[float, float, float]

_LEAST_SINE = 0.1
"""Of the angle between two axes; below it they are one line drawn twice."""


@dataclass(frozen=True)
class LinePrompt:
    """The RECIST long axis as a reader drew it."""

    start_lps_mm: PointLps
    end_lps_mm: PointLps

    def __post_init__(self) -> None:
        if self.start_lps_mm == self.end_lps_mm:
            raise ValueError("a line prompt needs two different ends")


@dataclass(frozen=True)
class BidirectionalPrompt:
    """The RECIST long axis and the short axis across it as a reader drew them."""

    long_axis: LinePrompt
    short_axis: LinePrompt

    def __post_init__(self) -> None:
        if _sine(_vector(self.long_axis), _vector(self.short_axis)) < _LEAST_SINE:
            raise ValueError("a short axis lies across the long axis, not along it")


@dataclass(frozen=True)
class PointPrompt:
    """A click somewhere in the lesion."""

    point_lps_mm: PointLps


@dataclass(frozen=True)
class BoxPrompt:
    """Two opposite corners of a box around the lesion."""

    corner_lps_mm: PointLps
    opposite_lps_mm: PointLps

    def __post_init__(self) -> None:
        if any(a == b for a, b in zip(self.corner_lps_mm, self.opposite_lps_mm, strict=True)):
            raise ValueError("a box prompt needs an extent along every axis")


Prompt = LinePrompt | BidirectionalPrompt | PointPrompt | BoxPrompt


def _vector(line: LinePrompt) -> PointLps:
    (a, b, c), (x, y, z) = line.start_lps_mm, line.end_lps_mm
    return x - a, y - b, z - c


def _sine(first: PointLps, second: PointLps) -> float:
    """Of the angle between two directions."""
    (a, b, c), (x, y, z) = first, second
    return math.hypot(b * z - c * y, c * x - a * z, a * y - b * x) / (math.hypot(*first) * math.hypot(*second))
