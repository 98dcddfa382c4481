"""Which segmenter a name, a folder or a protocol means."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.core.errors import Fault, InvalidValueError, ModelError, ProtocolError

if TYPE_CHECKING:
    from trialimg.protocol.images import Segmentation
    from trialimg.services.ports import (
        Segmenter,
    )

__all__ = ["model_kind", "protocol_segmenter", "segmenter", "segmenter_class", "segmenter_names"]


def segmenter(
    name_or_path: str,
    *,
    parameters: Mapping[str, object] | None = None,
    model: Path | None = None,
    model_digest: str | None = None,
    device: str = "auto",
    allow_unlicensed: bool = False,
) -> Segmenter:
    """What turns a prompt into a mask: by name, the model at a path, or the inference server at an address.

    Parameters
    ----------
    name_or_path
        A name of the entry point group ``trialimg.segmenters``, the folder or file of a model (`model_kind` says which
        kinds there are), or ``https://host:port``.
    parameters
        Settings of the segmenter by its own names; the others keep their defaults.
    model, model_digest
        Folder of the model, for a name that needs one, and the digest that its files must have; None: any.
    device
        Where a network runs: auto, cpu, cuda or mps.
    allow_unlicensed
        Let a model in that does not say under what licence it may be used.

    Raises
    ------
    ModelError
        If there is no such segmenter, it does not know a setting, or the model is absent or altered.
    """
    name, settings = name_or_path, dict(parameters or {})
    if model is None and name not in _segmenter_entries():
        if name.startswith(("https://", "http://")):
            name, settings = "remote", {"address": name, **settings}
        elif Path(name).exists():
            name, model = model_kind(Path(name)), Path(name)
    if allow_unlicensed:
        settings |= _where_taken(name, {"allow_unlicensed": True})
    try:
        return _made_segmenter(name, settings, {"model": model, "model_digest": model_digest, "device": device})
    except InvalidValueError as refused:
        raise ModelError("; ".join(f"{fault.where}: {fault.message}" for fault in refused.faults)) from refused


def protocol_segmenter(segmentation: Segmentation, folder: Path, *, device: str | None) -> Segmenter:
    """The segmenter that a protocol names.

    Parameters
    ----------
    folder
        Where the protocol file lies; the path of a model counts from there.
    device
        Where a network runs, instead of what the protocol says.

    Raises
    ------
    ProtocolError
        If there is no such segmenter in this version, or with every setting that it does not know.
    ModelError
        If the model is absent or is not the pinned one.
    """
    model = {
        "model": folder / segmentation.model if segmentation.model is not None else None,
        "model_digest": segmentation.model_digest,
        "device": device or segmentation.device.value,
    }
    try:
        made = _made_segmenter(segmentation.segmenter, segmentation.parameters, model)
    except InvalidValueError as refused:
        faults = tuple(replace(fault, where=f"segmentation.{fault.where}") for fault in refused.faults)
        raise ProtocolError("the protocol asks for a segmenter that is not to be had here", faults) from refused
    if segmentation.version not in (None, made.version):
        message = f"{made.name} is here in version {made.version}, not {segmentation.version}"
        fault = Fault("segmentation.version", "other_version", message)
        raise ProtocolError("the protocol asks for a segmenter that is not to be had here", (fault,))
    return made


def model_kind(path: Path) -> str:
    """The name of the segmenter that runs the model at a path.

    Raises
    ------
    ModelError
        If nothing at the path says what it is.
    """
    from trialimg.adapters.segmenters.model_card import CARD, read_card
    from trialimg.adapters.segmenters.prompt_network.shipped import is_weights_folder

    folder = path if path.is_dir() else path.parent
    if path.is_dir() and is_weights_folder(path):
        return "trialimg-prompt"
    if path.is_dir() and (path / "configs" / "metadata.json").is_file():
        return "monai_bundle"
    if (folder / CARD).is_file() or not path.is_dir():
        return read_card(folder)[0].kind
    return "nnunet" if (path / "plans.json").is_file() else "monai_bundle"


def segmenter_names() -> tuple[str, ...]:
    """Every name that a segmenter may be asked for by."""
    return tuple(sorted(_segmenter_entries()))


def segmenter_class(name: str) -> Callable[..., Segmenter]:
    """What makes the segmenter of a name.

    Raises
    ------
    ModelError
        If it cannot be loaded.
    """
    return _loaded(_segmenter_entries()[name])


def _where_taken(name: str, settings: Mapping[str, object]) -> dict[str, object]:
    """Those of some settings that a segmenter has."""
    known = _segmenter_entries()
    takes = inspect.signature(_loaded(known[name])).parameters if name in known else {}
    return {key: value for key, value in settings.items() if key in takes}


def _segmenter_entries() -> dict[str, EntryPoint]:
    """Where each segmenter is found; a name of ours stays ours."""
    found = sorted(entry_points(group="trialimg.segmenters"), key=lambda entry: entry.value.startswith("trialimg."))
    return {entry.name: entry for entry in found}


def _made_segmenter(name: str, parameters: Mapping[str, object], model: Mapping[str, object]) -> Segmenter:
    """The segmenter with its settings; what it refuses is an `InvalidValueError` with places as in a protocol."""
    known = _segmenter_entries()
    if name not in known:
        message = f"no segmenter is called {name!r}; there are {', '.join(sorted(known))}, or the path of a model"
        raise InvalidValueError(Fault("segmenter", "unknown_segmenter", message))
    make = _loaded(known[name])
    takes = inspect.signature(make).parameters
    if faults := tuple(_misfits(name, takes, parameters, model)):
        raise InvalidValueError(*faults)
    try:
        return make(**parameters, **{key: value for key, value in model.items() if key in takes})
    except InvalidValueError as refused:
        within = (replace(fault, where=f"parameters.{fault.where}") for fault in refused.faults)
        raise InvalidValueError(*within) from refused


def _misfits(
    name: str,
    takes: Mapping[str, inspect.Parameter],
    parameters: Mapping[str, object],
    model: Mapping[str, object],
) -> Iterator[Fault]:
    """What was given that a segmenter does not take, and the model where one is missing or too much."""
    settings = [key for key in takes if key not in model]
    for key in parameters:
        if key not in settings:
            message = f"{name} has no setting {key!r}; it has {', '.join(settings) or 'none'}"
            yield Fault(f"parameters.{key}", "unknown_parameter", message)
    if model["model"] is None and "model" in takes and takes["model"].default is inspect.Parameter.empty:
        yield Fault("model", "missing_key", f"{name} needs the folder of its model")
    if model["model"] is not None and "model" not in takes:
        yield Fault("model", "no_model", f"{name} works without a model")


def _loaded(entry: EntryPoint) -> Callable[..., Segmenter]:
    try:
        make: Callable[..., Segmenter] = entry.load()
    except (ImportError, AttributeError) as fault:
        raise ModelError(f"segmenter {entry.name} cannot be loaded from {entry.value}: {fault}") from fault
    return make
