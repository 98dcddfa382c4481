"""A network's answer for an image, window by window, the same digits every time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import ModelError

__all__ = ["channel_chances", "channel_labels", "reproducible"]

LOG = logging.getLogger(__name__)

RoiSize = tuple[int, int, int]
_SMALLEST = 32
_STEP = 16
"""Windows shrink to multiples of this: networks that halve their grid four times fit."""


def channel_labels(
    network: Callable[[Any], Any], image: npt.NDArray[np.float32], roi_size: RoiSize, *, overlap: float, device: str
) -> npt.NDArray[np.int64]:
    """The strongest output channel of every voxel.

    Parameters
    ----------
    network
        Takes (1, inputs, x, y, z), gives (1, channels, x, y, z).
    image
        Shape (inputs, x, y, z), scaled as the network needs it.
    roi_size
        Window; a smaller one is taken, and said in the log, where the device's memory does not hold it.

    Raises
    ------
    ModelError
        If the network does not run on this image, or its answer is not one finite number for each channel and voxel.
    """
    scores = _checked(_within_memory(network, image, roi_size, overlap=overlap, device=device))
    labels: npt.NDArray[np.int64] = scores.argmax(dim=1)[0].numpy()
    return labels


def channel_chances(
    network: Callable[[Any], Any], image: npt.NDArray[np.float32], roi_size: RoiSize, *, overlap: float, device: str
) -> npt.NDArray[np.float32]:
    """The softmax of every voxel's scores, shape (channels, x, y, z); parameters and refusals as for the labels.

    Raises
    ------
    ModelError
        As for `channel_labels`.
    """
    scores = _checked(_within_memory(network, image, roi_size, overlap=overlap, device=device))
    chances: npt.NDArray[np.float32] = scores.float().softmax(dim=1)[0].numpy()
    return chances


def _within_memory(
    network: Callable[[Any], Any], image: npt.NDArray[np.float32], roi_size: RoiSize, *, overlap: float, device: str
) -> Any:
    """Scores by the largest windows that the device's memory holds."""
    import torch

    batch = torch.from_numpy(np.ascontiguousarray(image))[None]
    size: RoiSize | None = roi_size
    while size is not None:
        try:
            return _scores(network, batch, size, overlap=overlap, device=device)
        except RuntimeError as fault:
            if not _is_out_of_memory(fault):
                raise ModelError(f"the network cannot run on windows of {size} voxels: {_brief(fault)}") from fault
            smaller = _smaller(size)
        torch.cuda.empty_cache()
        if smaller is not None:
            LOG.warning("out of memory on %s with windows of %s voxels; going on with %s", device, size, smaller)
        size = smaller
    raise ModelError(f"out of memory on {device} even with the smallest windows; run on another device, e.g. cpu")


@contextmanager
def reproducible() -> Iterator[None]:
    """One thread, and no choice of algorithm by speed: sums are added in one order. Everything is put back after."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_num_threads(threads)


def _scores(network: Callable[[Any], Any], batch: Any, size: RoiSize, *, overlap: float, device: str) -> Any:
    """Scores of shape (1, channels, x, y, z) on the CPU; mixed precision on CUDA only."""
    import torch
    from monai.inferers import sliding_window_inference

    with torch.inference_mode(), torch.autocast("cuda", dtype=torch.float16, enabled=device == "cuda"):
        return sliding_window_inference(
            batch, size, 1, network, overlap=overlap, mode="gaussian", sw_device=device, device="cpu"
        )


def _checked(scores: Any) -> Any:
    """Scores as they have to be."""
    import torch

    if not isinstance(scores, torch.Tensor) or scores.ndim != 5 or scores.shape[1] < 2:
        shape = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
        raise ModelError(f"the network gives {shape}; needed are scores of background and lesion for every voxel")
    if not bool(torch.isfinite(scores).all()):
        raise ModelError("the network gives scores that are not numbers; is the image's unit the one it was made for?")
    return scores


def _smaller(size: RoiSize) -> RoiSize | None:
    """Windows of about half the edge; None if they are as small as they get."""
    x, y, z = (max(_SMALLEST, n // 2 // _STEP * _STEP) if n > _SMALLEST else n for n in size)
    return (x, y, z) if (x, y, z) != size else None


def _is_out_of_memory(fault: RuntimeError) -> bool:
    import torch

    return isinstance(fault, torch.OutOfMemoryError) or "out of memory" in str(fault).lower()


def _brief(fault: Exception) -> str:
    """The last line of what went wrong; TorchScript puts its own trace before it."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()] or [type(fault).__name__]
    return lines[-1][:200]
