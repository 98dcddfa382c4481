"""What was seen of a scripted lesion: observation, measurement, features and key image."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from decimal import Decimal

import numpy as np

from tests.fakes.courses import GONE, GREW, PRESENT, UNSEEN, Course, Row, Word, week_date
from trialimg.core.lesions import Lesion, LesionKind, NewLesionStatus, NonTargetStatus, Observation, Role, Seen
from trialimg.core.provenance import Evidence
from trialimg.core.trial import Timepoint
from trialimg.imaging.measure import LesionMeasurement
from trialimg.services.results import KeyImage, LesionResult

__all__ = ["digest", "key_image", "lesions_at", "timepoints_of"]

CONVENTION = "pixel centre to pixel centre plus half an in-plane pixel"


def timepoints_of(course: Course) -> list[Timepoint]:
    found = []
    for order, week in enumerate(course.weeks):
        date = week_date(week)
        assert date is not None
        found.append(
            Timepoint("BL" if order == 0 else f"W{week:02.0f}", order, date, date - dt.timedelta(days=order % 3))
        )
    return found


def lesions_at(course: Course, index: int, timepoints: list[Timepoint], *, key_images: bool) -> list[LesionResult]:
    found = []
    for place, row in enumerate(course.rows):
        word = row.seen[index]
        if word == UNSEEN:
            continue
        seed = int(digest(course.id, place, index)[7:13], 16)
        lesion = Lesion(f"{course.id}.{row.label}", row.kind, row.organ, row.label)
        found.append(_lesion(row, word, lesion, timepoints[index], seed=seed, key_images=key_images))
    return found


def _lesion(row: Row, word: Word, lesion: Lesion, timepoint: Timepoint, *, seed: int, key_images: bool) -> LesionResult:
    measured = isinstance(word, float)
    read = measured or word in ("small", "absent")
    observation = Observation(
        lesion,
        timepoint,
        _seen(word),
        Decimal(str(word)) if measured else None,
        str(word)[4:] if str(word).startswith("ne: ") else "",
        _status(row, word),
        (Evidence(digest(lesion.id, timepoint.id), "application/dicom"),) if read else (),
    )
    diameter_mm = float(word) if measured else 0.0
    measurement = _measurement(row, diameter_mm, seed) if measured else None
    return LesionResult(
        observation,
        row.role,
        f"1.2.826.0.1.3680043.10.{seed}" if read else "",
        measurement,
        2 if diameter_mm > 60 else int(measured),
        measurement.volume_ml if measurement else None,
        measurement.max_3d_mm if measurement else None,
        _features(diameter_mm, seed) if measured else {},
        key_image(diameter_mm, seed) if key_images and read else None,
    )


def _seen(word: Word) -> Seen:
    if isinstance(word, float) or word in (PRESENT, GREW):
        return Seen.MEASURED
    if word in ("absent", GONE):
        return Seen.ABSENT
    return Seen.TOO_SMALL if word == "small" else Seen.NOT_EVALUABLE


def _status(row: Row, word: Word) -> NonTargetStatus | NewLesionStatus | None:
    if row.role is Role.TARGET:
        return None
    if row.role is Role.NEW:
        return NewLesionStatus.UNEQUIVOCAL
    return NonTargetStatus("absent" if word == GONE else word)


def _measurement(row: Row, diameter_mm: float, seed: int) -> LesionMeasurement:
    long_mm = diameter_mm * (1.4 if row.kind is LesionKind.NODAL else 1.0) + 0.0137
    short_mm = diameter_mm + 0.0137 if row.kind is LesionKind.NODAL else diameter_mm * 0.72
    volume_ml = math.pi / 6 * long_mm * short_mm**2 / 1000
    return LesionMeasurement(
        label=1,
        long_axis_mm=long_mm,
        short_axis_mm=short_mm,
        caliper_width_mm=short_mm * 1.04,
        volume_ml=volume_ml,
        max_3d_mm=long_mm * 1.08,
        who_product_mm2=long_mm * short_mm,
        slice_index=40 + seed % 17,
        long_axis_lps_mm=((-60.0, 20.0, -310.5), (-60.0 + long_mm, 20.0, -310.5)),
        short_axis_lps_mm=((-50.0, 15.0, -310.5), (-50.0, 15.0 + short_mm, -310.5)),
        flags=("near_tie",) if seed % 7 == 0 else (),
        convention=CONVENTION,
    )


def _features(diameter_mm: float, seed: int) -> dict[str, float]:
    noise = np.random.default_rng(seed).normal(0, 0.02, 5)
    names = ("original_shape_MeshVolume", "original_firstorder_Mean", "original_glcm_JointEntropy",
             "original_glrlm_RunEntropy", "original_ngtdm_Coarseness")  # fmt: skip
    values = (math.pi / 6 * diameter_mm**3, -20 + diameter_mm, 4 + diameter_mm / 40, 3.1, 0.2 / diameter_mm)
    found = {name: float(value * (1 + wobble)) for name, value, wobble in zip(names, values, noise, strict=True)}
    return found if diameter_mm > 12 else {k: v for k, v in found.items() if "ngtdm" not in k}


def key_image(diameter_mm: float, seed: int) -> KeyImage:
    """A slice with a bright ellipse of this long axis on textured tissue, cut 80 mm wide."""
    generator = np.random.default_rng(seed)
    spacing_mm, half = 0.78, 51
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1] * spacing_mm
    tissue = 95 + 20 * np.sin(columns / 9 + seed) * np.cos(rows / 13)
    tissue = np.where((columns + 30) ** 2 + (rows - 22) ** 2 < 9**2, 200, tissue)
    a, b = max(diameter_mm, 0.1) / 2, max(diameter_mm, 0.1) * 0.36
    tissue = np.where((columns / a) ** 2 + (rows / b) ** 2 <= 1, 150, tissue)
    grey = np.clip(tissue + generator.normal(0, 9, tissue.shape), 0, 255).astype(np.uint8)
    if not diameter_mm:
        return KeyImage(grey, (spacing_mm, spacing_mm), (), None, None, "W 400 L 40 HU", True, -310.5)
    angles = np.linspace(0, 2 * np.pi, 60)
    outline = tuple((half + a / spacing_mm * math.cos(t), half + b / spacing_mm * math.sin(t)) for t in angles)
    long_axis = ((half - a / spacing_mm, half), (half + a / spacing_mm, half))
    short_axis = ((half, half - b / spacing_mm), (half, half + b / spacing_mm))
    return KeyImage(grey, (spacing_mm, spacing_mm), (outline,), long_axis, short_axis, "W 400 L 40 HU", True, -310.5)


def digest(*words: object) -> str:
    return "sha256:" + hashlib.sha256(repr(words).encode()).hexdigest()
