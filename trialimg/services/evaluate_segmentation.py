"""Segmenters held against true masks, lesion by lesion.

References
----------
de Grauw MJJ et al. The ULS23 challenge: a baseline model and benchmark dataset for 3D universal lesion segmentation in
computed tomography. Med Image Anal 2025;102:103525 (challenge score).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy import ndimage

from trialimg.core.errors import GeometryError, ModelError
from trialimg.core.prompts import Prompt
from trialimg.imaging.measure import LesionMeasurement, measure
from trialimg.imaging.overlap import dice, overlap
from trialimg.imaging.reader_prompts import PromptKind, ReaderHand, reader_prompt
from trialimg.services.ports import Progress, Segmenter
from trialimg.volume import Mask, Volume

__all__ = [
    "SIZE_CLASSES",
    "Comparison",
    "EvaluationCase",
    "EvaluationSettings",
    "LesionScore",
    "evaluate_segmenters",
    "size_class",
]

SIZE_CLASSES = ("< 10 mm", "10-20 mm", "20-50 mm", ">= 50 mm")
_EDGES_MM = (10.0, 20.0, 50.0)
_TOGETHER = np.ones((3, 3, 3))
_NO_MASK = "no lesion was found"


@dataclass(frozen=True)
class EvaluationCase:
    """One image with its true mask."""

    id: str
    subject: str
    image: Path
    mask: Path
    modality: str = ""
    """As the data set calls it; empty where it does not say."""


@dataclass(frozen=True)
class EvaluationSettings:
    """How segmenters are asked and held against the truth."""

    prompt: PromptKind = PromptKind.LINE
    hand: ReaderHand = field(default_factory=ReaderHand)
    draws: int = 3
    """How often each lesion is asked for with another prompt of the same hand; the first is the answer, all of them
    together say how consistent it is."""
    tolerance_mm: float = 2.0
    """For the surface Dice."""
    least_voxels: int = 10
    """Connected parts of a true mask with fewer voxels are no lesions; they are counted, not judged."""

    def __post_init__(self) -> None:
        if self.draws < 2 or self.tolerance_mm <= 0 or self.least_voxels < 1:
            raise ValueError("two draws or more, a tolerance above 0 mm, and lesions of a voxel or more are needed")


@dataclass(frozen=True)
class LesionScore:
    """One segmenter's answer for one lesion; a value that is None is named in ``undefined``, with the reason."""

    case: str
    subject: str
    modality: str
    lesion: int
    model: str
    size_class: str
    true_long_axis_mm: float
    true_volume_ml: float
    dice: float
    surface_dice: float
    hd95_mm: float | None
    long_axis_error_mm: float | None
    """Found minus true long axis."""
    long_axis_error_pct: float | None
    short_axis_error_mm: float | None
    volume_error_pct: float | None
    false_positive_ml: float
    false_negative_ml: float
    consistency: float
    """Mean Dice between the masks of every two draws; a pair without any mask counts 0."""
    uls23: float
    """0.8 Dice + 0.05 (1 - long-axis error) + 0.05 (1 - short-axis error) + 0.1 consistency; axis errors are
    symmetric, ``|found - true| / (found + true)``, and 1 where nothing was found."""
    seconds: float
    """Of the first draw."""
    failure: str = ""
    """Why there is no mask; such a lesion has a Dice of 0."""
    undefined: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """The scores of every segmenter for the same lesions from the same prompts."""

    settings: EvaluationSettings
    models: Mapping[str, Mapping[str, object]]
    """Name of each segmenter, as in the scores, to what it is; the one that was asked for first."""
    scores: tuple[LesionScore, ...]
    left_out: Mapping[str, str]
    """What of the data set was not judged, with the reason: cases without a lesion, parts too small to be one."""


def evaluate_segmenters(
    cases: Sequence[EvaluationCase],
    segmenters: Mapping[str, Segmenter],
    opened: Callable[[EvaluationCase], tuple[Volume, Mask]],
    settings: EvaluationSettings,
    *,
    progress: Progress | None = None,
) -> Comparison:
    """Ask every segmenter for every lesion of some cases, and hold the answers against the true masks.

    Parameters
    ----------
    segmenters
        The one that is judged first, then those it is compared with.
    opened
        Gives image and true mask of a case.

    Raises
    ------
    IntakeError
        If an image or a mask cannot be read.
    GeometryError
        If image and mask lie on different grids.
    """
    scores: list[LesionScore] = []
    left_out: dict[str, str] = {}
    for done, case in enumerate(cases, start=1):
        image, truth = opened(case)
        truth.geometry.require_same(image.geometry, f"the true mask of {case.id}", "its image")
        lesions = small = 0
        for lesion in _lesions(truth, settings.least_voxels):
            if lesion is None:
                small += 1
                continue
            lesions += 1
            judged = _Judged(case, lesions, lesion, measure(lesion, 1), settings)
            scores += [judged.score(name, segmenter, image) for name, segmenter in segmenters.items()]
        left_out |= _left_out(case, lesions, small, settings)
        if progress:
            progress("cases", done, len(cases))
    models = {name: _described(segmenter) for name, segmenter in segmenters.items()}
    return Comparison(settings, models, tuple(scores), left_out)


def size_class(long_axis_mm: float) -> str:
    """The class of a lesion's true long axis."""
    return SIZE_CLASSES[int(np.searchsorted(_EDGES_MM, long_axis_mm, side="right"))]


def _lesions(truth: Mask, least_voxels: int) -> Iterator[Mask | None]:
    """Connected parts of each label, one mask at a time; None for one that is too small; corners connect."""
    for label in truth.labels:
        parts, count = ndimage.label(truth.array == label, _TOGETHER)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        for number in range(1, count + 1):
            large = sizes[number] >= least_voxels
            yield Mask((parts == number).astype(np.uint8), truth.geometry) if large else None


def _left_out(case: EvaluationCase, lesions: int, small: int, settings: EvaluationSettings) -> dict[str, str]:
    """What of a case was not judged."""
    said = {}
    if small:
        said[f"{case.id} parts"] = f"{small} connected part(s) of fewer than {settings.least_voxels} voxels"
    if not lesions:
        said[case.id] = "its true mask holds no lesion"
    return said


def _described(segmenter: Segmenter) -> Mapping[str, object]:
    return {
        "name": segmenter.name,
        "version": segmenter.version,
        "model_digest": segmenter.model_digest,
        "parameters": dict(segmenter.parameters()),
    }


@dataclass(frozen=True, eq=False)
class _Judged:
    """A true lesion, and the prompts that stand for it."""

    case: EvaluationCase
    number: int
    truth: Mask
    true: LesionMeasurement
    settings: EvaluationSettings

    def score(self, name: str, segmenter: Segmenter, image: Volume) -> LesionScore:
        """What a segmenter makes of this lesion."""
        answers = [_answer(segmenter, image, prompt) for prompt in self._prompts()]
        mask, failure, seconds = answers[0]
        alike = overlap(mask, self.truth, tolerance_mm=self.settings.tolerance_mm)
        found = None if mask.is_empty else measure(mask, 1)
        consistency = _consistency([answer[0] for answer in answers])
        undefined = dict(alike.undefined)
        if found is None:
            undefined |= dict.fromkeys(("long_axis_error_mm", "long_axis_error_pct", "short_axis_error_mm"), _NO_MASK)
        long_mm = found.long_axis_mm - self.true.long_axis_mm if found else None
        return LesionScore(
            self.case.id, self.case.subject, self.case.modality, self.number, name,
            size_class(self.true.long_axis_mm), self.true.long_axis_mm, self.true.volume_ml,
            dice=alike.dice or 0.0,
            surface_dice=alike.surface_dice or 0.0,
            hd95_mm=alike.hd95_mm,
            long_axis_error_mm=long_mm,
            long_axis_error_pct=None if long_mm is None else 100 * long_mm / self.true.long_axis_mm,
            short_axis_error_mm=found.short_axis_mm - self.true.short_axis_mm if found else None,
            volume_error_pct=alike.volume_error_pct,
            false_positive_ml=alike.false_positive_ml,
            false_negative_ml=alike.false_negative_ml,
            consistency=consistency,
            uls23=_uls23(alike.dice or 0.0, found, self.true, consistency),
            seconds=seconds,
            failure=failure,
            undefined=undefined,
        )  # fmt: skip

    def _prompts(self) -> Iterator[Prompt]:
        lesion = f"{self.case.id}/{self.number}"
        for draw in range(self.settings.draws):
            yield reader_prompt(self.truth, self.settings.prompt, self.settings.hand, lesion=lesion, draw=draw)


def _answer(segmenter: Segmenter, image: Volume, prompt: Prompt) -> tuple[Mask, str, float]:
    """The mask, why it is empty if it is, and the seconds it took; a refusal is an answer without a mask."""
    began = time.perf_counter()
    try:
        mask = segmenter.segment(image, prompt)
        failure = _NO_MASK if mask.is_empty else ""
    except (ModelError, GeometryError) as refusal:
        mask = Mask(np.zeros(image.array.shape, np.uint8), image.geometry)
        failure = str(refusal)
    return mask, failure, time.perf_counter() - began


def _consistency(masks: Iterable[Mask]) -> float:
    pairs = [dice(first, second) or 0.0 for first, second in combinations(masks, 2)]
    return float(np.mean(pairs))


def _uls23(alike: float, found: LesionMeasurement | None, true: LesionMeasurement, consistency: float) -> float:
    long_error = short_error = 1.0
    if found is not None:
        long_error = _symmetric(found.long_axis_mm, true.long_axis_mm)
        short_error = _symmetric(found.short_axis_mm, true.short_axis_mm)
    return 0.8 * alike + 0.05 * (1 - long_error) + 0.05 * (1 - short_error) + 0.1 * consistency


def _symmetric(found_mm: float, true_mm: float) -> float:
    """Error of a length between 0 and 1."""
    return abs(found_mm - true_mm) / (found_mm + true_mm)
