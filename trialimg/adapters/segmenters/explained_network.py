"""A network as a question with one number for an answer: how sure is it of this lesion, in this image?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

__all__ = ["ExplainedNetwork"]


class ExplainedNetwork(nn.Module):  # type: ignore[misc]  # torch ships no types that are followed here
    """Mean chance within a region, shape (n, 1), of image channels; the prompt's channels are held fast."""

    region: torch.Tensor
    """Where the lesion is, shape (1, a, b, c)."""

    def __init__(
        self, network: Callable[[Any], Any], prompt: torch.Tensor, lesion_channels: Sequence[int] | None
    ) -> None:
        super().__init__()
        self.network = network
        self.prompt = prompt
        self.lesion_channels = list(lesion_channels) if lesion_channels is not None else None

    def chances(self, image: torch.Tensor) -> torch.Tensor:
        """The chance of lesion of every voxel, shape (n, a, b, c)."""
        prompt = self.prompt.expand(len(image), *self.prompt.shape[1:])
        together = torch.cat([image, prompt], dim=1)
        scores = torch.cat([self.network(together[n : n + 1]) for n in range(len(together))]).float()
        if self.lesion_channels is None:
            return torch.sigmoid(scores[:, 0])
        return scores.softmax(dim=1)[:, self.lesion_channels].sum(dim=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        inside = self.region.expand(len(image), *self.region.shape[1:])
        chances = self.chances(image) * inside
        return chances.flatten(1).sum(dim=1, keepdim=True) / self.region.sum()
