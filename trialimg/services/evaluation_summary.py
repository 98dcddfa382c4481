"""What many lesions say about a segmenter: means with intervals over subjects, and differences to its baselines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trialimg.services.evaluate_segmentation import SIZE_CLASSES, Comparison, LesionScore
from trialimg.stats.resampling import clustered_mean
from trialimg.stats.results import Estimate

__all__ = ["ALL", "METRICS", "Difference", "GroupSummary", "Metric", "Summary", "summarise"]

ALL = "all"


@dataclass(frozen=True)
class Metric:
    """One thing that is summed up: the mean of a score, or of its size without its sign."""

    name: str
    words: str
    unsigned: bool = False


METRICS = (
    Metric("dice", "Dice"),
    Metric("surface_dice", "Surface Dice"),
    Metric("hd95_mm", "HD95 mm"),
    Metric("long_axis_error_mm", "Long axis off mm", unsigned=True),
    Metric("long_axis_error_pct", "Long axis off %", unsigned=True),
    Metric("short_axis_error_mm", "Short axis off mm", unsigned=True),
    Metric("volume_error_pct", "Volume off %", unsigned=True),
    Metric("false_positive_ml", "Too much ml"),
    Metric("false_negative_ml", "Missed ml"),
    Metric("consistency", "Consistency"),
    Metric("uls23", "ULS23"),
)


@dataclass(frozen=True)
class GroupSummary:
    """One segmenter over one group of lesions."""

    model: str
    by: str
    """What the group is one of: all, modality, size_class."""
    group: str
    lesions: int
    subjects: int
    failures: int
    """Lesions without a mask; they are among the lesions, with a Dice of 0."""
    median_seconds: float
    metrics: Mapping[str, Estimate]
    """Mean over the lesions for which the score exists; ``n`` says how many these are."""
    median_long_axis_error_mm: float | None
    """Without sign; None where no mask was found."""


@dataclass(frozen=True)
class Difference:
    """The judged segmenter minus another one, lesion by lesion."""

    model: str
    than: str
    by: str
    group: str
    metrics: Mapping[str, Estimate]
    """Mean difference over the lesions for which both have the score."""


@dataclass(frozen=True)
class Summary:
    """Every group, and what the judged segmenter gains over the others in it."""

    groups: tuple[GroupSummary, ...]
    differences: tuple[Difference, ...]


def summarise(comparison: Comparison, *, draws: int = 2000, seed: int = 0) -> Summary:
    """Means, intervals and paired differences, for all lesions, by modality and by size."""
    first, *others = comparison.models
    groups: list[GroupSummary] = []
    differences: list[Difference] = []
    for by, group, scores in _groups(comparison.scores):
        per_model: dict[str, list[LesionScore]] = defaultdict(list)
        for score in scores:
            per_model[score.model].append(score)
        groups += [_summary((by, group), name, per_model[name], (draws, seed)) for name in comparison.models]
        differences += [
            Difference(first, other, by, group, dict(_differences(per_model[first], per_model[other], (draws, seed))))
            for other in others
        ]
    return Summary(tuple(groups), tuple(differences))


def _groups(scores: Sequence[LesionScore]) -> Iterator[tuple[str, str, Sequence[LesionScore]]]:
    """All, each modality in order of appearance where there are several, each size that occurs."""
    if not scores:
        return
    yield ALL, ALL, scores
    modalities = tuple(dict.fromkeys(score.modality for score in scores))
    if len(modalities) > 1:
        for modality in modalities:
            yield "modality", modality, [score for score in scores if score.modality == modality]
    for size in SIZE_CLASSES:
        if of_size := [score for score in scores if score.size_class == size]:
            yield "size_class", size, of_size


def _summary(
    place: tuple[str, str], model: str, scores: Sequence[LesionScore], resampling: tuple[int, int]
) -> GroupSummary:
    lengths = [abs(score.long_axis_error_mm) for score in scores if score.long_axis_error_mm is not None]
    return GroupSummary(
        model,
        *place,
        lesions=len(scores),
        subjects=len({score.subject for score in scores}),
        failures=sum(bool(score.failure) for score in scores),
        median_seconds=float(np.median([score.seconds for score in scores])),
        metrics={metric.name: _mean(metric, scores, resampling) for metric in METRICS},
        median_long_axis_error_mm=float(np.median(lengths)) if lengths else None,
    )


def _mean(metric: Metric, scores: Sequence[LesionScore], resampling: tuple[int, int]) -> Estimate:
    there = [(value, score.subject) for score in scores if (value := _value(metric, score)) is not None]
    draws, seed = resampling
    return clustered_mean([value for value, _ in there], [subject for _, subject in there], draws=draws, seed=seed)


def _differences(
    of: Sequence[LesionScore], than: Sequence[LesionScore], resampling: tuple[int, int]
) -> Iterator[tuple[str, Estimate]]:
    draws, seed = resampling
    for metric in METRICS:
        gaps, subjects = [], []
        for one, other in zip(of, than, strict=True):
            first, second = _value(metric, one), _value(metric, other)
            if first is not None and second is not None:
                gaps.append(first - second)
                subjects.append(one.subject)
        yield metric.name, clustered_mean(gaps, subjects, draws=draws, seed=seed)


def _value(metric: Metric, score: LesionScore) -> float | None:
    value = getattr(score, metric.name)
    if value is None:
        return None
    return abs(float(value)) if metric.unsigned else float(value)
