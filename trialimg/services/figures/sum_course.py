"""One subject's sum over time, against the lines it is judged by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trialimg.services.figures.courses import Thresholds
from trialimg.services.figures.figure import Axis, Figure, Line, Mark, Panel, Point, Rule, Shape, Side, Text
from trialimg.services.figures.scales import DAYS_PER_WEEK, WEEKS, calendar_step, nice_step, steps, ticks
from trialimg.services.figures.tones import Tone, response_word

__all__ = ["DatedSum", "sum_course"]

NAME = "sum_course"
WIDTH_PX, HEIGHT_PX = 340.0, 148.0
LEAST_HIGH_MM = 5.0


@dataclass(frozen=True)
class DatedSum:
    """A sum on a day since the reference date; the response is blank at baseline."""

    day: int
    sum_mm: float
    response: str


def sum_course(subject: str, sums: Sequence[DatedSum], thresholds: Thresholds) -> Figure:
    """Sums in mm by week with letters; without panels where there are fewer than two."""
    title = f"Sum of target diameters of {subject}"
    if len(sums) < 2:
        why = "Fewer than two sums: there is no course to draw."
        return Figure(NAME, title, (), why, len(sums), message=why)
    places = [(one.day / DAYS_PER_WEEK, one.sum_mm) for one in sums]
    first, last = places[0][0], places[-1][0]
    pad = 0.06 * max(last - first, 1)
    high = max(1.2 * max(height for _, height in places), LEAST_HIGH_MM)
    weeks = ticks(steps(first - pad, last + pad, calendar_step(last - first, 6, WEEKS)))
    panel = Panel(
        Axis("Week", first - pad, last + pad, weeks),
        Axis("Sum (mm)", 0.0, high, ticks(steps(0, high, nice_step(high, 5))), has_grid=True),
        (Line(tuple(places), Tone.FIRST), *(mark for one in sums for mark in _marks(one))),
        tuple(_rules(sums, thresholds, high)),
    )
    listed = ", ".join(f"{one.sum_mm:g}" for one in sums)
    return Figure(
        NAME,
        title,
        (panel,),
        f"{title} over time: {listed} mm.",
        len(sums),
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
    )


def _marks(one: DatedSum) -> Iterator[Mark]:
    week = one.day / DAYS_PER_WEEK
    word = response_word(one.response)
    tone, letters = (word.tone, word.letters) if one.response else (Tone.NOT_EVALUABLE, "BL")
    yield Point(week, one.sum_mm, Shape.CIRCLE, tone, 4.0, about=f"{one.sum_mm:g} mm {one.response}".strip())
    yield Text(week, one.sum_mm, letters, Side.ABOVE, size=9.5, is_bold=True)


def _rules(sums: Sequence[DatedSum], thresholds: Thresholds, high: float) -> Iterator[Rule]:
    """Where a response begins against baseline, and a progression against the smallest sum."""
    base, nadir = sums[0].sum_mm, min(one.sum_mm for one in sums)
    lines: list[tuple[float, str]] = []
    if thresholds.partial_response_pct is not None:
        lines.append((base * (1 + thresholds.partial_response_pct / 100), "PR"))
    if thresholds.progression_pct is not None:
        grown = max(nadir * (1 + thresholds.progression_pct / 100), nadir + thresholds.progression_mm)
        lines.append((grown, "PD"))
    for height, name in lines:
        if height <= high:
            yield Rule(height, text=f"{name} {height:.1f}")
