"""Ports meet adapters here, and nowhere else. Heavy adapters are imported inside the functions that need them."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.core.errors import IntakeError, TrialimgError

if TYPE_CHECKING:
    from trialimg.services.ports import ImageSource
    from trialimg.services.run import TrialRun
    from trialimg.volume import Mask, Volume

__all__ = [
    "environment",
    "image_source",
    "make_folder",
    "open_image",
    "open_mask",
    "save_mask",
    "trial_run",
]

_LIBRARIES = (
    "highdicom", "lifelines", "matplotlib", "monai", "numpy", "pandas", "pyarrow", "pydicom", "pyradiomics-bhklab",
    "scikit-image", "scipy", "SimpleITK", "statsmodels", "torch", "weasyprint",
)  # fmt: skip


def trial_run(protocol: Path, studies: Path, work: Path, *, device: str | None, workers: int) -> TrialRun:
    """The main job for one protocol file and one study folder.

    Parameters
    ----------
    work
        Folder of finished work; made if it is not there.
    device
        Where a network runs, instead of what the protocol says.
    workers
        Subjects worked on at once, each in a process of its own.

    Raises
    ------
    ProtocolError
        With every fault of the protocol file.
    ModelError
        If the segmenter's model is absent or is not the pinned one.
    """
    from trialimg.adapters.executors.local import LocalExecutor
    from trialimg.adapters.store.blobs import DirectoryBlobStore
    from trialimg.protocol.load import load_protocol
    from trialimg.services.case import CasePipeline
    from trialimg.services.run import TrialRun

    plan = load_protocol(protocol)
    make_folder(work)
    store = DirectoryBlobStore(work)
    store.sweep()
    pipeline = CasePipeline(
        plan,
        studies,
        image_source(),
        protocol_segmenter(plan.segmentation, protocol.parent, device=device),
        feature_extractor(plan.radiomics),
        store,
    )
    return TrialRun(pipeline, LocalExecutor(workers), exporters(plan.exports), environment())


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


def environment() -> dict[str, str]:
    """Name to version of everything whose release can change a number."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def make_folder(folder: Path) -> None:
    """Make a folder and its parents.

    Raises
    ------
    TrialimgError
        If it cannot be made, e.g. a file stands in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise TrialimgError(f"{folder}: cannot make this folder ({fault.strerror})") from fault
