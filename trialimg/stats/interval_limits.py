"""Limits of a curve of interval-censored times, its height and its quantiles, by drawing subjects anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import ProtocolError
from trialimg.stats.interval_censoring import TurnbullCurve, turnbull
from trialimg.stats.interval_masses import (
    IntervalMasses,
    digest_of_intervals,
    likeliest_masses,
    require_intervals,
)
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import Estimate

__all__ = ["Draws", "IntervalQuantile", "TurnbullLimits", "turnbull_limits"]

Vector = npt.NDArray[np.float64]
METHOD = "percentile of {count} draws of subjects with replacement (seed {seed}), capped by exact binomial limits"
ROUND_OFF = 1e-9
FEW_EVENTS = 10
SHARED_BY = 5
"""Subjects' intervals that have to end on a day of visits, on average, for the theory of the draws to hold."""


@dataclass(frozen=True)
class Draws:
    """How often subjects are drawn anew, and where chance begins."""

    count: int = 1999
    seed: int = 0


@dataclass(frozen=True)
class IntervalQuantile:
    """When a share of subjects has had the event: within an interval, which itself is known within limits."""

    share_with_event: float
    interval: tuple[float, float] | None
    """Open on the left; None: never within follow-up."""
    lower: float
    upper: float | None
    """None: not reached."""
    confidence: float
    method: str
    n: int


@dataclass(frozen=True)
class TurnbullLimits:
    """Limits of a curve of interval-censored times."""

    heights: tuple[Estimate, ...]
    """At the asked days, in their order; value None inside of an interval, where the curve is not determined."""
    quantiles: tuple[IntervalQuantile, ...]
    """Of the asked shares, in their order."""
    confidence: float
    method: str
    n: int
    events: int
    warnings: tuple[str, ...]
    data_digest: str


def turnbull_limits(
    left: Sequence[float],
    right: Sequence[float | None],
    *,
    days: Sequence[float] = (),
    shares: Sequence[float] = (0.5,),
    confidence: float = 0.95,
    draws: Draws | None = None,
) -> TurnbullLimits:
    """Limits of the likeliest curve on some days, and of the times by which some shares have had the event.

    Parameters
    ----------
    left, right
        As for `turnbull`.
    shares
        Of subjects with the event: 0.5 is the median.

    Raises
    ------
    ReadingError
        For entries that `turnbull` refuses.
    ProtocolError
        If the confidence or a share is not between 0 and 1, or the draws are too few for the confidence.

    Notes
    -----
    The modified bootstrap of R's ``interval::icfit(conf.int = TRUE)``: subjects are drawn with replacement, the curve
    is found anew, and the k-th smallest and largest of its heights are the limits, k = (draws + 1)(1 - confidence)/2
    rounded down. Where a drawn curve is not determined on a day, its lowest height counts for the lower limit and its
    highest for the upper one; limits of a quantile are found from its drawn intervals in the same way. Nobody having
    had the event does not make it impossible: the lower limit is never above, and the upper never below, those that
    Clopper and Pearson give to n of n and 0 of n.

    Draws are valid where visits fall on days that many subjects share. Where everyone has days of their own the curve
    converges at the cube root of n, and drawing subjects does not reproduce its law.

    References
    ----------
    Fay MP, Shaw PA. Exact and asymptotic weighted logrank tests for interval censored data: the interval R package.
    J Stat Softw 2010; 36(2). Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall 1993, p. 160.
    Tang R, Banerjee M, Kosorok MR. Likelihood based inference for current status data on a grid. Ann Stat 2012; 40: 45.
    Sen B, Xu G. Model based bootstrap methods for interval censored data. CSDA 2015; 81: 121.
    """
    require_confidence(confidence)
    drawn = draws or Draws()
    rank = _rank(drawn, confidence)
    if wrong := [share for share in shares if not 0 < share < 1]:
        raise ProtocolError(f"a share with the event lies between 0 and 1, not {wrong[0]:g}")
    curve, (lows, highs) = turnbull(left, right), require_intervals(left, right)
    common = _Common(
        confidence, METHOD.format(count=drawn.count, seed=drawn.seed), len(lows), int(np.isfinite(highs).sum())
    )
    digest = digest_of_intervals(left, right)
    ends = _Ends.of(_resampled(lows, highs, drawn), np.asarray(days, float), shares, rank)
    asked = zip(days, ends.heights, strict=True)
    heights = [_height(curve.survival_at(day), limits, common, digest) for day, limits in asked]
    found = zip(shares, ends.times, strict=True)
    quantiles = tuple(_quantile(curve, share, limits, common) for share, limits in found)
    return TurnbullLimits(tuple(heights), quantiles, *common, _warnings(lows, highs, common.events), digest)


def _rank(drawn: Draws, confidence: float) -> int:
    """Which of the drawn values, from either end, is the limit."""
    rank = math.floor((drawn.count + 1) * (1 - confidence) / 2 + ROUND_OFF)
    if rank < 1:
        fewest = math.ceil(2 / (1 - confidence) - 1 - ROUND_OFF)
        raise ProtocolError(f"{drawn.count} draws are too few for limits of {confidence:g}; take {fewest} or more")
    return rank


class _Common(NamedTuple):
    """What all limits of one curve share."""

    confidence: float
    method: str
    n: int
    events: int

    @property
    def largest_lower(self) -> float:
        """Clopper and Pearson's lower limit of n of n; 1 less it, their upper limit of 0 of n."""
        return float(((1 - self.confidence) / 2) ** (1 / self.n))


def _height(value: float | None, limits: tuple[float, float], common: _Common, digest: str) -> Estimate:
    lower, upper = min(limits[0], common.largest_lower), max(limits[1], 1 - common.largest_lower)
    return Estimate(value, lower, upper, *common, data_digest=digest)


def _quantile(curve: TurnbullCurve, share: float, limits: tuple[float, float], common: _Common) -> IntervalQuantile:
    """Caps on the height leave a time without a limit where they reach over its height."""
    height = 1 - share
    lower = limits[0] if common.largest_lower > height else 0.0
    reached = math.isfinite(limits[1]) and 1 - common.largest_lower <= height
    upper = limits[1] if reached else None
    return IntervalQuantile(share, curve.quantile(share), lower, upper, common.confidence, common.method, common.n)


@dataclass(frozen=True, eq=False)
class _Ends:
    """The percentiles of the drawn curves."""

    heights: tuple[tuple[float, float], ...]
    times: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, curves: Sequence[IntervalMasses], days: Vector, shares: Sequence[float], rank: int) -> _Ends:
        low = np.array([1 - curve.mass @ (curve.starts[:, None] < days) for curve in curves]).clip(0, 1)
        high = np.array([1 - curve.mass @ (curve.stops[:, None] <= days) for curve in curves]).clip(0, 1)
        fallen = [[curve.fallen(share) for share in shares] for curve in curves]
        first = np.array([curve.starts[places] for curve, places in zip(curves, fallen, strict=True)])
        last = np.array([curve.stops[places] for curve, places in zip(curves, fallen, strict=True)])
        return cls(_percentiles(low, high, rank), _percentiles(first, last, rank))


def _percentiles(low: Vector, high: Vector, rank: int) -> tuple[tuple[float, float], ...]:
    """The k-th smallest and the k-th largest of each column."""
    lower, upper = np.sort(low, axis=0)[rank - 1], np.sort(high, axis=0)[-rank]
    return tuple(zip(lower.tolist(), upper.tolist(), strict=True))


def _resampled(lows: Vector, highs: Vector, draws: Draws) -> list[IntervalMasses]:
    """The curves of the drawn samples."""
    pairs, times = np.unique(np.column_stack([lows, highs]), axis=0, return_counts=True)
    random = np.random.default_rng(draws.seed)
    counts = random.multinomial(len(lows), times / len(lows), draws.count)
    held = [(pairs[drawn > 0], drawn[drawn > 0]) for drawn in counts]
    return [likeliest_masses(ends[:, 0], ends[:, 1], times) for ends, times in held]


def _warnings(lows: Vector, highs: Vector, events: int) -> tuple[str, ...]:
    between = highs[np.isfinite(highs) & (lows < highs)]
    found = []
    if events < FEW_EVENTS:
        found.append(f"few_events: {events} subjects with the event; the limits are rough")
    if len(between) and len(between) < SHARED_BY * len(np.unique(between)):
        said = f"{len(np.unique(between))} days of visits ended the intervals of {len(between)} subjects"
        found.append(f"scattered_visits: {said}; drawing subjects supposes that many share a day (nominal visit days)")
    return tuple(found)
