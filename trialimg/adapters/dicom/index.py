"""A folder of DICOM as series and contour sets; what cannot be used becomes a finding."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import UID, MediaStorageDirectoryStorage

from trialimg.adapters.dicom import rtstruct, segmentation
from trialimg.adapters.dicom.header import (
    IMAGE_CLASSES,
    RT_STRUCTURE_SET,
    SEGMENTATION_CLASSES,
    ImageHeader,
    image_header,
    read_header,
    require_pixels,
    sop_class_of,
    text_of,
)
from trialimg.adapters.dicom.reasons import Reason, isolated, refusal
from trialimg.adapters.dicom.stack import Stack, stack_of
from trialimg.core.digest import file_digest
from trialimg.core.errors import Fault, IntakeError
from trialimg.core.trial import Finding, Severity
from trialimg.services.images import ContourSet, FileRecord, ImageIndex, SeriesRecord
from trialimg.services.ports import Progress

__all__ = ["index_files", "index_folder"]

NOT_IMAGES = frozenset({".csv", ".md", ".txt", ".sha256", ".json", ".yaml", ".yml"})
"""Endings of files that accompany images and are passed over in silence."""

Entry = tuple[FileRecord, ImageHeader]


def index_folder(root: Path, progress: Progress | None = None) -> ImageIndex:
    """Every series and contour set below a folder, in an order that the file system does not change.

    Raises
    ------
    IntakeError
        If the folder does not exist or holds no image at all.
    """
    if not root.is_dir():
        raise refusal(str(root), Reason.NO_SUCH, "no such folder")
    return index_files(root, sorted(_files_below(root)), progress)


def index_files(root: Path, paths: Sequence[str], progress: Progress | None = None) -> ImageIndex:
    """The same for files named by their paths from a folder.

    Raises
    ------
    IntakeError
        If they hold no image at all.
    """
    entries: list[Entry] = []
    contour_sets: list[ContourSet] = []
    findings: list[Finding] = []
    for done, path in enumerate(paths, start=1):
        found = _read(root, path)
        if isinstance(found, Finding):
            findings.append(found)
        elif isinstance(found, ContourSet):
            contour_sets.append(found)
        elif found is not None:
            entries.append(found)
        if progress is not None:
            progress("index", done, len(paths))
    series, about_series = _series(entries)
    if not series:
        raise _no_series(root, (*findings, *about_series))
    order = sorted((*_together(findings), *about_series), key=lambda f: (f.subject, f.where, f.code))
    sets = sorted(contour_sets, key=lambda c: (c.subject, c.file.path))
    return ImageIndex(series, tuple(sets), tuple(order))


def _no_series(root: Path, findings: Sequence[Finding]) -> IntakeError:
    faults = tuple(Fault(f.where, f.code, f.message) for f in findings)
    return IntakeError(f"{root}: holds no image series that can be used", faults)


def _files_below(root: Path) -> Iterator[str]:
    unlisted: list[str] = []
    for folder, folders, names in os.walk(root, onerror=lambda fault: unlisted.append(fault.filename)):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and name.upper() != "DICOMDIR" and Path(name).suffix.lower() not in NOT_IMAGES:
                yield Path(folder, name).relative_to(root).as_posix()
    yield from (Path(folder).relative_to(root).as_posix() for folder in unlisted)


def _read(root: Path, path: str) -> Entry | ContourSet | Finding | None:
    """One file read apart from all others: whatever it holds, it becomes an entry or a finding."""
    subject, shown = "", path.encode("utf-8", "backslashreplace").decode()
    try:
        if shown != path:
            raise refusal(shown, Reason.BAD_NAME, "the file's name is not UTF-8; rename it")
        with isolated(path, Reason.UNREADABLE):
            dataset, end_of_header = read_header(root / path, path)
            subject = text_of(dataset, "PatientID")
            require_pixels(dataset, root / path, end_of_header=end_of_header, where=path)
            return _understood(dataset, FileRecord(path, file_digest(root / path)))
    except IntakeError as fault:
        reason = fault.faults[0]
        return Finding(reason.code, Severity.EXCLUDED, shown, reason.message, subject)


def _understood(dataset: Dataset, record: FileRecord) -> Entry | ContourSet | None:
    sop_class = sop_class_of(dataset)
    if sop_class == MediaStorageDirectoryStorage:
        return None
    if sop_class == RT_STRUCTURE_SET:
        return rtstruct.contour_set(dataset, record)
    if sop_class in SEGMENTATION_CLASSES:
        return segmentation.contour_set(dataset, record)
    if sop_class not in IMAGE_CLASSES:
        raise refusal(record.path, Reason.UNSUPPORTED_CLASS, f"{UID(sop_class).name} is not an image that is read here")
    return record, image_header(dataset, record.path)


def _together(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings that say the same of files in one folder, said once."""
    groups: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[(finding.code, finding.message, Path(finding.where).parent.as_posix())].append(finding)
    for group in groups.values():
        first = group[0]
        more = f" (and {len(group) - 1} more in this folder)" if len(group) > 1 else ""
        yield Finding(first.code, first.severity, first.where, first.message + more, first.subject)


def _series(entries: Iterable[Entry]) -> tuple[tuple[SeriesRecord, ...], list[Finding]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry[1].series_uid].append(entry)
    records: list[SeriesRecord] = []
    findings: list[Finding] = []
    for uid in sorted(groups):
        kept, about = _without_strays(groups[uid])
        findings += about
        if mixed := _mixed(kept):
            findings.append(mixed)
        elif kept:
            planes = [plane for _, header in kept for plane in header.planes]
            stack = stack_of(planes)
            record = _record(kept, stack)
            records.append(record)
            findings += _about(kept, stack)
    records.sort(key=lambda r: (r.subject, str(r.acquisition_date), r.study_uid, r.modality, r.series_uid))
    return tuple(records), findings


def _without_strays(entries: Sequence[Entry]) -> tuple[list[Entry], list[Finding]]:
    """Entries without localizers and second copies of the same bytes."""
    kept: list[Entry] = []
    findings: list[Finding] = []
    digests: dict[str, str] = {}
    for record, header in entries:
        if header.localizer:
            message = f"localizer image of series {header.series_uid}; left out"
            findings.append(Finding(Reason.LOCALIZER.value, Severity.INFO, record.path, message, header.subject))
        elif record.digest in digests:
            message = f"the same bytes as {digests[record.digest]}; left out"
            findings.append(Finding(Reason.DUPLICATE_FILE.value, Severity.INFO, record.path, message, header.subject))
        else:
            digests[record.digest] = record.path
            kept.append((record, header))
    return kept, findings


def _mixed(entries: Sequence[Entry]) -> Finding | None:
    """What makes a series no one thing: several patients, studies, frames of reference or modalities."""
    checks = (
        (Reason.MIXED_SUBJECTS, "patients", {header.subject for _, header in entries}),
        (Reason.MIXED_STUDIES, "studies", {header.study_uid for _, header in entries}),
        (Reason.MIXED_FRAMES, "frames of reference", {header.frame_of_reference_uid for _, header in entries}),
        (Reason.MIXED_MODALITIES, "modalities", {header.modality for _, header in entries}),
    )
    for reason, what, values in checks:
        if len(values) > 1:
            names = ", ".join(value or "(none)" for value in sorted(values)[:5])
            first = entries[0]
            where = f"series {first[1].series_uid}"
            message = f"one series holds images of {len(values)} {what}: {names}; first file {first[0].path}"
            return Finding(reason.value, Severity.EXCLUDED, where, message, first[1].subject)
    return None


def _record(entries: Sequence[Entry], stack: Stack) -> SeriesRecord:
    owners = [index for index, (_, header) in enumerate(entries) for _ in header.planes]
    ordered = [entries[i] for i in dict.fromkeys(owners[i] for i in stack.order)]
    header = ordered[0][1]
    dates = [h.acquisition_date for _, h in entries if h.acquisition_date]
    plane = header.planes[0]
    return SeriesRecord(
        subject=header.subject,
        study_uid=header.study_uid,
        series_uid=header.series_uid,
        frame_of_reference_uid=header.frame_of_reference_uid,
        modality=header.modality,
        acquisition_date=min(dates, default=None),
        description=header.description,
        files=tuple(record for record, _ in ordered),
        rows=plane.rows,
        columns=plane.columns,
        pixel_spacing_mm=plane.spacing_mm,
        slice_thickness_mm=header.slice_thickness_mm,
        slice_gaps_mm=stack.gaps_mm,
        kernel=header.kernel,
        contrast_agent=header.contrast_agent,
        manufacturer=header.manufacturer,
        model_name=header.model_name,
    )


def _about(entries: Sequence[Entry], stack: Stack) -> Iterator[Finding]:
    header = entries[0][1]
    where = f"series {header.series_uid}"
    for reason, message in stack.faults:
        yield Finding(reason.value, Severity.EXCLUDED, where, message, header.subject)
    if len(stack.order) == 1 and not (header.slice_spacing_mm or header.slice_thickness_mm):
        message = "a lone slice without thickness"
        yield Finding(Reason.NO_SLICE_SPACING.value, Severity.EXCLUDED, where, message, header.subject)
    if not header.subject:
        yield Finding(Reason.NO_SUBJECT.value, Severity.WARNING, where, "no Patient ID", header.subject)
    if any(h.lossy for _, h in entries):
        message = "pixels were compressed with loss; values may differ from those acquired"
        yield Finding(Reason.LOSSY.value, Severity.WARNING, where, message, header.subject)
