"""The networks of an nnU-Net results folder as one that takes (1, 1, x, y, z)."""

from __future__ import annotations

import importlib
import io
import pickle
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

from trialimg.adapters.segmenters.nnunet_folder import NnunetPlan
from trialimg.core.errors import ModelError

__all__ = ["read_checkpoint", "trained_network"]

_LIBRARY = "dynamic_network_architectures.architectures.unet"
ARCHITECTURES = ("PlainConvUNet", "ResidualEncoderUNet")
"""Classes that plans may name."""
_PIECES = {
    "torch.nn.modules.conv.Conv3d", "torch.nn.modules.instancenorm.InstanceNorm3d", "torch.nn.LeakyReLU",
    "torch.nn.modules.activation.LeakyReLU", "torch.nn.modules.batchnorm.BatchNorm3d", "torch.nn.ReLU",
}  # fmt: skip
"""Parts that an architecture may be made of; nothing else is looked up by its name."""


def read_checkpoint(data: bytes, place: str) -> Mapping[str, Any]:
    """A fold's checkpoint, with plain values and tensors only.

    Raises
    ------
    ModelError
        If it holds anything else, which would be code that loading it runs.
    """
    import numpy as np
    import torch

    scalar = importlib.import_module("numpy._core.multiarray").scalar
    numbers = [np.dtype, scalar, *(type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8"))]
    try:
        with torch.serialization.safe_globals(numbers):
            loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        configuration = loaded["init_args"]["configuration"]
        weights = loaded["network_weights"]
    except (RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as fault:
        message = " ".join(str(fault).split())[:200]
        raise ModelError(f"{place}: no checkpoint of nnU-Net that is plain tensors ({message})") from fault
    return {"configuration": str(configuration), "weights": weights}


def trained_network(
    plan: NnunetPlan, folds: Sequence[Mapping[str, Any]], *, device: str, mirror: bool
) -> Callable[[Any], Any]:
    """The mean answer of all folds, axes (x, y, z) in and out.

    Parameters
    ----------
    folds
        Weights of each.
    mirror
        Answer for every mirror image as well, and take the mean; eight times the work.

    Raises
    ------
    ModelError
        If the architecture is not one of those run here, its library is missing, or the weights are not its own.
    """
    networks = [_network(plan, weights, device) for weights in folds]
    there = [axis + 2 for axis in plan.axes_xyz]
    back = [there.index(axis) for axis in (2, 3, 4)]
    flips = [axes for count in range(4 if mirror else 1) for axes in combinations((2, 3, 4), count)]

    def answer(batch: Any) -> Any:
        turned = batch.permute(0, 1, *there).contiguous()
        answers = [network(turned.flip(axes)).flip(axes) for network in networks for axes in flips]
        total = answers[0]
        for one in answers[1:]:
            total = total + one
        return (total / len(answers)).permute(0, 1, *(axis + 2 for axis in back))

    return answer


def _network(plan: NnunetPlan, weights: Mapping[str, Any], device: str) -> Any:
    said = plan.architecture
    name = str(said["network_class_name"]).rpartition(".")[2]
    if name not in ARCHITECTURES or not str(said["network_class_name"]).startswith("dynamic_network_architectures."):
        raise ModelError(f"the network {said['network_class_name']!r} is not one of {', '.join(ARCHITECTURES)}")
    arguments = {**said["arch_kwargs"], "deep_supervision": False}
    for part in said.get("_kw_requires_import", ()):
        arguments[part] = _piece(arguments[part])
    try:
        make = getattr(importlib.import_module(_LIBRARY), name)
    except ImportError as absent:
        message = "an nnU-Net model needs dynamic_network_architectures: pip install 'trialimg[nnunet]'"
        raise ModelError(message) from absent
    network = make(input_channels=1, num_classes=len(plan.labels) + 1, **arguments)
    try:
        network.load_state_dict(weights)
    except RuntimeError as fault:
        raise ModelError(f"the weights are not those of the plan's network ({str(fault).splitlines()[0]})") from fault
    return network.to(device).eval()


def _piece(name: str | None) -> Any:
    """A part of torch by its name."""
    if name is None:
        return None
    if name not in _PIECES:
        raise ModelError(f"the plans name {name!r}, which is not among the parts that networks are built of here")
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)
