"""Segmenters held against data sets with true masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.bootstrap.images import open_image, open_mask

if TYPE_CHECKING:
    from trialimg.services.evaluate_segmentation import Comparison, EvaluationCase
    from trialimg.services.evaluation_summary import Summary
    from trialimg.volume import Mask, Volume

__all__ = ["lesion_set", "open_case", "write_evaluation"]

_MODALITIES = {"CT": "CT", "MR": "MR", "T1": "MR", "T2": "MR", "FLAIR": "MR", "PT": "PT", "PET": "PT", "SUV": "PT"}
"""How the name of a channel or a series begins to the modality that DICOM knows it as."""


def lesion_set(path: Path) -> Sequence[EvaluationCase]:
    """The images and true masks of a data set.

    Raises
    ------
    IntakeError
        If it is in no layout that is known here, or with every file that is not there.
    """
    from trialimg.adapters.files.lesion_sets import read_lesion_set

    return read_lesion_set(path)


def open_case(case: EvaluationCase) -> tuple[Volume, Mask]:
    """Image and true mask of a case; an image file that does not know its modality is told that of the data set.

    Raises
    ------
    IntakeError
        If one of them cannot be read.
    GeometryError
        If they lie on different grids.
    """
    from trialimg.volume import Unit

    image = open_image(case.image)
    mask = open_mask(case.mask, image)
    modality = next((word for name, word in _MODALITIES.items() if case.modality.upper().startswith(name)), "")
    if modality and image.modality == "OT":
        image = replace(image, modality=modality, unit=Unit.HU if modality == "CT" else image.unit)
    return image, mask


def write_evaluation(comparison: Comparison, summary: Summary, out: Path) -> tuple[Path, ...]:
    """Write scores, summary and figure into an existing folder; the files."""
    from trialimg.adapters.exporters.evaluation import write_evaluation_files

    return write_evaluation_files(comparison, summary, out)
