"""The Dice of every lesion, beside those of the segmenters it is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from trialimg.adapters.exporters.figures.axes import Frame, draw_x_axis, draw_y_axis
from trialimg.adapters.exporters.figures.drawing import Drawing
from trialimg.adapters.exporters.figures.figure import Figure
from trialimg.adapters.exporters.figures.look import INK, MUTED, ArmLook, arm_look
from trialimg.services.evaluate_segmentation import Comparison, LesionScore

__all__ = ["dice_by_lesion"]

WIDTH = 760
PANEL = 230
TOP = 46
GAP = 34
_TITLE = "Dice of every lesion"


def dice_by_lesion(comparison: Comparison) -> Figure:
    """One panel a modality; lesions from left to right by the Dice of the segmenter that is judged."""
    modalities = tuple(dict.fromkeys(score.modality for score in comparison.scores)) or ("",)
    drawing = Drawing(WIDTH, TOP + len(modalities) * (PANEL + GAP) + 16)
    models = tuple(comparison.models)
    _draw_key(drawing, models)
    for place, modality in enumerate(modalities):
        scores = [score for score in comparison.scores if score.modality == modality]
        _draw_panel(drawing, TOP + place * (PANEL + GAP), modality, scores, models)
    judged = [score.dice for score in comparison.scores if models and score.model == models[0]]
    words = f"{_TITLE}: {len(judged)} lesions, {', '.join(models)}"
    caption = f"Each column is one lesion, ordered by the Dice of {models[0]}. A lesion without a mask stands at 0."
    return Figure(_TITLE, drawing.svg(words), caption if judged else "No lesion was judged.")


def _draw_key(drawing: Drawing, models: Sequence[str]) -> None:
    x = 52.0
    for place, model in enumerate(models):
        look = arm_look(place)
        _draw_mark(drawing, (x + 4, 16.5), look, judged=place == 0)
        drawing.text((x + 14, 20.5), model, font_size=11, fill=INK)
        x += 34 + 6.2 * len(model)


def _draw_panel(
    drawing: Drawing, top: float, modality: str, scores: Sequence[LesionScore], models: Sequence[str]
) -> None:
    judged = sorted((score for score in scores if score.model == models[0]), key=lambda score: -score.dice)
    frame = Frame((52, top), (WIDTH - 52 - 20, PANEL - 40), (0, max(1, len(judged))), (0.0, 1.0))
    draw_y_axis(drawing, frame, [0, 0.2, 0.4, 0.6, 0.8, 1.0], words="Dice", text=lambda value: f"{value:.1f}")
    draw_x_axis(drawing, frame, [], words=f"{modality or 'lesions'} (n = {len(judged)})")
    by_lesion = {(score.case, score.lesion, score.model): score for score in scores}
    for column, lesion in enumerate(judged):
        x = frame.x(column + 0.5)
        found = [by_lesion[lesion.case, lesion.lesion, model] for model in models]
        ends = [score.dice for score in found]
        drawing.line((x, frame.y(min(ends))), (x, frame.y(max(ends))), stroke=MUTED, stroke_width=0.6)
        for place in reversed(range(len(models))):  # the judged one on top
            score = found[place]
            words = f"{score.case}, lesion {score.lesion}, {score.model}: {score.dice:.3f}"
            _draw_mark(drawing, (x, frame.y(score.dice)), arm_look(place), judged=place == 0, tooltip=words)


def _draw_mark(drawing: Drawing, at: tuple[float, float], look: ArmLook, *, judged: bool, tooltip: str = "") -> None:
    """Filled for the segmenter that is judged, hollow for the others."""
    fill = look.colour if judged else "#ffffff"
    drawing.marker(look.marker, at, 3.6, tooltip=tooltip, fill=fill, stroke=look.colour, stroke_width=1.3)
