"""What a reader gives the software to find a lesion by, in patient coordinates (LPS, mm)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BoxPrompt", "LinePrompt", "PointLps", "PointPrompt", "Prompt"]

PointLps = tuple[float, float, float]


@dataclass(frozen=True)
class LinePrompt:
    """The RECIST long axis as a reader drew it."""

    start_lps_mm: PointLps
    end_lps_mm: PointLps

    def __post_init__(self) -> None:
        if self.start_lps_mm == self.end_lps_mm:
            raise ValueError("a line prompt needs two different ends")


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


Prompt = LinePrompt | PointPrompt | BoxPrompt
