"""Times in a table that are known only to lie between two visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from trialimg.core.errors import Fault, ReadingError
from trialimg.services.analyse_rates import chi_square_document
from trialimg.services.analyse_table import Selection
from trialimg.stats.interval_censoring import TurnbullCurve, parametric_survival, turnbull
from trialimg.stats.interval_limits import Draws, TurnbullLimits, turnbull_limits
from trialimg.stats.interval_log_rank import interval_log_rank

__all__ = ["Draws", "IntervalChoice", "IntervalColumns", "interval_document"]

Document = dict[str, Any]
MEDIAN = 0.5


@dataclass(frozen=True)
class IntervalColumns:
    """Which columns hold the last time without and the first time with the event, and the groups."""

    left: str
    right: str
    by: str | None = None
    groups: tuple[str, ...] = ()
    """The values of ``by``, in the order of the answer."""


@dataclass(frozen=True)
class IntervalChoice:
    """What is to be said of the curve."""

    shape: str | None = None
    """Also a curve of this shape."""
    quantiles: tuple[float, ...] = ()
    """Shares of subjects with the event; the median is given in any case."""
    at: tuple[float, ...] = ()
    confidence: float = 0.95
    draws: Draws = field(default_factory=Draws)


def interval_document(data: Selection, columns: IntervalColumns, choice: IntervalChoice) -> Document:
    """The Turnbull curve of everyone and of each group with limits, the test of the groups, a curve of a given shape.

    Raises
    ------
    ReadingError
        Names every row without either end, and everything else that cannot be analysed.
    """
    pairs = zip(data.lines, data.columns[columns.left], data.columns[columns.right], strict=True)
    blank = tuple(
        Fault(
            f"{data.source}:{line}",
            "missing",
            f"{columns.left} and {columns.right} are both missing; such a row says nothing",
        )
        for line, low, high in pairs
        if low is None and high is None
    )
    if blank:
        raise ReadingError(f"{data.source}: {len(blank)} fault(s); nothing was analysed", blank)
    document = {**_part(data, columns, choice), "data_digest": data.digest}
    document["warnings"] += data.warnings
    if columns.by is not None:
        names = data.columns[columns.by]
        parts = {group: data.where([name == group for name in names]) for group in columns.groups}
        document["groups"] = [{"group": group, **_part(part, columns, choice)} for group, part in parts.items()]
        document["logrank"] = _test(*_ends(data, columns), names)
    return document


def _ends(data: Selection, columns: IntervalColumns) -> tuple[list[float], list[float | None]]:
    lows = [0.0 if value is None else float(value) for value in data.columns[columns.left]]
    return lows, list(data.columns[columns.right])


def _part(data: Selection, columns: IntervalColumns, choice: IntervalChoice) -> Document:
    left, right = _ends(data, columns)
    curve = turnbull(left, right)
    shares = list(dict.fromkeys([MEDIAN, *choice.quantiles]))
    ends = [end for end in curve.right if end is not None]
    found = turnbull_limits(
        left, right, days=[*ends, *choice.at], shares=shares, confidence=choice.confidence, draws=choice.draws
    )
    document = _curve_document(curve, found)
    if choice.at:
        read = zip(choice.at, found.heights[len(ends) :], strict=True)
        document["at"] = [{"time": day, "survival": h.value, "lower": h.lower, "upper": h.upper} for day, h in read]
    if choice.shape is not None:
        fit = parametric_survival(left, right, shape=choice.shape)
        said = ("shape", "location", "scale", "median", "loglik")
        document["shape"] = {name: getattr(fit, name) for name in said}
    return document


def _curve_document(curve: TurnbullCurve, found: TurnbullLimits) -> Document:
    """An interval that never ends has no height after it, and no limits."""
    endless = [None] * (len(curve.right) - sum(end is not None for end in curve.right))
    heights = found.heights[: len(curve.right) - len(endless)]
    median = found.quantiles[0]
    return {
        "n": curve.n,
        "events": found.events,
        "method": curve.method,
        "median_interval": list(median.interval) if median.interval else None,
        "median_lower": median.lower,
        "median_upper": median.upper,
        "confidence": found.confidence,
        "limits": found.method,
        "loglik": curve.loglik,
        "curve": {
            "left": list(curve.left),
            "right": list(curve.right),
            "mass": list(curve.mass),
            "survival": list(curve.survival),
            "lower": [*(h.lower for h in heights), *endless],
            "upper": [*(h.upper for h in heights), *endless],
        },
        "quantiles": [
            {
                "share_with_event": q.share_with_event,
                "left": q.interval[0] if q.interval else None,
                "right": q.interval[1] if q.interval else None,
                "lower": q.lower,
                "upper": q.upper,
            }
            for q in found.quantiles
        ],
        "warnings": [*curve.warnings, *found.warnings],
    }


def _test(left: Sequence[float], right: Sequence[float | None], names: Sequence[str]) -> Document:
    """The test, or why there is none: the curves stand without it."""
    try:
        found = interval_log_rank(left, right, names)
    except ReadingError as refused:
        return {"chi2": None, "df": None, "p": None, "warnings": [f"not_compared: {refused}"]}
    rows = zip(found.groups, found.group_n, found.observed, found.expected, strict=True)
    groups = [{"group": g, "n": n, "observed": o, "expected": e} for g, n, o, e in rows]
    return {**chi_square_document(found), "groups": groups}
