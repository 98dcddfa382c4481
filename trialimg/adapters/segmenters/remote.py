"""A lesion from an inference server over HTTP that speaks as nnInteractive's server for 3D Slicer does.

References
----------
Isensee F, Rokuss M, Krämer L et al. nnInteractive: redefining 3D promptable segmentation. arXiv:2503.08373, 2025.
de Vente C et al. SlicerNNInteractive. arXiv:2504.07991, 2025 (the server's routes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from trialimg.adapters.segmenters.bundle_choice import extent_of_mask, extent_of_prompt
from trialimg.adapters.segmenters.ellipsoids import Window, require_inside
from trialimg.adapters.segmenters.model_files import require_licence
from trialimg.adapters.segmenters.remote_session import RemoteSession, ServerAddress
from trialimg.core.errors import GeometryError
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt, Prompt
from trialimg.volume import Geometry, Mask, Volume

__all__ = ["RemoteSegmenter"]


@dataclass(frozen=True, kw_only=True)
class RemoteSegmenter:
    """What a server makes of the part of the image around the prompt; the same input may get another answer."""

    name: ClassVar[str] = "remote"
    version: ClassVar[str] = "1"
    model_digest: ClassVar[str] = ""
    """Nobody here can know which weights the server runs."""

    address: str
    """``https://host:port``; plain ``http`` only to this machine, or where ``allow_plain_http`` says so."""
    licence: str = ""
    """Under what licence the server's model may be used, as its keeper says."""
    allow_unlicensed: bool = False
    allow_plain_http: bool = False
    timeout_s: float = 60.0
    """For each request; a server that is silent for longer is given up."""
    margin_mm: float = 60.0
    """Surroundings of the prompt that are sent; nothing else leaves this machine."""
    largest_voxels: int = 64_000_000
    """A part of the image that is larger is not sent."""

    def __post_init__(self) -> None:
        ServerAddress.of(self.address, allow_plain_http=self.allow_plain_http)
        require_licence(self.licence, self.address, allow_unlicensed=self.allow_unlicensed)

    def parameters(self) -> Mapping[str, object]:
        """Every setting in force, defaults included."""
        return {
            "address": self.address,
            "licence": self.licence,
            "timeout_s": self.timeout_s,
            "margin_mm": self.margin_mm,
            "largest_voxels": self.largest_voxels,
        }

    def segment(self, image: Volume, prompt: Prompt) -> Mask:
        """The server's mask for a click, a line (sent as a scribble) or a box (its middle slice).

        Raises
        ------
        GeometryError
            If the prompt lies outside of the image.
        ModelError
            If the server cannot be reached, refuses, or gives something that is not a mask of this image.
        """
        require_inside(prompt, image.geometry)
        low, high = extent_of_prompt(prompt, 0.0)
        return self._asked(image, (low, high), prompt)

    def follow(self, image: Volume, earlier: Volume, earlier_mask: Mask) -> Mask:
        """The server's mask for a click into the deepest place of where the lesion was.

        Raises
        ------
        GeometryError
            If the three lie on different grids, or the earlier mask is empty.
        ModelError
            As for `segment`.
        """
        earlier.geometry.require_same(image.geometry, "the earlier image", "the later image")
        earlier_mask.geometry.require_same(image.geometry, "the earlier mask", "the later image")
        if earlier_mask.is_empty:
            raise GeometryError("the earlier mask is empty: there is no lesion to follow")
        depth = ndimage.distance_transform_edt(
            np.pad(earlier_mask.array > 0, 1), sampling=image.geometry.spacing_mm[::-1]
        )
        k, j, i = np.unravel_index(int(depth[1:-1, 1:-1, 1:-1].argmax()), earlier_mask.array.shape)
        x, y, z = image.geometry.to_lps([i, j, k]).tolist()
        return self._asked(image, extent_of_mask(earlier_mask), PointPrompt((x, y, z)))

    def _asked(
        self, image: Volume, extent: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], prompt: Prompt
    ) -> Mask:
        low, high = extent
        corners = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)])
        around = low - self.margin_mm + corners * (high - low + 2 * self.margin_mm)
        window = Window.between(image.geometry.to_index(around), image.geometry)
        address = ServerAddress.of(self.address, allow_plain_http=self.allow_plain_http)
        session = RemoteSession(address, self.timeout_s, self.largest_voxels)
        return window.paste(_drawn(session, window.cut(image), prompt))


def _drawn(session: RemoteSession, part: Volume, prompt: Prompt) -> npt.NDArray[np.bool_]:
    """Send the part of the image, then what the reader drew on it."""
    grid = part.geometry
    session.send_image(part.array)
    match prompt:
        case PointPrompt():
            return session.click(_voxel(prompt.point_lps_mm, grid))
        case LinePrompt():
            return session.scribble(_scribble([prompt], grid))
        case BidirectionalPrompt():
            return session.scribble(_scribble([prompt.long_axis, prompt.short_axis], grid))
        case BoxPrompt():
            ends = np.array([_voxel(prompt.corner_lps_mm, grid), _voxel(prompt.opposite_lps_mm, grid)])
            first, last = ends.min(axis=0), ends.max(axis=0)
            first[0] = last[0] = (first[0] + last[0]) // 2
            return session.box(first.tolist(), last.tolist())


def _voxel(point_lps_mm: npt.ArrayLike, grid: Geometry) -> list[int]:
    """Index (k, j, i) of the voxel that holds a point."""
    index = np.clip(np.rint(grid.to_index(point_lps_mm)), 0, np.array(grid.size) - 1).astype(int)
    return [int(n) for n in index[::-1]]


def _scribble(lines: list[LinePrompt], grid: Geometry) -> npt.NDArray[np.uint8]:
    """The voxels that some lines go through as 1."""
    drawn = np.zeros(grid.shape, np.uint8)
    for line in lines:
        ends = grid.to_index([line.start_lps_mm, line.end_lps_mm])
        steps = int(np.ceil(2 * np.abs(ends[1] - ends[0]).max())) + 1
        index = np.clip(np.rint(np.linspace(ends[0], ends[1], steps)), 0, np.array(grid.size) - 1).astype(int)
        drawn[tuple(index.T[::-1])] = 1
    return drawn
