"""Volcano: the effect of every feature against how sure it is, with the line of the false discovery rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trialimg.services.figures.courses import NO_IMPRINT, Imprint
from trialimg.services.figures.figure import Axis, Dash, Figure, LegendItem, Mark, Panel, Point, Rule, Shape, Side, Text
from trialimg.services.figures.scales import MINUS, nice_step, steps, ticks
from trialimg.services.figures.tones import Tone
from trialimg.stats.multiplicity import adjust_p

__all__ = ["Association", "associations", "volcano"]

NAME = "volcano"
TITLE = "Association of features"
MOST_LABELS = 14
LETTER_PX = 5.4
LINE_PX = 12.0
PLOT_PX = (600.0, 300.0)
SMALLEST_Q = 1e-300
LEAST_HEIGHT = 1.6
_AWAY = 6.0


@dataclass(frozen=True)
class Association:
    """One feature's effect, its p-value, and the p-value adjusted for all features."""

    feature: str
    effect: float
    p: float
    q: float


@dataclass(frozen=True)
class _Labelled:
    x_px: float
    y_px: float
    width_px: float


def associations(
    features: Sequence[str], effects: Sequence[float], p_values: Sequence[float]
) -> tuple[Association, ...]:
    """Features with q-values by Benjamini and Hochberg.

    Raises
    ------
    ReadingError
        Names every p-value that is not one.
    """
    adjusted = adjust_p(p_values, method="bh")
    return tuple(map(Association, features, effects, p_values, adjusted))


def volcano(
    found: Sequence[Association],
    *,
    effect_name: str = "Effect",
    rate: float = 0.05,
    title: str = TITLE,
    imprint: Imprint = NO_IMPRINT,
) -> Figure:
    """One point per feature; those below the false discovery rate stand out, and the surest are named.

    Parameters
    ----------
    rate
        False discovery rate at which the line is drawn.
    """
    if not found:
        why = "There are no features: there is nothing to draw."
        return Figure(NAME, title, (), why, 0, footnotes=imprint.footnotes, message=why)
    ordered = sorted(found, key=lambda one: (one.q, -abs(one.effect), one.feature))
    reach = max(abs(one.effect) for one in found) * 1.25 or 1.0
    high = max(LEAST_HEIGHT, max(map(_height, found)) * 1.12)
    marks = steps(-reach, reach, nice_step(2 * reach, 8))
    panel = Panel(
        Axis(effect_name, -reach, reach, ticks(marks)),
        Axis(f"{MINUS}log10 q", 0.0, high, ticks(steps(0, high, nice_step(high, 6))), has_grid=True),
        (*_points(ordered, rate), *_labels([one for one in ordered if one.q <= rate], (reach, high))),
        (Rule(-math.log10(rate), text=f"q = {rate:g}"), Rule(0.0, is_level=False, dash=Dash.SOLID, tone=Tone.AXIS)),
    )
    passed = sum(one.q <= rate for one in found)
    return Figure(
        NAME,
        title,
        (panel,),
        _words(ordered, passed, rate),
        len(found),
        (
            LegendItem("higher, q below the line", Tone.SECOND, Shape.TRIANGLE),
            LegendItem("lower, q below the line", Tone.FIRST, Shape.SQUARE),
            LegendItem("not below", Tone.AXIS, Shape.CIRCLE),
        ),
        (_footnote(len(found), passed, rate), *imprint.footnotes),
        {"features": [{"feature": o.feature, "effect": o.effect, "p": o.p, "q": o.q} for o in ordered], "rate": rate},
        height_px=PLOT_PX[1],
    )


def _words(ordered: Sequence[Association], passed: int, rate: float) -> str:
    text = f"Volcano plot of {len(ordered)} features: {passed} with q of {rate:g} or less"
    first = ordered[0]
    return f"{text}, first {first.feature} (effect {first.effect:.3g}, q = {first.q:.2g})." if passed else f"{text}."


def _footnote(n: int, passed: int, rate: float) -> str:
    return (
        f"One mark per feature (n = {n}); {passed} at or below a false discovery rate of {rate:g} "
        "(Benjamini-Hochberg over all features shown). Named: the surest of them, where there is room."
    )


def _height(one: Association) -> float:
    return -math.log10(max(one.q, SMALLEST_Q)) + 0.0


def _points(ordered: Sequence[Association], rate: float) -> Iterator[Point]:
    for one in reversed(ordered):
        about = f"{one.feature}: effect {one.effect:.3g}, p = {one.p:.2g}, q = {one.q:.2g}"
        tone, shape, size = Tone.AXIS, Shape.CIRCLE, 2.4
        if one.q <= rate:
            tone, shape = (Tone.SECOND, Shape.TRIANGLE) if one.effect > 0 else (Tone.FIRST, Shape.SQUARE)
            size = 3.8
        yield Point(one.effect, _height(one), shape, tone, size, about=about, key=one.feature)


def _labels(passed: Sequence[Association], ends: tuple[float, float]) -> Iterator[Mark]:
    """Names from the surest on, each at the first side on which it meets no other name or named mark."""
    reach, high = ends
    scale = PLOT_PX[0] / (2 * reach), PLOT_PX[1] / high
    named = passed[:MOST_LABELS]
    taken = [_Labelled((one.effect + reach) * scale[0], _height(one) * scale[1], 8.0) for one in passed]
    for one in named:
        x, y = (one.effect + reach) * scale[0], _height(one) * scale[1]
        width = LETTER_PX * len(one.feature)
        outward = (Side.RIGHT, Side.LEFT) if one.effect > 0 else (Side.LEFT, Side.RIGHT)
        for side in (*outward, Side.ABOVE, Side.BELOW):
            place = _beside(x, y, width, side)
            if _is_free(place, taken, own=(x, y)):
                taken.append(place)
                yield Text(one.effect, _height(one), one.feature, side, size=9.5)
                break


def _beside(x: float, y: float, width: float, side: Side) -> _Labelled:
    dx = {Side.RIGHT: _AWAY + width / 2, Side.LEFT: -_AWAY - width / 2}.get(side, 0.0)
    dy = {Side.ABOVE: LINE_PX, Side.BELOW: -LINE_PX}.get(side, 0.0)
    return _Labelled(x + dx, y + dy, width)


def _is_free(place: _Labelled, taken: Sequence[_Labelled], own: tuple[float, float]) -> bool:
    if place.x_px - place.width_px / 2 < 0 or place.x_px + place.width_px / 2 > PLOT_PX[0]:
        return False
    others = [one for one in taken if (one.x_px, one.y_px) != own]
    return not any(
        abs(place.x_px - one.x_px) < (place.width_px + one.width_px) / 2 and abs(place.y_px - one.y_px) < LINE_PX
        for one in others
    )
