"""NIfTI, NRRD and MetaImage files: three-dimensional images and label masks in LPS mm."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from trialimg.adapters.files.whole import what_is_wrong
from trialimg.core.errors import Fault, GeometryError, IntakeError
from trialimg.volume import Mask, Volume

__all__ = ["is_volume_file", "read_mask", "read_volume", "write_mask", "write_volume"]

READERS = {".nii": "NiftiImageIO", ".nii.gz": "NiftiImageIO", ".nrrd": "NrrdImageIO", ".mha": "MetaImageIO"}
"""Endings read here; those that point at a second file (.nhdr, .mhd) are not."""
VOXEL_LIMIT = 1 << 31

sitk.ProcessObject.SetGlobalWarningDisplay(False)  # ITK prints its remarks on stderr past Python


def is_volume_file(path: Path) -> bool:
    """Whether a file's name ends like one that is read here."""
    return _ending(path) in READERS


def read_volume(path: Path) -> Volume:
    """The image in a file; such files do not say what modality or unit it has.

    Raises
    ------
    IntakeError
        If the file is not there, cannot be read, or is not one grey-scale image of three dimensions.
    """
    return Volume.from_sitk(_read(path))


def read_mask(path: Path) -> Mask:
    """The labels in a file.

    Raises
    ------
    IntakeError
        As for `read_volume`, and if its voxels are not whole numbers from 0 to 65535.
    """
    image = _read(path)
    try:
        return Mask.from_sitk(image)
    except GeometryError as fault:
        raise _refusal(path, "not_a_mask", str(fault)) from fault


def write_mask(mask: Mask, path: Path) -> None:
    """Write labels whole or not at all: under another name in the same folder first.

    Raises
    ------
    IntakeError
        If the ending is not one that is written here, or the folder cannot be written to.
    """
    _write(mask.to_sitk(), path)


def write_volume(volume: Volume, path: Path) -> None:
    """Write an image whole or not at all.

    Raises
    ------
    IntakeError
        As for `write_mask`.
    """
    _write(volume.to_sitk(), path)


def _write(image: Any, path: Path) -> None:
    _require_ending(path)
    try:
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=path.parent) as folder:
            part = Path(folder) / f"mask{_ending(path)}"
            sitk.WriteImage(image, str(part), useCompression=True, imageIO=READERS[_ending(path)])
            part.replace(path)
    except (OSError, RuntimeError) as fault:
        raise _refusal(path, "cannot_write", f"cannot be written ({_brief(fault)})") from fault


def _read(path: Path) -> Any:
    """The image as ITK reads it, with the header looked at before the voxels."""
    _require_ending(path)
    if not path.is_file():
        raise _refusal(path, "no_such_file", "no such file")
    if wrong := what_is_wrong(path, _ending(path)):
        raise _refusal(path, "unreadable", wrong)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(READERS[_ending(path)])
    try:
        reader.ReadImageInformation()
        _require_volume(reader, path)
        image = reader.Execute()
    except RuntimeError as fault:
        raise _refusal(path, "unreadable", f"cannot be read as an image ({_brief(fault)})") from fault
    return image if image.GetDimension() == 3 else image[(slice(None),) * 3 + (0,) * (image.GetDimension() - 3)]


def _require_volume(reader: Any, path: Path) -> None:
    size = reader.GetSize()
    if reader.GetNumberOfComponents() != 1:
        text = f"{reader.GetNumberOfComponents()} values per voxel (colour or vectors); one is needed"
        raise _refusal(path, "not_scalar", text)
    if len(size) < 3 or any(n > 1 for n in size[3:]):
        text = f"an image of {' x '.join(map(str, size))} voxels; three dimensions are needed"
        raise _refusal(path, "not_three_dimensional", text)
    voxels = 1
    for extent in size:
        voxels *= extent
    if voxels > VOXEL_LIMIT:
        raise _refusal(path, "too_large", f"{voxels} voxels; at most {VOXEL_LIMIT} are read")


def _require_ending(path: Path) -> None:
    if not is_volume_file(path):
        raise _refusal(path, "unknown_format", f"not one of {', '.join(READERS)}")


def _ending(path: Path) -> str:
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower()


def _brief(fault: Exception) -> str:
    """The last line that ITK says is what went wrong, without the address of the object that says it."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()] or [type(fault).__name__]
    return lines[-1].rpartition("): ")[2][:200]


def _refusal(path: Path, code: str, message: str) -> IntakeError:
    return IntakeError(f"{path}: {message}", (Fault(str(path), code, message),))
