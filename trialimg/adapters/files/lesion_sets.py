"""Folders and tables of images with their true masks, in the layouts they usually come in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trialimg.core.errors import Fault, IntakeError
from trialimg.services.evaluate_segmentation import EvaluationCase
from trialimg.services.tables import Row, Table, read_table

__all__ = ["read_lesion_set"]

_NNUNET = ("imagesTr", "labelsTr")
_INVENTORY = "inventory.csv"
_INVENTORY_EXTRAS = (
    "dims", "voxel_mm", "volume_ml", "max_axial_diam_mm", "nifti_image_present", "nifti_image_bytes",
)  # fmt: skip
_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")


def read_lesion_set(path: Path) -> tuple[EvaluationCase, ...]:
    """The cases of a data set, in their order.

    Parameters
    ----------
    path
        A folder in nnU-Net's raw layout (``imagesTr``, ``labelsTr``), a folder with an ``inventory.csv`` of subject and
        modality beside ``nifti/SUBJECT/MODALITY_image.nii.gz`` and ``..._mask.nii.gz``, or a CSV of image and mask with
        subject and modality where they are known; its paths count from its own folder.

    Raises
    ------
    IntakeError
        If it is none of these, or with every file that is not there.
    """
    if path.is_file() and path.suffix.lower() == ".csv":
        cases = _of_table(path)
    elif all((path / name).is_dir() for name in _NNUNET):
        cases = _of_nnunet(path)
    elif (path / _INVENTORY).is_file():
        cases = _of_inventory(path)
    else:
        message = "no data set: a CSV of image,mask, a folder with imagesTr and labelsTr, or one with an inventory.csv"
        raise IntakeError(f"{path}: {message} is needed", (Fault(str(path), "unknown_layout", message),))
    _require_files(cases, path)
    return cases


def _of_nnunet(folder: Path) -> tuple[EvaluationCase, ...]:
    """A case is a subject of its own: this layout does not say whose images they are."""
    modality = _first_channel(folder / "dataset.json")
    labels = sorted(path for path in (folder / "labelsTr").iterdir() if _ending(path))
    return tuple(
        EvaluationCase(name, name, folder / "imagesTr" / f"{name}_0000{_ending(mask)}", mask, modality)
        for mask in labels
        for name in [mask.name.removesuffix(_ending(mask))]
    )


def _first_channel(path: Path) -> str:
    """Name of the first channel, e.g. CT; empty where it is not said."""
    if not path.is_file():
        return ""
    try:
        described: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise IntakeError(f"{path}: not a JSON file ({fault})") from fault
    channels = described.get("channel_names", described.get("modality")) if isinstance(described, dict) else None
    return str(channels.get("0", "")) if isinstance(channels, dict) else ""


def _of_inventory(folder: Path) -> tuple[EvaluationCase, ...]:
    table = _table(folder / _INVENTORY, ("subject", "modality"), _INVENTORY_EXTRAS)
    cases = []
    for row in table.rows:
        subject, modality = row.text("subject", required=True), row.text("modality", required=True)
        place = folder / "nifti" / subject
        image, mask = (place / f"{modality}_{what}.nii.gz" for what in ("image", "mask"))
        cases.append(EvaluationCase(f"{subject} {modality}", subject, image, mask, modality))
    _refuse(table)
    return tuple(cases)


def _of_table(path: Path) -> tuple[EvaluationCase, ...]:
    table = _table(path, ("image", "mask"), ("subject", "modality"))
    cases = [_of_row(row, path.parent) for row in table.rows]
    seen: set[str] = set()
    for row, case in zip(table.rows, cases, strict=True):
        if case.id in seen:
            table.fault(row.line, "doubled", f"the mask {case.id} is there already; a lesion counts once")
        seen.add(case.id)
    _refuse(table)
    return tuple(cases)


def _of_row(row: Row, folder: Path) -> EvaluationCase:
    image, mask = row.text("image", required=True), row.text("mask", required=True)
    return EvaluationCase(
        mask, row.text("subject") or mask, folder / image, folder / mask, row.text("modality")
    )  # a row without a subject is one of its own


def _table(path: Path, required: tuple[str, ...], optional: tuple[str, ...]) -> Table:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise IntakeError(f"{path}: cannot be read as UTF-8 text ({fault})") from fault
    table = read_table(text, path.name, required=required, optional=optional)
    _refuse(table)
    return table


def _refuse(table: Table) -> None:
    if table.faults:
        raise IntakeError(f"{len(table.faults)} fault(s) in {table.source}", tuple(table.faults))


def _require_files(cases: tuple[EvaluationCase, ...], path: Path) -> None:
    faults = tuple(_absent(cases))
    if faults:
        raise IntakeError(f"{path}: {len(faults)} file(s) are not there", faults)
    if not cases:
        raise IntakeError(f"{path}: the data set holds no case")


def _absent(cases: tuple[EvaluationCase, ...]) -> Iterator[Fault]:
    for case in cases:
        for file in (case.image, case.mask):
            if not file.exists():
                yield Fault(case.id, "no_such_file", f"{file} is not there")


def _ending(path: Path) -> str:
    return next((ending for ending in _ENDINGS if path.name.lower().endswith(ending)), "")
