"""Restricted mean survival time: the area under the curve up to a horizon, and how two arms differ in it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from trialimg.core.digest import digest_of
from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.results import Estimate, SurvivalCurve
from trialimg.stats.survival import kaplan_meier

__all__ = ["largest_horizon", "restricted_mean", "restricted_mean_difference", "restricted_mean_ratio"]


def restricted_mean(
    days: Sequence[float], events: Sequence[bool | int], *, horizon: float, confidence: float = 0.95
) -> Estimate:
    """The mean time free of the event, counted up to a horizon.

    Parameters
    ----------
    horizon
        In the unit of the times. It may not lie after the last observed time, unless that is an event that ended the
        curve at 0: nothing is known of the curve there.

    Raises
    ------
    ReadingError
        For times and events that cannot be, nobody, or a horizon that was not reached by anyone.
    ProtocolError
        If the horizon is not positive.

    Notes
    -----
    The variance is Greenwood's, each step weighted by the square of the area that follows it, as
    ``summary.survfit(rmean = tau)`` prints it.

    References
    ----------
    Royston P, Parmar MKB. Restricted mean survival time. BMC Med Res Methodol 2013. Klein JP, Moeschberger ML.
    Survival analysis, 2nd ed., section 4.5.
    """
    if not (math.isfinite(horizon) and horizon > 0):
        raise ProtocolError(f"a horizon lies after time 0, not at {horizon}")
    curve = kaplan_meier(days, events, label="", confidence=confidence)
    if not curve.n:
        raise ReadingError("a restricted mean needs subjects; there is nobody")
    if horizon > curve.time_days[-1] and curve.survival[-1] > 0:
        last = curve.time_days[-1]
        raise ReadingError(
            f"the horizon {horizon:g} lies after the last observed time {last:g}, where the curve is still at"
            f" {curve.survival[-1]:.3g}; choose a horizon of {last:g} or less"
        )
    value, variance = _area(curve, horizon)
    se, z = math.sqrt(variance), float(norm.ppf((1 + confidence) / 2))
    method = f"restricted mean up to {horizon:g}, Greenwood variance, normal limits"
    said = () if se > 0 else ("no_variance: no event before the horizon leaves anybody at risk; limits have no width",)
    return Estimate(
        value,
        value - z * se,
        value + z * se,
        confidence,
        method,
        curve.n,
        curve.events,
        (*curve.warnings, *said),
        se=se,
        data_digest=curve.data_digest,
    )


def _area(curve: SurvivalCurve, horizon: float) -> tuple[float, float]:
    """Below the curve, and its variance."""
    inside = [i for i, t in enumerate(curve.time_days) if t < horizon]
    ends = np.array([*(curve.time_days[i] for i in inside[1:]), horizon])
    areas = np.array([curve.survival[i] for i in inside]) * (ends - [curve.time_days[i] for i in inside])
    after = np.append(np.cumsum(areas[::-1])[::-1], 0.0)
    variance = math.fsum(
        after[k] ** 2 * curve.n_event[i] / (curve.n_risk[i] * (curve.n_risk[i] - curve.n_event[i]))
        for k, i in enumerate(inside)
        if curve.n_event[i] and curve.n_risk[i] > curve.n_event[i]
    )
    return math.fsum(areas), variance


def largest_horizon(days: Sequence[Sequence[float]]) -> float:
    """The latest time up to which every arm was observed."""
    return min(max(arm) for arm in days)


def restricted_mean_difference(first: Estimate, second: Estimate) -> Estimate:
    """The restricted mean of the first arm minus that of the second, both up to one horizon."""
    value, se = _values(first)[0] - _values(second)[0], math.hypot(_values(first)[1], _values(second)[1])
    z = float(norm.ppf((1 + first.confidence) / 2))
    return _contrast(first, second, (value, value - z * se, value + z * se), value / se if se else None, se)


def restricted_mean_ratio(first: Estimate, second: Estimate) -> Estimate:
    """The restricted mean of the first arm over that of the second; limits on the logarithm's scale.

    Raises
    ------
    ReadingError
        If a restricted mean is 0.
    """
    (mean_1, se_1), (mean_2, se_2) = _values(first), _values(second)
    if mean_1 <= 0 or mean_2 <= 0:
        raise ReadingError("a ratio of restricted means needs both above 0")
    ratio, se = mean_1 / mean_2, math.hypot(se_1 / mean_1, se_2 / mean_2)
    z = float(norm.ppf((1 + first.confidence) / 2))
    limits = (ratio, ratio * math.exp(-z * se), ratio * math.exp(z * se))
    return _contrast(first, second, limits, math.log(ratio) / se if se else None, se)


def _values(estimate: Estimate) -> tuple[float, float]:
    return estimate.value or 0.0, estimate.se or 0.0


def _contrast(
    first: Estimate, second: Estimate, limits: tuple[float, float, float], score: float | None, se: float
) -> Estimate:
    warnings = () if score is not None else ("no_variance: neither arm's curve has an event before the horizon",)
    return Estimate(
        limits[0],
        limits[1] if score is not None else None,
        limits[2] if score is not None else None,
        first.confidence,
        first.method,
        first.n + second.n,
        first.events + second.events,
        (*first.warnings, *second.warnings, *warnings),
        se=se,
        p=None if score is None else float(2 * norm.sf(abs(score))),
        data_digest=digest_of([first.data_digest, second.data_digest]),
    )
