"""Events known only to lie between two visits: the curve that needs no shape, and curves of a given shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.stats import genlogistic, gumbel_l, logistic, norm

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.interval_masses import NO_MASS, digest_of_intervals, likeliest_masses, require_intervals

__all__ = ["SHAPES", "ParametricFit", "TurnbullCurve", "parametric_survival", "turnbull"]

Vector = npt.NDArray[np.float64]
HOPELESS = -1e12
LARGEST_LOG_SCALE = 25.0


@dataclass(frozen=True)
class TurnbullCurve:
    """The likeliest survival curve; between the ends of an interval it falls somewhere, the data cannot say where."""

    n: int
    left: tuple[float, ...]
    right: tuple[float | None, ...]
    """Intervals ``(left, right]`` that hold mass; right None: never seen. left = right: an event at that time."""
    mass: tuple[float, ...]
    survival: tuple[float, ...]
    """After each interval."""
    loglik: float
    method: str
    warnings: tuple[str, ...]
    data_digest: str

    @property
    def median(self) -> tuple[float, float] | None:
        """The interval in which the curve passes one half; None where it never does within follow-up."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> tuple[float, float] | None:
        """The interval in which so large a share has had the event; None where it never has within follow-up."""
        for left, right, after in zip(self.left, self.right, self.survival, strict=True):
            if after <= 1 - share + NO_MASS:
                return None if right is None else (left, right)
        return None

    def survival_at(self, day: float) -> float | None:
        """The height on a day; None inside of an interval, where it is not determined."""
        height = 1.0
        for left, right, after in zip(self.left, self.right, self.survival, strict=True):
            if right is not None and day >= right:
                height = after
            elif day > left and (right is None or day < right):
                return None
        return height


@dataclass(frozen=True)
class ParametricFit:
    """A curve of a given shape on the scale of log time: location plus scale times a standard error."""

    shape: str
    location: float
    scale: float
    loglik: float
    median: float
    n: int
    warnings: tuple[str, ...]
    data_digest: str


def turnbull(left: Sequence[float], right: Sequence[float | None]) -> TurnbullCurve:
    """The nonparametric maximum-likelihood survival curve of interval-censored times.

    Parameters
    ----------
    left, right
        Last time without and first time with the event; ``right`` None: not yet seen. ``left`` 0: seen at the first
        visit. Equal: the exact time is known.

    Raises
    ------
    ReadingError
        Names every entry whose times are negative, not numbers, or in the wrong order; or says that nobody has one.

    Notes
    -----
    Solved by constrained Newton steps until no shift of mass could raise the log-likelihood by more than 1e-13 per
    subject. R's ``survfit`` stops its expectation-maximisation earlier and leaves traces of mass where there is none.

    References
    ----------
    Turnbull BW. JRSS B 1976. Wang Y. Dimension-reduced nonparametric maximum likelihood computation for
    interval-censored data. CSDA 2008.
    """
    lows, highs = require_intervals(left, right)
    found = likeliest_masses(lows, highs)
    survival = np.clip(1 - np.cumsum(found.mass), 0.0, 1.0)
    survival[-1] = 0.0
    censored = np.isinf(highs).all()
    return TurnbullCurve(
        n=len(lows),
        left=tuple(map(float, found.starts)),
        right=tuple(None if math.isinf(stop) else float(stop) for stop in found.stops),
        mass=tuple(map(float, found.mass)),
        survival=tuple(map(float, survival)),
        loglik=found.loglik,
        method="Turnbull nonparametric maximum likelihood, innermost intervals",
        warnings=("all_censored: no event; the curve stays at 1",) if censored else (),
        data_digest=digest_of_intervals(left, right),
    )


SHAPES = {
    "exponential": gumbel_l,
    "weibull": gumbel_l,
    "lognormal": norm,
    "loglogistic": logistic,
}
"""Name, as ``survreg`` has it, to the law of the standardised logarithm of time."""


def parametric_survival(left: Sequence[float], right: Sequence[float | None], *, shape: str) -> ParametricFit:
    """The likeliest curve of a given shape, from interval-censored, exact and right-censored times.

    Raises
    ------
    ReadingError
        For entries that cannot be, exact times of 0, or no event.
    ProtocolError
        If the shape is not known.

    References
    ----------
    Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data, 2nd ed., chapter 3.
    """
    if shape not in SHAPES:
        raise ProtocolError(f"no curve has the shape {shape!r}; choose one of {', '.join(SHAPES)}")
    lows, highs = require_intervals(left, right)
    if np.isinf(highs).all():
        raise ReadingError("a curve of a given shape needs an event; every subject is censored")
    if (highs == 0).any():
        raise ReadingError("an event at time 0 has no logarithm; give the first time a subject was at risk")
    law, fixed = SHAPES[shape], shape == "exponential"
    if not fixed and _one_time_fits(lows, highs):
        raise ReadingError(f"no {shape} curve is likeliest: one single time fits every subject")

    def loss(parameters: Vector) -> float:
        log_scale = 0.0 if fixed else float(parameters[1])
        if abs(log_scale) > LARGEST_LOG_SCALE:
            return -HOPELESS
        return -_loglik(law, lows, highs, float(parameters[0]), math.exp(log_scale))

    typical = np.where(np.isinf(highs), np.maximum(lows, highs[np.isfinite(highs)].min() / 2), (lows + highs) / 2)
    first = np.array([np.log(typical).mean()] if fixed else [np.log(typical).mean(), 0.0])
    rough = minimize(loss, first, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000})
    found = minimize(loss, rough.x, method="BFGS", options={"gtol": 1e-9})
    best = found.x if found.fun <= rough.fun else rough.x
    scale = 1.0 if fixed else math.exp(best[1])
    return ParametricFit(
        shape=shape,
        location=float(best[0]),
        scale=scale,
        loglik=-float(min(found.fun, rough.fun)),
        median=math.exp(float(best[0]) + scale * float(law.ppf(0.5))),
        n=len(lows),
        warnings=(),
        data_digest=digest_of_intervals(left, right),
    )


def _one_time_fits(lows: Vector, highs: Vector) -> bool:
    """Whether some moment lies in every observation, so that ever steeper curves are ever likelier."""
    exact = lows == highs
    if not exact.any():
        return bool(lows.max() < highs.min())
    moment = lows[exact][0]
    return bool(np.where(exact, lows == moment, (lows < moment) & (moment <= highs)).all())


def _loglik(law: type[genlogistic], lows: Vector, highs: Vector, location: float, scale: float) -> float:
    exact = lows == highs
    with np.errstate(all="ignore"):  # curves are 1 at time 0 and 0 at infinity; hopeless parameters come out below
        low, high = (np.log(lows) - location) / scale, (np.log(highs) - location) / scale
        between = law.sf(low[~exact]) - law.sf(high[~exact])
        at = law.logpdf(low[exact]) - math.log(scale) - np.log(lows[exact])
        total = float(np.log(between).sum() + at.sum())
    return total if math.isfinite(total) else HOPELESS
