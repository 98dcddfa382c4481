"""Images, masks and features in and out; the synthetic trial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.core.errors import IntakeError

if TYPE_CHECKING:
    from trialimg.radiomics.settings import RadiomicsSettings
    from trialimg.services.ports import (
        FeatureExtractor,
        ImageSource,
        Progress,
    )
    from trialimg.services.sample import SampleSummary
    from trialimg.volume import Mask, Volume

__all__ = [
    "feature_extractor",
    "image_source",
    "open_image",
    "open_mask",
    "radiomics_settings",
    "save_mask",
    "write_sample",
]


def image_source() -> ImageSource:
    """Where images come from: folders of DICOM."""
    from trialimg.adapters.dicom.source import DicomSource

    return DicomSource()


def open_image(path: Path) -> Volume:
    """One image: a folder that holds one DICOM series, a multi-frame DICOM file, or NIfTI, NRRD, MetaImage.

    Raises
    ------
    IntakeError
        If it is not there, or is not exactly one whole image.
    """
    from trialimg.adapters.dicom.source import read_image
    from trialimg.adapters.files.volumes import is_volume_file, read_volume

    return read_volume(path) if is_volume_file(path) else read_image(path)


def open_mask(path: Path, image: Volume | None = None, *, region: str | None = None) -> Mask:
    """One mask: NIfTI, NRRD, MetaImage, DICOM SEG or RTSTRUCT; the regions of DICOM are labels 1, 2, ... with names.

    Parameters
    ----------
    image
        Image that the mask belongs to; needed for RTSTRUCT.
    region
        Name of the one region to take, as label 1, where the file names its regions.

    Raises
    ------
    IntakeError
        If it is not there or is not a mask, has no such region, or regions overlap and none is chosen.
    GeometryError
        If the mask does not lie on the image's grid.
    """
    from trialimg.adapters.dicom.source import read_dicom_mask
    from trialimg.adapters.files.volumes import is_volume_file, read_mask

    if not is_volume_file(path):
        return read_dicom_mask(path, image.geometry if image else None, region=region)
    if region is not None:
        raise IntakeError(f"{path}: labels of this format have no names; leave out {region!r}")
    mask = read_mask(path)
    if image is not None:
        mask.geometry.require_same(image.geometry, f"mask {path.name}", "the image")
    return mask


def save_mask(mask: Mask, path: Path) -> None:
    """Write a mask as NIfTI, NRRD or MetaImage, whole or not at all.

    Raises
    ------
    IntakeError
        If the ending is none of these, or the file cannot be written.
    """
    from trialimg.adapters.files.volumes import write_mask

    write_mask(mask, path)


def feature_extractor(settings: RadiomicsSettings) -> FeatureExtractor:
    """What computes radiomic features, with these settings."""
    from trialimg.adapters.features.pyradiomics_extractor import PyradiomicsExtractor

    return PyradiomicsExtractor(settings.parameters())


def radiomics_settings(path: Path) -> RadiomicsSettings:
    """Settings as a pyradiomics parameter file (YAML or JSON) gives them.

    Raises
    ------
    ProtocolError
        With every key and value that does not fit.
    """
    from trialimg.adapters.features.parameter_file import read_parameter_file

    return read_parameter_file(path)


def write_sample(
    out: Path, *, subjects: int, timepoints: int, seed: int, progress: Progress | None = None
) -> SampleSummary:
    """Write a synthetic trial into a new folder, whole or not at all.

    Raises
    ------
    TrialimgError
        If something is there already, or the folder cannot be written.
    """
    from trialimg.adapters.dicom.write import DicomScanWriter
    from trialimg.services.sample import SampleTrial
    from trialimg.services.sample_folder import new_folder

    with new_folder(out) as folder:
        return SampleTrial(subjects, timepoints, seed).write(folder, DicomScanWriter(), progress=progress)
