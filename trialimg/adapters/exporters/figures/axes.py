"""Where a value lies on the paper, and the axes that say so."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trialimg.adapters.exporters.figures.drawing import Drawing, Point
from trialimg.adapters.exporters.figures.look import AXIS, GRID, INK, MUTED
from trialimg.adapters.exporters.wording import MINUS

__all__ = [
    "DAYS_PER_MONTH",
    "DAYS_PER_WEEK",
    "MONTHS",
    "WEEKS",
    "Frame",
    "calendar_step",
    "draw_x_axis",
    "draw_y_axis",
    "nice_step",
    "signed",
    "steps",
]

DAYS_PER_MONTH = 30.4375
DAYS_PER_WEEK = 7

_NICE = (1, 2, 5)
WEEKS = (1, 2, 4, 8, 12, 16, 24, 48, 96, 192)
MONTHS = (1, 2, 3, 6, 12, 24, 48)


@dataclass(frozen=True)
class Frame:
    """The rectangle that values are drawn in, and what its edges stand for."""

    corner: Point
    size: Point
    x_range: Point
    y_range: Point

    @property
    def right(self) -> float:
        return self.corner[0] + self.size[0]

    @property
    def bottom(self) -> float:
        return self.corner[1] + self.size[1]

    def x(self, value: float) -> float:
        low, high = self.x_range
        return self.corner[0] + (value - low) / (high - low) * self.size[0]

    def y(self, value: float) -> float:
        low, high = self.y_range
        return self.bottom - (value - low) / (high - low) * self.size[1]

    def at(self, x: float, y: float) -> Point:
        return self.x(x), self.y(y)


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5 x 10^n that cuts a span into at most ``most`` parts."""
    power = 10.0 ** math.floor(math.log10(max(span, 1e-9) / most))
    return next(step * power for step in (*_NICE, 10.0) if span / (step * power) <= most)


def calendar_step(span: float, most: int, choices: Sequence[int]) -> int:
    """The smallest of the steps given that cuts a span into at most ``most`` parts; else the largest."""
    return next((step for step in choices if span / step <= most), choices[-1])


def steps(low: float, high: float, step: float) -> list[float]:
    """The multiples of a step from low to high, both included."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * place for place in range(first, last + 1)]


def signed(value: float) -> str:
    """A whole number with a true minus sign and an explicit plus."""
    rounded = round(value)
    return f"+{rounded}" if rounded > 0 else f"{MINUS}{-rounded}" if rounded < 0 else "0"


def draw_y_axis(
    drawing: Drawing, frame: Frame, ticks: Sequence[float], *, words: str, text: Callable[[float], str]
) -> None:
    """Grid lines, numbers and the name of the axis at the left."""
    left = frame.corner[0]
    for tick in ticks:
        y = frame.y(tick)
        drawing.line((left, y), (frame.right, y), stroke=GRID, stroke_width=1)
        drawing.text((left - 6, y + 3.5), text(tick), text_anchor="end", font_size=10.5, fill=MUTED)
    middle = frame.corner[1] + frame.size[1] / 2
    drawing.text((left - 40, middle), words, text_anchor="middle", font_size=11, fill=INK, turn=-90)


def draw_x_axis(drawing: Drawing, frame: Frame, ticks: Sequence[float], *, words: str) -> None:
    """The line at the bottom with numbers, and the name of the axis."""
    bottom = frame.bottom
    drawing.line((frame.corner[0], bottom), (frame.right, bottom), stroke=AXIS, stroke_width=1)
    for tick in ticks:
        x = frame.x(tick)
        drawing.line((x, bottom), (x, bottom + 4), stroke=AXIS, stroke_width=1)
        label = f"{tick:g}".replace("-", MINUS)
        drawing.text((x, bottom + 15), label, text_anchor="middle", font_size=10.5, fill=MUTED)
    middle = frame.corner[0] + frame.size[0] / 2
    drawing.text((middle, bottom + 31), words, text_anchor="middle", font_size=11, fill=INK)
