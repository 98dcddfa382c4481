"""Bland-Altman: how far two measurements of the same things differ, against their mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trialimg.core.errors import ReadingError
from trialimg.services.figures.courses import NO_IMPRINT, Imprint
from trialimg.services.figures.figure import (
    Axis,
    Band,
    Cell,
    Column,
    Dash,
    Figure,
    Line,
    Mark,
    Panel,
    Point,
    Shape,
    Tick,
)
from trialimg.services.figures.scales import MINUS, log_ticks, nice_step, steps, ticks
from trialimg.services.figures.tones import Tone
from trialimg.stats.reliability import BlandAltman, bland_altman
from trialimg.stats.results import Estimate

__all__ = ["Pairs", "agreement_limits", "bland_altman_figure"]

NAME = "bland_altman"
TITLE = "Agreement of two measurements"
FEWEST_TICKS = 2


@dataclass(frozen=True)
class Pairs:
    """Two measurements of the same things, in the same order."""

    first: tuple[float, ...]
    second: tuple[float, ...]
    first_name: str
    second_name: str
    unit: str = ""
    are_ratios: bool = False
    """Compare by ratio (on the logarithm) rather than by difference."""


def agreement_limits(pairs: Pairs, *, confidence: float = 0.95) -> BlandAltman:
    """Bias and limits of agreement; of ratios on the scale of the natural logarithm.

    Raises
    ------
    ReadingError
        For fewer than three pairs, or values of which no logarithm exists.
    """
    if not pairs.are_ratios:
        return bland_altman(pairs.first, pairs.second, confidence=confidence)
    low = [value for value in (*pairs.first, *pairs.second) if value <= 0]
    if low:
        raise ReadingError(f"a ratio needs measurements above 0; found {', '.join(map(str, low[:5]))}")
    logs = [tuple(map(math.log, values)) for values in (pairs.first, pairs.second)]
    return bland_altman(*logs, confidence=confidence)


def bland_altman_figure(
    pairs: Pairs, limits: BlandAltman, *, title: str = TITLE, imprint: Imprint = NO_IMPRINT
) -> Figure:
    """One point per pair; bias and limits of agreement as lines, each with its own interval as a band."""
    same = math.exp if pairs.are_ratios else float
    x, y = _axes(pairs, limits, same)
    lines = (("bias", limits.bias), ("upper limit", limits.upper_limit), ("lower limit", limits.lower_limit))
    marks: list[Mark] = [mark for name, estimate in lines for mark in _level(name, estimate, (x.low, x.high), same)]
    marks += [
        Point(
            middle, apart, Shape.CIRCLE, Tone.FIRST, 3.2, about=f"{pairs.first_name} {a:g}, {pairs.second_name} {b:g}"
        )
        for (middle, apart), a, b in zip(_points(pairs), pairs.first, pairs.second, strict=True)
    ]
    cells = tuple(Cell(same(_value(e)), f"{name} {_said(e, same)}") for name, e in sorted(lines, key=_height))
    panel = Panel(x, y, tuple(marks), columns=(Column("", cells, are_apart=True),))
    n = len(pairs.first)
    return Figure(
        NAME,
        title,
        (panel,),
        _words(pairs, limits, same),
        n,
        footnotes=(_footnote(pairs, limits, same), *imprint.footnotes),
        numbers={
            "n": n,
            **{
                key: {"estimate": same(_value(e)), "lower": _of(e.lower, same), "upper": _of(e.upper, same)}
                for key, e in (
                    ("bias", limits.bias),
                    ("lower_limit", limits.lower_limit),
                    ("upper_limit", limits.upper_limit),
                )
            },
            "sd": limits.sd,
            "multiplier": limits.multiplier,
            "scale": "ratio" if pairs.are_ratios else "difference",
        },
        height_px=300.0,
    )


def _axes(pairs: Pairs, limits: BlandAltman, same: Callable[[float], float]) -> tuple[Axis, Axis]:
    points = _points(pairs)
    middles = [middle for middle, _ in points]
    unit = f" ({pairs.unit})" if pairs.unit else ""
    spread = (max(middles) - min(middles)) or abs(middles[0]) or 1.0
    first, last = min(middles) - 0.05 * spread, max(middles) + 0.05 * spread
    kind = "Geometric mean" if pairs.are_ratios else "Mean"
    x = Axis(
        f"{kind} of {pairs.first_name} and {pairs.second_name}{unit}",
        first,
        last,
        ticks(steps(first, last, nice_step(last - first, 8))),
    )
    ends = [
        same(end) for e in (limits.lower_limit, limits.upper_limit) for end in (e.lower, e.upper) if end is not None
    ]
    ends += [apart for _, apart in points]
    if pairs.are_ratios:
        reach = max(max(ends), 1 / min(ends)) * 1.08
        name = f"{pairs.first_name} / {pairs.second_name} (log scale)"
        return x, Axis(name, 1 / reach, reach, _ratio_ticks(1 / reach, reach), has_grid=True, is_log=True)
    room = 0.08 * ((max(ends) - min(ends)) or 1.0)
    low, high = min(ends) - room, max(ends) + room
    marks = ticks(steps(low, high, nice_step(high - low, 8)))
    return x, Axis(f"{pairs.first_name} {MINUS} {pairs.second_name}{unit}", low, high, marks, has_grid=True)


def _ratio_ticks(low: float, high: float) -> tuple[Tick, ...]:
    """Powers of ten cut at 1, 2, 5; where the axis is shorter than that, steps around 1."""
    found = log_ticks(low, high)
    return found if len(found) > FEWEST_TICKS else ticks(steps(low, high, nice_step(high - low, 8)))


def _points(pairs: Pairs) -> list[tuple[float, float]]:
    if pairs.are_ratios:
        return [(math.sqrt(a * b), a / b) for a, b in zip(pairs.first, pairs.second, strict=True)]
    return [((a + b) / 2, a - b) for a, b in zip(pairs.first, pairs.second, strict=True)]


def _level(
    name: str, estimate: Estimate, ends: tuple[float, float], same: Callable[[float], float]
) -> Iterator[Band | Line]:
    """A line at an estimate, and its interval as an area."""
    height, (left, right) = same(_value(estimate)), ends
    tone = Tone.FIRST if name == "bias" else Tone.SECOND
    if estimate.lower is not None and estimate.upper is not None:
        low, high = same(estimate.lower), same(estimate.upper)
        yield Band(((left, low, high), (right, low, high)), tone)
    dash = Dash.SOLID if name == "bias" else Dash.DASHED
    yield Line(((left, height), (right, height)), tone, dash=dash, width=1.4, about=f"{name} {height:g}")


def _value(estimate: Estimate) -> float:
    """Bias and limits always have one."""
    return 0.0 if estimate.value is None else estimate.value


def _height(line: tuple[str, Estimate]) -> float:
    return -_value(line[1])


def _of(value: float | None, same: Callable[[float], float]) -> float | None:
    return None if value is None else same(value)


def _said(estimate: Estimate, same: Callable[[float], float]) -> str:
    return f"{same(_value(estimate)):.2f}".replace("-", MINUS)


def _interval(estimate: Estimate, same: Callable[[float], float]) -> str:
    lower, upper = (f"{same(limit):.2f}" for limit in (estimate.lower, estimate.upper) if limit is not None)
    return f"{same(_value(estimate)):.2f} ({lower} to {upper})".replace("-", MINUS)


def _words(pairs: Pairs, limits: BlandAltman, same: Callable[[float], float]) -> str:
    kind = "ratio" if pairs.are_ratios else "difference"
    return (
        f"Bland-Altman plot of {len(pairs.first)} pairs of {pairs.first_name} and {pairs.second_name}: mean {kind} "
        f"{_interval(limits.bias, same)}, limits of agreement {_interval(limits.lower_limit, same)} and "
        f"{_interval(limits.upper_limit, same)}."
    )


def _footnote(pairs: Pairs, limits: BlandAltman, same: Callable[[float], float]) -> str:
    scale = "natural logarithms, shown as ratios" if pairs.are_ratios else "differences"
    unit = f" {pairs.unit}" if pairs.unit and not pairs.are_ratios else ""
    return (
        f"n = {len(pairs.first)} pairs. Bias {_interval(limits.bias, same)}{unit}; limits of agreement "
        f"{_interval(limits.lower_limit, same)} and {_interval(limits.upper_limit, same)}{unit}, "
        f"{limits.multiplier:g} standard deviations of the {scale} from the bias. Shaded and in brackets: "
        f"{100 * limits.bias.confidence:g} % limits (t)."
    )
