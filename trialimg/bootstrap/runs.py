"""The main job and what it writes."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.bootstrap.folders import make_folder
from trialimg.bootstrap.images import feature_extractor, image_source
from trialimg.bootstrap.segmenters import protocol_segmenter
from trialimg.core.errors import Fault, ProtocolError

if TYPE_CHECKING:
    from trialimg.services.ports import (
        Exporter,
    )
    from trialimg.services.run import TrialRun
    from trialimg.services.sdtm_run import SdtmRun

__all__ = ["environment", "exporters", "sdtm_run", "trial_run"]

_EXPORTERS = {
    "html": "trialimg.adapters.exporters.report.html:HtmlExporter",
    "pdf": "trialimg.adapters.exporters.report.pdf:PdfExporter",
    "csv": "trialimg.adapters.exporters.csv_tables:CsvExporter",
    "parquet": "trialimg.adapters.exporters.radiomics_table:ParquetExporter",
}

_LIBRARIES = (
    "highdicom", "lifelines", "matplotlib", "monai", "numpy", "pandas", "pyarrow", "pydicom", "pyradiomics-bhklab",
    "scikit-image", "scipy", "SimpleITK", "statsmodels", "torch", "weasyprint",
)  # fmt: skip  # fmt: skip


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
    from trialimg.services.outputs import Outputs
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
    return TrialRun(pipeline, LocalExecutor(workers), Outputs(store, exporters(plan.exports), environment()))


def sdtm_run(
    protocol: Path, folder: Path, work: Path, *, tables: Mapping[str, str], arms: Path | None = None
) -> SdtmRun:
    """The main job for one protocol file and a folder of tumour tables that others made.

    Parameters
    ----------
    work
        Folder of finished work; made if it is not there.
    tables
        Dataset to the name of its file, where the file is not called like it.
    arms
        A table of labels (``code,label``) for the arms; None: their codes are the labels.

    Raises
    ------
    ProtocolError
        With every fault of the protocol file.
    IntakeError
        If the folder, a named file or every dataset is missing.
    ReadingError
        If a file cannot be read, or nothing in the tables can be judged.
    """
    from trialimg.adapters.exporters.cdisc.source import read_source
    from trialimg.adapters.store.blobs import DirectoryBlobStore
    from trialimg.protocol.load import load_protocol
    from trialimg.services.outputs import Outputs
    from trialimg.services.sdtm_run import SdtmRun, require_tables
    from trialimg.services.sdtm_subjects import read_arms

    plan = load_protocol(protocol)
    found = read_source(folder, tables)
    require_tables(found)
    labels = read_arms(arms.read_text(encoding="utf-8"), arms.name) if arms is not None else None
    make_folder(work)
    store = DirectoryBlobStore(work)
    store.sweep()
    return SdtmRun(plan, found, Outputs(store, exporters(plan.exports), environment()), labels)


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
