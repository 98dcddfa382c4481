"""From a prompt to the chance of every voxel: look around the prompt, wider where that is not enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
Network = Callable[[Array32, int], Array32]
"""From the channels of some grids, shape (n, CHANNELS, k, j, i), to the chance of every voxel, shape (n, k, j, i): the
mean over so many mirror images, 1, 2 or 4.
"""

_GLANCE, _LOOK, _CAREFUL = 1, 2, 4

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


def found_at(image: Volume, prompt: Prompt, network: Network, guess: Mask | None = None) -> Found:
    """Where the network sees the lesion that a prompt points at.

    Parameters
    ----------
    guess
        What somebody else sees there, on the grid of the image: one more size to begin with after a click.

    Notes
    -----
    A line or a box says how large the lesion is about: one look does, or a wider one where the grid's edge cuts the
    lesion off. A click says nothing of it: it is glanced at from near to far, then twice more as what was found there
    frames it. A lesion is found again where it was found, and whole; so of those that counts which stands out most in
    the last glance.
    """
    view = _View(image, prompt, appearance_of(image), network)
    frame = view.after_click(guess) if isinstance(prompt, PointPrompt) else _first_frame(image.geometry, prompt)
    for _ in range(_WIDER_LOOKS):
        if isinstance(prompt, BoxPrompt) or not view.is_cut_off(view.look(frame)):
            break
        frame = frame.wider(_WIDER)
    return view.look(frame, _CAREFUL)


def found_again(image: Volume, earlier: Mask, network: Network) -> Found:
    """Where the network sees what became of a lesion; `earlier` is its region on the grid of the later image."""
    view = _View(image, earlier, appearance_of(image), network)
    low, high = _region_mm(earlier.array > 0, image.geometry, image.geometry)
    frame = Frame.around((low + high) / 2, high - low, AROUND_EARLIER)
    for _ in range(_WIDER_LOOKS):
        if not view.is_cut_off(view.look(frame)):
            break
        frame = frame.wider(_WIDER)
    return view.look(frame, _CAREFUL)


@dataclass(frozen=True, eq=False)
class _View:
    image: Volume
    prompt: Prompt | Mask
    """A mask is the lesion's region at an earlier visit."""
    appearance: Appearance
    network: Network

    def look(self, frame: Frame, mirrors: int = _LOOK) -> Found:
        return self.looks([frame], mirrors)[0]

    def looks(self, frames: Sequence[Frame], mirrors: int) -> list[Found]:
        """What the network sees in each of some frames, all asked at once."""
        grids = [frame.grid(self.image.geometry, EDGE) for frame in frames]
        given = [self._channels(grid, frame.voxel_ratio) for grid, frame in zip(grids, frames, strict=True)]
        part = _became if isinstance(self.prompt, Mask) else _touched_part
        chances = self.network(np.stack(given), mirrors)
        return [Found(c, part(c, shown), grid) for c, shown, grid in zip(chances, given, grids, strict=True)]

    def _channels(self, grid: Geometry, voxel_ratio: float) -> Array32:
        return stacked(
            sampled(self.image, grid, self.appearance), self.appearance, self._drawn(grid, voxel_ratio),
            voxel_ratio=voxel_ratio, slices_voxels=self.image.geometry.slice_spacing_mm / grid.slice_spacing_mm,
        )  # fmt: skip

    def _drawn(self, grid: Geometry, voxel_ratio: float) -> PromptOnGrid:
        if not isinstance(self.prompt, Mask):
            return _on_grid(self.prompt, grid)
        share = resample(_as_volume(self.prompt), grid, Interpolator.LINEAR, outside=0.0).array
        return PromptOnGrid(earlier=level_of(share >= min(0.5, float(share.max())), voxel_ratio))

    def is_cut_off(self, found: Found) -> bool:
        """Whether the lesion touches an edge of the grid."""
        region = found.region
        return any(bool(np.take(region, end, axis).any()) for axis in range(3) for end in (0, -1))

    def after_click(self, guess: Mask | None) -> Frame:
        """The frame around what is found from near to far that stands out best when it is found again."""
        if not isinstance(self.prompt, PointPrompt):
            raise TypeError(f"not a click: {self.prompt}")
        image = self.image.geometry
        centre = image.to_index(self.prompt.point_lps_mm) * image.spacing_mm
        frames = [Frame(centre, edge, edge) for edge in CLICK_LADDER_MM]
        nearest = frames[0]
        if guess is not None and not guess.is_empty:
            frames.append(_framed(guess.array > 0, image, image))
        framed = [self._around(found) for found in self._glances(frames) if found.region.any()]
        again = [(one, found) for one, found in zip(framed, self._glances(framed), strict=True) if found.region.any()]
        whole = [(one, found) for one, found in again if not self.is_cut_off(found)] or again
        last = self._glances([self._around(found) for _, found in whole])
        return whole[int(np.argmax([found.standing_out for found in last]))][0] if whole else nearest

    def _glances(self, frames: Sequence[Frame]) -> list[Found]:
        return self.looks(frames, _GLANCE) if frames else []

    def _around(self, found: Found) -> Frame:
        return _framed(found.region, found.grid, self.image.geometry)


def _framed(region: BoolArray, grid: Geometry, image: Geometry) -> Frame:
    """The frame around what was found in a look at a click."""
    low, high = _region_mm(region, grid, image)
    return Frame.around((low + high) / 2, np.full(3, (high - low).max()), AROUND_FOUND)


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
