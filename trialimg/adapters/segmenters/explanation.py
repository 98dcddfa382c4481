"""What in an image a network's lesion rests on: places whose cover costs it, or that its chance leans on.

References
----------
Zeiler MD, Fergus R. Visualizing and understanding convolutional networks. ECCV 2014 (occlusion). Simonyan K, Vedaldi A,
Zisserman A. Deep inside convolutional networks. arXiv:1312.6034, 2013 (gradient). Smilkov D et al. SmoothGrad.
arXiv:1706.03825, 2017. Adebayo J et al. Sanity checks for saliency maps. NeurIPS 2018 (a map has to depend on weights).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import ModelError

__all__ = ["METHODS", "explained"]

Array32 = npt.NDArray[np.float32]

METHODS = ("occlusion", "gradient")
_COVERS = 5
"""Along each edge; neighbours overlap by half."""
_LEAST_COVER = 4
_BATCH = 4
_SAMPLES = 8
_NOISE = 0.1
"""Of SmoothGrad, in units of the image's range."""


def explained(
    network: Callable[[Any], Any],
    channels: Array32,
    *,
    image_channels: int,
    lesion_channels: Sequence[int] | None,
    method: str,
) -> Array32:
    """How much each place bears up the chance of the lesion that the network sees, larger is more.

    Parameters
    ----------
    channels
        What the network is shown, shape (channels, a, b, c); the image comes first, the reader's prompt stays as it is.
    image_channels
        How many of them are the image.
    lesion_channels
        Output channels that are lesion; None: a single output whose sigmoid is the chance.
    method
        ``occlusion``: mean loss of chance within the lesion where a cover with the image's mean lies there (0 to 1).
        ``gradient``: absolute gradient of the summed chance within the lesion, mean of noisy copies (SmoothGrad).

    Raises
    ------
    ModelError
        If the network sees no lesion here, or the method is unknown or cannot be used with it.
    """
    import torch

    from trialimg.adapters.segmenters.bundle_windows import reproducible
    from trialimg.adapters.segmenters.explained_network import ExplainedNetwork

    if method not in METHODS:
        raise ModelError(f"no explanation is called {method!r}; there are {', '.join(METHODS)}")
    given = torch.from_numpy(np.ascontiguousarray(channels))[None]
    with reproducible(), _weights_at_rest(network):
        asked = ExplainedNetwork(network, given[:, image_channels:], lesion_channels)
        image = given[:, :image_channels].clone()
        with torch.no_grad():
            region = asked.chances(image) >= 0.5
        if not bool(region.any()):
            raise ModelError("the network sees no lesion at this prompt: there is nothing to explain")
        asked.region = region
        return _by_occlusion(asked, image) if method == "occlusion" else _by_gradient(asked, image)


@contextmanager
def _weights_at_rest(network: Callable[[Any], Any]) -> Iterator[None]:
    """No gradient is kept for the network's own weights; what they asked for before is put back."""
    parameters = list(network.parameters()) if hasattr(network, "parameters") else []
    wanted = [parameter.requires_grad for parameter in parameters]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter, was in zip(parameters, wanted, strict=True):
            parameter.requires_grad_(was)


def _by_occlusion(asked: Any, image: Any) -> Array32:
    import torch
    from monai.visualize import OcclusionSensitivity

    cover = [max(_LEAST_COVER, 2 * n // (_COVERS + 1)) for n in image.shape[2:]]
    sensitivity = OcclusionSensitivity(
        asked, mask_size=cover, n_batch=_BATCH, overlap=0.5, activate=False, verbose=False, mode="mean_img"
    )
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using a non-tuple sequence")  # MONAI's own indexing
        chance, _ = sensitivity(image)
        lost = float(asked(image)[0, 0]) - np.asarray(chance[0, 0].cpu())
    found: Array32 = lost.astype(np.float32)
    return found


def _by_gradient(asked: Any, image: Any) -> Array32:
    """`monai.visualize.VanillaGrad` of noisy copies, so that one voxel's whim does not show."""
    import torch
    from monai.visualize import VanillaGrad

    noise = torch.Generator().manual_seed(0)
    spread = _NOISE * float(image.max() - image.min())
    total = torch.zeros(image.shape[2:])
    for _ in range(_SAMPLES):
        copy = image + spread * torch.randn(image.shape, generator=noise)
        try:
            total += VanillaGrad(asked)(copy, index=0).abs().amax(dim=1)[0]
        except (RuntimeError, TypeError, AttributeError) as fault:
            message = "this network has no gradient (an ONNX graph, perhaps); explain it by occlusion"
            raise ModelError(message) from fault
    found: Array32 = (total / _SAMPLES).numpy().astype(np.float32)
    return found
