"""Whether hazards differ: the log-rank test, stratified and weighted, and the largest of several weightings.

One sum over the event times serves all of them, because the largest of several weightings needs the covariance of the
differently weighted sums, which the libraries do not offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2 as chi_square

from trialimg.core.digest import digest_of
from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.stats.observations import require_length, require_times
from trialimg.stats.results import LogRank

__all__ = ["MAX_COMBO_WEIGHTS", "MaxCombo", "log_rank", "max_combo"]

Vector = npt.NDArray[np.float64]
Weights = tuple[float, float]
FEW_EXPECTED_EVENTS = 5
MAX_COMBO_WEIGHTS: tuple[Weights, ...] = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
"""Rho and gamma of Fleming and Harrington: equal, late, early, middle."""
ROUND = 800
"""Directions of a half circle; the p-value is then good to about 1e-6."""


@dataclass(frozen=True)
class MaxCombo:
    """The largest of several weighted log-rank statistics of two groups."""

    z: float
    """Of the weighting that deviates most; positive where the first group has more events than expected."""
    weights: Weights
    p: float
    """Two-sided, allowing for the choice."""
    each: tuple[tuple[Weights, float], ...]
    n: int
    events: int
    method: str
    warnings: tuple[str, ...] = ()
    data_digest: str = ""


@dataclass(frozen=True)
class _Sums:
    """One row per event time of any stratum."""

    survival: Vector
    """Kaplan-Meier of all groups of the stratum together, just before the time."""
    observed: Vector
    expected: Vector
    """Shape (time, group)."""
    variance: Vector
    """Of observed minus expected; shape (time, group, group)."""


def log_rank(
    days: Sequence[float],
    events: Sequence[bool | int],
    groups: Sequence[str],
    *,
    strata: Sequence[str] | None = None,
    weights: Weights = (0.0, 0.0),
) -> LogRank:
    """Whether the hazards of two or more groups differ.

    Parameters
    ----------
    days, events, groups
        Time, 1 (event) or 0 (censored), and name of the group, one entry per subject.
    strata
        Groups are compared within each; a stratum of one subject says nothing and is named in a warning.
    weights
        Rho and gamma: an event counts ``S^rho (1 - S)^gamma``, S being the survival just before it of all groups of
        its stratum. (0, 0) is the log-rank test, (1, 0) Peto and Peto's, (0, 1) weighs late differences.

    Raises
    ------
    ReadingError
        For times and events that cannot be, without an event, or with fewer than two groups at risk at one.
    ProtocolError
        If a weight is negative.

    References
    ----------
    Mantel N. Cancer Chemotherapy Reports 1966. Harrington DP, Fleming TR. A class of rank test procedures for
    censored survival data. Biometrika 1982.
    """
    if min(weights) < 0:
        raise ProtocolError(f"rho and gamma are 0 or more, not {weights[0]:g} and {weights[1]:g}")
    names, sums, warnings = _compared(days, events, groups, strata)
    height = _weight(sums.survival, weights)
    observed, expected = (np.einsum("t,tg->g", height, part) for part in (sums.observed, sums.expected))
    variance = np.einsum("t,tgh->gh", height**2, sums.variance)
    gap = (observed - expected)[1:]
    if np.linalg.matrix_rank(variance[1:, 1:]) < len(gap):
        raise ReadingError("the log-rank variance is 0: everyone at risk had the event at the same moment")
    statistic = float(gap @ np.linalg.solve(variance[1:, 1:], gap))
    df = len(names) - 1
    return LogRank(
        chi2=statistic,
        df=df,
        p=float(chi_square.sf(statistic, df)),
        n=len(days),
        events=sum(map(int, events)),
        method=_method(weights, strata is not None),
        warnings=warnings,
        data_digest=_digest(days, events, groups, strata),
        groups=names,
        group_n=tuple(list(groups).count(name) for name in names),
        observed=tuple(map(float, observed)),
        expected=tuple(map(float, expected)),
    )


def max_combo(
    days: Sequence[float],
    events: Sequence[bool | int],
    groups: Sequence[str],
    *,
    strata: Sequence[str] | None = None,
) -> MaxCombo:
    """Whether the hazards of two groups differ early, late, in the middle or all along.

    Parameters as for `log_rank`; the largest of the weightings `MAX_COMBO_WEIGHTS` is taken.

    Raises
    ------
    ReadingError
        For the faults that `log_rank` refuses, and for more than two groups.

    References
    ----------
    Lee SH. On the versatility of the combination of the weighted log-rank statistics. CSDA 2007. Karrison TG.
    Versatile tests for comparing survival curves based on weighted log-rank statistics. Stata J 2016.
    """
    names, sums, warnings = _compared(days, events, groups, strata)
    if len(names) != 2:
        raise ReadingError(f"the largest of several weightings compares two groups; there are {', '.join(names)}")
    heights = np.array([_weight(sums.survival, pair) for pair in MAX_COMBO_WEIGHTS])
    gaps = heights @ (sums.observed - sums.expected)[:, 0]
    covariance = np.einsum("at,bt,t->ab", heights, heights, sums.variance[:, 0, 0])
    spread = np.sqrt(np.diag(covariance))
    if (spread == 0).any():
        raise ReadingError("the log-rank variance is 0 under one of the weights; too few events to compare weights")
    scores = gaps / spread
    best = int(np.argmax(np.abs(scores)))
    return MaxCombo(
        z=float(scores[best]),
        weights=MAX_COMBO_WEIGHTS[best],
        p=_p_of_largest(float(np.abs(scores[best])), covariance / np.outer(spread, spread)),
        each=tuple((pair, float(score)) for pair, score in zip(MAX_COMBO_WEIGHTS, scores, strict=True)),
        n=len(days),
        events=sum(map(int, events)),
        method="max-combo of Fleming-Harrington weights" + (", stratified" if strata is not None else ""),
        warnings=warnings,
        data_digest=_digest(days, events, groups, strata),
    )


def _p_of_largest(largest: float, correlation: Vector) -> float:
    """How likely one of several correlated normal deviates lies so far out.

    Along a direction the deviates stay inside up to a distance that is known exactly; the share of a chi-square
    within it is averaged over a grid of directions. The weights of which there are four span three dimensions at most,
    because the first is the sum of the second and the third.
    """
    values, axes = np.linalg.eigh(correlation)
    loadings = (axes * np.sqrt(np.maximum(values, 0)))[:, values > 1e-10 * values.max()]
    directions, share = _directions(loadings.shape[1])
    reach = largest / np.abs(directions @ loadings.T).max(axis=1)
    return float(share @ chi_square.sf(reach**2, loadings.shape[1]))


def _directions(dimensions: int) -> tuple[Vector, Vector]:
    """Half of all directions, evenly spread, with the share of each."""
    if dimensions == 1:
        return np.ones((1, 1)), np.ones(1)
    around = (np.arange(ROUND) + 0.5) * np.pi / ROUND
    circle = np.column_stack([np.cos(around), np.sin(around)])
    if dimensions == 2:
        return circle, np.full(ROUND, 1 / ROUND)
    heights = (np.arange(ROUND) + 0.5) * 2 / ROUND - 1
    rings = np.sqrt(1 - heights**2)[:, None, None] * circle[None]
    points = np.concatenate([rings, np.broadcast_to(heights[:, None, None], (ROUND, ROUND, 1))], axis=2)
    return points.reshape(-1, 3), np.full(ROUND**2, 1 / ROUND**2)


def _compared(
    days: Sequence[float], events: Sequence[bool | int], groups: Sequence[str], strata: Sequence[str] | None
) -> tuple[tuple[str, ...], _Sums, tuple[str, ...]]:
    """The groups that are at risk at some event, their sums over the event times, and what to warn of."""
    require_times(days, events)
    require_length(len(days), groups, "group names")
    layers = ["all"] * len(days) if strata is None else list(strata)
    require_length(len(days), layers, "strata")
    if not any(events):
        raise ReadingError("a log-rank test needs at least one event; every subject is censored")
    names = sorted(set(groups))
    time, event, group, layer = (
        np.asarray(days, float),
        np.asarray(events, bool),
        np.asarray(groups),
        np.asarray(layers),
    )
    parts = [_sums(time[layer == name], event[layer == name], group[layer == name], names) for name in np.unique(layer)]
    sums = _Sums(*(np.concatenate([getattr(p, f) for p in parts]) for f in _Sums.__dataclass_fields__))
    there = sums.expected.sum(axis=0) > 0
    if there.sum() < 2:
        raise ReadingError(
            f"a log-rank test needs two groups at risk when an event happens; there is {', '.join(names)}"
        )
    kept = tuple(name for name, inside in zip(names, there, strict=True) if inside)
    sums = _Sums(sums.survival, sums.observed[:, there], sums.expected[:, there], sums.variance[:, there][:, :, there])
    lone = [str(name) for name in np.unique(layer) if strata is not None and (layer == name).sum() == 1]
    left_out = [name for name in names if name not in kept]
    warnings = [f"never_at_risk: nobody in {g} was under observation at an event; left out" for g in left_out]
    warnings += [f"lone_subject: stratum {name} has one subject and says nothing" for name in lone]
    total = int(event[np.isin(group, kept)].sum())
    if total < FEW_EXPECTED_EVENTS * len(kept):
        said = f"{total} events in {len(kept)} groups; the chi-square approximation of the p-value is poor"
        warnings.append(f"few_events: {said}")
    return kept, sums, tuple(warnings)


def _sums(time: Vector, event: npt.NDArray[np.bool_], group: npt.NDArray[np.str_], names: Sequence[str]) -> _Sums:
    """Of one stratum."""
    moments = np.unique(time[event])
    at_risk, happened = np.zeros((2, len(moments), len(names)))
    for place, name in enumerate(names):
        mine = group == name
        seen, ended = np.sort(time[mine]), np.sort(time[mine & event])
        at_risk[:, place] = len(seen) - np.searchsorted(seen, moments, side="left")
        happened[:, place] = np.searchsorted(ended, moments, "right") - np.searchsorted(ended, moments, "left")
    everyone, failed = at_risk.sum(axis=1), happened.sum(axis=1)
    after = np.cumprod(1 - failed / everyone)
    share = at_risk / everyone[:, None]
    scale = np.where(everyone > 1, failed * (everyone - failed) / np.maximum(everyone - 1, 1), 0.0)
    spread = share[:, :, None] * (np.eye(len(names)) - share[:, None, :])
    survival = np.concatenate([[1.0], after[:-1]]) if len(moments) else after
    return _Sums(survival, happened, failed[:, None] * share, scale[:, None, None] * spread)


def _weight(survival: Vector, weights: Weights) -> Vector:
    rho, gamma = weights
    return survival**rho * (1 - survival) ** gamma


def _method(weights: Weights, stratified: bool) -> str:
    rho, gamma = weights
    kind = "log-rank" if weights == (0, 0) else f"weighted log-rank, Fleming-Harrington rho {rho:g}, gamma {gamma:g}"
    return f"{kind}, two-sided, {'stratified' if stratified else 'unstratified'}"


def _digest(
    days: Sequence[float], events: Sequence[bool | int], groups: Sequence[str], strata: Sequence[str] | None
) -> str:
    return digest_of(
        [list(map(float, days)), list(map(int, events)), list(map(str, groups)), list(map(str, strata or ()))]
    )
