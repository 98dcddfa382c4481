"""Which models there are, what one of them is, and whether it is what it says it is."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.bootstrap.segmenters import segmenter, segmenter_class, segmenter_names
from trialimg.core.errors import ModelError, TrialimgError

if TYPE_CHECKING:
    from trialimg.services.ports import Segmenter

__all__ = ["Check", "ModelEntry", "check_model", "model_entries", "model_facts"]

_EXTRAS = {"onnx": ("onnxruntime", "onnx"), "nnunet": ("dynamic_network_architectures", "nnunet")}
"""Name to the library that it needs beside ours, and the extra that brings it."""


@dataclass(frozen=True)
class ModelEntry:
    """One segmenter that can be asked for by its name."""

    name: str
    version: str
    needs: str
    """What must be given beside its name: a model's path, a server's address; empty for nothing."""
    missing: str
    """What has to be installed before it runs; empty for nothing."""
    about: str


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, and what was found."""

    what: str
    passed: bool
    found: str


def model_entries() -> tuple[ModelEntry, ...]:
    """Every segmenter that is installed."""
    return tuple(_entry(name) for name in segmenter_names())


def _entry(name: str) -> ModelEntry:
    try:
        made = segmenter_class(name)
    except ModelError as fault:
        return ModelEntry(name, "", "", str(fault), "")
    takes = inspect.signature(made).parameters
    needs = "a path" if _is_needed(takes, "model") else "an address" if _is_needed(takes, "address") else ""
    library, extra = _EXTRAS.get(name, ("", ""))
    missing = f"pip install 'trialimg[{extra}]'" if library and find_spec(library) is None else ""
    about = (inspect.getdoc(made) or "").partition("\n")[0]
    return ModelEntry(name, str(getattr(made, "version", "")), needs, missing, about)


def _is_needed(takes: Mapping[str, inspect.Parameter], key: str) -> bool:
    return key in takes and takes[key].default is inspect.Parameter.empty


def model_facts(name_or_path: str, *, device: str = "cpu") -> Mapping[str, object]:
    """Name, version, digest, licence and every setting of a segmenter; a model without a licence is shown as such.

    Raises
    ------
    ModelError
        If there is none, or it is altered.
    """
    return _facts(segmenter(name_or_path, device=device, allow_unlicensed=True))


def _facts(made: Segmenter) -> Mapping[str, object]:
    return {
        "name": made.name,
        "version": made.version,
        "model_digest": made.model_digest,
        "licence": getattr(made, "licence", "Apache-2.0"),  # one without a model is part of this package
        "parameters": dict(made.parameters()),
    }


def check_model(path: Path, *, pinned: str = "", device: str = "cpu") -> tuple[Check, ...]:
    """Whether a model is described, unaltered, licensed, runs, and answers the same bit by bit when asked again."""
    return tuple(_checks(path, pinned, device))


def _checks(path: Path, pinned: str, device: str) -> Iterator[Check]:
    try:
        made = segmenter(str(path), device=device, allow_unlicensed=True)
    except TrialimgError as fault:
        yield Check("description", False, str(fault))
        return
    yield Check("description", True, f"{made.name} {made.version}")
    digest = made.model_digest
    yield Check("digest", pinned in ("", digest), digest if pinned in ("", digest) else f"{digest}, not {pinned}")
    licence = str(getattr(made, "licence", ""))
    yield Check("licence", bool(licence), licence or "none is stated")
    yield _same_twice(made)


def _same_twice(made: Segmenter) -> Check:
    """A made-up image, asked for twice."""
    import numpy as np

    from trialimg.core.prompts import PointPrompt
    from trialimg.volume import Geometry, Volume

    grid = Geometry((48, 48, 24), (2.0, 2.0, 4.0), (0.0, 0.0, 0.0))
    noise = np.random.default_rng(0).normal(0, 100, grid.shape).astype(np.float32)
    image = Volume(noise, grid)
    prompt = PointPrompt((47.0, 47.0, 46.0))
    try:
        first, second = (made.segment(image, prompt).array for _ in range(2))
    except TrialimgError as fault:
        return Check("answer", False, str(fault))
    same = bool(np.array_equal(first, second))
    return Check("answer", same, "the same twice, bit by bit" if same else "two runs differ")
