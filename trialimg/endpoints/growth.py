"""Tumour growth rate g and regression rate d from the course of the sum of diameters.

References
----------
Stein WD et al. Bevacizumab reduces the growth rate constants of renal carcinomas: a novel algorithm suggests early
discontinuation of bevacizumab resulted in a lack of survival advantage. Oncologist 2008;13:1055-1062.
Wilkerson J et al. Estimation of tumour regression and growth rates during treatment in patients with advanced
prostate cancer: a retrospective analysis. Lancet Oncol 2017;18:143-154.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["GrowthModel", "GrowthRates", "growth_rates"]

Vector = tuple[float, ...]
Curve = Callable[[Vector, float], tuple[float, Vector]]
"""Relative size at a time and its derivatives, of the rates."""

_ROUNDS = 200
_CONVERGED = 1e-12
_SIGNIFICANT = 0.10
_STARTS_PER_DAY = (1e-4, 1e-3, 1e-2)
_SPARE = 2
"""Measurements beyond the rates of a model: the first is the unit of size, one more gives a standard error."""


class GrowthModel(Enum):
    """Relative size f(t) of the sum, by the rates per day; t in days since the first measurement."""

    GROWTH_AND_REGRESSION = "gd"
    """f = exp(-d t) + exp(g t) - 1."""
    REGRESSION = "dx"
    """f = exp(-d t)."""
    GROWTH = "gx"
    """f = exp(g t)."""
    PARTIAL_REGRESSION = "gdphi"
    """f = (1 - phi) exp(g t) + phi exp(-d t); only a share phi responds."""


@dataclass(frozen=True)
class GrowthRates:
    """The fitted rates per day with their standard errors; None where the model has no such rate."""

    model: GrowthModel
    growth_per_day: float | None
    growth_se: float | None
    regression_per_day: float | None
    regression_se: float | None
    responding_share: float | None
    measurements: int
    residual_se: float
    """Of the relative size."""

    @property
    def doubling_days(self) -> float | None:
        """Days in which the growing part doubles."""
        return None if not self.growth_per_day else math.log(2) / self.growth_per_day


@dataclass(frozen=True)
class _Fit:
    model: GrowthModel
    rates: Vector
    standard_errors: Vector | None
    residual: float
    """Sum of squares."""


def growth_rates(course: Sequence[tuple[float, float]]) -> GrowthRates | None:
    """The rates of the simplest model of Wilkerson's four that describes a course best; None where none can.

    Parameters
    ----------
    course
        Days since the first measurement (or since treatment started) and sum of diameters in mm, in order of time,
        the first sum above 0 mm. Sums that are not known take no part and must not be given as 0.

    Notes
    -----
    Sums are divided by the first. Each model is fitted by least squares (Levenberg and Marquardt) from several
    starts; a model counts if every rate is above 0 and significant (two-sided p < 0.10 by Student's t). Of those that
    count the one with the smallest corrected information criterion is kept. A model needs two measurements more than
    it has rates: three at least. Standard errors are those of the linearised fit.
    """
    if len(course) < 2 or course[0][1] <= 0 or len({day for day, _ in course}) < len(course):
        return None
    start_day, first = course[0]
    days = [day - start_day for day, _ in course]
    sizes = [size / first for _, size in course]
    fits = [fit for model in GrowthModel if (fit := _fitted(model, days, sizes)) is not None]
    counting = [fit for fit in fits if _counts(fit, len(days))]
    if not counting:
        return None
    return _told(min(counting, key=lambda fit: _information(fit, len(days))), len(days))


def _told(fit: _Fit, measurements: int) -> GrowthRates:
    errors: Sequence[float | None] = fit.standard_errors or (None,) * len(fit.rates)
    by_name = dict(zip(_NAMES[fit.model], zip(fit.rates, errors, strict=True), strict=True))
    growth, regression = by_name.get("g", (None, None)), by_name.get("d", (None, None))
    return GrowthRates(
        model=fit.model,
        growth_per_day=growth[0],
        growth_se=growth[1],
        regression_per_day=regression[0],
        regression_se=regression[1],
        responding_share=by_name.get("phi", (None, None))[0],
        measurements=measurements,
        residual_se=math.sqrt(fit.residual / (measurements - len(fit.rates))),
    )


def _growth_and_regression(rates: Vector, day: float) -> tuple[float, Vector]:
    g, d = rates
    up, down = _exp(g * day), _exp(-d * day)
    return down + up - 1, (day * up, -day * down)


def _regression(rates: Vector, day: float) -> tuple[float, Vector]:
    down = _exp(-rates[0] * day)
    return down, (-day * down,)


def _growth(rates: Vector, day: float) -> tuple[float, Vector]:
    up = _exp(rates[0] * day)
    return up, (day * up,)


def _partial(rates: Vector, day: float) -> tuple[float, Vector]:
    g, d, phi = rates
    up, down = _exp(g * day), _exp(-d * day)
    return (1 - phi) * up + phi * down, ((1 - phi) * day * up, -phi * day * down, down - up)


_M = GrowthModel
_CURVES: dict[GrowthModel, Curve] = {
    _M.GROWTH_AND_REGRESSION: _growth_and_regression,
    _M.REGRESSION: _regression,
    _M.GROWTH: _growth,
    _M.PARTIAL_REGRESSION: _partial,
}
_NAMES = {
    _M.GROWTH_AND_REGRESSION: ("g", "d"),
    _M.REGRESSION: ("d",),
    _M.GROWTH: ("g",),
    _M.PARTIAL_REGRESSION: ("g", "d", "phi"),
}


def _exp(power: float) -> float:
    return math.exp(min(power, 300.0))


def _fitted(model: GrowthModel, days: Sequence[float], sizes: Sequence[float]) -> _Fit | None:
    """The best fit of a model over all starts; None where there are too few measurements or none converges."""
    names = _NAMES[model]
    if len(days) < len(names) + _SPARE:
        return None
    fits = [fit for start in _starts(names) if (fit := _descended(model, start, days, sizes)) is not None]
    return min(fits, key=lambda fit: fit.residual, default=None)


def _starts(names: Sequence[str]) -> Iterator[Vector]:
    if len(names) == 1:
        yield from ((rate,) for rate in _STARTS_PER_DAY)
        return
    for g in _STARTS_PER_DAY:
        for d in _STARTS_PER_DAY:
            yield (g, d) if len(names) == 2 else (g, d, 0.5)


def _descended(model: GrowthModel, start: Vector, days: Sequence[float], sizes: Sequence[float]) -> _Fit | None:
    """One descent by Levenberg and Marquardt; None where it ends outside of what the model means."""
    curve, rates, damping = _CURVES[model], start, 1e-3
    residual, normal, gradient = _linearised(curve, rates, days, sizes)
    for _ in range(_ROUNDS):
        damped = [[v * (1 + damping) if i == j else v for j, v in enumerate(row)] for i, row in enumerate(normal)]
        step = _solved(damped, gradient)
        if step is None:
            return None
        tried = tuple(rate + change for rate, change in zip(rates, step, strict=True))
        after = _linearised(curve, tried, days, sizes)
        if after[0] > residual or not math.isfinite(after[0]):
            damping *= 10
            if damping > 1e12:
                break
            continue
        done = residual - after[0] <= _CONVERGED * max(residual, _CONVERGED)
        rates, damping = tried, max(damping / 10, 1e-12)
        residual, normal, gradient = after
        if done:
            break
    share_is_one = len(rates) < 3 or 0 < rates[2] < 1
    if min(rates) <= 0 or not share_is_one:
        return None
    return _Fit(model, rates, _standard_errors(normal, residual, len(days)), residual)


def _linearised(
    curve: Curve, rates: Vector, days: Sequence[float], sizes: Sequence[float]
) -> tuple[float, list[list[float]], list[float]]:
    """Sum of squared residuals, J'J and J'r at some rates."""
    count = len(rates)
    residual, normal, gradient = 0.0, [[0.0] * count for _ in range(count)], [0.0] * count
    for day, size in zip(days, sizes, strict=True):
        value, slopes = curve(rates, day)
        off = size - value
        residual += off * off
        for i, slope in enumerate(slopes):
            gradient[i] += slope * off
            for j, other in enumerate(slopes):
                normal[i][j] += slope * other
    return residual, normal, gradient


def _standard_errors(normal: Sequence[Sequence[float]], residual: float, measurements: int) -> Vector | None:
    """Of the rates, from the linearised fit; None where it is singular."""
    count = len(normal)
    free = measurements - count
    variances: list[float] = []
    for i in range(count):
        column = _solved([list(row) for row in normal], [float(i == j) for j in range(count)])
        if column is None or column[i] < 0:
            return None
        variances.append(column[i] * residual / free)
    return tuple(math.sqrt(variance) for variance in variances)


def _solved(matrix: list[list[float]], right: Sequence[float]) -> list[float] | None:
    """Solution of a small linear system by elimination with pivots; None where it is singular."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    count = len(rows)
    for i in range(count):
        pivot = max(range(i, count), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        if rows[i][i] == 0 or not math.isfinite(rows[i][i]):
            return None
        for k in range(count):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[count] / row[i] for i, row in enumerate(rows)]


def _counts(fit: _Fit, measurements: int) -> bool:
    """Whether every rate is significant."""
    if fit.standard_errors is None:
        return False
    free = measurements - len(fit.rates)
    return all(
        error == 0 or _p_value(rate / error, free) < _SIGNIFICANT
        for rate, error in zip(fit.rates, fit.standard_errors, strict=True)
    )


def _information(fit: _Fit, measurements: int) -> float:
    """Akaike's information criterion, corrected for few measurements."""
    count = len(fit.rates)
    correction = 2 * count * (count + 1) / (measurements - count - 1)
    return measurements * math.log(max(fit.residual, 1e-300) / measurements) + 2 * count + correction


def _p_value(t: float, free: int) -> float:
    """Two-sided p of Student's t, in closed form for whole degrees of freedom."""
    angle = math.atan(abs(t) / math.sqrt(free))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = free % 2
    term = total = cosine if odd else 1.0
    for k in range(3 if odd else 2, free, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    if not odd:
        return 1 - sine * total
    inner = angle + sine * total if free > 1 else angle
    return 1 - 2 * inner / math.pi
