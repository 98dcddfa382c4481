"""The network of a bundle: TorchScript, or weights for a network of MONAI that is named and never imported."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Mapping
from typing import Any

from trialimg.adapters.segmenters.bundle import Bundle, is_plain
from trialimg.core.errors import ModelError

__all__ = ["device_for", "load_network"]

NETWORKS = (
    "AttentionUnet", "BasicUNet", "DynUNet", "HighResNet", "MedNeXt", "SegResNet", "SegResNetDS", "SwinUNETR", "UNETR",
    "UNet", "VNet",
)  # fmt: skip
"""Classes of ``monai.networks.nets`` that a bundle may name; none of them fetches anything."""

_PREFIX = "monai.networks.nets."
_UNLOADABLE = (RuntimeError, ValueError, TypeError, KeyError, AttributeError, EOFError, pickle.UnpicklingError)


def device_for(wanted: str) -> str:
    """The device to run on: auto is a GPU where there is one.

    Raises
    ------
    ModelError
        If it is not to be had here.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, found in there.items() if found)
    if not there.get(wanted, False):
        usable = ", ".join(name for name, found in there.items() if found)
        raise ModelError(f"there is no device {wanted!r} here; there is {usable}, or auto")
    return wanted


def load_network(bundle: Bundle, device: str) -> Any:
    """The trained network, ready to answer.

    Raises
    ------
    ModelError
        If the bundle was altered, or its network cannot be built without running code of the bundle.
    """
    import torch

    name = bundle.weights
    data = bundle.read(name)
    try:
        if name.endswith(".ts"):
            network = torch.jit.load(io.BytesIO(data), map_location=device)
        else:
            network = _built(bundle)
            network.load_state_dict(_tensors(data, name))
    except _UNLOADABLE as fault:
        raise ModelError(f"{bundle.folder / name}: cannot be loaded ({_brief(fault)})") from fault
    return network.to(device).eval()


def _built(bundle: Bundle) -> Any:
    """An untrained network by its class name and plain arguments."""
    import monai.networks.nets

    definition = dict(bundle.network_definition())
    name = str(definition.pop("_target_", "")).removeprefix(_PREFIX)
    if name not in NETWORKS:
        raise ModelError(f"{bundle.folder}: the network {name!r} is not one of {', '.join(NETWORKS)}")
    if wrong := [key for key, value in definition.items() if key.startswith("_") or not is_plain(value)]:
        raise ModelError(f"{bundle.folder}: {', '.join(wrong)} of {name} is no plain value; nothing is evaluated here")
    return getattr(monai.networks.nets, name)(**definition)


def _tensors(data: bytes, name: str) -> Mapping[str, Any]:
    import torch

    if name.endswith(".safetensors"):
        return _safetensors(data)
    loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    for key in ("model", "state_dict"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping):
        raise TypeError("the file holds no state dictionary")
    return loaded


def _safetensors(data: bytes) -> dict[str, Any]:
    """The tensors of a safetensors file: length of the header, header in JSON, then the numbers.

    References
    ----------
    https://huggingface.co/docs/safetensors (format).
    """
    import torch

    kinds = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
             "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool}  # fmt: skip
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            numbers = torch.frombuffer(bytearray(body[start:end]), dtype=kinds[entry["dtype"]])
            tensors[name] = numbers.reshape(entry["shape"])
    return tensors


def _brief(fault: Exception) -> str:
    """The first line of what went wrong, short enough for one line."""
    lines = str(fault).strip().splitlines() or [type(fault).__name__]
    return lines[0][:200]
