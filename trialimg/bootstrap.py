"""Ports meet adapters here, and nowhere else. Heavy adapters are imported inside the functions that need them."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.core.errors import Fault, IntakeError, ProtocolError, TrialimgError

if TYPE_CHECKING:
    from trialimg.services.ports import Exporter, ImageSource, Progress
    from trialimg.services.run import TrialRun
    from trialimg.services.sample import SampleSummary
    from trialimg.volume import Mask, Volume

__all__ = [
    "environment",
    "exporters",
    "image_source",
    "make_folder",
    "open_image",
    "open_mask",
    "save_mask",
    "trial_run",
    "write_sample",
]

_EXPORTERS = {
    "html": "trialimg.adapters.exporters.report.html:HtmlExporter",
    "pdf": "trialimg.adapters.exporters.report.pdf:PdfExporter",
    "csv": "trialimg.adapters.exporters.csv_tables:CsvExporter",
    "parquet": "trialimg.adapters.exporters.radiomics_table:ParquetExporter",
}

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


def exporters(names: Iterable[str]) -> tuple[Exporter, ...]:
    """What writes the results in the forms that a protocol names, in its order.

    Our own are html, pdf, csv and parquet; outsiders' come through the entry point group ``trialimg.exporters``.

    Raises
    ------
    ProtocolError
        With every name that no exporter has.
    """
    addresses = {entry.name: entry.value for entry in entry_points(group="trialimg.exporters")} | _EXPORTERS
    wanted = tuple(dict.fromkeys(names))
    known = ", ".join(sorted(addresses))
    faults = tuple(
        Fault("exports", "unknown_exporter", f"no exporter is called {name!r}; there are {known}")
        for name in wanted
        if name not in addresses
    )
    if faults:
        raise ProtocolError("the protocol asks for a form of results that nothing here can write", faults)
    return tuple(_exporter(addresses[name]) for name in wanted)


def _exporter(address: str) -> Exporter:
    module, _, attribute = address.partition(":")
    made: Exporter = getattr(import_module(module), attribute)()
    return made


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
