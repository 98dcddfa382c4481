"""The network: image and prompt channels on a fixed grid in, log odds of the lesion out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

__all__ = ["PromptUNet"]

_GROUPS = 8


class _Block(nn.Sequential):  # type: ignore[misc]  # mypy does not follow torch
    """Convolution, normalisation, activation."""

    def __init__(self, given: int, made: int, stride: int = 1) -> None:
        super().__init__(nn.Conv3d(given, made, 3, stride, 1), nn.GroupNorm(_GROUPS, made), nn.LeakyReLU(0.01))


class PromptUNet(nn.Module):  # type: ignore[misc]  # mypy does not follow torch
    """A plain U-Net; the grid's edge is a multiple of 16.

    Notes
    -----
    Blocks of 2 x 2 x 2 voxels enter as channels of one, and leave as eight log odds: no voxel is lost, and no time goes
    into full resolution, where a CPU would spend most of it.

    References
    ----------
    Shi W et al. Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    network. CVPR 2016.
    """

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        first, *deeper = widths
        self.stem = nn.Sequential(_Block(8 * channels, first), _Block(first, first))
        steps = zip(widths, deeper, strict=False)
        self.down = nn.ModuleList(nn.Sequential(_Block(a, b, 2), _Block(b, b)) for a, b in steps)
        backwards = list(zip(widths[::-1], widths[-2::-1], strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose3d(a, b, 2, 2) for a, b in backwards)
        self.merge = nn.ModuleList(_Block(2 * b, b) for _, b in backwards)
        self.last = nn.Conv3d(first, 8, 3, 1, 1)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Log odds, shape (n, 1, k, j, i), of channels, shape (n, channels, k, j, i)."""
        features = self.stem(_folded(given))
        levels = [features]
        for step in self.down:
            features = step(features)
            levels.append(features)
        for up, merge, level in zip(self.up, self.merge, levels[-2::-1], strict=True):
            features = merge(torch.cat([up(features), level], dim=1))
        return _unfolded(self.last(features))


def _folded(fine: torch.Tensor) -> torch.Tensor:
    """(n, c, 2k, 2j, 2i) to (n, 8c, k, j, i)."""
    n, c, k, j, i = fine.shape
    blocks = fine.reshape(n, c, k // 2, 2, j // 2, 2, i // 2, 2)
    return blocks.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(n, 8 * c, k // 2, j // 2, i // 2)


def _unfolded(coarse: torch.Tensor) -> torch.Tensor:
    """(n, 8, k, j, i) to (n, 1, 2k, 2j, 2i)."""
    n, _, k, j, i = coarse.shape
    blocks = coarse.reshape(n, 2, 2, 2, k, j, i)
    return blocks.permute(0, 4, 1, 5, 2, 6, 3).reshape(n, 1, 2 * k, 2 * j, 2 * i)
