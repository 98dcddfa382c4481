"""Where a lesion was measured, and the slice of a series that lies nearest to that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trialimg.core.prompts import PointLps
from trialimg.services.reading_room import lesion_in
from trialimg.services.visit_alignment import VisitAlignments

__all__ = ["carried", "evidence_of", "extent_of", "place_of", "ring", "slice_at", "slice_of"]

_CORNERS = 32


def evidence_of(visit: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What a lesion's measurement at a visit rests on: the reader's own words, else the proposal's."""
    for entry in (visit["entry"], visit.get("proposed")):
        found = (lesion_in(entry, name) or {}).get("evidence")
        if found:
            evidence: Mapping[str, Any] = found
            return evidence
    return {}


def place_of(evidence: Mapping[str, Any]) -> PointLps | None:
    """A point of a measurement, LPS mm; None where nothing was measured."""
    points = evidence.get("long_axis_lps_mm") or evidence.get("short_axis_lps_mm")
    if not points:
        return None
    x, y, z = (float(value) for value in points[0])
    return x, y, z


def slice_of(evidence: Mapping[str, Any], geometry: Mapping[str, Any]) -> int | None:
    """The slice of a series that lies nearest to a measurement; None where nothing was measured."""
    return slice_at(place_of(evidence), geometry)


def slice_at(point_lps_mm: PointLps | None, geometry: Mapping[str, Any]) -> int | None:
    """The slice of a series that lies nearest to a point; None where there is none."""
    if point_lps_mm is None or not geometry:
        return None
    row, column = np.reshape(geometry["orientation"], (2, 3))
    axis = np.cross(row, column)
    heights = np.asarray(geometry["positions"]) @ axis
    return int(np.abs(heights - np.asarray(point_lps_mm) @ axis).argmin())


def extent_of(evidence: Mapping[str, Any]) -> tuple[PointLps, float] | None:
    """Middle of a measurement, LPS mm, and half its length in mm; None where nothing was measured."""
    points = evidence.get("long_axis_lps_mm")
    if not points:
        return None
    ends = np.asarray(points, dtype=np.float64)
    x, y, z = ends.mean(axis=0).tolist()
    return (x, y, z), float(np.linalg.norm(ends[0] - ends[1])) / 2


def carried(
    alignments: VisitAlignments, point_lps_mm: PointLps, uid: str, *, baseline: str, to: str
) -> PointLps | None:
    """Where a place of one series lies in another, by way of one of baseline; None where they are not aligned."""
    if uid == to:
        return point_lps_mm
    there, here = (alignments.trusted(baseline, series) for series in (to, uid))
    if uid == baseline:
        return there.apply(point_lps_mm) if there else None
    return there.apply(here.inverse_apply(point_lps_mm)) if there and here else None


def ring(
    centre_lps_mm: PointLps, radius_mm: float, geometry: Mapping[str, Any], number: int, *, corners: int = _CORNERS
) -> list[list[float]]:
    """Corners of a polygon around a point in a slice of a series, LPS mm; the point is moved into the slice."""
    row, column = np.reshape(geometry["orientation"], (2, 3))
    across = np.cross(row, column)
    centre = np.asarray(centre_lps_mm)
    centre = centre + ((np.asarray(geometry["positions"][number]) - centre) @ across) * across
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    around = np.outer(np.cos(angles), row) + np.outer(np.sin(angles), column)
    points: list[list[float]] = np.round(centre + radius_mm * around, 2).tolist()
    return points
