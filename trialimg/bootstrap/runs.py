"""The main job and what it writes."""

from __future__ import annotations

import platform
from collections.abc import Iterable
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

__all__ = ["environment", "exporters", "trial_run"]

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
