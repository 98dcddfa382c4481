"""What a fitted Cox model leaves over: score residuals, the test of proportional hazards, concordance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from trialimg.stats.partial_likelihood import Maximum, Spans, Steps, rows_by_stratum

__all__ = ["TIME_SCALES", "concordance", "proportionality", "score_residuals"]

Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
NO_INFORMATION = 1e-10


def score_residuals(spans: Spans, maximum: Maximum) -> Vector:
    """How much each row pulls each coefficient, shape (row, covariate); weights not applied.

    References
    ----------
    Lin DY, Wei LJ. The robust inference for the Cox proportional hazards model. JASA 1989. Therneau TM, Grambsch PM.
    Modeling survival data, 2000, section 4.3 (tied times by Efron).
    """
    residuals = np.zeros_like(spans.covariates)
    for steps in maximum.steps:
        residuals[steps.rows] = _stratum_residuals(spans, steps)
    return residuals


def _stratum_residuals(spans: Spans, steps: Steps) -> Vector:
    x, event = spans.covariates[steps.rows], spans.event[steps.rows]
    start, stop = spans.start[steps.rows], spans.stop[steps.rows]
    moments = len(steps.moments)
    hazard, drift = np.zeros(moments), np.zeros((moments, x.shape[1]))
    np.add.at(hazard, steps.moment, steps.hazard)
    np.add.at(drift, steps.moment, steps.hazard[:, None] * steps.mean)
    first = np.searchsorted(steps.moments, start, side="right")
    last = np.searchsorted(steps.moments, stop, side="right")
    exposed = _between(hazard, first, last)[:, None] * x - _between(drift, first, last)
    if spans.lingering is not None and spans.decay is not None:
        left, end = spans.decay(steps.moments), np.full_like(last, moments)
        fading, fading_drift = left * hazard, left[:, None] * drift
        later = _between(fading, last, end)[:, None] * x - _between(fading_drift, last, end)
        exposed = exposed + spans.lingering[steps.rows, None] * later
    residuals = -steps.relative_hazard[:, None] * exposed
    place = np.searchsorted(steps.moments, stop[event])
    own, spared = _at_death(steps, moments)
    died = x[event]
    gone = spared[0][place][:, None] * died - spared[1][place]
    residuals[event] += died - own[place] + steps.relative_hazard[event][:, None] * gone
    return residuals


def _at_death(steps: Steps, moments: int) -> tuple[Vector, tuple[Vector, Vector]]:
    """Per moment: mean covariates over the tied steps; and the hazard (and its drift) that the dead are spared."""
    deaths = np.bincount(steps.moment, minlength=moments)[:, None]
    mean = np.zeros((moments, steps.mean.shape[1]))
    np.add.at(mean, steps.moment, steps.mean)
    saved = steps.fraction * steps.hazard
    hazard, drift = np.zeros(moments), np.zeros_like(mean)
    np.add.at(hazard, steps.moment, saved)
    np.add.at(drift, steps.moment, saved[:, None] * steps.mean)
    return mean / deaths, (hazard, drift)


def _between(increments: Vector, first: Indices, last: Indices) -> Vector:
    running = np.concatenate([np.zeros((1, *increments.shape[1:])), np.cumsum(increments, axis=0)])
    return np.asarray(running[last] - running[first])


def proportionality(
    spans: Spans, maximum: Maximum, columns: Sequence[Sequence[int]], *, time_scale: str
) -> tuple[float, ...]:
    """Chi-square statistics of coefficients that do not change over time, one per group of columns; nan if untestable.

    Parameters
    ----------
    columns
        Covariates that are tested together.
    time_scale
        How time counts: one of `TIME_SCALES`.

    Notes
    -----
    The score test of adding the covariate times a function of time, as ``cox.zph`` of survival 3.x makes it.

    References
    ----------
    Grambsch PM, Therneau TM. Proportional hazards tests and diagnostics based on weighted residuals. Biometrika 1994.
    """
    transform = TIME_SCALES[time_scale](spans)
    p = spans.covariates.shape[1]
    slope = np.zeros(p)
    blocks = [np.zeros((p, p)) for _ in range(3)]
    for steps in maximum.steps:
        rows = steps.rows[spans.event[steps.rows]]
        time = transform(spans.stop[rows])
        observed = (spans.weight[rows] * time) @ spans.covariates[rows]
        step_time = transform(steps.moments)[steps.moment]
        mean_weight = _mean_weight(spans, rows, steps)
        slope += observed - (mean_weight * step_time) @ steps.mean
        for power, block in enumerate(blocks):
            block += np.einsum("k,kij->ij", step_time**power, steps.variance)
    plain, once, twice = blocks
    left = twice - once @ np.linalg.solve(plain, once)
    spread = np.sqrt(np.maximum(np.diag(twice), 0.0))
    size = np.outer(spread, spread)
    return tuple(_chi2(slope[list(group)], left[np.ix_(group, group)], size[np.ix_(group, group)]) for group in columns)


def _chi2(slope: Vector, variance: Vector, size: Vector) -> float:
    """Not a number where time explains nothing that the covariate does not: all events at one time, or too few."""
    if (size <= 0).any() or np.linalg.eigvalsh(variance / size)[0] < NO_INFORMATION:
        return math.nan
    return float(slope @ np.linalg.solve(variance, slope))


def _mean_weight(spans: Spans, dead: Indices, steps: Steps) -> Vector:
    place = np.searchsorted(steps.moments, spans.stop[dead])
    total = np.bincount(place, weights=spans.weight[dead], minlength=len(steps.moments))
    return np.asarray((total / np.bincount(place, minlength=len(steps.moments)))[steps.moment])


Transform = Callable[[Vector], Vector]


def _kaplan_meier_time(spans: Spans) -> Transform:
    """1 - S just before a time, S being the curve of everyone."""
    moments = np.unique(spans.stop[spans.event])
    at_risk = _weight_from(spans.stop, spans.weight, moments) - _weight_from(spans.start, spans.weight, moments)
    place = np.searchsorted(moments, spans.stop[spans.event])
    dying = np.bincount(place, weights=spans.weight[spans.event], minlength=len(moments))
    heights = 1 - np.concatenate([[1.0], np.cumprod(1 - dying / at_risk)[:-1]])
    return lambda times: heights[np.searchsorted(moments, times)]


def _weight_from(ends: Vector, weight: Vector, moments: Vector) -> Vector:
    """What the rows weigh whose end is at a moment or later."""
    order = np.argsort(ends)
    running = np.concatenate([[0.0], np.cumsum(weight[order])])
    return np.asarray(running[-1] - running[np.searchsorted(ends[order], moments, side="left")])


TIME_SCALES: dict[str, Callable[[Spans], Transform]] = {
    "km": _kaplan_meier_time,
    "identity": lambda _: lambda times: times,
    "log": lambda _: np.log,
}


def concordance(spans: Spans, predictor: Vector, groups: Indices) -> tuple[float, float] | None:
    """How often who fails first has the higher risk, of the pairs that can be told; with its standard error.

    Parameters
    ----------
    groups
        Number of the cluster of each row; each its own where rows are independent.

    Returns
    -------
    tuple or None
        None where no pair can be told. Ties of the predictor count one half; pairs lie within strata.

    References
    ----------
    Harrell FE, Califf RM, Pryor DB, Lee KL, Rosati RA. Evaluating the yield of medical tests. JAMA 1982. The standard
    error is the infinitesimal jackknife's, as ``survival::concordance`` has it.
    """
    won, told = np.zeros(spans.n), np.zeros(spans.n)
    for rows in rows_by_stratum(spans.stratum):
        won[rows], told[rows] = _pairs_within(spans.start[rows], spans.stop[rows], spans.event[rows], predictor[rows])
    pairs = told.sum() / 2
    if pairs == 0:
        return None
    value = won.sum() / 2 / pairs
    influence = np.bincount(groups, weights=(won - value * told) / pairs)
    return float(value), float(np.sqrt((influence**2).sum()))


def _pairs_within(
    start: Vector, stop: Vector, event: npt.NDArray[np.bool_], predictor: Vector
) -> tuple[Vector, Vector]:
    """Per row of one stratum: the pairs it stands in that go with the predictor (half of ties), and all of them.

    Who has the event at t makes a pair with everyone still at risk just after it: in view at t (start < t), and either
    ending later or ending at t without the event.
    """
    rank = np.unique(predictor, return_inverse=True)[1]
    time, height = stop[event], rank[event]
    last_first, latest_start = np.lexsort((event, -stop)), np.argsort(-start, kind="stable")
    alive = len(stop) - _earlier(stop[event], time, "right") - _earlier(stop[~event], time, "left")
    unseen = len(start) - _earlier(start, time, "left")
    ended = _split(rank[last_first], alive, height)
    hidden = _split(rank[latest_start], unseen, height)
    won, told = np.zeros(len(stop)), np.zeros(len(stop))
    won[event], told[event] = ended - hidden, alive - unseen
    order = np.argsort(time, kind="stable")
    until = np.where(event, _earlier(time, stop, "left"), _earlier(time, stop, "right"))
    since = _earlier(time, start, "right")
    against = _split(height[order], until, rank) - _split(height[order], since, rank)
    return won + (until - since - against), told + (until - since)


def _earlier(times: Vector, moments: Vector, side: Literal["left", "right"]) -> Indices:
    """How many of the times lie before each moment; ``right``: or at it."""
    return np.asarray(np.searchsorted(np.sort(times), moments, side))


def _split(ranks: Indices, first: Indices, bound: Indices) -> Vector:
    """Of the first so many ranks, how many are below a bound; those equal to it count one half."""
    return np.asarray(0.5 * (_below(ranks, first, bound) + _below(ranks, first, bound + 1)))


def _below(ranks: Indices, first: Indices, bound: Indices) -> Indices:
    """Of the first so many ranks, how many are below a bound: of all pairs at once, bit by bit.

    References
    ----------
    Claude F, Navarro G, Ordonez A. The wavelet matrix: an efficient wavelet tree for large alphabets. Inf Syst 2015.
    """
    start, end, found = np.zeros_like(first), first, np.zeros_like(first)
    for bit in reversed(range(int(max(ranks.max(initial=0), bound.max(initial=0))).bit_length())):
        is_one = (ranks >> bit) & 1
        zeros = np.concatenate([[0], np.cumsum(1 - is_one)])
        is_up = (bound >> bit) & 1 == 1
        below_start, below_end = zeros[start], zeros[end]
        found = found + np.where(is_up, below_end - below_start, 0)
        start = np.where(is_up, zeros[-1] + start - below_start, below_start)
        end = np.where(is_up, zeros[-1] + end - below_end, below_end)
        ranks = np.concatenate([ranks[is_one == 0], ranks[is_one == 1]])
    return found
