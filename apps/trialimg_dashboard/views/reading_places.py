"""Where a lesion was measured, and the slice of a series that lies nearest to that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trialimg.core.prompts import PointLps
from trialimg.services.reading_room import lesion_in

__all__ = ["evidence_of", "place_of", "slice_at", "slice_of"]


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
