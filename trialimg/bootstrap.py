"""Ports meet adapters here, and nowhere else. Heavy adapters are imported inside the functions that need them."""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.core.errors import Fault, IntakeError, InvalidValueError, ModelError, ProtocolError, TrialimgError

if TYPE_CHECKING:
    from trialimg.adapters.exporters.invoice.files import BillFiles
    from trialimg.protocol.images import Segmentation
    from trialimg.radiomics.settings import RadiomicsSettings
    from trialimg.services.archive_export import CopyWriter
    from trialimg.services.demonstration import Demonstration
    from trialimg.services.journal import Records
    from trialimg.services.ports import (
        Exporter,
        FeatureExtractor,
        Identity,
        IdentityProvider,
        ImageSource,
        KeptBlobs,
        Progress,
        Segmenter,
    )
    from trialimg.services.prompted import KeptMasks
    from trialimg.services.run import TrialRun
    from trialimg.services.sample import SampleSummary
    from trialimg.services.store_backup import Storage
    from trialimg.services.trials_charter import Charter
    from trialimg.services.viewing import KeptSeries
    from trialimg.volume import Mask, Volume

__all__ = [
    "bill_files",
    "blobs",
    "charter_files",
    "environment",
    "exporters",
    "feature_extractor",
    "identity",
    "identity_provider",
    "image_source",
    "inspection_files",
    "kept_masks",
    "kept_series",
    "make_folder",
    "migrate_records",
    "new_blob_key",
    "open_image",
    "open_mask",
    "protocol_segmenter",
    "radiomics_settings",
    "records",
    "save_mask",
    "segmenter",
    "storage",
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


def segmenter(
    name_or_path: str,
    *,
    parameters: Mapping[str, object] | None = None,
    model: Path | None = None,
    model_digest: str | None = None,
    device: str = "auto",
) -> Segmenter:
    """What turns a prompt into a mask: by name, or the MONAI bundle in a folder.

    Parameters
    ----------
    name_or_path
        A name of the entry point group ``trialimg.segmenters`` (ours are ellipsoid, classical, monai_bundle), or the
        folder of a MONAI bundle.
    parameters
        Settings of the segmenter by its own names; the others keep their defaults.
    model, model_digest
        Folder of the model, for a name that needs one, and the digest that its files must have; None: any.
    device
        Where a network runs: auto, cpu, cuda or mps.

    Raises
    ------
    ModelError
        If there is no such segmenter, it does not know a setting, or the model is absent or altered.
    """
    name = name_or_path
    if model is None and name not in _segmenter_entries() and Path(name).is_dir():
        name, model = "monai_bundle", Path(name)
    try:
        return _made_segmenter(name, parameters or {}, {"model": model, "model_digest": model_digest, "device": device})
    except InvalidValueError as refused:
        raise ModelError("; ".join(f"{fault.where}: {fault.message}" for fault in refused.faults)) from refused


def protocol_segmenter(segmentation: Segmentation, folder: Path, *, device: str | None) -> Segmenter:
    """The segmenter that a protocol names.

    Parameters
    ----------
    folder
        Where the protocol file lies; the path of a model counts from there.
    device
        Where a network runs, instead of what the protocol says.

    Raises
    ------
    ProtocolError
        If there is no such segmenter in this version, or with every setting that it does not know.
    ModelError
        If the model is absent or is not the pinned one.
    """
    model = {
        "model": folder / segmentation.model if segmentation.model is not None else None,
        "model_digest": segmentation.model_digest,
        "device": device or segmentation.device.value,
    }
    try:
        made = _made_segmenter(segmentation.segmenter, segmentation.parameters, model)
    except InvalidValueError as refused:
        faults = tuple(replace(fault, where=f"segmentation.{fault.where}") for fault in refused.faults)
        raise ProtocolError("the protocol asks for a segmenter that is not to be had here", faults) from refused
    if segmentation.version not in (None, made.version):
        message = f"{made.name} is here in version {made.version}, not {segmentation.version}"
        fault = Fault("segmentation.version", "other_version", message)
        raise ProtocolError("the protocol asks for a segmenter that is not to be had here", (fault,))
    return made


def _segmenter_entries() -> dict[str, EntryPoint]:
    """Where each segmenter is found; a name of ours stays ours."""
    found = sorted(entry_points(group="trialimg.segmenters"), key=lambda entry: entry.value.startswith("trialimg."))
    return {entry.name: entry for entry in found}


def _made_segmenter(name: str, parameters: Mapping[str, object], model: Mapping[str, object]) -> Segmenter:
    """The segmenter with its settings; what it refuses is an `InvalidValueError` with places as in a protocol."""
    known = _segmenter_entries()
    if name not in known:
        message = f"no segmenter is called {name!r}; there are {', '.join(sorted(known))}, or the folder of a bundle"
        raise InvalidValueError(Fault("segmenter", "unknown_segmenter", message))
    make = _loaded(known[name])
    takes = tuple(inspect.signature(make).parameters)
    if faults := tuple(_misfits(name, takes, parameters, model)):
        raise InvalidValueError(*faults)
    try:
        return make(**parameters, **{key: value for key, value in model.items() if key in takes})
    except InvalidValueError as refused:
        within = (replace(fault, where=f"parameters.{fault.where}") for fault in refused.faults)
        raise InvalidValueError(*within) from refused


def _misfits(
    name: str, takes: tuple[str, ...], parameters: Mapping[str, object], model: Mapping[str, object]
) -> Iterator[Fault]:
    """What was given that a segmenter does not take, and the model where one is missing or too much."""
    settings = [key for key in takes if key not in model]
    for key in parameters:
        if key not in settings:
            message = f"{name} has no setting {key!r}; it has {', '.join(settings) or 'none'}"
            yield Fault(f"parameters.{key}", "unknown_parameter", message)
    if model["model"] is None and "model" in takes:
        yield Fault("model", "missing_key", f"{name} needs the folder of its model")
    if model["model"] is not None and "model" not in takes:
        yield Fault("model", "no_model", f"{name} works without a model")


def _loaded(entry: EntryPoint) -> Callable[..., Segmenter]:
    try:
        make: Callable[..., Segmenter] = entry.load()
    except (ImportError, AttributeError) as fault:
        raise ModelError(f"segmenter {entry.name} cannot be loaded from {entry.value}: {fault}") from fault
    return make


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


def bill_files() -> BillFiles:
    """What writes bills and statements as files."""
    from trialimg.adapters.exporters.invoice.files import BillFiles

    return BillFiles()


def inspection_files() -> CopyWriter:
    """What writes inspection copies as files."""
    from trialimg.adapters.exporters.inspection import InspectionFiles

    return InspectionFiles()


def charter_files(charter: Charter, folder: Path) -> tuple[Path, ...]:
    """Write a charter as HTML and PDF into an existing folder."""
    from trialimg.adapters.exporters.charter import write_charter

    return write_charter(charter, folder)


def environment() -> dict[str, str]:
    """Name to version of everything whose release can change a number."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def records(home: Path, database: str | None = None) -> Records:
    """The records of an installation; made where there are none.

    Parameters
    ----------
    home
        Folder of the installation; its ``records.sqlite`` holds the records unless a database is named.
    database
        Address of the database: ``sqlite:///FILE`` or ``postgresql+psycopg://USER@HOST/NAME``.

    Raises
    ------
    TrialimgError
        If they cannot be reached, or are kept in tables of another version.
    """
    from secrets import token_hex

    from trialimg import __version__
    from trialimg.adapters.identity.clock import SystemClock
    from trialimg.adapters.store.sql import SqlStore
    from trialimg.ledger.sealed import SALT_BYTES
    from trialimg.services.journal import Records

    store = SqlStore(database or home / "records.sqlite")
    return Records(store, SystemClock(), lambda: token_hex(SALT_BYTES), f"trialimg {__version__}")


def kept_series(home: Path) -> KeptSeries:
    """The images of an installation as viewers get them."""
    from trialimg.adapters.store.blobs import DirectoryBlobStore
    from trialimg.services.viewing import KeptSeries

    folder = home / "images"
    make_folder(folder)
    return KeptSeries(DirectoryBlobStore(folder))


def storage(records: Records, home: Path) -> Storage:
    """The records with the blobs and signing keys of their installation, to be backed up, restored and purged."""
    from trialimg.adapters.store.installation import open_storage

    return open_storage(records, home)


def blobs(home: Path) -> KeptBlobs:
    """Images and masks of an installation, decrypted where they are encrypted."""
    from trialimg.adapters.store.installation import readable_blobs

    return readable_blobs(home)


def new_blob_key(home: Path) -> int:
    """Encrypt blobs from now on under a new key; how many blobs' own keys were wrapped anew."""
    from trialimg.adapters.store.installation import new_blob_key

    return new_blob_key(home)


def migrate_records(home: Path, database: str | None = None) -> tuple[str, str]:
    """Bring the records' tables to this software's version; the version before (empty: none) and after."""
    from trialimg.adapters.store.sql import migrate

    return migrate(database or home / "records.sqlite")


def kept_masks(home: Path) -> KeptMasks:
    """The masks that reads refer to as their evidence."""
    from trialimg.adapters.store.blobs import DirectoryBlobStore
    from trialimg.services.prompted import KeptMasks

    folder = home / "masks"
    make_folder(folder)
    return KeptMasks(DirectoryBlobStore(folder))


def identity() -> Identity:
    """What passwords and one-time codes are made and checked by."""
    from trialimg.adapters.identity.local import LocalIdentity

    return LocalIdentity()


def identity_provider(issuer: str, *, client: str, keys: str) -> IdentityProvider:
    """A sign-in server that speaks OpenID Connect.

    Parameters
    ----------
    issuer, client
        As its tokens name them.
    keys
        Its public keys: a JWKS file, or an address by https.

    Raises
    ------
    TrialimgError
        If the keys cannot be read.
    """
    from trialimg.adapters.identity.oidc import OidcProvider, keys_from

    return OidcProvider(issuer, client, keys_from(keys))


def demonstrate(
    home: Path, protocol: Path, *, run: Path, studies: Path, progress: Progress | None = None
) -> Demonstration:
    """Make an empty installation a demonstration of a finished run: accounts, trial, cases, images.

    Raises
    ------
    TrialimgError
        If the installation has users already, or the run or its studies are not there.
    """
    import pyotp

    from trialimg.adapters.store.blobs import DirectoryBlobStore
    from trialimg.services.case_images import CaseImages
    from trialimg.services.demonstration import Material, bring_in, prepare
    from trialimg.services.finished import open_run

    finished = open_run(run)
    kept = records(home)
    text = protocol.read_text(encoding="utf-8")
    made = prepare(kept, identity(), text, code_at=lambda seed, moment: pyotp.TOTP(seed).at(moment))
    made.save(home / "demo-accounts.json")
    work = DirectoryBlobStore(run / "work")
    blobs = (data for key in work.keys() if (data := work.get(key)) is not None)  # noqa: SIM118  not a mapping
    material = Material(finished, studies, image_source(), blobs)
    images = CaseImages(kept, kept_series(home))
    bring_in(kept, made, material, images=images, masks=kept_masks(home), progress=progress)
    return made


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
