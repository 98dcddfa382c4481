"""Where the ticks of an axis stand, and how numbers read on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from trialimg.services.figures.figure import Tick

__all__ = [
    "DAYS_PER_MONTH",
    "DAYS_PER_WEEK",
    "MINUS",
    "MONTHS",
    "WEEKS",
    "calendar_step",
    "log_ticks",
    "nice_step",
    "number",
    "short_name",
    "signed",
    "steps",
    "ticks",
]

DAYS_PER_MONTH = 30.4375
DAYS_PER_WEEK = 7
MINUS = "\N{MINUS SIGN}"
WEEKS = (1, 2, 4, 8, 12, 16, 24, 48, 96, 192)
MONTHS = (1, 2, 3, 6, 12, 24, 48)
_NICE = (1, 2, 5)
_LOG_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


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


def number(value: float) -> str:
    """As short as it can be said, with a true minus sign."""
    return f"{value:g}".replace("-", MINUS)


def ticks(values: Sequence[float], text: Callable[[float], str] = number) -> tuple[Tick, ...]:
    """Ticks at values, each with its number."""
    return tuple(Tick(value, text(value)) for value in values)


def log_ticks(low: float, high: float) -> tuple[Tick, ...]:
    """Ticks of a logarithmic axis at 1, 2, 5 of each power of ten."""
    return tuple(Tick(value, f"{value:g}") for value in _LOG_TICKS if low <= value <= high)


def short_name(name: str, most: int) -> str:
    """A code where there is little room: its end, after an ellipsis."""
    return name if len(name) <= most else f"…{name[1 - most :]}"
