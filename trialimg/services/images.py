"""What an image source says about the images it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from trialimg.core.trial import Finding

__all__ = ["ContourSet", "FileRecord", "ImageIndex", "SeriesRecord"]


@dataclass(frozen=True)
class FileRecord:
    """One file as received."""

    path: str
    """Relative to the study folder, with forward slashes."""
    digest: str


@dataclass(frozen=True)
class SeriesRecord:
    """One image series; None is "the header does not say"."""

    subject: str
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    modality: str
    acquisition_date: date | None
    description: str
    files: tuple[FileRecord, ...]
    """One per slice, in order along the stack; a multi-frame file stands once for all of its slices."""
    rows: int
    columns: int
    pixel_spacing_mm: tuple[float, float] | None
    """Between columns, between rows."""
    slice_thickness_mm: float | None
    slice_gaps_mm: tuple[float, ...] = ()
    """Distances between neighbouring slice positions; empty where the slices are not one stack."""
    kernel: str | None = None
    contrast_agent: str | None = None
    manufacturer: str | None = None
    model_name: str | None = None

    @property
    def slices(self) -> int:
        return len(self.slice_gaps_mm) + 1 if self.slice_gaps_mm else len(self.files)


@dataclass(frozen=True)
class ContourSet:
    """One RTSTRUCT (or SEG): named regions drawn on one series."""

    subject: str
    series_uid: str
    """Series it was drawn on; empty where only the frame of reference is known."""
    frame_of_reference_uid: str
    file: FileRecord
    names: tuple[str, ...]
    media_type: str = "application/dicom"


@dataclass(frozen=True)
class ImageIndex:
    """Everything found below one folder, in a fixed order."""

    series: tuple[SeriesRecord, ...]
    contour_sets: tuple[ContourSet, ...]
    findings: tuple[Finding, ...] = field(default=())
