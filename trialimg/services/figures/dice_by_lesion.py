"""The Dice of every lesion, beside those of the segmenters it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trialimg.services.evaluate_segmentation import Comparison, LesionScore
from trialimg.services.figures.figure import Axis, Figure, LegendItem, Line, Mark, Panel, Point, Shape
from trialimg.services.figures.scales import ticks
from trialimg.services.figures.tones import Tone, series_tone

__all__ = ["dice_by_lesion"]

NAME = "dice_by_lesion"
TITLE = "Dice of every lesion"
WIDTH_PX, HEIGHT_PX = 760.0, 190.0
MARK_PX = 3.6
_SHAPES = (Shape.CIRCLE, Shape.RING, Shape.OPEN_DIAMOND, Shape.TRIANGLE, Shape.SQUARE)
_DICE = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def dice_by_lesion(comparison: Comparison) -> Figure:
    """One panel a modality; lesions from left to right by the Dice of the segmenter that is judged."""
    models, scores = tuple(comparison.models), comparison.scores
    judged = [score.dice for score in scores if models and score.model == models[0]]
    if not judged:
        why = "No lesion was judged."
        return Figure(NAME, TITLE, (), why, 0, message=why)
    modalities = dict.fromkeys(score.modality for score in scores)
    panels = tuple(_panel(name, [s for s in scores if s.modality == name], models) for name in modalities)
    return Figure(
        NAME,
        TITLE,
        panels,
        f"{TITLE}: {len(judged)} lesions, {', '.join(models)}",
        len(judged),
        tuple(LegendItem(model, series_tone(place), _shape(place)) for place, model in enumerate(models)),
        (f"Each column is one lesion, ordered by the Dice of {models[0]}. A lesion without a mask stands at 0.",),
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
    )


def _shape(place: int) -> Shape:
    """Filled for the segmenter that is judged."""
    return _SHAPES[place % len(_SHAPES)]


def _panel(modality: str, scores: Sequence[LesionScore], models: Sequence[str]) -> Panel:
    judged = sorted((score for score in scores if score.model == models[0]), key=lambda score: -score.dice)
    by_lesion = {(score.case, score.lesion, score.model): score for score in scores}
    return Panel(
        Axis(f"{modality or 'lesions'} (n = {len(judged)})", 0.0, float(max(1, len(judged))), ()),
        Axis("Dice", 0.0, 1.0, ticks(_DICE, lambda value: f"{value:.1f}"), has_grid=True),
        tuple(mark for place, lesion in enumerate(judged) for mark in _column(place + 0.5, lesion, models, by_lesion)),
    )


def _column(
    x: float, lesion: LesionScore, models: Sequence[str], by_lesion: Mapping[tuple[str, int, str], LesionScore]
) -> Iterator[Mark]:
    found = [by_lesion[lesion.case, lesion.lesion, model] for model in models]
    ends = [score.dice for score in found]
    yield Line(((x, min(ends)), (x, max(ends))), Tone.MUTED, width=0.6)
    for place in reversed(range(len(models))):  # the judged one on top
        score = found[place]
        about = f"{score.case}, lesion {score.lesion}, {score.model}: {score.dice:.3f}"
        yield Point(x, score.dice, _shape(place), series_tone(place), MARK_PX, about=about)
