"""From a prompt to the chance of every voxel: look around the prompt, wider where that is not enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.adapters.segmenters.prompt_network.channels import (
    EDGE,
    EXPECTED,
    Appearance,
    PromptOnGrid,
    expected_at,
    level_of,
    stacked,
)
from trialimg.adapters.segmenters.prompt_network.framing import (
    AROUND_BOX,
    AROUND_EARLIER,
    AROUND_FOUND,
    AROUND_LINE,
    CLICK_LADDER_MM,
    Frame,
)
from trialimg.adapters.segmenters.prompt_network.sampling import appearance_of, sampled
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.volume import Geometry, Mask, Volume
from trialimg.volume.resample import Interpolator, resample

__all__ = ["Found", "Network", "found_again", "found_at"]

FloatArray = npt.NDArray[np.float64]
Array32 = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Network = Callable[[Array32, bool], Array32]
"""From channels to the chance of every voxel; averaged over mirror images where the second is true."""

_WIDER_LOOKS = 2
_WIDER = 1.4
_TOUCHED = 0.5
_SHELL_VOXELS = 3
_CORNERS = np.ones((3, 3, 3))
_NEAR_EARLIER = 1.2
"""Level of the earlier region within which a part counts as what became of it."""


@dataclass(frozen=True, eq=False)
class Found:
    """What the last look saw."""

    chance: Array32
    """Shape (slices, rows, columns)."""
    region: BoolArray
    """At one half or above, and touched by the prompt."""
    grid: Geometry

    @property
    def standing_out(self) -> float:
        """How much larger the chance is in the region than in the shell around it; 0 where one of them is empty."""
        shell = ndimage.binary_dilation(self.region, iterations=_SHELL_VOXELS) & ~self.region
        if not self.region.any() or not shell.any():
            return 0.0
        return float(self.chance[self.region].mean() - self.chance[shell].mean())


def found_at(image: Volume, prompt: Prompt, network: Network) -> Found:
    """Where the network sees the lesion that a prompt points at.

    Notes
    -----
    A line or a box says how large the lesion is about: one look does, or a wider one where the grid's edge cuts the
    lesion off. A click says nothing of it: of what is found from near to far, that counts whose chance stands out most
    from its surroundings, at the look that found it and at one framed by it.
    """
    view = _View(image, prompt, appearance_of(image), network)
    frame = view.after_click() if isinstance(prompt, PointPrompt) else _first_frame(image.geometry, prompt)
    for _ in range(_WIDER_LOOKS):
        if isinstance(prompt, BoxPrompt) or not view.is_cut_off(view.look(frame)):
            break
        frame = frame.wider(_WIDER)
    return view.look(frame, carefully=True)


def found_again(image: Volume, earlier: Mask, network: Network) -> Found:
    """Where the network sees what became of a lesion; `earlier` is its region on the grid of the later image."""
    view = _View(image, earlier, appearance_of(image), network)
    low, high = _region_mm(earlier.array > 0, image.geometry, image.geometry)
    frame = Frame.around((low + high) / 2, high - low, AROUND_EARLIER)
    for _ in range(_WIDER_LOOKS):
        if not view.is_cut_off(view.look(frame)):
            break
        frame = frame.wider(_WIDER)
    return view.look(frame, carefully=True)


@dataclass(frozen=True, eq=False)
class _View:
    image: Volume
    prompt: Prompt | Mask
    """A mask is the lesion's region at an earlier visit."""
    appearance: Appearance
    network: Network

    def look(self, frame: Frame, *, carefully: bool = False) -> Found:
        grid = frame.grid(self.image.geometry, EDGE)
        drawn = self._drawn(grid, frame.voxel_ratio)
        slices = self.image.geometry.slice_spacing_mm / grid.slice_spacing_mm
        given = stacked(
            sampled(self.image, grid, self.appearance), self.appearance, drawn,
            voxel_ratio=frame.voxel_ratio, slices_voxels=slices,
        )  # fmt: skip
        chance = self.network(given, carefully)
        return Found(
            chance, _became(chance, given) if drawn.earlier is not None else _touched_part(chance, given), grid
        )

    def _drawn(self, grid: Geometry, voxel_ratio: float) -> PromptOnGrid:
        if not isinstance(self.prompt, Mask):
            return _on_grid(self.prompt, grid)
        share = resample(_as_volume(self.prompt), grid, Interpolator.LINEAR, outside=0.0).array
        return PromptOnGrid(earlier=level_of(share >= min(0.5, float(share.max())), voxel_ratio))

    def is_cut_off(self, found: Found) -> bool:
        """Whether the lesion touches an edge of the grid."""
        region = found.region
        return any(bool(np.take(region, end, axis).any()) for axis in range(3) for end in (0, -1))

    def after_click(self) -> Frame:
        """The frame around what stands out best of all that was found from near to far."""
        if not isinstance(self.prompt, PointPrompt):
            raise TypeError(f"not a click: {self.prompt}")
        centre = self.image.geometry.to_index(self.prompt.point_lps_mm) * self.image.geometry.spacing_mm
        best, most = Frame(centre, CLICK_LADDER_MM[0], CLICK_LADDER_MM[0]), -np.inf
        for edge in CLICK_LADDER_MM:
            first = self.look(Frame(centre, edge, edge))
            if not first.region.any():
                continue
            low, high = _region_mm(first.region, first.grid, self.image.geometry)
            largest = AROUND_FOUND * float((high - low).max())
            frame = Frame((low + high) / 2, largest, largest)
            score = first.standing_out + self.look(frame).standing_out
            if score > most:
                best, most = frame, score
        return best


def _first_frame(image: Geometry, prompt: Prompt) -> Frame:
    if isinstance(prompt, BoxPrompt):
        corners = image.to_index(_corners(prompt)) * image.spacing_mm
        low, high = corners.min(axis=0), corners.max(axis=0)
        return Frame.around((low + high) / 2, high - low, AROUND_BOX)
    ends = image.to_index(np.array(_ends(prompt)[:2])) * image.spacing_mm
    edge = max(AROUND_LINE * float(np.linalg.norm(ends[1] - ends[0])), 4 * min(image.spacing_mm))
    return Frame.around(ends.mean(axis=0), (edge, edge, edge), 1.0)


def _ends(prompt: Prompt) -> list[tuple[float, float, float]]:
    """The points that were drawn, the long axis first."""
    match prompt:
        case LinePrompt():
            return [prompt.start_lps_mm, prompt.end_lps_mm]
        case BidirectionalPrompt():
            return [*_ends(prompt.long_axis), *_ends(prompt.short_axis)]
        case PointPrompt():
            return [prompt.point_lps_mm]
        case BoxPrompt():
            return [prompt.corner_lps_mm, prompt.opposite_lps_mm]


def _corners(prompt: BoxPrompt) -> FloatArray:
    ends = np.array(_ends(prompt))
    return np.array([[ends[a, 0], ends[b, 1], ends[c, 2]] for a in (0, 1) for b in (0, 1) for c in (0, 1)])


def _on_grid(prompt: Prompt, grid: Geometry) -> PromptOnGrid:
    if isinstance(prompt, BoxPrompt):
        corners = grid.to_index(_corners(prompt))
        return PromptOnGrid(box=np.array([corners.min(axis=0), corners.max(axis=0)]))
    points = grid.to_index(np.array(_ends(prompt)))
    if isinstance(prompt, PointPrompt):
        return PromptOnGrid(click=points[0])
    return PromptOnGrid(long_axis=points[:2], short_axis=points[2:] if len(points) > 2 else None)


def _touched_part(chance: Array32, given: Array32) -> BoolArray:
    """The connected part that most of the prompt lies in; nothing where it lies in none."""
    parts, count = ndimage.label(chance >= 0.5, _CORNERS)
    prompt = given[3:8].max(axis=0) > _TOUCHED
    votes = np.bincount(parts[prompt], minlength=count + 1)
    votes[0] = 0
    if not votes.any():
        return np.zeros(chance.shape, np.bool_)
    part: BoolArray = ndimage.binary_fill_holes(parts == int(votes.argmax()))
    return part


def _became(chance: Array32, given: Array32) -> BoolArray:
    """All connected parts that reach the place of the earlier region."""
    parts, _ = ndimage.label(chance >= 0.5, _CORNERS)
    there = np.unique(parts[given[EXPECTED] >= float(expected_at(_NEAR_EARLIER))])
    region: BoolArray = ndimage.binary_fill_holes(np.isin(parts, there[there > 0]))
    return region


def _as_volume(mask: Mask) -> Volume:
    return Volume((mask.array > 0).astype(np.float32), mask.geometry)


def _region_mm(region: BoolArray, grid: Geometry, image: Geometry) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest corner of a region along the image's axes, from the first voxel's centre."""
    index = np.argwhere(region)[:, ::-1]
    edges = np.array([index.min(axis=0) - 0.5, index.max(axis=0) + 0.5])
    corners = image.to_index(grid.to_lps(edges)) * image.spacing_mm
    return corners[0], corners[1]
