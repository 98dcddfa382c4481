"""How sure a segmenter is and what it rests on: which segmenters can say, and how it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from trialimg.core.digest import plain
from trialimg.core.errors import ModelError

if TYPE_CHECKING:
    from trialimg.services.ports import ExplainableSegmenter, ProbabilisticSegmenter, Segmenter
    from trialimg.volume import Volume

__all__ = ["explainable", "probabilistic", "write_evidence"]


def probabilistic(made: Segmenter) -> ProbabilisticSegmenter:
    """The segmenter, if it knows its chances.

    Raises
    ------
    ModelError
        If it does not.
    """
    if not hasattr(made, "probabilities"):
        raise ModelError(f"{made.name} gives a mask and no chances; ask a network how sure it is")
    return cast("ProbabilisticSegmenter", made)


def explainable(made: Segmenter) -> ExplainableSegmenter:
    """The segmenter, if it can show what its lesion rests on.

    Raises
    ------
    ModelError
        If it cannot.
    """
    if not hasattr(made, "explanation"):
        raise ModelError(f"{made.name} has no explanation of its lesions; networks do")
    return cast("ExplainableSegmenter", made)


def write_evidence(folder: Path, volumes: Mapping[str, Volume], facts: Mapping[str, object]) -> tuple[Path, ...]:
    """Write maps as ``NAME.nii.gz`` and facts as ``evidence.json`` into an existing folder; the files.

    Raises
    ------
    IntakeError
        If they cannot be written.
    """
    from trialimg.adapters.exporters.writing import write_whole
    from trialimg.adapters.files.volumes import write_volume

    paths = []
    for name, volume in volumes.items():
        path = folder / f"{name}.nii.gz"
        write_volume(volume, path)
        paths.append(path)
    text = json.dumps(plain(facts), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return (*paths, write_whole(folder / "evidence.json", text.encode()))
