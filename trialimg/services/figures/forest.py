"""Forest plot: an effect in everyone and in each subgroup, with its interval and counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trialimg.services.figures.courses import NO_IMPRINT, Imprint
from trialimg.services.figures.figure import (
    Align,
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
    Rule,
    Shape,
    Side,
)
from trialimg.services.figures.scales import log_ticks, nice_step, number, steps, ticks
from trialimg.services.figures.tones import Tone

__all__ = ["Effect", "ForestRow", "forest"]

NAME = "forest"
ROW_PX = 21.0
WIDTH_PX = 760.0
_WIDEST_RATIO, _NARROWEST_RATIO = 20.0, 2.0


@dataclass(frozen=True)
class Effect:
    """What is compared, and in which direction it favours whom."""

    name: str
    """Heading of the estimates, such as ``Hazard ratio``."""
    is_ratio: bool
    method: str
    confidence: float = 0.95
    less_favours: str = ""
    more_favours: str = ""

    @property
    def null(self) -> float:
        """The value without a difference."""
        return 1.0 if self.is_ratio else 0.0


@dataclass(frozen=True)
class ForestRow:
    """One line; a heading has neither counts nor an estimate."""

    label: str
    counts: tuple[str, ...] = ()
    """In the order of the count headings."""
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    why_not: str = ""
    """Why there is no estimate."""
    p_interaction: float | None = None
    events: int = 0
    """The size of the mark grows with it."""
    is_overall: bool = False
    is_heading: bool = False


def forest(
    rows: Sequence[ForestRow],
    effect: Effect,
    *,
    title: str,
    count_headings: tuple[str, ...] = ("n", "Events"),
    imprint: Imprint = NO_IMPRINT,
) -> Figure:
    """A mark with its interval per row, the overall one as a diamond, beside the counts and the estimate in words."""
    if not any(row.value is not None for row in rows):
        why = "No effect could be estimated: there is nothing to draw."
        return Figure(NAME, title, (), why, 0, footnotes=imprint.footnotes, message=why)
    placed = [(-float(place) - 0.5, row) for place, row in enumerate(rows)]
    x = _axis(rows, effect)
    panel = Panel(
        x,
        Axis("", -float(len(rows)), 0.0, (), is_shown=False),
        tuple(mark for y, row in placed for mark in _marks(y, row, x, max(row.events for row in rows))),
        tuple(_rules(rows, effect)),
        columns=tuple(_columns(placed, effect, count_headings)),
        notes=(),
    )
    overall = next((row for row in rows if row.is_overall), None)
    return Figure(
        NAME,
        title,
        (panel,),
        _words(rows, overall, effect),
        overall.events if overall else len(rows),
        footnotes=(_footnote(rows, effect), *imprint.footnotes),
        numbers={
            "rows": [
                {"label": r.label, "estimate": r.value, "lower": r.lower, "upper": r.upper, "events": r.events}
                | ({} if r.p_interaction is None else {"p_interaction": r.p_interaction})
                for r in rows
                if not r.is_heading
            ]
        },
        width_px=WIDTH_PX,
        height_px=max(3, len(rows)) * ROW_PX,
    )


def _axis(rows: Sequence[ForestRow], effect: Effect) -> Axis:
    ends = [end for row in rows for end in (row.value, row.lower, row.upper) if end is not None and math.isfinite(end)]
    direction = _direction(effect)
    name = f"{effect.name}{' (log scale)' if effect.is_ratio else ''}{direction}"
    if effect.is_ratio:
        positive = [end for end in ends if end > 0]
        low = max(1 / _WIDEST_RATIO, min(1 / _NARROWEST_RATIO, *positive)) / 1.08
        high = min(_WIDEST_RATIO, max(_NARROWEST_RATIO, *positive)) * 1.08
        return Axis(name, low, high, log_ticks(low, high), is_log=True)
    reach = max(map(abs, ends)) * 1.08 or 1.0
    return Axis(name, -reach, reach, ticks(steps(-reach, reach, nice_step(2 * reach, 6)), number))


def _direction(effect: Effect) -> str:
    if not (effect.less_favours and effect.more_favours):
        return ""
    gap = "\N{NO-BREAK SPACE}" * 8
    return f"\n\N{LEFTWARDS ARROW} favours {effect.less_favours}{gap}favours {effect.more_favours} \N{RIGHTWARDS ARROW}"


def _marks(y: float, row: ForestRow, x: Axis, most_events: int) -> Iterator[Mark]:
    if row.value is None or row.lower is None or row.upper is None:
        return
    about = f"{row.label}: {_estimate(row)}"
    low, high = max(row.lower, x.low), min(row.upper, x.high)
    if row.is_overall:
        points = ((low, y, y), (min(max(row.value, x.low), x.high), y - 0.3, y + 0.3), (high, y, y))
        yield Band(points, Tone.FIRST, opacity=1.0, about=about)
        return
    yield Line(((low, y), (high, y)), Tone.INK, width=1.5, about=about)
    if row.lower < x.low:
        yield Point(x.low, y, Shape.ARROW_LEFT, Tone.INK, 4.0)
    if row.upper > x.high:
        yield Point(x.high, y, Shape.ARROW, Tone.INK, 4.0)
    if x.low <= row.value <= x.high:
        size = 3.0 + 3.5 * math.sqrt(row.events / most_events) if most_events else 4.5
        yield Point(row.value, y, Shape.SQUARE, Tone.FIRST, size, about=about)


def _rules(rows: Sequence[ForestRow], effect: Effect) -> Iterator[Rule]:
    yield Rule(effect.null, is_level=False, dash=Dash.SOLID, tone=Tone.AXIS)
    for row in rows:
        if row.is_overall and row.value is not None:
            yield Rule(row.value, is_level=False, dash=Dash.DOTTED)


def _columns(
    placed: Sequence[tuple[float, ForestRow]], effect: Effect, count_headings: Sequence[str]
) -> Iterator[Column]:
    indent = "\N{NO-BREAK SPACE}" * 4
    names = tuple(
        Cell(y, row.label if row.is_overall or row.is_heading else indent + row.label, row.is_overall or row.is_heading)
        for y, row in placed
    )
    yield Column("Subgroup", names, Side.LEFT)
    for place, heading in enumerate(count_headings):
        cells = tuple(Cell(y, row.counts[place], row.is_overall) for y, row in placed if place < len(row.counts))
        yield Column(heading, cells, Side.LEFT, Align.RIGHT)
    said = tuple(Cell(y, _estimate(row), row.is_overall) for y, row in placed if not row.is_heading)
    yield Column(f"{effect.name} ({100 * effect.confidence:g} % CI)", said)
    tested = tuple(Cell(y, f"{row.p_interaction:.3f}") for y, row in placed if row.p_interaction is not None)
    if tested:
        yield Column("p interaction", tested, align=Align.RIGHT)


def _estimate(row: ForestRow) -> str:
    if row.value is None:
        return row.why_not or "not estimable"
    lower, upper = ("not estimable" if limit is None else _decimal(limit) for limit in (row.lower, row.upper))
    return f"{_decimal(row.value)} ({lower} to {upper})"


def _decimal(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _words(rows: Sequence[ForestRow], overall: ForestRow | None, effect: Effect) -> str:
    known = [row for row in rows if row.value is not None and not row.is_overall]
    total = f"; overall {_estimate(overall)}" if overall else ""
    parts = "; ".join(f"{row.label} {_estimate(row)}" for row in known)
    return f"Forest plot of {effect.name.lower()}s by subgroup{total}. {parts}."


def _footnote(rows: Sequence[ForestRow], effect: Effect) -> str:
    text = (
        f"{effect.name} with {100 * effect.confidence:g} % limits: {effect.method}. Squares grow with the number of "
        "events; diamond and dotted line: everyone."
    )
    if any(row.value is None and not row.is_heading for row in rows):
        text += " Subgroups without an estimate are listed with the reason."
    return text
