"""From image planes to one regular stack, or the reasons why they are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trialimg.adapters.dicom.reasons import Reason
from trialimg.imaging.quality import regular_gap_mm, skipped_slices
from trialimg.volume import Geometry

__all__ = ["Plane", "Stack", "plane_geometry", "stack_geometry", "stack_of"]

FloatArray = npt.NDArray[np.float64]

SAME_ORIENTATION = 1e-3
"""Direction cosines that differ by less are one orientation (DICOM writes them with four to six digits)."""
SAME_POSITION_MM = 1e-2
TILT_FRACTION_OF_PIXEL = 0.25
"""How far a slice may stand aside of the stack's axis; more is a sheared stack (gantry tilt)."""


@dataclass(frozen=True)
class Plane:
    """Where one slice lies: DICOM PS3.3 C.7.6.2 (image plane)."""

    position_lps_mm: tuple[float, float, float]
    """Centre of its first pixel."""
    orientation: tuple[float, float, float, float, float, float]
    """Unit vectors along a row (column index growing) and along a column (row index growing)."""
    spacing_mm: tuple[float, float]
    """Between columns, between rows."""
    rows: int
    columns: int
    frame: int = 0

    @property
    def normal(self) -> FloatArray:
        return np.cross(self.orientation[:3], self.orientation[3:])

    def parallel_to(self, other: Plane) -> bool:
        """Whether rows and columns run the same way."""
        return bool(np.abs(np.subtract(self.orientation, other.orientation)).max() <= SAME_ORIENTATION)


@dataclass(frozen=True)
class Stack:
    """Planes in order along their common normal."""

    order: tuple[int, ...]
    gaps_mm: tuple[float, ...]
    faults: tuple[tuple[Reason, str], ...]
    """Why the planes are not one regular stack; empty if they are."""


def stack_of(planes: Sequence[Plane]) -> Stack:
    """The order of planes by position along the normal (never by instance number), and what is wrong with them."""
    as_given = tuple(range(len(planes)))
    first = planes[0]
    if any(not first.parallel_to(plane) for plane in planes):
        many = len({tuple(np.round(p.orientation, 2)) for p in planes})
        return Stack(as_given, (), ((Reason.MIXED_ORIENTATIONS, f"slices lie in {many} orientations"),))
    positions = np.array([p.position_lps_mm for p in planes])
    heights = positions @ first.normal
    order = np.argsort(heights, kind="stable")
    gaps = np.diff(heights[order])
    faults = (*_size_faults(planes), *_gap_faults(gaps), *_tilt_faults(positions[order], first))
    return Stack(tuple(int(i) for i in order), tuple(float(g) for g in gaps), faults)


def stack_geometry(planes: Sequence[Plane], stack: Stack, single_slice_mm: float | None) -> Geometry | None:
    """Grid of a regular stack; None where a lone slice does not say how thick it is."""
    ordered = [planes[i] for i in stack.order]
    first = ordered[0]
    spacing = float(np.mean(stack.gaps_mm)) if stack.gaps_mm else single_slice_mm
    if not spacing:
        return None
    return plane_geometry(first, slices=len(ordered), spacing_mm=spacing)


def plane_geometry(plane: Plane, *, slices: int, spacing_mm: float, third_axis: FloatArray | None = None) -> Geometry:
    """Grid of slices above a plane, along its normal.

    Parameters
    ----------
    third_axis
        Unit vector to stack along instead, where it is the normal or its opposite.
    """
    row, column = (np.asarray(axis) / np.linalg.norm(axis) for axis in (plane.orientation[:3], plane.orientation[3:]))
    normal = np.cross(row, column)
    normal /= np.linalg.norm(normal)
    if third_axis is not None and normal @ third_axis < 0:
        normal = -normal
    axes = np.column_stack((row, column, normal))
    return Geometry(
        (plane.columns, plane.rows, slices),
        (*plane.spacing_mm, spacing_mm),
        plane.position_lps_mm,
        tuple(float(x) for x in axes.ravel()),
    )


def _size_faults(planes: Sequence[Plane]) -> tuple[tuple[Reason, str], ...]:
    sizes = sorted({(p.columns, p.rows, *np.round(p.spacing_mm, 4).tolist()) for p in planes})
    if len(sizes) == 1:
        return ()
    text = " and ".join(f"{c:.0f} x {r:.0f} pixels of {x} x {y} mm" for c, r, x, y in sizes[:3])
    return ((Reason.MIXED_SIZES, f"slices of {len(sizes)} sizes: {text}"),)


def _gap_faults(gaps: FloatArray) -> tuple[tuple[Reason, str], ...]:
    if not gaps.size:
        return ()
    if doubled := int((gaps < SAME_POSITION_MM).sum()):
        first = int(np.argmax(gaps < SAME_POSITION_MM)) + 1
        hint = "several phases, echoes or repeats must come as several series"
        message = f"slices {first} and {first + 1} lie at one position ({doubled} such pairs); {hint}"
        return ((Reason.DUPLICATE_SLICES, message),)
    regular = regular_gap_mm(tuple(gaps))
    if regular is None:
        low, high = float(gaps.min()), float(gaps.max())
        return ((Reason.VARYING_SPACING, f"distance between slices varies from {low:.3f} to {high:.3f} mm"),)
    skipped = skipped_slices(tuple(gaps), regular)
    if not skipped:
        return ()
    places = ", ".join(f"{count} after slice {after}" for after, count in skipped[:10])
    total = sum(count for _, count in skipped)
    return ((Reason.MISSING_SLICES, f"{total} of {len(gaps) + 1 + total} slices are missing: {places}"),)


def _tilt_faults(positions: FloatArray, first: Plane) -> tuple[tuple[Reason, str], ...]:
    offsets = positions - positions[0]
    along = offsets @ first.normal
    aside = np.linalg.norm(offsets - np.outer(along, first.normal), axis=1)
    if aside.max() <= TILT_FRACTION_OF_PIXEL * min(first.spacing_mm):
        return ()
    worst = int(np.argmax(aside))
    angle = np.degrees(np.arctan2(aside[worst], along[worst]))
    message = f"slices are shifted against one another by up to {aside[worst]:.2f} mm (tilt {angle:.1f} degrees)"
    return ((Reason.GANTRY_TILT, message),)
