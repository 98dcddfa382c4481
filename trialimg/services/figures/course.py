"""A quantity over time: a line for each series, dashed levels where something begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trialimg.services.figures.figure import Axis, Figure, Line, Mark, Panel, Point, Rule, Shape, Tick
from trialimg.services.figures.scales import nice_step, steps, ticks
from trialimg.services.figures.tones import Tone, series_tone

__all__ = ["Course", "course"]

NAME = "course"
MOST_COLOURED = 6
_SHAPES = (Shape.CIRCLE, Shape.SQUARE, Shape.TRIANGLE, Shape.DIAMOND, Shape.RING, Shape.STAR)


@dataclass(frozen=True)
class Course:
    """One series."""

    name: str
    points: tuple[tuple[float, float], ...]
    """Place on the time axis, value."""
    abouts: tuple[str, ...] = ()
    """What is said of each point when it is pointed at."""


def course(
    series: Sequence[Course],
    *,
    titles: tuple[str, str],
    levels: Mapping[str, float] | None = None,
    names: Sequence[str] = (),
    title: str = "",
    empty: str = "There is nothing to draw.",
) -> Figure:
    """Every series as a line with its points; up to six in colours and shapes of their own.

    Parameters
    ----------
    titles
        Of the time axis and of the values.
    levels
        Name to value of what is dashed across.
    names
        Of the whole numbers 0, 1, ... of the time axis, such as months; else it has numbers.
    empty
        What is said where no series has a point.
    """
    known = [one for one in series if one.points]
    if not known:
        return Figure(NAME, title, (), empty, 0, message=empty)
    marked = levels or {}
    x, y = ([point[axis] for one in known for point in one.points] for axis in (0, 1))
    low, high = _padded([*y, *marked.values()])
    left, right = (-0.5, len(names) - 0.5) if names else _padded(x)
    at = tuple(Tick(float(n), name) for n, name in enumerate(names)) or ticks(_steps(left, right))
    panel = Panel(
        Axis(titles[0], left, right, at),
        Axis(titles[1], low, high, ticks(_steps(low, high)), has_grid=True),
        tuple(mark for place, one in enumerate(known) for mark in _marks(one, place, len(known))),
        tuple(Rule(value, text=name) for name, value in marked.items()),
    )
    words = f"{titles[1]} over {titles[0]}: {len(known)} series, {len(y)} points, {min(y):.3g} to {max(y):.3g}."
    return Figure(NAME, title, (panel,), words, len(known))


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return low - pad, high + pad


def _steps(low: float, high: float) -> list[float]:
    return steps(low, high, nice_step(high - low, 6))


def _marks(one: Course, place: int, count: int) -> Iterator[Mark]:
    tone = series_tone(place) if count <= MOST_COLOURED else Tone.ACCENT
    shape = _SHAPES[place % len(_SHAPES)] if count <= MOST_COLOURED else Shape.CIRCLE
    yield Line(one.points, tone, width=1.6 if count <= MOST_COLOURED else 0.9, about=one.name, key=one.name)
    for number, (x, y) in enumerate(one.points):
        about = one.abouts[number] if number < len(one.abouts) else f"{one.name}: {y:.3g}"
        yield Point(x, y, shape, tone, 3.2, about=about, key=one.name)
