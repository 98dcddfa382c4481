"""What the sample trial hands to whoever writes its images."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialimg.core.prompts import PointLps
from trialimg.volume import Geometry

__all__ = ["Contour", "CtScan", "Drawing", "ScanHeader"]


@dataclass(frozen=True)
class ScanHeader:
    """What images and drawings of one visit have in common."""

    subject: str
    site: str
    visit: str
    date: dt.date
    time: dt.time
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str


@dataclass(frozen=True, eq=False)
class CtScan:
    """One CT series: stored values of shape (slices, rows, columns); HU = slope * stored + intercept."""

    header: ScanHeader
    geometry: Geometry
    stored: npt.NDArray[np.uint16]
    slope_hu: float
    intercept_hu: float
    image_uids: tuple[str, ...]
    """One per slice of the whole stack."""
    kept: tuple[int, ...]
    """Indices of the slices that exist as images."""
    kernel: str
    exposure_mas: float
    contrast_agent: str


@dataclass(frozen=True)
class Contour:
    """A closed outline on one slice."""

    image_uid: str
    points_lps_mm: tuple[PointLps, ...]


@dataclass(frozen=True)
class Drawing:
    """Named regions that a reader drew on one series."""

    header: ScanHeader
    """Of the series that was drawn on."""
    uid: str
    series_uid: str
    """Of the drawing itself."""
    image_uids: tuple[str, ...]
    regions: tuple[tuple[str, tuple[Contour, ...]], ...]
    reader: str
