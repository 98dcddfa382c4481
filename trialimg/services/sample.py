"""The sample trial: a made-up trial as real DICOM, whose true answers are known."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trialimg.core.digest import digest_of
from trialimg.imaging.phantom import acquire, draw
from trialimg.services.ports import Progress, ScanWriter
from trialimg.services.sample_plan import SLICES, SubjectPlan, VisitPlan, plan_subject
from trialimg.services.sample_reader import Drawn
from trialimg.services.sample_scan import Contour, CtScan, Drawing, ScanHeader
from trialimg.services.sample_tables import (
    ANNOTATION_COLUMNS,
    SUBJECT_COLUMNS,
    TRUTH_COLUMNS,
    Row,
    annotation_rows,
    as_csv,
    reader_drawings,
    subject_row,
    truth_rows,
)

__all__ = ["DIGESTS_NAME", "SampleSummary", "SampleTrial", "scan_of"]

DIGESTS_NAME = "DIGESTS.sha256"
SLOPE_HU = 6.0
INTERCEPT_HU = -1024.0
_LARGEST_STORED = 4095
_CONTRAST_AGENT = "IODINATED CONTRAST"
_MEDIA_FOLDERS = ("ct", "rtstruct.dcm")


@dataclass(frozen=True)
class SampleSummary:
    """What was written."""

    subjects: int
    series: int
    images: int
    bytes: int
    scenarios: tuple[tuple[str, str], ...]
    """Subject and the name of its scenario."""
    digest: str
    """Of the list of digests, so of everything."""


@dataclass(frozen=True)
class SampleTrial:
    """How large a trial, and which one of its kind: the same arguments always give the same bytes."""

    subjects: int
    timepoints: int
    seed: int

    def write(self, folder: Path, writer: ScanWriter, *, progress: Progress | None = None) -> SampleSummary:
        """Write images, tables and digests into an existing, empty folder."""
        scenarios, tables = [], _Tables()
        series = images = 0
        for index in range(self.subjects):
            subject = plan_subject(index, timepoints=self.timepoints, seed=self.seed)
            scenarios.append((subject.id, subject.scenario.name))
            for visit in subject.visits:
                drawings = reader_drawings(subject, visit)
                tables.annotations.extend(annotation_rows(subject, visit, drawings))
                written = _write_visit(subject, visit, drawings, writer, folder)
                images, series = images + written, series + bool(written)
            tables.subjects.append(subject_row(subject))
            tables.truth.extend(truth_rows(subject))
            if progress is not None:
                progress("subjects", index + 1, self.subjects)
        tables.write(folder)
        digest, size = _write_digests(folder)
        return SampleSummary(self.subjects, series, images, size, tuple(scenarios), digest)


@dataclass(frozen=True)
class _Tables:
    """Rows of the tables beside the images."""

    subjects: list[Row] = field(default_factory=list)
    annotations: list[Row] = field(default_factory=list)
    truth: list[Row] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        for name, columns, rows in (
            ("subjects", SUBJECT_COLUMNS, self.subjects),
            ("annotations", ANNOTATION_COLUMNS, self.annotations),
            ("truth", TRUTH_COLUMNS, self.truth),
        ):
            (folder / f"{name}.csv").write_text(as_csv(columns, rows), encoding="utf-8", newline="\n")


def _write_digests(folder: Path) -> tuple[str, int]:
    """The digest of the list of all files' digests, and how many bytes the files have."""
    lines, size = [], 0
    for path in sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.relative_to(folder).as_posix()):
        data = path.read_bytes()
        lines.append(f"{hashlib.sha256(data).hexdigest()}  {path.relative_to(folder).as_posix()}\n")
        size += len(data)
    text = "".join(lines)
    (folder / DIGESTS_NAME).write_text(text, encoding="utf-8", newline="\n")
    return digest_of(text.encode()), size


def scan_of(subject: SubjectPlan, visit: VisitPlan) -> CtScan:
    """The CT series of one imaged visit, as the scanner stores it."""
    solids = [part for lesion in visit.lesions for part in lesion.parts]
    truth_hu = draw(subject.person, visit.pose, solids, visit.grid)
    seen_hu = acquire(truth_hu, visit.technique, visit.grid, subject.noise_generator(visit.number))
    stored = np.clip(np.round((seen_hu - INTERCEPT_HU) / SLOPE_HU), 0, _LARGEST_STORED).astype(np.uint16)
    return CtScan(
        header=_header(subject, visit),
        geometry=visit.grid,
        stored=stored,
        slope_hu=SLOPE_HU,
        intercept_hu=INTERCEPT_HU,
        image_uids=_image_uids(subject, visit),
        kept=tuple(k for k in range(SLICES) if k not in visit.missing_slices),
        kernel=visit.technique.kernel.value,
        exposure_mas=visit.technique.exposure_mas,
        contrast_agent=_CONTRAST_AGENT,
    )


def _write_visit(
    subject: SubjectPlan, visit: VisitPlan, drawings: Sequence[Drawn], writer: ScanWriter, folder: Path
) -> int:
    """The number of images written."""
    if not visit.imaged:
        return 0
    place = folder / subject.id / visit.id
    scan = scan_of(subject, visit)
    writer.write_scan(scan, place / _MEDIA_FOLDERS[0])
    if visit.number == 0:
        writer.write_drawing(_drawing(subject, visit, drawings), place / _MEDIA_FOLDERS[1])
    return len(scan.kept)


def _drawing(subject: SubjectPlan, visit: VisitPlan, drawings: Sequence[Drawn]) -> Drawing:
    uids = _image_uids(subject, visit)
    regions = tuple(
        (
            drawn.label,
            tuple(
                Contour(uids[index], tuple((float(x), float(y), float(z)) for x, y, z in points))
                for index, points in drawn.contours
            ),
        )
        for drawn in drawings
    )
    return Drawing(
        header=_header(subject, visit),
        uid=subject.uid(visit.id, "drawing"),
        series_uid=subject.uid(visit.id, "drawing series"),
        image_uids=uids,
        regions=regions,
        reader=f"site-{subject.site}-reader",
    )


def _header(subject: SubjectPlan, visit: VisitPlan) -> ScanHeader:
    if visit.date is None:
        raise ValueError(f"{subject.id} {visit.id} was missed: it has no images")
    return ScanHeader(
        subject=subject.id,
        site=subject.site,
        visit=visit.id,
        date=visit.date,
        time=dt.time(9, 30),
        study_uid=subject.uid(visit.id, "study"),
        series_uid=subject.uid(visit.id, "series"),
        frame_of_reference_uid=subject.uid(visit.id, "frame of reference"),
    )


def _image_uids(subject: SubjectPlan, visit: VisitPlan) -> tuple[str, ...]:
    return tuple(subject.uid(visit.id, "image", k) for k in range(SLICES))
