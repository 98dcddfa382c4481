"""RECIST diameters, volume and extent of a lesion's mask."""

from __future__ import annotations

from dataclasses import dataclass

from trialimg.core.prompts import PointLps

__all__ = ["LesionMeasurement"]


@dataclass(frozen=True)
class LesionMeasurement:
    """One lesion measured; lengths unrounded in mm, points in LPS mm."""

    label: int
    long_axis_mm: float
    short_axis_mm: float
    caliper_width_mm: float
    """Extent of the whole lesion across the long axis, in the same slice; for quality control."""
    volume_ml: float
    max_3d_mm: float
    who_product_mm2: float
    """Long axis x short axis (WHO 1979)."""
    slice_index: int
    long_axis_lps_mm: tuple[PointLps, PointLps]
    short_axis_lps_mm: tuple[PointLps, PointLps]
    flags: tuple[str, ...]
    convention: str
    """How a length between pixels is counted, so that the value can be reproduced."""
