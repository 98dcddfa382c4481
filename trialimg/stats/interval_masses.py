"""Where the likeliest mass of interval-censored times lies, and how much of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ReadingError
from trialimg.stats.observations import require_length

__all__ = ["NO_MASS", "IntervalMasses", "digest_of_intervals", "likeliest_masses", "require_intervals"]

Vector = npt.NDArray[np.float64]
MOST_ITERATIONS = 500
GAP = 1e-13
"""Largest gain in log-likelihood, per subject, that any shift of mass could still bring."""
ROUND_OFF = 1e-9
"""Such a gain that another step does not halve is what rounding leaves."""
NO_MASS = 1e-12
TALL = 2
"""So many times more rows than columns, and a triangle is solved in their stead."""


@dataclass(frozen=True, eq=False)
class IntervalMasses:
    """The intervals that hold mass, in their order: open on the left unless both ends are one exact time."""

    starts: Vector
    stops: Vector
    """Infinite: never seen."""
    mass: Vector
    inside: npt.NDArray[np.bool_]
    """Whether mass in an interval fits an observation, shape (observation, interval)."""
    loglik: float

    def fallen(self, share: float) -> int:
        """The place of the interval within which so large a share has had the event."""
        return int(np.argmax(np.cumsum(self.mass) >= share - NO_MASS))


def require_intervals(left: Sequence[float], right: Sequence[float | None]) -> tuple[Vector, Vector]:
    """Both ends of every time, infinite where the event was not seen.

    Raises
    ------
    ReadingError
        Names every entry whose ends are negative, not numbers, or in the wrong order; or says that nobody has one.
    """
    require_length(len(left), right, "right ends")
    highs = [math.inf if end is None else end for end in right]
    faults = tuple(
        Fault(f"entry {place}", "bad_interval", f"needs 0 <= left <= right, not {low} and {high}")
        for place, (low, high) in enumerate(zip(left, highs, strict=True), start=1)
        if not (math.isfinite(low) and 0 <= low <= high)
    )
    if faults:
        raise ReadingError(f"{len(faults)} entries cannot be analysed; first: {faults[0]}", faults)
    if not highs:
        raise ReadingError("a curve needs subjects; there is nobody")
    return np.asarray(left, float), np.asarray(highs, float)


def digest_of_intervals(left: Sequence[float], right: Sequence[float | None]) -> str:
    """Names the times, in their order."""
    return digest_of([list(map(float, left)), [None if end is None else float(end) for end in right]])


def likeliest_masses(lows: Vector, highs: Vector, counts: Vector | None = None) -> IntervalMasses:
    """The nonparametric maximum-likelihood distribution.

    Parameters
    ----------
    counts
        How often each observation was made; once without.

    Raises
    ------
    ReadingError
        If no maximum is found.

    Notes
    -----
    Constrained Newton steps until no shift of mass could raise the log-likelihood by more than 1e-13 per subject, or
    by more than rounding (below 1e-9).

    References
    ----------
    Wang Y. Dimension-reduced nonparametric maximum likelihood computation for interval-censored data. CSDA 2008.
    """
    weights = np.ones(len(lows)) if counts is None else np.asarray(counts, float)
    starts, stops = _innermost(lows, highs)
    inside = _inside(lows, highs, starts, stops)
    mass = _likeliest(inside.astype(float), weights)
    held = mass > NO_MASS
    kept = mass[held] / mass[held].sum()
    loglik = float(weights @ np.log(inside[:, held] @ kept))
    return IntervalMasses(starts[held], stops[held], kept, inside[:, held], loglik)


def _innermost(lows: Vector, highs: Vector) -> tuple[Vector, Vector]:
    """Intervals in which mass can lie: from a left end to the next end, where that is a right one.

    An observation is open on the left unless it is exact, so at one time right ends come before left ends, and the
    left end of an exact time before its right end.
    """
    exact = lows == highs
    marks = [(low, 0.5 if same else 2, 0) for low, same in zip(lows, exact, strict=True)]
    marks += [(high, 1, 1) for high in highs]
    order = sorted(set(marks))
    pairs = [(a[0], b[0]) for a, b in itertools.pairwise(order) if a[2] == 0 and b[2] == 1]
    return np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])


def _inside(lows: Vector, highs: Vector, starts: Vector, stops: Vector) -> npt.NDArray[np.bool_]:
    point = starts == stops
    open_left = np.where(point[None, :], starts[None, :] > lows[:, None], starts[None, :] >= lows[:, None])
    within = open_left & (stops[None, :] <= highs[:, None])
    exact = (lows == highs)[:, None]
    return np.asarray(np.where(exact, point[None, :] & (starts[None, :] == lows[:, None]), within))


def _likeliest(inside: Vector, counts: Vector) -> Vector:
    """Mass of each interval, shape (interval); ``inside`` is (observation, interval)."""
    n, intervals = counts.sum(), inside.shape[1]
    mass, roots, before = np.full(intervals, 1 / intervals), np.sqrt(counts), math.inf
    for _ in range(MOST_ITERATIONS):
        slopes = inside / (inside @ mass)[:, None]
        gain = counts @ slopes
        left = (gain.max() - n) / n
        if left <= GAP or before / 2 < left <= ROUND_OFF:
            return mass
        before = left
        weight = math.sqrt(n) * 1e3
        rows = np.vstack([roots[:, None] * slopes, np.full((1, intervals), weight)])
        target = _nonnegative(rows, np.append(2 * roots, weight))
        mass = _line_search(inside, counts, mass, target / target.sum(), gain)
    raise ReadingError("the curve of the interval-censored times did not settle; look for very many, very narrow ones")


def _nonnegative(rows: Vector, values: Vector) -> Vector:
    """The best coefficients that are not negative."""
    if len(rows) > TALL * rows.shape[1]:
        turned, rows = np.linalg.qr(rows)
        values = turned.T @ values
    return np.asarray(nnls(rows, values)[0])


def _line_search(inside: Vector, counts: Vector, mass: Vector, target: Vector, gain: Vector) -> Vector:
    old, promised = float(counts @ np.log(inside @ mass)), float(gain @ (target - mass))
    step, n = 1.0, counts.sum()
    for _ in range(60):
        tried = mass + step * (target - mass)
        heights = inside @ tried
        if (heights > 0).all() and float(counts @ np.log(heights)) >= old + promised * step / 3:
            break
        step /= 2
    else:
        tried = mass * gain / n
    mixed = tried * (counts @ (inside / (inside @ tried)[:, None])) / n
    return np.asarray(mixed / mixed.sum())
