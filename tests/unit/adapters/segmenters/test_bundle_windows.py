"""Windows of a network: smaller ones where memory is short."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.fakes.bundles import Bright
from trialimg.adapters.segmenters.bundle_windows import channel_labels
from trialimg.core.errors import ModelError


class Narrow(torch.nn.Module):
    """`Bright` on a device that holds windows of so many voxels along an edge."""

    def __init__(self, widest: int) -> None:
        super().__init__()
        self.widest, self.seen = widest, set[tuple[int, ...]]()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.add(tuple(x.shape[2:]))
        if max(x.shape[2:]) > self.widest:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return Bright()(x)


def image() -> npt.NDArray[np.float32]:
    return np.random.default_rng(2).random((100, 90, 40)).astype(np.float32)


def test_smaller_windows_are_taken_and_said(caplog):
    network = Narrow(48)
    labels = channel_labels(network, image()[None], (96, 96, 40), overlap=0.5, device="cpu")
    assert network.seen == {(96, 96, 40), (48, 48, 32)}
    assert np.array_equal(labels, image() > 0.5)
    assert "out of memory on cpu with windows of (96, 96, 40) voxels; going on with (48, 48, 32)" in caplog.text


def test_where_not_even_the_smallest_fits_it_is_refused():
    with pytest.raises(ModelError, match=r"even with the smallest windows; run on another device, e\.g\. cpu"):
        channel_labels(Narrow(16), image()[None], (96, 96, 40), overlap=0.5, device="cpu")
