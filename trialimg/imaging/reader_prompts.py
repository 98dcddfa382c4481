"""The prompts a reader would give for a lesion that is known, with the unsteadiness of a hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.core.errors import GeometryError
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointLps, PointPrompt, Prompt
from trialimg.imaging.measure import measure
from trialimg.volume import Geometry, Mask

__all__ = ["PromptKind", "ReaderHand", "reader_prompt", "redrawn"]

FloatArray = npt.NDArray[np.float64]

_INSIDE = 0.49
"""How far beyond the outermost voxel centres a point may lie and still be in the image, in voxels."""


class PromptKind(Enum):
    """What a reader draws."""

    LINE = "line"
    LINE_AND_SHORT = "line+short"
    CLICK = "click"
    BOX = "box"


@dataclass(frozen=True)
class ReaderHand:
    """How unsteady a reader's hand is; 0 draws what the mask itself measures."""

    length_sd: float = 0.03
    """Standard deviation of each end of a line, and of each face of a box, in units of the line or the box's edge."""
    least_sd_mm: float = 0.5
    """The least of these deviations, in mm."""
    click_depth: float = 0.5
    """A click goes to any voxel at least this deep, in units of the deepest; 1 is the very deepest."""
    click_sd_mm: float = 1.5
    """Standard deviation, along each axis, of a click that is given again."""
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.length_sd, self.least_sd_mm, self.click_sd_mm) < 0 or not 0 <= self.click_depth <= 1:
            raise ValueError("deviations are 0 or more, and the depth of a click lies between 0 and 1")


def reader_prompt(truth: Mask, kind: PromptKind, hand: ReaderHand, *, lesion: str, draw: int = 0) -> Prompt:
    """What a reader draws for a lesion, the same for the same seed, lesion and draw.

    Parameters
    ----------
    truth
        The lesion as label 1.
    lesion
        Any text that tells this lesion from others, so that their draws do not depend on their order.
    draw
        Number of the attempt: another one is drawn anew.

    Raises
    ------
    GeometryError
        If the mask has no voxel of label 1.
    """
    if not np.any(truth.array == 1):
        raise GeometryError("no voxel of the mask has label 1: there is no lesion to draw")
    digest = hashlib.sha256(f"{lesion}\0{kind.value}\0{draw}".encode()).digest()
    random = np.random.default_rng([hand.seed, int.from_bytes(digest[:8], "little")])
    match kind:
        case PromptKind.LINE:
            return _line(measure(truth, 1).long_axis_lps_mm, truth.geometry, hand, random)
        case PromptKind.LINE_AND_SHORT:
            return _both_axes(truth, hand, random)
        case PromptKind.BOX:
            return _box(truth, hand, random)
        case PromptKind.CLICK:
            return _click(truth, hand, random)


def _both_axes(truth: Mask, hand: ReaderHand, random: np.random.Generator) -> Prompt:
    """Both axes; the long one alone where a single row of voxels leaves nothing to draw across it."""
    found = measure(truth, 1)
    long_axis = _line(found.long_axis_lps_mm, truth.geometry, hand, random)
    try:
        return BidirectionalPrompt(long_axis, _line(found.short_axis_lps_mm, truth.geometry, hand, random))
    except ValueError:
        return long_axis


def _line(
    ends_lps_mm: tuple[PointLps, PointLps], grid: Geometry, hand: ReaderHand, random: np.random.Generator
) -> LinePrompt:
    """A line in its slice, each end moved within the slice."""
    ends = np.array(ends_lps_mm)
    sd_mm = max(hand.least_sd_mm, hand.length_sd * float(np.linalg.norm(ends[1] - ends[0])))
    sd_mm = 0.0 if hand.length_sd == 0 else sd_mm
    moved = ends + random.normal(0, 1, (2, 2)) * sd_mm @ grid.matrix[:, :2].T
    start, end = (_inside(point, grid) for point in moved)
    return LinePrompt(start, end if end != start else _inside(ends[1], grid))


def redrawn(prompt: Prompt, grid: Geometry, hand: ReaderHand, *, draw: int) -> Prompt:
    """The same prompt as the same hand would draw it again; the same for the same seed and draw.

    Parameters
    ----------
    grid
        Of the image that it was drawn on; lines move in its slices, and nothing leaves it.
    """
    random = np.random.default_rng([hand.seed, draw])
    match prompt:
        case LinePrompt():
            return _line((prompt.start_lps_mm, prompt.end_lps_mm), grid, hand, random)
        case BidirectionalPrompt():
            first, second = (
                _line((axis.start_lps_mm, axis.end_lps_mm), grid, hand, random)
                for axis in (prompt.long_axis, prompt.short_axis)
            )
            return BidirectionalPrompt(first, second)
        case PointPrompt():
            moved = np.array(prompt.point_lps_mm) + random.normal(0, 1, 3) * hand.click_sd_mm
            return PointPrompt(_inside(moved, grid))
        case BoxPrompt():
            corners = np.array([prompt.corner_lps_mm, prompt.opposite_lps_mm])
            return _faces(corners.min(axis=0), corners.max(axis=0), grid, hand=hand, random=random)


def _box(truth: Mask, hand: ReaderHand, random: np.random.Generator) -> BoxPrompt:
    """The box around all voxels along the patient's axes, each face moved along its normal."""
    k, j, i = np.nonzero(truth.array == 1)
    index = np.stack([i, j, k], axis=1)
    low, high = index.min(axis=0) - 0.5, index.max(axis=0) + 0.5
    units = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    corners = truth.geometry.to_lps(units * (high - low) + low)
    return _faces(corners.min(axis=0), corners.max(axis=0), truth.geometry, hand=hand, random=random)


def _faces(
    low_mm: FloatArray, high_mm: FloatArray, grid: Geometry, *, hand: ReaderHand, random: np.random.Generator
) -> BoxPrompt:
    """A box with each face moved along its normal."""
    sd_mm = np.maximum(hand.least_sd_mm, hand.length_sd * (high_mm - low_mm)) * (hand.length_sd > 0)
    edges = np.array([low_mm, high_mm]) + random.normal(0, 1, (2, 3)) * sd_mm
    edges = np.clip(edges, *grid.bounds_lps_mm())
    flat = edges[1] - edges[0] < 0.2 * (high_mm - low_mm)  # faces that an unsteady hand let meet stay where they are
    edges[:, flat] = np.array([low_mm, high_mm])[:, flat]
    first, second = (_inside(point, grid) for point in edges)
    return BoxPrompt(first, second)


def _click(truth: Mask, hand: ReaderHand, random: np.random.Generator) -> PointPrompt:
    """The centre of one of the deep voxels."""
    region = np.pad(truth.array == 1, 1)
    depth_mm = ndimage.distance_transform_edt(region, sampling=truth.geometry.spacing_mm[::-1])[1:-1, 1:-1, 1:-1]
    deep = np.argwhere(depth_mm >= max(hand.click_depth * depth_mm.max(), np.finfo(float).tiny))
    k, j, i = deep[int(random.integers(len(deep)))]
    return PointPrompt(_inside(truth.geometry.to_lps([i, j, k]), truth.geometry))


def _inside(point_lps_mm: FloatArray, grid: Geometry) -> PointLps:
    """The nearest place that the image covers."""
    index = np.clip(grid.to_index(point_lps_mm), -_INSIDE, np.asarray(grid.size) - 1 + _INSIDE)
    x, y, z = grid.to_lps(index).tolist()
    return x, y, z
