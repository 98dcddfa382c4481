"""Whether a series was acquired as the protocol asks, and whether its slices are all there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from trialimg.core.trial import Finding, Severity

__all__ = ["AcquisitionFacts", "AcquisitionRule", "acquisition_findings", "regular_gap_mm", "skipped_slices"]

GAP_TOLERANCE = 0.02
"""Part of the slice distance by which a gap may differ from it."""
GAP_TOLERANCE_MM = 0.06
"""The same in mm: scanners that write positions with one decimal are off by up to 0.05 mm at either end."""
NO_CONTRAST = frozenset({"", "NONE", "NO", "N", "WITHOUT", "UNENHANCED", "NATIVE"})
"""Entries in the contrast field by which sites say that none was given."""


@dataclass(frozen=True)
class AcquisitionRule:
    """What a protocol asks of one modality's series; None or empty asks nothing."""

    modality: str
    max_slice_thickness_mm: float | None = None
    contrast: str = "optional"
    """``required``, ``optional`` or ``forbidden``."""
    kernels: tuple[str, ...] = ()
    """Allowed reconstruction kernels as shell patterns, upper and lower case alike."""
    min_coverage_mm: float | None = None
    max_pixel_spacing_mm: float | None = None

    def __post_init__(self) -> None:
        if self.contrast not in ("required", "optional", "forbidden"):
            raise ValueError(f"contrast is required, optional or forbidden, not {self.contrast!r}")


@dataclass(frozen=True)
class AcquisitionFacts:
    """What the headers of one series say; None is "not said"."""

    subject: str
    where: str
    """What finds the series, e.g. its UID."""
    modality: str
    pixel_spacing_mm: tuple[float, float] | None
    slice_thickness_mm: float | None
    slice_gaps_mm: tuple[float, ...] = ()
    kernel: str | None = None
    """Several values are divided by a backslash, as in DICOM."""
    contrast_agent: str | None = None


def acquisition_findings(facts: AcquisitionFacts, rule: AcquisitionRule) -> tuple[Finding, ...]:
    """Every point in which a series departs from the protocol; empty if it is of another modality.

    Notes
    -----
    A departure is a question to the site, not a reason to leave the series unread: all are warnings. RECIST 1.1
    asks for contiguous slices of at most 5 mm, so the distance between slices is held against the limit as well
    as their thickness.

    References
    ----------
    Eisenhauer et al., New response evaluation criteria in solid tumours: revised RECIST guideline (version 1.1),
    Eur J Cancer 2009;45:228-247, appendix II.
    """
    if facts.modality != rule.modality:
        return ()
    departures = (
        *_thickness(facts, rule),
        *_spacing(facts, rule),
        *_contrast(facts, rule),
        *_kernel(facts, rule),
        *_pixels(facts, rule),
        *_coverage(facts, rule),
    )
    return tuple(Finding(code, Severity.WARNING, facts.where, text, facts.subject) for code, text in departures)


def regular_gap_mm(gaps_mm: tuple[float, ...]) -> float | None:
    """The one distance of which every gap is a whole multiple, or None if the gaps are irregular.

    Notes
    -----
    The smallest gap gives the multiples; the distance is then their mean over the whole stack.
    Gaps that would need more slices missing than there are present are irregular, not incomplete.
    """
    gaps = np.asarray(gaps_mm, dtype=np.float64)
    if not gaps.size or gaps.min() <= 0:
        return None
    steps = np.round(gaps / gaps.min())
    gap = float(gaps.sum() / steps.sum())
    tolerance = max(GAP_TOLERANCE * gap, GAP_TOLERANCE_MM)
    if steps.sum() - gaps.size > gaps.size + 1 or np.abs(gaps - steps * gap).max() > tolerance:
        return None
    return gap


def skipped_slices(gaps_mm: tuple[float, ...], gap_mm: float) -> tuple[tuple[int, int], ...]:
    """Where slices are missing: (number of the slice before the hole, counted from 1; how many are missing)."""
    steps = [round(gap / gap_mm) for gap in gaps_mm]
    return tuple((after, step - 1) for after, step in enumerate(steps, start=1) if step > 1)


def _thickness(facts: AcquisitionFacts, rule: AcquisitionRule) -> Iterator[tuple[str, str]]:
    limit = rule.max_slice_thickness_mm
    if limit is not None and facts.slice_thickness_mm is None:
        yield "slice_thickness_unknown", f"slice thickness is not stated; the protocol allows {limit:g} mm"
    elif limit is not None and facts.slice_thickness_mm is not None and facts.slice_thickness_mm > limit + 1e-6:
        yield "slice_thickness", f"slices of {facts.slice_thickness_mm:g} mm; the protocol allows {limit:g} mm"


def _spacing(facts: AcquisitionFacts, rule: AcquisitionRule) -> Iterator[tuple[str, str]]:
    limit = rule.max_slice_thickness_mm
    spacing = regular_gap_mm(facts.slice_gaps_mm)
    if limit is not None and spacing is not None and spacing > limit + GAP_TOLERANCE_MM:
        yield "slice_spacing", f"slices stand {spacing:.2f} mm apart; the protocol allows {limit:g} mm"


def _contrast(facts: AcquisitionFacts, rule: AcquisitionRule) -> Iterator[tuple[str, str]]:
    agent = facts.contrast_agent
    given = agent is not None and agent.strip().upper() not in NO_CONTRAST
    if rule.contrast == "forbidden" and given:
        yield "contrast_forbidden", f"contrast agent {agent} given; the protocol asks for a scan without"
    elif rule.contrast == "required" and agent is None:
        yield "contrast_unknown", "no contrast agent is stated; the protocol requires one"
    elif rule.contrast == "required" and not given:
        yield "contrast_missing", f"contrast agent stated as {agent!r}; the protocol requires one"


def _kernel(facts: AcquisitionFacts, rule: AcquisitionRule) -> Iterator[tuple[str, str]]:
    if not rule.kernels:
        return
    allowed = ", ".join(rule.kernels)
    if facts.kernel is None:
        yield "kernel_unknown", f"reconstruction kernel is not stated; the protocol allows {allowed}"
        return
    stated = [part.strip().casefold() for part in facts.kernel.split("\\")]
    if not any(fnmatchcase(part, kernel.casefold()) for part in stated for kernel in rule.kernels):
        yield "kernel", f"reconstruction kernel {facts.kernel}; the protocol allows {allowed}"


def _pixels(facts: AcquisitionFacts, rule: AcquisitionRule) -> Iterator[tuple[str, str]]:
    limit = rule.max_pixel_spacing_mm
    if limit is None:
        return
    if facts.pixel_spacing_mm is None:
        yield "pixel_spacing_unknown", f"pixel spacing is not stated; the protocol allows {limit:g} mm"
    elif max(facts.pixel_spacing_mm) > limit + 1e-6:
        yield "pixel_spacing", f"pixels of {max(facts.pixel_spacing_mm):g} mm; the protocol allows {limit:g} mm"


def _coverage(facts: AcquisitionFacts, rule: AcquisitionRule) -> Iterator[tuple[str, str]]:
    if rule.min_coverage_mm is None:
        return
    if not facts.slice_gaps_mm:
        yield "coverage_unknown", f"coverage cannot be told; the protocol asks for {rule.min_coverage_mm:g} mm"
        return
    span = sum(facts.slice_gaps_mm)
    covered = span + span / len(facts.slice_gaps_mm)
    if covered < rule.min_coverage_mm - 1e-6:
        yield "coverage", f"{covered:.0f} mm are covered; the protocol asks for {rule.min_coverage_mm:g} mm"
