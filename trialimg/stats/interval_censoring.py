"""Events known only to lie between two visits: the curve that needs no shape, and curves of a given shape."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, nnls
from scipy.stats import genlogistic, gumbel_l, logistic, norm

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ProtocolError, ReadingError
from trialimg.stats.observations import require_length

__all__ = ["SHAPES", "ParametricFit", "TurnbullCurve", "parametric_survival", "turnbull"]

Vector = npt.NDArray[np.float64]
MOST_ITERATIONS = 500
GAP = 1e-13
"""Largest gain in log-likelihood, per subject, that any shift of mass could still bring."""
NO_MASS = 1e-12
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
    median: tuple[float, float | None] | None
    """The interval in which the curve passes one half; None where it never does within follow-up."""
    loglik: float
    method: str
    warnings: tuple[str, ...]
    data_digest: str

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
    lows, highs = _ends(left, right)
    starts, stops = _innermost(lows, highs)
    inside = _inside(lows, highs, starts, stops)
    mass = _likeliest_mass(inside.astype(float))
    held = mass > NO_MASS
    starts, stops, mass = starts[held], stops[held], mass[held] / mass[held].sum()
    survival = np.clip(1 - np.cumsum(mass), 0.0, 1.0)
    survival[-1] = 0.0
    exact = starts == stops
    fallen = int(np.argmax(survival <= 0.5 + NO_MASS))
    ends = tuple(None if math.isinf(stop) else float(stop) for stop in stops)
    opened = np.where(exact, stops, starts)
    censored = np.isinf(highs).all()
    return TurnbullCurve(
        n=len(lows),
        left=tuple(map(float, opened)),
        right=ends,
        mass=tuple(map(float, mass)),
        survival=tuple(map(float, survival)),
        median=None if ends[fallen] is None else (float(opened[fallen]), ends[fallen]),
        loglik=float(np.log(inside[:, held] @ mass).sum()),
        method="Turnbull nonparametric maximum likelihood, innermost intervals",
        warnings=("all_censored: no event; the curve stays at 1",) if censored else (),
        data_digest=_digest(left, right),
    )


def _ends(left: Sequence[float], right: Sequence[float | None]) -> tuple[Vector, Vector]:
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
    """Whether mass in an interval fits an observation, shape (observation, interval)."""
    point = starts == stops
    open_left = np.where(point[None, :], starts[None, :] > lows[:, None], starts[None, :] >= lows[:, None])
    within = open_left & (stops[None, :] <= highs[:, None])
    exact = (lows == highs)[:, None]
    return np.asarray(np.where(exact, point[None, :] & (starts[None, :] == lows[:, None]), within))


def _likeliest_mass(inside: Vector) -> Vector:
    """Mass of each interval, shape (interval); ``inside`` is (subject, interval)."""
    n, intervals = inside.shape
    mass = np.full(intervals, 1 / intervals)
    for _ in range(MOST_ITERATIONS):
        slopes = inside / (inside @ mass)[:, None]
        gain = slopes.sum(axis=0)
        if gain.max() - n <= GAP * n:
            return mass
        weight = math.sqrt(n) * 1e3
        target, _rest = nnls(np.vstack([slopes, np.full((1, intervals), weight)]), np.append(np.full(n, 2.0), weight))
        mass = _line_search(inside, mass, target / target.sum(), gain)
    raise ReadingError("the curve of the interval-censored times did not settle; look for very many, very narrow ones")


def _line_search(inside: Vector, mass: Vector, target: Vector, gain: Vector) -> Vector:
    old, promised = float(np.log(inside @ mass).sum()), float(gain @ (target - mass))
    step = 1.0
    for _ in range(60):
        tried = mass + step * (target - mass)
        heights = inside @ tried
        if (heights > 0).all() and float(np.log(heights).sum()) >= old + promised * step / 3:
            break
        step /= 2
    else:
        tried = mass * gain / len(inside)
    mixed = tried * (inside / (inside @ tried)[:, None]).sum(axis=0) / len(inside)
    return np.asarray(mixed / mixed.sum())


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
    lows, highs = _ends(left, right)
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
        data_digest=_digest(left, right),
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


def _digest(left: Sequence[float], right: Sequence[float | None]) -> str:
    return digest_of([list(map(float, left)), [None if end is None else float(end) for end in right]])
