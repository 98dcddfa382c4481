"""The network in use: on one device, with one order of sums, so that the same input gives the same digits."""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load

from trialimg.adapters.segmenters.bundle_windows import reproducible
from trialimg.adapters.segmenters.prompt_network.channels import CHANNELS
from trialimg.adapters.segmenters.prompt_network.looking import Network
from trialimg.adapters.segmenters.prompt_network.network import PromptUNet
from trialimg.adapters.segmenters.prompt_network.shipped import Shipped
from trialimg.core.errors import ModelError

__all__ = ["answering", "loaded_network", "running_network"]

LOG = logging.getLogger(__name__)
Array32 = npt.NDArray[np.float32]
_MIRRORS = ((), (-1,), (-2,), (-2, -1))
"""Axes of the mirror images, of which an answer is the mean of the first one, two or four.

They go through the network as one batch: torch gives a single example on one thread no fast convolution.
"""


def running_network(shipped: Shipped, device: str) -> Network:
    """The network with some weights, ready to answer.

    Raises
    ------
    ModelError
        If the weights were altered or do not fit the network.
    """
    return answering(loaded_network(shipped), device)


def loaded_network(shipped: Shipped) -> PromptUNet:
    """The network with some weights.

    Raises
    ------
    ModelError
        If the weights were altered or do not fit the network.
    """
    network = PromptUNet(CHANNELS, shipped.widths)
    try:
        tensors = load(shipped.bytes())
        network.load_state_dict({name: value.float() for name, value in tensors.items()})
    except (RuntimeError, SafetensorError) as fault:
        brief = str(fault).splitlines()[0][:200]
        raise ModelError(f"{shipped.folder}: the weights do not fit the network ({brief})") from fault
    network.eval()
    return network


def answering(network: PromptUNet, device: str) -> Network:
    """The network as a function; where the device's memory does not do, the CPU's does, and the log says so."""
    network.to(device).eval()

    def answer(given: Array32, mirrored: int) -> Array32:
        batch = torch.from_numpy(given)
        mirrors = _MIRRORS[:mirrored]
        with reproducible(), torch.inference_mode():
            try:
                return _mean(network, batch, mirrors, device)
            except torch.OutOfMemoryError:
                LOG.warning("out of memory on %s; this lesion is segmented on the cpu", device)
                try:
                    return _mean(network.to("cpu"), batch, mirrors, "cpu")
                finally:
                    network.to(device)

    return answer


def _mean(network: PromptUNet, batch: torch.Tensor, mirrors: tuple[tuple[int, ...], ...], device: str) -> Array32:
    mirrored = torch.cat([batch.flip(axes) for axes in mirrors]).to(device)
    with torch.autocast(device, dtype=torch.float16, enabled=device == "cuda"):
        odds = network(mirrored)
    chances = torch.sigmoid(odds.float()).cpu()
    parts = chances[:, 0].split(len(batch))
    total = sum(chance.flip(axes) for chance, axes in zip(parts, mirrors, strict=True))
    mean: Array32 = (total / len(mirrors)).numpy()
    return mean
