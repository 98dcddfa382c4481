"""What a reader drew, as channels for a network that takes it beside the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialimg.adapters.segmenters.bundle_choice import Extent, extent_of_mask
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.imaging.measure import measure
from trialimg.volume import Geometry, Mask

__all__ = ["SIGMA_MM", "Hint", "hint_of_mask", "hint_of_prompt"]

FloatArray = npt.NDArray[np.float64]
Segment = tuple[FloatArray, FloatArray]
"""Both ends, LPS mm."""

SIGMA_MM = 3.0
"""Width of the Gaussian around a click or a line."""


@dataclass(frozen=True, eq=False)
class Hint:
    """A prompt by what it can show."""

    centre: FloatArray
    lines: tuple[Segment, ...] = ()
    box: Extent | None = None

    def channels(self, names: Sequence[str], grid: Geometry) -> npt.NDArray[np.float32]:
        """Shape (channels, slices, rows, columns).

        Notes
        -----
        ``click``: Gaussian of the distance from the prompt's centre, 1 there. ``line``: the same of the distance from
        the nearest of its lines. ``box``: 1 in the box, 0 outside. What the prompt does not have is 0 everywhere.
        """
        k, j, i = np.indices(grid.shape)
        points = grid.to_lps(np.stack([i, j, k], axis=-1))
        made = [self._channel(name, points) for name in names]
        return np.stack(made).astype(np.float32) if made else np.zeros((0, *grid.shape), np.float32)

    def _channel(self, name: str, points: FloatArray) -> FloatArray:
        if name == "click":
            return _gaussian(np.linalg.norm(points - self.centre, axis=-1))
        if name == "line" and self.lines:
            return _gaussian(np.min([_away_mm(points, line) for line in self.lines], axis=0))
        if name == "box" and self.box is not None:
            low, high = self.box
            inside: FloatArray = np.all((points >= low) & (points <= high), axis=-1).astype(np.float64)
            return inside
        return np.zeros(points.shape[:-1])


def hint_of_prompt(prompt: Prompt) -> Hint:
    """What a prompt shows."""
    match prompt:
        case PointPrompt():
            return Hint(np.array(prompt.point_lps_mm))
        case LinePrompt():
            line = _segment(prompt)
            return Hint((line[0] + line[1]) / 2, (line,))
        case BidirectionalPrompt():
            first, second = _segment(prompt.long_axis), _segment(prompt.short_axis)
            return Hint((first[0] + first[1]) / 2, (first, second))
        case BoxPrompt():
            corners = np.array([prompt.corner_lps_mm, prompt.opposite_lps_mm])
            return Hint(corners.mean(axis=0), box=(corners.min(axis=0), corners.max(axis=0)))


def hint_of_mask(mask: Mask) -> Hint:
    """What a reader would have shown of a lesion that is known: its long axis, the box around it."""
    region = Mask((mask.array > 0).astype(np.uint8), mask.geometry)
    start, end = (np.array(point) for point in measure(region, 1).long_axis_lps_mm)
    return Hint((start + end) / 2, ((start, end),), extent_of_mask(region))


def _segment(line: LinePrompt) -> Segment:
    return np.array(line.start_lps_mm), np.array(line.end_lps_mm)


def _away_mm(points: FloatArray, line: Segment) -> FloatArray:
    start, end = line
    along = end - start
    share = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
    away: FloatArray = np.linalg.norm(points - (start + share[..., None] * along), axis=-1)
    return away


def _gaussian(away_mm: FloatArray) -> FloatArray:
    return np.exp(-((away_mm / SIGMA_MM) ** 2) / 2)
